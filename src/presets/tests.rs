use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{Presets, UnknownCharacter, Wanted};
use crate::compliance::{Texts, review};
use crate::config::complaints::Complaints;
use crate::plan::SamplerKind;
use crate::prompt::{Parts, compose, parse};

fn shipped() -> Presets {
    Presets::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("presets"))
        .unwrap_or_else(|all| panic!("{all:#?}"))
}

const MODEL: &str = r#"
    order = 1
    label = "Eros"
    checkpoint = "starter"
    default_style = "plain"
    sampler = "EulerDiscreteScheduler"
    num_inference_steps = 20
    guidance_scale = 5
    [styles.plain]
    label = "Plain"
"#;
const CHARACTER: &str = "trigger = 'photo of aya'";
const PROMPTS: &str = "prompts = ['red hat', 'blue hat', '@aya green hat']";

/// Presets of these files; the model, the character and the prompts above unless given.
fn load(files: &[(&str, &str)]) -> Result<Presets, Complaints> {
    let dir = tempfile::tempdir().unwrap();
    let usual =
        [("models/eros.toml", MODEL), ("characters/aya.toml", CHARACTER), ("prompts/all.toml", PROMPTS)];
    for (name, text) in usual.iter().chain(files) {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Presets::load(dir.path()).map_err(|all| {
        let root = format!("{}/", dir.path().display());
        let place = |complaint: crate::config::complaints::Complaint| crate::config::complaints::Complaint {
            place: complaint.place.replace(&root, ""),
            ..complaint
        };
        Complaints(all.0.into_iter().map(place).collect())
    })
}

/// These files must give exactly complaints of these beginnings.
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let mut said: Vec<String> = load(files).unwrap_err().0.iter().map(ToString::to_string).collect();
    said.sort();
    let matches = said.len() == expected.len()
        && said.iter().zip(expected).all(|(said, begin)| said.starts_with(begin));
    assert!(matches, "expected {expected:#?}, got {said:#?}");
}

#[test]
fn the_shipped_presets_are_what_the_specification_shows() {
    let presets = shipped();
    let (key, eros) = presets.default_model().unwrap();
    assert_eq!(
        (key.as_str(), eros.label.as_str(), eros.default_style.as_str()),
        ("eros", "Eros", "professional")
    );
    assert_eq!(eros.styles["professional"].label, "Professional");
    assert_eq!(eros.styles["boudoir"].label, "Boudoir");
    assert!(eros.styles.len() >= 6);
    assert!(["aaliyah", "aya", "bella"].iter().all(|name| presets.characters.contains_key(*name)));
    assert!(presets.characters.len() >= 6);
    assert!(presets.prompts.len() >= 40);
}

#[test]
fn the_smallest_presets_load() {
    let presets = load(&[]).unwrap();
    let (_, model) = presets.default_model().unwrap();
    assert_eq!((model.sampler, model.guidance_scale), (SamplerKind::EulerDiscreteScheduler, 5.0));
    assert_eq!((model.negative.as_str(), model.styles["plain"].positive.as_str()), ("", ""));
}

#[test]
fn the_lowest_order_is_the_fallback() {
    let other = MODEL.replace("order = 1", "order = 0");
    assert_eq!(load(&[("models/zeus.toml", &other)]).unwrap().default_model().unwrap().0, "zeus");
}

#[test]
fn everything_wrong_is_said_at_once_by_file_and_field() {
    let model = r#"
        order = "first"
        checkpoint = "../elsewhere"
        default_style = "plain"
        sampler = "magic"
        num_inference_steps = 0
        guidance_scale = 31.5
        speed = 9
        [styles.plain]
        positive = 7
        lable = "Plain"
    "#;
    check(
        &[
            ("models/eros.toml", model),
            ("characters/Aya.toml", "triger = ''"),
            ("characters/broken.toml", "trigger = "),
            ("prompts/all.toml", "prompts = ['@nobody hat', 'red hat', 'a @aya hat', ' ', 'x']"),
            ("prompts/more.toml", "prompts = []\nmood = 1"),
        ],
        &[
            "characters/Aya.toml: the file's name is its key",
            "characters/Aya.toml: triger: there is no such field",
            "characters/Aya.toml: trigger: missing",
            "characters/broken.toml: TOML parse error",
            "models/eros.toml: checkpoint: must be a folder's plain name",
            "models/eros.toml: guidance_scale: must be a number from 0 to 30, not 31.5",
            "models/eros.toml: label: missing",
            "models/eros.toml: num_inference_steps: must be an integer from 1 to 150, not 0",
            "models/eros.toml: order: must be an integer",
            "models/eros.toml: sampler: must be one of EulerDiscreteScheduler",
            "models/eros.toml: speed: there is no such field",
            "models/eros.toml: styles.plain.label: missing",
            "models/eros.toml: styles.plain.lable: there is no such field",
            "models/eros.toml: styles.plain.positive: must be a text, not 7",
            "prompts/all.toml: prompts: must be a list of texts that are not empty",
            "prompts/more.toml: mood: there is no such field",
            "prompts: at least two prompts",
        ],
    );
}

