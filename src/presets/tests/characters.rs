use time::macros::date;

use super::super::{KeyRef, Lora, Viewer};
use super::{ANYBODY, CHARACTER, MODEL, load, shipped};

/// Whether `aya`, with these fields, is there for the viewer.
fn seen(fields: &str, viewer: &Viewer<'_>) -> bool {
    let presets = load(&[("characters/aya.toml", &format!("{CHARACTER}\n{fields}"))]).unwrap();
    let listed = presets.characters_for(viewer).any(|(name, _)| name == "aya");
    assert_eq!(presets.character("aya", viewer).is_some(), listed);
    listed
}

#[test]
fn a_character_is_there_for_the_keys_that_it_names() {
    assert!(seen("", &ANYBODY));
    assert!(seen("allowed_keys = [7]", &ANYBODY));
    assert!(seen("allowed_keys = ['press', 'shop']", &ANYBODY));
    assert!(!seen("allowed_keys = [8, 'press', '7', 'Shop']", &ANYBODY));
    assert!(!seen("allowed_keys = []", &ANYBODY), "nobody's");
}

#[test]
fn a_character_is_there_until_its_last_day_ends() {
    let on = |today| Viewer { today, ..ANYBODY };
    for (today, there) in [
        (date!(2026 - 06 - 14), true),
        (date!(2026 - 06 - 15), true),
        (date!(2026 - 06 - 16), false),
        (date!(2027 - 01 - 01), false),
    ] {
        assert_eq!(seen("expires = 2026-06-15", &on(today)), there, "{today}");
    }
    assert!(!seen("expires = 2030-01-01\nallowed_keys = ['press']", &ANYBODY), "both must hold");
}

#[test]
fn a_character_can_be_there_for_some_models() {
    let other = MODEL.replace("order = 1", "order = 2");
    let presets = load(&[
        ("models/zeus.toml", &other),
        ("characters/aya.toml", &format!("{CHARACTER}\nmodels = ['zeus']")),
        ("characters/bella.toml", CHARACTER),
    ])
    .unwrap();
    let on = |name: &str, model: &str| presets.character(name, &ANYBODY).unwrap().is_on(model);
    assert!(on("aya", "zeus") && !on("aya", "eros"));
    assert!(on("bella", "zeus") && on("bella", "eros"));
}

#[test]
fn the_register_is_read_as_it_is_written() {
    let fields = "allowed_keys = [3, 'shop']\nlora = 'aya_v2'\nweight = 0.8";
    let registered = format!("sha256 = '{}'\nlicence = 'CC0-1.0'\nsource = 'drawn here'", "0".repeat(64));
    let presets = load(&[
        ("characters/aya.toml", &format!("{CHARACTER}\n{fields}")),
        ("loras/aya_v2.toml", &registered),
    ])
    .unwrap();
    let aya = presets.character("aya", &ANYBODY).unwrap();
    assert_eq!((aya.rights.as_str(), aya.licence.as_str()), ("invented", "CC0-1.0"));
    assert_eq!(aya.allowed_keys, Some(vec![KeyRef::Id(3), KeyRef::Name("shop".into())]));
    assert_eq!(aya.lora, Some(Lora { name: "aya_v2".into(), weight: 0.8 }));
}

/// Two that nobody could tell apart are one.
#[test]
fn shipped_characters_are_adults_and_distinct() {
    let presets = shipped();
    let mut looks = Vec::new();
    for (name, character) in presets.characters_for(&ANYBODY) {
        assert!(character.positive.starts_with("adult "), "{name}");
        assert_eq!(character.trigger, format!("photo of {name}"));
        assert!(character.rights.contains("depicts nobody"), "{name}");
        assert!(!looks.contains(&&character.positive), "{name}");
        looks.push(&character.positive);
    }
    assert!(looks.len() >= 12);
}
