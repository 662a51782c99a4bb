//! Token ids of transformers' `CLIPTokenizer`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use imgen::diffusion::tokenizer::{CLIPTokenizer, Window, WindowCounter};
use serde::Deserialize;

use crate::fixtures;

#[derive(Deserialize)]
struct File {
    texts: Vec<String>,
    /// By the folder of the tokenizer, such as `tiny-sdxl/tokenizer_2`.
    vocabularies: HashMap<String, Ids>,
}

#[derive(Deserialize)]
struct Ids {
    padded: Vec<Vec<i64>>,
    whole: Vec<Vec<i64>>,
}

fn folder(name: &str) -> PathBuf {
    match name.strip_prefix("starter/") {
        Some(part) => Path::new(env!("CARGO_MANIFEST_DIR")).join("models/starter").join(part),
        None => fixtures::path(name),
    }
}

#[test]
fn ids_are_transformers() {
    let File { texts, vocabularies } = fixtures::json("tokens.json");
    assert!(texts.len() >= 60 && vocabularies.len() >= 4);
    // The whole vocabulary comes with the starter, which a checkout may leave out; the tiny ones are always here.
    let present = |name: &&String| folder(name).exists();
    assert!(vocabularies.keys().filter(present).count() >= 4);
    for (name, expected) in vocabularies.iter().filter(|(name, _)| present(name)) {
        let tokenizer = CLIPTokenizer::load(&folder(name)).unwrap();
        for ((text, padded), whole) in texts.iter().zip(&expected.padded).zip(&expected.whole) {
            assert_eq!(&tokenizer.encode(text).unwrap(), whole, "{name}: {text:?}");
            assert_eq!(&tokenizer.encode_padded(text).unwrap(), padded, "{name}: {text:?}");
        }
    }
}

/// What a checkpoint without a tokenizer gets is the starter's vocabulary, which is CLIP's own.
#[test]
fn the_vocabulary_in_the_binary_is_whole() {
    let File { texts, vocabularies } = fixtures::json("tokens.json");
    for (name, of_second_encoder) in [("starter/tokenizer", false), ("starter/tokenizer_2", true)] {
        let (expected, tokenizer) = (&vocabularies[name], CLIPTokenizer::clip(of_second_encoder).unwrap());
        for ((text, padded), whole) in texts.iter().zip(&expected.padded).zip(&expected.whole) {
            assert_eq!(&tokenizer.encode(text).unwrap(), whole, "{name}: {text:?}");
            assert_eq!(&tokenizer.encode_padded(text).unwrap(), padded, "{name}: {text:?}");
        }
    }
}

/// No token is lost between windows, and only the last has room left.
#[test]
fn windows_are_filled_one_after_another() {
    let File { texts, vocabularies } = fixtures::json("tokens.json");
    for model in ["tiny-sdxl", "tiny-starter"] {
        let counter = WindowCounter::load(&fixtures::path(model)).unwrap();
        let whole = |tokenizer: &str| &vocabularies[&format!("{model}/{tokenizer}")].whole;
        for (at, text) in texts.iter().enumerate() {
            let counted = counter.count(&fixtures::escaped(text)).unwrap();
            assert_eq!(
                counted.iter().map(|one| one.encoder).collect::<Vec<_>>(),
                ["text_encoder", "text_encoder_2"]
            );
            for (one, tokenizer) in counted.iter().zip(["tokenizer", "tokenizer_2"]) {
                assert_eq!(one.tokens.iter().sum::<usize>(), whole(tokenizer)[at].len(), "{model}: {text:?}");
                assert!(one.tokens.iter().rev().skip(1).all(|tokens| *tokens == one.room && one.room == 75));
            }
        }
    }
}

/// Weights are no tokens, and a `BREAK` ends a window.
#[test]
fn windows_hold_what_the_encoders_get() {
    let counter = WindowCounter::load(&fixtures::path("tiny-sdxl")).unwrap();
    let count = |text: &str| {
        let counted = counter.count(text).unwrap();
        assert_eq!(counted[0].tokens, counted[1].tokens);
        counted[0].tokens.clone()
    };
    let plain = count("a cat, a dog");
    for same in
        ["(a cat:1.2), [a] dog", "((a cat), a dog", r"a cat\, (a) (dog:-1.5)", "BREAK a cat, a dog BREAK"]
    {
        assert_eq!(count(same), plain, "{same}");
    }
    assert_eq!(count("a cat BREAK a dog, a cat"), [count("a cat"), count("a dog, a cat")].concat());
    assert_eq!(count("(a cat BREAK BREAK a cat)"), [count("a cat"), count("a cat")].concat());
    let long = "a ".repeat(80);
    assert_eq!(count(&format!("{long} BREAK (b:1.2)")), [75, 5, 1]);
    assert_eq!(count(" BREAK ()[] "), [0]);
    assert_eq!(count(r"\( \)"), count("{ }"));

    let tokenizer = CLIPTokenizer::load(&fixtures::path("tiny-sdxl/tokenizer")).unwrap();
    let windows = tokenizer.windows("(a:1.5) b BREAK [b]").unwrap();
    let [a, b] = ["a", "b"].map(|word| tokenizer.encode(word).unwrap()[0]);
    let expected = [
        Window { ids: vec![a, b], weights: vec![1.5, 1.0] },
        Window { ids: vec![b], weights: vec![1.0 / 1.1] },
    ];
    assert_eq!(windows, expected);
}

#[test]
fn the_second_tokenizer_pads_with_the_exclamation_mark() {
    let tokenizer = CLIPTokenizer::load(&fixtures::path("tiny-sdxl/tokenizer_2")).unwrap();
    assert_eq!((tokenizer.pad_token_id(), tokenizer.model_max_length()), (0, 77));
    let ids = tokenizer.encode_padded("").unwrap();
    assert_eq!(ids[..3], [tokenizer.bos_token_id(), tokenizer.eos_token_id(), 0]);
    assert_eq!(ids.len(), 77);
}

#[test]
fn what_is_no_tokenizer_is_an_error_that_names_the_file() {
    let error = CLIPTokenizer::load(&fixtures::path("tiny-sdxl/vae")).unwrap_err().to_string();
    assert!(error.contains("tokenizer.json"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("vocab.json"), r#"{"a": 0}"#).unwrap();
    std::fs::write(folder.path().join("merges.txt"), "#version: 0.2\na b c\n").unwrap();
    let error = CLIPTokenizer::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("merges.txt") && error.contains("a b c"), "{error}");
    std::fs::write(folder.path().join("merges.txt"), "#version: 0.2\n").unwrap();
    let error = CLIPTokenizer::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("<|startoftext|>"), "{error}");
}
