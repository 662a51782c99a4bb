//! What can be asked for: who sees which character, and presets that change while the service runs.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::house::{House, fetch_picture, has_ended, root};
use crate::verify::verified;

/// A copy of the shipped presets.
fn copied() -> TempDir {
    let presets = tempfile::tempdir().unwrap();
    for folder in ["models", "characters", "prompts"] {
        fs::create_dir(presets.path().join(folder)).unwrap();
        for file in fs::read_dir(root().join("presets").join(folder)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), presets.path().join(folder).join(file.file_name())).unwrap();
        }
    }
    presets
}

/// A house with its own copy of the shipped presets.
fn house() -> (House, TempDir) {
    let presets = copied();
    let house = House::start(&[("IMGEN_PRESETS_DIR", presets.path().to_str().unwrap())]);
    (house, presets)
}

/// Adds a character, or replaces it.
fn character(presets: &Path, name: &str, fields: &str) {
    let text = format!("trigger = 'photo of {name}'\nrights = 'invented'\nlicence = 'CC0-1.0'\n{fields}");
    fs::write(presets.join(format!("characters/{name}.toml")), text).unwrap();
}

fn models(house: &House) -> Value {
    house.ask(&json!({"action": "models"})).json()
}

fn lists(characters: &Value, name: &str) -> bool {
    characters.as_array().unwrap().contains(&json!(name))
}

