use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::super::{Presets, RandomPrompt, UnknownCharacter, Viewer, Wanted};
use super::{ANYBODY, CHARACTER, MODEL, load, shipped};
use crate::compliance::{ComplianceConfig, Reviewer, Texts};
use crate::prompt::{Parts, compose, parse};

/// Chance with a seed (PCG's generator of 64 bits, its upper half).
fn chance(mut state: usize) -> impl FnMut(usize) -> usize {
    move |n| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    }
}

/// A few thousand prompts in a row, each for another kind of asker.
fn thousands(presets: &Presets) -> Vec<(Wanted<'static>, RandomPrompt)> {
    let mut pick = chance(7);
    let mut last = String::new();
    let draw = |round: usize| {
        let wanted = [Wanted::Any, Wanted::Nobody, Wanted::Named("Aya")][round % 3];
        let drawn = presets.random(wanted, &ANYBODY, &mut pick, &last).unwrap();
        assert_ne!(drawn.body, last);
        last.clone_from(&drawn.body);
        (wanted, drawn)
    };
    (0..6_000).map(draw).collect()
}

#[test]
fn whatever_is_drawn_reads_back_as_what_it_says() {
    let presets = shipped();
    let mut bodies = BTreeSet::new();
    for (wanted, drawn) in thousands(&presets) {
        let parsed = parse(&drawn.text(), &|name| presets.character(name, &ANYBODY).is_some()).unwrap();
        assert_eq!(parsed.character, drawn.character);
        let (negative, positive): (Vec<&str>, Vec<&str>) =
            drawn.body.split(", ").partition(|term| term.starts_with('-'));
        assert_eq!(parsed.positive, positive.join(", "));
        let negative: Vec<&str> = negative.iter().filter_map(|term| term.strip_prefix('-')).collect();
        assert_eq!(parsed.negative, negative.join(", "));
        match wanted {
            Wanted::Any => assert!(drawn.character.is_some()),
            Wanted::Nobody => assert!(!drawn.text().contains('@'), "{}", drawn.text()),
            Wanted::Named(_) => assert!(drawn.text().starts_with("@aya "), "{}", drawn.text()),
        }
        bodies.insert(drawn.body);
    }
    assert!(bodies.len() > 4_000, "only {} different ones", bodies.len());
}

#[test]
fn every_character_and_every_recipe_gets_its_turn() {
    let presets = shipped();
    let drawn = thousands(&presets);
    let names: BTreeSet<_> = drawn.iter().filter_map(|(_, drawn)| drawn.character.as_deref()).collect();
    assert_eq!(names.len(), presets.counts().characters);
    // The first term tells most recipes apart.
    let openings: BTreeSet<_> = drawn.iter().filter_map(|(_, drawn)| drawn.body.split(", ").next()).collect();
    assert!(openings.len() > 200, "{}", openings.len());
}

/// The starter draws what `training/attributes.json` names; a prompt without any of it would look like any other.
#[test]
fn every_prompt_has_clothes_a_face_and_a_background_that_the_starter_draws() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("training/attributes.json");
    let attributes: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let words = |kind: &str| -> Vec<String> {
        let values = attributes[kind].as_object().unwrap().values();
        let words = values.flat_map(|value| value["words"].as_array().unwrap());
        words.map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let (clothes, expressions, backgrounds) = (words("clothes"), words("expression"), words("background"));
    for (_, drawn) in thousands(&shipped()) {
        let terms: Vec<&str> = drawn.body.split(", ").filter(|term| !term.starts_with('-')).collect();
        let any = |words: &[String], ending: &str| {
            terms.iter().any(|term| words.iter().any(|word| term.ends_with(&format!("{word}{ending}"))))
        };
        assert!(any(&clothes, "") && any(&expressions, ""), "{}", drawn.body);
        assert!(any(&backgrounds, " background") || terms.contains(&"simple background"), "{}", drawn.body);
        // What is asked for is not kept out as well.
        for kept_out in drawn.body.split(", ").filter_map(|term| term.strip_prefix('-')) {
            assert!(!terms.contains(&kept_out), "{}", drawn.body);
        }
    }
}

