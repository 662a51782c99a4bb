//! Enhancement with the embedded model, on the hundred prompts of `tests/fixtures/enhance/prompts.txt`.
//!
//! `cargo bench --bench enhance [-- PAIRS.tsv]`. Each prompt is enhanced as the action `optimize` does it, with the style's
//! vocabulary, the starter's tokenizers and the review; then it is read back and compared with what the client wrote. The
//! file gets prompt and enhanced prompt, one pair a line.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its table and stops at the first surprise"
)]

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use imgen::compliance::{ComplianceConfig, Reviewer, Texts};
use imgen::diffusion::tokenizer::WindowCounter;
use imgen::enhance::{Ask, Embedded, EnhanceConfig, Enhancer, Wish, enhance};
use imgen::presets::{Model, Presets, Viewer};
use imgen::prompt::{Composed, Parts, Token, compose, parse, tokens};

const PROMPTS: &str = include_str!("../tests/fixtures/enhance/prompts.txt");

/// As `generate` joins them.
fn composed(prompt: &str, presets: &Presets, model: &Model) -> Composed {
    let viewer = Viewer { key_id: 1, key_name: "bench", today: time::OffsetDateTime::now_utc().date() };
    let parsed = parse(prompt, &|name| presets.character(name, &viewer).is_some()).expect("a prompt");
    let character = parsed.character.as_deref().and_then(|name| presets.character(name, &viewer));
    let style = &model.styles[&model.default_style];
    compose(&Parts {
        trigger: character.map_or("", |character| &character.trigger),
        character_positive: character.map_or("", |character| &character.positive),
        prompt: &parsed.positive,
        style_positive: &style.positive,
        base_negative: &model.negative,
        style_negative: &style.negative,
        character_negative: character.map_or("", |character| &character.negative),
        prompt_negative: &parsed.negative,
        explicit_negative: "",
    })
}

/// Names and negative terms, and the positive terms.
fn sides(prompt: &str) -> (Vec<Token>, Vec<Token>) {
    tokens(prompt).into_iter().partition(|token| !matches!(token, Token::Positive(_)))
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let presets = Presets::load(&root.join("presets"), &root.join("loras")).expect("presets");
    let (_, model) = presets.default_model().expect("a model");
    let counter = WindowCounter::load(&root.join("models").join(&model.checkpoint)).expect("tokenizers");
    let windows = |text: &str| -> Vec<usize> {
        counter.count(text).expect("tokens").iter().map(|windows| windows.tokens.len()).collect()
    };
    let settings = EnhanceConfig::default();
    let enhancer = Embedded::new(root.join(&settings.model_file), Duration::from_secs(300), 1);
    let begun = Instant::now();
    enhancer.propose(&Wish { text: "warm up".to_owned(), seed: 0 }).expect("the model");
    let load_s = begun.elapsed().as_secs_f64();

    let reviewer = Reviewer::new(&ComplianceConfig::default()).expect("rules");
    let prompts: Vec<&str> = PROMPTS.lines().map(str::trim).collect();
    let (mut took_s, mut pairs) = (Vec::new(), String::new());
    let (mut syntax, mut terms, mut room, mut added, mut vocabulary, mut topped_up, mut nothing) =
        (0, 0, 0, 0, 0, 0, 0);
    for (seed, prompt) in prompts.iter().enumerate() {
        let base = composed(prompt, &presets, model);
        let ask = Ask {
            prompt,
            positive: &base.positive,
            negative: &base.negative,
            vocabulary: &model.styles[&model.default_style].enhance,
            refused: &[],
            most_terms: settings.most_terms,
            seed: seed as u64,
        };
        let begun = Instant::now();
        let needed = windows(&base.positive);
        let made = enhance(&enhancer, &ask, &mut |longer| {
            let longer = composed(longer, &presets, model);
            let texts = Texts { positive: &longer.positive, negative: &longer.negative, others: &[] };
            windows(&longer.positive) == needed && reviewer.approve(&texts).is_ok()
        });
        let made = made.expect("the model answers");
        took_s.push(begun.elapsed().as_secs_f64());
        let insertion = made.additions.join(", ");
        let cut = if insertion.is_empty() {
            made.prompt == *prompt
        } else {
            ["", " ", ", "]
                .iter()
                .any(|joint| made.prompt.replacen(&format!("{joint}{insertion}"), "", 1) == *prompt)
        };
        let ((names, positive), (names_after, positive_after)) = (sides(prompt), sides(&made.prompt));
        syntax += usize::from(cut && names == names_after);
        terms += usize::from(positive_after.starts_with(&positive));
        room += usize::from(windows(&composed(&made.prompt, &presets, model).positive) == needed);
        added += made.additions.len();
        vocabulary += usize::from(made.from_vocabulary > 0 && made.from_vocabulary == made.additions.len());
        topped_up += usize::from(made.from_vocabulary > 0 && made.from_vocabulary < made.additions.len());
        nothing += usize::from(made.additions.is_empty());
        writeln!(pairs, "{prompt}\t{}", made.prompt).expect("memory");
    }
    took_s.sort_by(f64::total_cmp);
    let at = |share: f64| took_s[((took_s.len() - 1) as f64 * share).round() as usize];
    println!("prompts                 {}", prompts.len());
    println!("syntax preserved        {syntax}");
    println!("terms preserved         {terms}");
    println!("no window more          {room}");
    println!("terms added, mean       {:.1}", added as f64 / prompts.len() as f64);
    println!("vocabulary alone        {vocabulary}");
    println!("model and vocabulary    {topped_up}");
    println!("nothing added           {nothing}");
    println!(
        "seconds                 median {:.2}, p95 {:.2}, most {:.2}; loading {load_s:.2}",
        at(0.5),
        at(0.95),
        at(1.0)
    );
    if let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) {
        std::fs::write(path, pairs).expect("a file to write");
    }
}
