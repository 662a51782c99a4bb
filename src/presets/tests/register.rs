use time::macros::date;

use super::super::{RegisteredLora, Viewer};
use super::{ANYBODY, CHARACTER, check, load};

fn entry(more: &str) -> String {
    format!("sha256 = '{}'\nlicence = 'CC0-1.0'\nsource = 'drawn here'\n{more}", sha256("weights"))
}

fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(text))
}

#[test]
fn an_entry_is_what_its_file_and_its_table_say() {
    let presets = load(&[
        ("loras/ink.toml", &entry("base = ['starter']\ntrigger = 'ink drawing'")),
        ("loras/ink.safetensors", "weights"),
        ("loras/alone.safetensors", "no entry, so not offered"),
    ])
    .unwrap();
    assert_eq!(presets.counts().loras, 1);
    let ink = RegisteredLora {
        sha256: sha256("weights"),
        base: Some(vec!["starter".into()]),
        trigger: "ink drawing".into(),
        licence: "CC0-1.0".into(),
        source: "drawn here".into(),
        allowed_keys: None,
        fault: None,
    };
    assert_eq!(presets.lora("ink", &ANYBODY), Some(&ink));
    assert!(ink.fits("starter") && !ink.fits("other"));
    assert_eq!(presets.lora("alone", &ANYBODY), None);
}

#[test]
fn a_file_that_is_not_the_registered_one_is_a_fault_of_its_own() {
    let presets = load(&[
        ("loras/changed.toml", &entry("")),
        ("loras/changed.safetensors", "others"),
        ("loras/gone.toml", &entry("")),
    ])
    .unwrap();
    let fault = |name: &str| presets.lora(name, &ANYBODY).unwrap().fault.unwrap();
    assert_eq!(fault("changed"), "its file is not the registered one");
    assert_eq!(fault("gone"), "its file is missing");
    assert!(presets.lora("gone", &ANYBODY).unwrap().fits("anything"));
}

#[test]
fn what_characters_bring_is_for_those_who_may_use_one_of_them() {
    let brings = |more: &str| format!("{CHARACTER}\nlora = 'ink'\n{more}");
    let registered = [("loras/ink.toml", entry("")), ("loras/ink.safetensors", "weights".to_owned())];
    let presets = |characters: &[(&str, String)]| {
        let files: Vec<(&str, &str)> =
            registered.iter().chain(characters).map(|(name, text)| (*name, text.as_str())).collect();
        load(&files).unwrap()
    };
    let secret = presets(&[("characters/bella.toml", brings("allowed_keys = ['press']"))]);
    assert_eq!(secret.lora("ink", &ANYBODY), None);
    assert_eq!(secret.loras_for(&ANYBODY).count(), 0);
    assert!(secret.lora("ink", &Viewer { key_name: "press", ..ANYBODY }).is_some());
    let expired = presets(&[("characters/bella.toml", brings("expires = 2020-01-01"))]);
    assert_eq!(expired.lora("ink", &ANYBODY), None);
    assert!(expired.lora("ink", &Viewer { today: date!(2020 - 01 - 01), ..ANYBODY }).is_some());
    let both = presets(&[
        ("characters/bella.toml", brings("allowed_keys = ['press']")),
        ("characters/cleo.toml", brings("")),
    ]);
    assert!(both.lora("ink", &ANYBODY).is_some());
}

#[test]
fn the_register_too_says_who_may_use_it() {
    let presets =
        load(&[("loras/ink.toml", &entry("allowed_keys = ['press']")), ("loras/ink.safetensors", "weights")])
            .unwrap();
    assert_eq!(presets.lora("ink", &ANYBODY), None);
    assert!(presets.lora("ink", &Viewer { key_name: "press", ..ANYBODY }).is_some());
}

#[test]
fn everything_wrong_with_a_register_is_said() {
    check(
        &[
            ("loras/Ink.toml", &entry("")),
            ("loras/odd.toml", "sha256 = 'ABC'\nbase = 'starter'\npath = '/etc/passwd'"),
            ("characters/cleo.toml", &format!("{CHARACTER}\nlora = '../loras/ink'")),
        ],
        &[
            "characters/cleo.toml: lora: must be a registered name",
            "loras/Ink.toml: the file's name is its key",
            "loras/odd.toml: base: must be a list of checkpoints' names",
            "loras/odd.toml: licence: missing",
            "loras/odd.toml: path: there is no such field",
            "loras/odd.toml: sha256: must be 64 lower-case hexadecimal digits",
            "loras/odd.toml: source: missing",
        ],
    );
}
