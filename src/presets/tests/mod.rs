mod characters;
mod grammar;
mod random;
mod register;
mod shelf;

use std::fs;
use std::path::Path;

use time::macros::date;

use super::{Presets, Viewer};
use crate::config::complaints::Complaints;
use crate::plan::Algorithm;

/// Somebody, some day.
const ANYBODY: Viewer<'static> = Viewer { key_id: 7, key_name: "shop", today: date!(2026 - 06 - 15) };

fn shipped() -> Presets {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Presets::load(&root.join("presets"), &root.join("loras")).unwrap_or_else(|all| panic!("{all:#?}"))
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
const CHARACTER: &str = "trigger = 'photo of aya'\nrights = 'invented'\nlicence = 'CC0-1.0'";
const PROMPTS: &str = "recipes = ['red {hat}', '@aya green {hat}']\n[slots]\nhat = ['beanie', 'knit cap']";

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
    Presets::load(dir.path(), &dir.path().join("loras")).map_err(|all| {
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
    assert!(["aaliyah", "aya", "bella"].iter().all(|name| presets.character(name, &ANYBODY).is_some()));
    let counts = presets.counts();
    assert!(counts.models >= 2 && counts.styles >= 10, "{counts:?}");
    assert!(counts.characters >= 12 && counts.recipes >= 200, "{counts:?}");
}

#[test]
fn the_smallest_presets_load() {
    let presets = load(&[]).unwrap();
    let (_, model) = presets.default_model().unwrap();
    assert_eq!((model.sampler, model.guidance_scale), (Algorithm::EulerDiscrete.into(), 5.0));
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
            (
                "characters/Aya.toml",
                "triger = ''\nrights = 'x'\nallowed_keys = [1.5]\nexpires = '2026-01-01'\nmodels = 'eros'\nweight = 9",
            ),
            ("characters/broken.toml", "trigger = "),
            ("characters/light.toml", &format!("{CHARACTER}\nweight = 1\nexpires = 2026-01-01T00:00:00Z")),
            ("prompts/all.toml", "recipes = 'red hat'\nwithout_character = 1\nslots = 3"),
            ("prompts/more.toml", "recipes = []\nmood = 1"),
        ],
        &[
            "characters/Aya.toml: allowed_keys: must be a list of API keys, each by its number or its name, not [1.5]",
            "characters/Aya.toml: expires: must be a date such as 2027-01-31",
            "characters/Aya.toml: licence: missing",
            "characters/Aya.toml: models: must be a list of models' keys",
            "characters/Aya.toml: the file's name is its key",
            "characters/Aya.toml: triger: there is no such field",
            "characters/Aya.toml: trigger: missing",
            "characters/Aya.toml: weight: must be a number from -2 to 2, not 9",
            "characters/broken.toml: TOML parse error",
            "characters/light.toml: expires: must be a date",
            "characters/light.toml: weight: is of no use without `lora`",
            "models/eros.toml: checkpoint: must be a plain name of a folder or file",
            "models/eros.toml: guidance_scale: must be a number from 0 to 30, not 31.5",
            "models/eros.toml: label: missing",
            "models/eros.toml: num_inference_steps: must be an integer from 1 to 150, not 0",
            "models/eros.toml: order: must be an integer",
            "models/eros.toml: sampler: must be one of Euler",
            "models/eros.toml: speed: there is no such field",
            "models/eros.toml: styles.plain.label: missing",
            "models/eros.toml: styles.plain.lable: there is no such field",
            "models/eros.toml: styles.plain.positive: must be a text, not 7",
            "prompts/all.toml: recipes: must be a list of texts that are not empty",
            "prompts/all.toml: slots: must be a table of slots, not 3",
            "prompts/all.toml: without_character: must be true or false, not 1",
            "prompts/more.toml: mood: there is no such field",
            "prompts: at least one recipe must be without @name",
        ],
    );
}

#[test]
fn what_spans_files_is_checked() {
    check(
        &[
            ("models/eros.toml", &MODEL.replace("\"plain\"", "\"fancy\"")),
            ("characters/bella.toml", &format!("{CHARACTER}\nmodels = ['eros', 'zeus']")),
        ],
        &[
            "characters/bella.toml: models: there is no model `zeus`",
            "models/eros.toml: default_style: there is no style `fancy`; there are: plain",
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
            &["models/eros.toml: checkpoint: must be a plain name of a folder or file"],
        );
    }
}

#[test]
fn missing_and_empty_folders_are_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("models")).unwrap();
    let said = Presets::load(dir.path(), &dir.path().join("loras")).unwrap_err().0;
    let about = |name: &str| said.iter().any(|complaint| complaint.place.ends_with(name));
    assert!(about("models") && about("characters") && about("prompts"), "{said:?}");
}