/// Heavier texts come more often, and in proportion.
#[test]
fn weights_count() {
    let prompts =
        "recipes = ['red {hat}[, {mood}]']\n[slots]\nhat = { fez = 6, cap = 3, beret = 1 }\nmood = ['calm']";
    let presets = load(&[("prompts/all.toml", prompts)]).unwrap();
    let mut pick = chance(11);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..20_000 {
        let drawn = presets.random(Wanted::Nobody, &ANYBODY, &mut pick, "").unwrap();
        for term in drawn.body.split(", ") {
            *counts.entry(term.to_owned()).or_default() += 1;
        }
    }
    for (term, share) in [("red fez", 0.6), ("red cap", 0.3), ("red beret", 0.1), ("calm", 0.5)] {
        let found = f64::from(counts[term]) / 20_000.0;
        assert!((found - share).abs() < 0.02, "{term}: {found}");
    }
}

#[test]
fn a_pinned_recipe_is_for_its_character_only() {
    let prompts = "recipes = ['red {hat}', '@aya green {hat}']\n[slots]\nhat = ['beanie', 'fez']";
    let people = "without_character = true\nrecipes = ['a man, {hat}']";
    let presets = load(&[
        ("prompts/all.toml", prompts),
        ("prompts/people.toml", people),
        ("characters/bella.toml", CHARACTER),
    ])
    .unwrap();
    let all = |wanted: Wanted<'_>| -> BTreeSet<String> {
        let mut pick = chance(3);
        (0..200).map(|_| presets.random(wanted, &ANYBODY, &mut pick, "").unwrap().text()).collect()
    };
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        all(Wanted::Named("aya")),
        set(&["@aya red beanie", "@aya red fez", "@aya green beanie", "@aya green fez"])
    );
    assert_eq!(all(Wanted::Named("@Bella ")), set(&["@bella red beanie", "@bella red fez"]));
    assert_eq!(all(Wanted::Nobody), set(&["red beanie", "red fez", "a man, beanie", "a man, fez"]));
}

#[test]
fn a_name_that_the_viewer_does_not_see_is_unknown() {
    let presets = load(&[
        ("characters/aya.toml", &format!("{CHARACTER}\nallowed_keys = ['press']")),
        ("characters/bella.toml", &format!("{CHARACTER}\nmodels = ['zeus']")),
        ("models/zeus.toml", &MODEL.replace("order = 1", "order = 2")),
        ("prompts/all.toml", "recipes = ['red hat[, blue]']"),
    ])
    .unwrap();
    let press = Viewer { key_name: "press", ..ANYBODY };
    let random = |wanted, viewer| presets.random(wanted, viewer, &mut |_| 0, "");
    for name in ["nobody", "aya"] {
        assert_eq!(random(Wanted::Named(name), &ANYBODY), Err(UnknownCharacter(name.into())));
    }
    assert_eq!(random(Wanted::Named("aya"), &press).unwrap().text(), "@aya red hat");
    assert_eq!(random(Wanted::Any, &press).unwrap().character.as_deref(), Some("aya"));
    // Bella is not there for the model that a prompt would go to.
    assert_eq!(random(Wanted::Any, &ANYBODY).unwrap().text(), "red hat");
}

/// Chance that repeats itself or answers out of range does no harm.
#[test]
fn never_two_alike_whatever_chance_says() {
    for presets in [shipped(), load(&[("prompts/all.toml", "recipes = ['red hat[, blue]']")]).unwrap()] {
        for stuck in [0, 1, usize::MAX] {
            let mut last = String::new();
            for _ in 0..10 {
                let drawn = presets.random(Wanted::Any, &ANYBODY, &mut |_| stuck, &last).unwrap();
                assert!(!drawn.body.is_empty());
                assert_ne!(drawn.body, last);
                last = drawn.body;
            }
        }
    }
}

/// Whatever the presets can make of their own prompts is let through.
#[test]
fn every_combination_of_presets_passes_review() {
    let reviewer = Reviewer::new(&ComplianceConfig::default()).unwrap();
    let presets = shipped();
    let drawn = thousands(&presets);
    let models: Vec<_> = presets.models.values().collect();
    let characters: Vec<_> = presets.characters_for(&ANYBODY).map(|(_, character)| character).collect();
    for (at, (_, drawn)) in drawn.iter().step_by(3).enumerate() {
        let parsed = parse(&drawn.body, &|_| false).unwrap();
        let model = models[at % models.len()];
        let character = characters[at % characters.len()];
        for style in model.styles.values() {
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
            assert!(reviewer.approve(&texts).is_ok(), "{composed:?}");
        }
    }
}