#[test]
fn what_spans_files_is_checked() {
    check(
        &[
            ("models/eros.toml", &MODEL.replace("'plain'", "x").replace("\"plain\"", "\"fancy\"")),
            (
                "prompts/all.toml",
                "prompts = ['@nobody hat', 'red hat', 'a @aya hat', 'blue hat', 'red hat', '@aya @aya x', ',']",
            ),
        ],
        &[
            "models/eros.toml: default_style: there is no style `fancy`; there are: plain",
            "prompts/all.toml: prompts[0]: @nobody is not a character",
            "prompts/all.toml: prompts[2]: @aya must stand once",
            "prompts/all.toml: prompts[4]: the same prompt",
            "prompts/all.toml: prompts[5]: @aya must stand once",
            "prompts/all.toml: prompts[6]: the prompt says nothing",
        ],
    );
    check(&[("models/zeus.toml", MODEL)], &["models/zeus.toml: order: 1 is the order of `eros`"]);
    check(
        &[(
            "models/eros.toml",
            &MODEL.replace("[styles.plain]", "[styles.plain]\nlabel = 'x'\n[styles.'A b']"),
        )],
        &["models/eros.toml: styles.A b: a key has only"],
    );
}

#[test]
fn checkpoints_are_plain_folders() {
    for bad in ["", "..", "../x", "a/b", "a\\\\b", "/etc", ".hidden", "C:"] {
        let model = MODEL.replace("\"starter\"", &format!("\"{bad}\""));
        check(
            &[("models/eros.toml", &model)],
            &["models/eros.toml: checkpoint: must be a folder's plain name"],
        );
    }
}

#[test]
fn missing_and_empty_folders_are_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("models")).unwrap();
    let said = Presets::load(dir.path()).unwrap_err().0;
    let about = |name: &str| said.iter().any(|complaint| complaint.place.ends_with(name));
    assert!(about("models") && about("characters") && about("prompts"), "{said:?}");
}

#[test]
fn random_prompts_are_for_whom_they_were_asked() {
    let presets = shipped();
    let mut state = 7_usize;
    let mut pick = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let known = |name: &str| presets.characters.contains_key(name);
    let (mut last, mut seen, mut names) = (None, BTreeSet::new(), BTreeSet::new());
    for round in 0..600 {
        let wanted = [Wanted::Any, Wanted::Nobody, Wanted::Named("Aya")][round % 3];
        let drawn = presets.random(wanted, &mut pick, last).unwrap();
        let parsed = parse(&drawn.text, &known).unwrap();
        match wanted {
            Wanted::Any => _ = names.insert(parsed.character.clone().expect("a character")),
            Wanted::Nobody => assert_eq!(parsed.character, None, "{}", drawn.text),
            Wanted::Named(_) => assert!(drawn.text.starts_with("@aya "), "{}", drawn.text),
        }
        assert_ne!(Some(drawn.index), last);
        let own = parse(&presets.prompts[drawn.index].text, &known).unwrap();
        assert_eq!((parsed.positive, parsed.negative), (own.positive, own.negative));
        last = Some(drawn.index);
        seen.insert(drawn.index);
    }
    assert!(seen.len() > 40 && names.len() == presets.characters.len());
}

#[test]
fn a_pinned_prompt_is_for_its_character_only() {
    let presets = load(&[("characters/bella.toml", "trigger = 'bella'")]).unwrap();
    let all = |wanted: Wanted<'_>| -> BTreeSet<String> {
        (0..9).map(|at| presets.random(wanted, &mut |n| at % n, None).unwrap().text).collect()
    };
    assert!(all(Wanted::Named("aya")).contains("@aya green hat"));
    assert_eq!(
        all(Wanted::Named("bella")),
        BTreeSet::from(["@bella red hat".into(), "@bella blue hat".into()])
    );
    assert_eq!(all(Wanted::Nobody), BTreeSet::from(["red hat".into(), "blue hat".into()]));
}

#[test]
fn an_unknown_name_is_an_error() {
    let answer = shipped().random(Wanted::Named("nobody"), &mut |_| 0, None);
    assert_eq!(answer, Err(UnknownCharacter("nobody".into())));
}

/// Chance that answers out of range does no harm.
#[test]
fn any_chance_will_do() {
    let presets = shipped();
    for last in [None, Some(0), Some(usize::MAX)] {
        assert!(!presets.random(Wanted::Any, &mut |_| usize::MAX, last).unwrap().text.is_empty());
    }
}

/// Whatever the presets can make of their own prompts is let through.
#[test]
fn every_combination_of_presets_passes_review() {
    let presets = shipped();
    let (_, model) = presets.default_model().unwrap();
    for (at, entry) in presets.prompts.iter().enumerate() {
        let parsed = parse(&entry.text, &|_| true).unwrap();
        for style in model.styles.values() {
            let character = presets.characters.values().cycle().nth(at).unwrap();
            let composed = compose(&Parts {
                trigger: &character.trigger,
                character_positive: &character.positive,
                prompt: &parsed.positive,
                style_positive: &style.positive,
                base_negative: &model.negative,
                style_negative: &style.negative,
                character_negative: &character.negative,
                prompt_negative: &parsed.negative,
                explicit_negative: "",
            });
            let texts = Texts { positive: &composed.positive, negative: &composed.negative, others: &[] };
            assert!(review(&texts).is_ok(), "{composed:?}");
        }
    }
}
