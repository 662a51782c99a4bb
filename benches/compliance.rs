//! How often review finds something in harmless prompts and pictures, how much of a list of words it knows, and how long it takes.
//!
//! `cargo bench --bench compliance [-- --texts FILE… --hazards FILE… --pictures FOLDER… --show]`: files hold a text a line.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use imgen::api::{Chance, GenerateRequest, resolve};
use imgen::compliance::{Clearance, ComplianceConfig, Opinion, PictureFilter, Reviewed, Reviewer, Texts};
use imgen::presets::{Presets, Viewer, Wanted};
use serde::Deserialize;

/// How many prompts are drawn from the random grammar and put together from the captions.
const DRAWN: usize = 3_000;

/// Of z for a two-sided 95 %.
const Z: f64 = 1.959_964;

const ANYBODY: Viewer<'_> = Viewer { key_id: 1, key_name: "", today: time::Date::MIN };

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Chance with a seed.
fn chance(mut state: usize) -> impl FnMut(usize) -> usize {
    move |n| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    }
}

/// Wilson's interval of 95 %, in percent.
fn wilson(hits: usize, of: usize) -> String {
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let middle = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let end = |side: f64| 100.0 * ((middle + side * half) / (1.0 + Z * Z / n)).clamp(0.0, 1.0);
    format!("{hits} of {of} ({:.2} %, {:.2} to {:.2})", 100.0 * p, end(-1.0), end(1.0))
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("a text file");
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[derive(Deserialize)]
struct Captions {
    who: Vec<String>,
    does: Vec<String>,
    place: Vec<String>,
    manner: Vec<String>,
}

fn captions() -> Vec<String> {
    let text = std::fs::read_to_string(root("tests/fixtures/compliance/captions.toml")).expect("captions");
    let Captions { who, does, place, manner } = toml::from_str(&text).expect("lists");
    let mut pick = chance(11);
    let mut one = |list: &[String]| list[pick(list.len())].clone();
    let caption = |_| {
        let words = [one(&who), one(&does), one(&place)].join(" ");
        match one(&manner).as_str() {
            "" => words,
            manner => format!("{words}, {manner}"),
        }
    };
    (0..DRAWN).map(caption).collect()
}

fn random(presets: &Presets) -> Vec<String> {
    let (mut pick, mut last) = (chance(7), String::new());
    let mut draw = |_| {
        let drawn = presets.random(Wanted::Any, &ANYBODY, &mut pick, &last).expect("anybody");
        last.clone_from(&drawn.body);
        drawn.text()
    };
    (0..DRAWN).map(&mut draw).collect()
}

/// A prompt's review as `generate` has it, with what character, model and style add; and what it took, in milliseconds.
fn reviewed(prompt: &str, presets: &Presets, reviewer: &Reviewer) -> (Reviewed, f64) {
    let request = GenerateRequest { prompt: prompt.to_owned(), ..GenerateRequest::default() };
    let chance = Chance { job_id: String::new(), gen_id: String::new(), seed: 1, now_unix_s: 0 };
    let draft = resolve(&request, presets, &ANYBODY, &chance).expect("a prompt");
    let start = Instant::now();
    let reviewed = reviewer.prompt(&draft.texts(&draft.said()), Clearance::default(), &Opinion::default());
    (reviewed, start.elapsed().as_secs_f64() * 1e3)
}

fn harmless(name: &str, prompts: &[String], presets: &Presets, reviewer: &Reviewer, show: bool) {
    let (mut blocked, mut found, mut times) = (0, 0, Vec::new());
    for prompt in prompts {
        let (reviewed, took_ms) = reviewed(prompt, presets, reviewer);
        times.push(took_ms);
        blocked += usize::from(reviewed.verdict.is_err());
        found += usize::from(!reviewed.evidence.is_empty());
        if show && !reviewed.evidence.is_empty() {
            println!("    {prompt}: {}", serde_json::to_string(&reviewed.evidence).expect("JSON"));
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{name}: blocked {}; found {}", wilson(blocked, prompts.len()), wilson(found, prompts.len()));
    println!(
        "    {:.3} ms at the median, {:.3} at the 99th percentile, {:.3} at most",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// How many of a list's words are found, each beside a plain one.
fn hazards(path: &Path, reviewer: &Reviewer, show: bool) {
    let words = lines(path);
    let found = |word: &&String| {
        let positive = format!("a photo of a woman, {word}");
        let evidence = reviewer
            .prompt(
                &Texts { positive: &positive, ..Texts::default() },
                Clearance::default(),
                &Opinion::default(),
            )
            .evidence;
        if show && evidence.is_empty() {
            println!("    missed: {word}");
        }
        !evidence.is_empty()
    };
    println!("{}: found {}", path.display(), wilson(words.iter().filter(found).count(), words.len()));
}

fn pictures(folder: &Path, filter: &PictureFilter, show: bool) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let (mut scores, mut times) = (Vec::new(), Vec::new());
    for path in paths {
        let Ok(picture) = image::open(&path) else { continue };
        let picture = picture.into_rgb8();
        let start = Instant::now();
        let score = filter.look(&picture).expect("a score").unfit;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if show && score >= 0.5 {
            println!("    {}: {score:.3}", path.display());
        }
        scores.push(score);
    }
    times.sort_by(f64::total_cmp);
    let over = |least: f32| wilson(scores.iter().filter(|score| **score >= least).count(), scores.len());
    println!("{}: at least 0.8 {}; at least 0.5 {}", folder.display(), over(0.8), over(0.5));
    println!("    {:.1} ms at the median, {:.1} at most", times[times.len() / 2], times[times.len() - 1]);
}

fn main() {
    let mut named: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let (mut kind, mut show) = (String::new(), false);
    for word in std::env::args().skip(1).filter(|word| word != "--bench") {
        match word.strip_prefix("--") {
            Some("show") => show = true,
            Some(flag) => flag.clone_into(&mut kind),
            None => named.entry(kind.clone()).or_default().push(word.into()),
        }
    }
    let of = |kind: &str| named.get(kind).cloned().unwrap_or_default();
    let config =
        ComplianceConfig { picture_model: root(".filters/open-nsfw.onnx"), ..ComplianceConfig::default() };
    let reviewer = Reviewer::new(&config).expect("rules");
    let presets = Presets::load(&root("presets"), &root("loras")).expect("presets");
    let sets = [
        ("random grammar".to_owned(), random(&presets)),
        ("everyday captions".to_owned(), captions()),
        ("hard negatives".to_owned(), lines(&root("tests/fixtures/compliance/hard_negatives.txt"))),
    ];
    let files = of("texts").into_iter().map(|path| (path.display().to_string(), lines(&path)));
    println!("policy {}", reviewer.version());
    for (name, prompts) in sets.into_iter().chain(files) {
        harmless(&name, &prompts, &presets, &reviewer, show);
    }
    of("hazards").iter().for_each(|path| hazards(path, &reviewer, show));
    if named.contains_key("pictures") {
        let filter = PictureFilter::open(&config).expect("no lists");
        of("pictures").iter().for_each(|folder| pictures(folder, &filter, show));
    }
}