/// Waits until `models` is as wanted.
fn wait_for(house: &House, wanted: impl Fn(&Value) -> bool) {
    let begun = Instant::now();
    while !wanted(&models(house)) {
        assert!(begun.elapsed() < Duration::from_secs(30), "still {}", models(house));
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_stale(house: &House) -> bool {
    let ready = house.send("GET", "/readyz", &[("Authorization", None)], b"");
    assert_eq!(ready.status, 200, "{}", ready.json());
    ready.json().get("stale") == Some(&json!(["presets"]))
}

#[test]
fn presets_change_while_the_service_runs() {
    let (house, presets) = house();
    let presets = presets.path();
    assert!(!lists(&models(&house)["characters"], "zoe"));
    let long = json!({"prompt": "@aya red hoodie", "steps": 40, "num_images": 2, "action": "generate"});
    let busy = house.ask(&long).json();
    let planned = house.ask(&json!({"prompt": "@aya red hoodie", "steps": 1, "action": "generate"})).json();

    character(presets, "zoe", "positive = 'green hair'");
    character(presets, "aya", "positive = 'blue hair'");
    wait_for(&house, |models| lists(&models["characters"], "zoe"));
    let parsed = house.ask(&json!({"action": "parse", "prompt": "@aya red hoodie"})).json();
    assert!(
        parsed["positive"].as_str().unwrap().starts_with("photo of aya, blue hair, red hoodie"),
        "{parsed}"
    );
    for job in [busy, planned] {
        let done = house.wait(job["id"].as_str().unwrap(), has_ended);
        let positive = done["meta"]["positive"].as_str().unwrap();
        assert!(!positive.contains("blue hair") && positive.contains("black hair"), "{positive}");
    }

    // What is wrong keeps everything, also what is right beside it.
    let before = models(&house);
    fs::write(presets.join("characters/broken.toml"), "trigger = ").unwrap();
    character(presets, "yan", "");
    let begun = Instant::now();
    while !is_stale(&house) {
        assert!(begun.elapsed() < Duration::from_secs(30), "the mistake was not noticed");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(models(&house), before);
    assert_eq!(house.draw(&json!({"prompt": "@zoe red hoodie", "steps": 1})).1["status"], "COMPLETED");
    fs::remove_file(presets.join("characters/broken.toml")).unwrap();
    wait_for(&house, |models| lists(&models["characters"], "yan"));
    assert!(!is_stale(&house));
}

/// A change that leaves size and time of a file alone is only seen by whoever is told to look.
#[test]
fn a_hangup_has_the_presets_read_again() {
    let (house, presets) = house();
    let file = presets.path().join("models/eros.toml");
    let text = fs::read_to_string(&file).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    fs::write(&file, text.replace("label = \"Eros\"", "label = \"Ares\"")).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(models(&house)["models"]["eros"]["label"], "Eros");
    house.signal("HUP");
    wait_for(&house, |models| models["models"]["eros"]["label"] == "Ares");
}

#[test]
fn a_character_is_there_for_its_own_keys_models_and_days() {
    let (house, presets) = house();
    let presets = presets.path();
    character(presets, "vip", "allowed_keys = ['press', 999]");
    character(presets, "gone", "expires = 2020-02-29");
    character(presets, "drawn", "models = ['atelier']\nexpires = 2999-12-31");
    wait_for(&house, |models| lists(&models["characters"], "drawn"));
    let press = format!("Bearer {}", house.another_key("press"));
    let press = [("Authorization", Some(press.as_str()))];

    let mine = models(&house);
    let theirs = house.ask_with(&press, &json!({"action": "models"})).json();
    for (models, vip) in [(&mine, false), (&theirs, true)] {
        assert_eq!(lists(&models["characters"], "vip"), vip, "{models}");
        assert_eq!(lists(&models["models"]["eros"]["characters"], "vip"), vip);
        assert!(!lists(&models["characters"], "gone"));
        assert!(lists(&models["characters"], "drawn"));
        assert!(lists(&models["models"]["atelier"]["characters"], "drawn"));
        assert!(!lists(&models["models"]["eros"]["characters"], "drawn"));
    }

    // Whoever may not use a character gets the very answer of a name that is nobody's.
    for action in ["generate", "parse", "random"] {
        let ask = |name: &str, headers: &[(&str, Option<&str>)]| {
            let body = match action {
                "random" => json!({"action": action, "character": name}),
                _ => json!({"action": action, "prompt": format!("@{name} red hoodie"), "steps": 1}),
            };
            house.ask_with(headers, &body)
        };
        let refused = |name: &str| {
            let answer = ask(name, &[]);
            let body = answer.json();
            (
                answer.status,
                body["error"].clone(),
                body["code"].clone(),
                body["details"].to_string().replace(name, "…"),
            )
        };
        let unknown = refused("nobody");
        assert_eq!((unknown.0, &unknown.1), (400, &json!("Invalid character")));
        assert_eq!(refused("vip"), unknown, "{action}");
        assert_eq!(refused("gone"), unknown, "{action}");
        assert_eq!(ask("vip", &press).status, 200, "{action}");
        assert_eq!(ask("gone", &press).status, 400, "{action}");
    }

    let elsewhere = house.ask(&json!({"action": "generate", "prompt": "@drawn red hoodie"}));
    assert_eq!((elsewhere.status, &elsewhere.json()["error"]), (400, &json!("Invalid character")));
    assert_eq!(elsewhere.json()["details"]["models"], json!(["atelier"]));
    let there = json!({"action": "generate", "prompt": "@drawn red hoodie", "model": "atelier", "steps": 1});
    assert_eq!(house.ask(&there).status, 200);
}

/// Two models over one checkpoint differ in what they add and how they draw.
#[test]
fn each_model_has_styles_negatives_and_defaults_of_its_own() {
    let house = House::shared();
    let all = models(&house);
    let styles: usize = all["models"]
        .as_object()
        .unwrap()
        .values()
        .map(|model| model["styles"].as_object().unwrap().len())
        .sum();
    assert!(styles >= 10, "{all}");
    assert!(all["characters"].as_array().unwrap().len() >= 12);
    let drawn = |model: &str| {
        let (_, done) = house.draw(&json!({"prompt": "red hoodie", "model": model, "num_images": 1}));
        let meta = done["meta"].clone();
        assert_eq!(meta["model"], model, "{done}");
        meta
    };
    let (eros, atelier) = (drawn("eros"), drawn("atelier"));
    for key in ["style", "positive", "negative", "steps", "guidance", "sampler"] {
        assert_ne!(eros[key], atelier[key], "{key}");
    }
    assert!(all["models"]["eros"]["styles"].get("illustration").is_none());
    let other =
        house.ask(&json!({"action": "parse", "prompt": "red hoodie", "style": "illustration"})).json();
    assert_eq!(other["warnings"][0]["code"], "STYLE_FALLBACK", "{other}");
}

/// The register's note travels with the picture, and stays with its record as it was.
#[test]
fn the_rights_in_a_character_go_with_its_pictures() {
    let (house, presets) = house();
    let drawn = |prompt: &str| {
        let (_, done) = house.draw(&json!({"prompt": prompt, "steps": 1, "format": "png"}));
        let (picture, _) = fetch_picture(done["meta"]["images"][0]["url"].as_str().unwrap());
        picture
    };
    let (aya, nobody) = (drawn("@aya red hoodie"), drawn("red hoodie"));
    character(presets.path(), "aya", "");
    wait_for(&house, |_| {
        let parsed = house.ask(&json!({"action": "parse", "prompt": "@aya"})).json();
        !parsed["positive"].to_string().contains("black hair")
    });

    let found = verified(&house, "png", &aya);
    let facts = &found["record"]["facts"];
    assert!(facts["character_rights"].as_str().unwrap().contains("depicts nobody"), "{found:#}");
    assert_eq!(facts["character_licence"], "as imgen itself");
    let manifest = found["c2pa"]["manifest"].to_string();
    assert!(manifest.contains("characterRights") && manifest.contains("depicts nobody"), "{found:#}");

    let found = verified(&house, "png", &nobody);
    assert_eq!(found["record"]["facts"]["character_rights"], Value::Null);
    assert!(!found["c2pa"]["manifest"].to_string().contains("characterRights"));
}

#[test]
fn a_checkpoint_that_cannot_be_loaded_takes_its_models_away_and_nothing_else() {
    let (checkpoints, presets) = (tempfile::tempdir().unwrap(), copied());
    let small = root().join("tests/fixtures/tiny-starter");
    std::os::unix::fs::symlink(small, checkpoints.path().join("starter")).unwrap();
    fs::write(checkpoints.path().join("broken.safetensors"), b"cut short").unwrap();
    let eros = fs::read_to_string(presets.path().join("models/eros.toml")).unwrap();
    let broken = eros.replace("\"starter\"", "\"broken.safetensors\"").replace("order = 1", "order = 9");
    fs::write(presets.path().join("models/broken.toml"), broken).unwrap();
    let house = House::start(&[
        ("IMGEN_PRESETS_DIR", presets.path().to_str().unwrap()),
        ("IMGEN_MODELS_DIR", checkpoints.path().to_str().unwrap()),
    ]);
    let listed = models(&house);
    let available = |key: &str| listed["models"][key]["available"].clone();
    assert_eq!((available("eros"), available("broken")), (json!(true), json!(false)));
    let refused = house.ask(&json!({"action": "generate", "prompt": "hat", "model": "broken"}));
    let said = refused.json();
    assert_eq!((refused.status, &said["code"]), (503, &json!("MODEL_UNAVAILABLE")), "{said}");
    assert_eq!(said["details"]["available"], json!(["atelier", "eros"]));
    let (_, done) = house.draw(&json!({"prompt": "hat", "steps": 1}));
    assert_eq!(done["status"], "COMPLETED");
}
