//! Who may name what. A wall that falls names the file.

use super::{code, sources};

/// A word, and the only places below `src/` whose code may hold it.
const WALLS: &[(&str, &[&str])] = &[
    ("tch::", &["src/diffusion/"]),
    ("actix_web", &["src/api/", "src/app.rs", "src/error.rs"]),
    ("rusqlite", &["src/store/"]),
    (
        "crate::store",
        &[
            "src/store/",
            "src/api/",
            "src/app.rs",
            "src/cli/",
            "src/config/",
            "src/error.rs",
            "src/jobs/",
            "src/verify/",
        ],
    ),
    ("std::env::var", &["src/config/"]),
    ("aws_sdk_s3", &["src/storage/"]),
    ("SystemTime::now", &["src/storage/"]),
    ("from_str::<ApprovedPrompt>", &[]),
    ("from_value::<ApprovedPrompt>", &[]),
    ("c2pa::", &["src/credentials/"]),
    ("rcgen", &["src/credentials/"]),
    ("x509_parser", &["src/credentials/"]),
    ("p256", &["src/credentials/"]),
    ("candle_core", &["src/enhance/embedded/"]),
    ("candle_transformers", &["src/enhance/embedded/"]),
    ("libavif_sys", &["src/finish/libavif.rs"]),
    ("tract_onnx", &["src/onnx.rs"]),
    ("getrandom", &["src/store/ids.rs", "src/storage/", "src/api/"]),
];

/// Files that may be longer than the rest, and why.
const LONG: &[(&str, &str)] = &[];
const MOST_LINES: usize = 400;

/// Whether the word stands in the text other than as the end of a longer one.
fn names(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_')
    })
}

#[test]
fn walls_stand() {
    let mut fallen = Vec::new();
    for (path, text) in sources("src", "rs") {
        let text = code(&text);
        for (word, rooms) in WALLS {
            if names(&text, word) && !rooms.iter().any(|room| path.starts_with(room)) {
                fallen.push(format!("{path} names {word}"));
            }
        }
    }
    assert!(fallen.is_empty(), "{}", fallen.join("\n"));
}

#[test]
fn only_compliance_approves() {
    for (path, text) in sources("src", "rs") {
        if !path.starts_with("src/compliance/") {
            assert!(!code(&text).contains("ApprovedPrompt {"), "{path} builds an ApprovedPrompt");
        }
    }
}

#[test]
fn files_hold_one_thing() {
    let mut long = Vec::new();
    for (path, text) in sources("src", "rs") {
        let lines = text.lines().count();
        if lines > MOST_LINES && !LONG.iter().any(|(known, _)| *known == path) {
            long.push(format!("{path} has {lines} lines"));
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn no_unfinished_words() {
    for folder in ["src", "tests", "benches"] {
        for (path, text) in sources(folder, "rs") {
            if path == "tests/tidy/walls.rs" {
                continue;
            }
            for word in ["TODO", "FIXME", "XXX", "unimplemented!", "todo!("] {
                assert!(!text.contains(word), "{path} holds {word}");
            }
        }
    }
}

#[test]
fn a_panic_is_never_an_abort() {
    let manifest = std::fs::read_to_string(super::root().join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("panic = \"abort\""), "the net under the engine needs unwinding");
}
