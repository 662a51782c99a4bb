use std::time::Instant;

use proptest::prelude::*;
use serde::Deserialize;

use super::{MOST_WEIGHT, literal, weighted};

/// Sections of (text, weight).
type Read = Vec<Vec<(String, f64)>>;

fn read(prompt: &str) -> Read {
    let sections = weighted(prompt).into_iter();
    sections.map(|section| section.into_iter().map(|one| (one.text, one.weight)).collect()).collect()
}

fn one(stretches: &[(&str, f64)]) -> Read {
    vec![stretches.iter().map(|(text, weight)| ((*text).to_owned(), *weight)).collect()]
}

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    read: Vec<(String, f64)>,
}

/// A list that has `BREAK` among its texts, as the sections it means.
fn sections(read: &[(String, f64)]) -> Read {
    let mut sections: Read = read
        .split(|(text, weight)| text == "BREAK" && *weight == -1.0)
        .map(|section| section.iter().filter(|(text, _)| !text.is_empty()).cloned().collect())
        .collect();
    sections.retain(|section| section.iter().any(|(text, _)| !text.trim().is_empty()));
    if sections.is_empty() { vec![Vec::new()] } else { sections }
}

/// `tests/fixtures/reference_prompts.py`.
#[test]
fn it_reads_as_the_reference_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/prompts.json");
    let File { cases } = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() > 400);
    for Case { text, read: theirs } in cases {
        let (ours, theirs) = (read(&text), sections(&theirs));
        let texts = |read: &Read| {
            let texts = read.iter().map(|section| section.iter().map(|one| one.0.clone()).collect());
            texts.collect::<Vec<Vec<String>>>()
        };
        assert_eq!(texts(&ours), texts(&theirs), "{text:?}");
        for (ours, theirs) in ours.iter().flatten().zip(theirs.iter().flatten()) {
            assert!((ours.1 - theirs.1).abs() <= 1e-9 * theirs.1.abs(), "{text:?}: {ours:?}, {theirs:?}");
        }
    }
}

#[test]
fn where_the_reference_stumbles_it_goes_on() {
    assert_eq!(read("(a BREAK b:1.5)"), [one(&[("a", 1.5)]), one(&[("b", 1.5)])].concat());
    assert_eq!(read("[BREAK]a"), one(&[("a", 1.0)]));
    assert_eq!(read("(a:1.2.3)"), one(&[("a:1.2.3", 1.1)]));
    assert_eq!(read("(a:.)"), one(&[("a:.", 1.1)]));
    assert_eq!(read("(a: 1.2 )"), one(&[("a", 1.2)]), "webui 1.10.1; the older reference has no spaces");
    assert_eq!(read("(a:nan)(b:inf)(c:1e3)"), one(&[("a:nanb:infc:1e3", 1.1)]));
}

#[test]
fn weights_stay_in_bounds() {
    assert_eq!(read("(a:1000)"), one(&[("a", MOST_WEIGHT)]));
    assert_eq!(read(&format!("(a:-{})", "9".repeat(400))), one(&[("a", -MOST_WEIGHT)]));
    let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(read(&deep), one(&[("a", MOST_WEIGHT)]));
    let none = format!("(({}a{}:0))", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(read(&none), one(&[("a", 0.0)]));
    let faint = format!("{}a", "[".repeat(100_000));
    assert!(matches!(read(&faint)[0][0], (_, weight) if (0.0..1e-300).contains(&weight)));
}

#[test]
fn long_prompts_take_no_time() {
    for piece in
        ["(", ")", "[", ":", ": ", ":1", "\\", "(a", "(a:1.2)", "BREAK ", "BREAK", "(BREAK[", "a)]", ":1.2)"]
    {
        let prompt = piece.repeat(20_000);
        let start = Instant::now();
        let _ = read(&prompt);
        let took_ms = start.elapsed().as_millis();
        assert!(took_ms < 2_000, "{piece:?} took {took_ms} ms");
    }
}

fn prompt() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[()\\[\\]\\\\:]",
        ":[+-]?[0-9.]{1,4}\\)",
        "[a-zé ,]{1,4}",
        Just("BREAK".to_owned()),
        "\\PC{1,3}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Nothing panics; there is a section and none without words but in a prompt that has none; weights are numbers in
    /// bounds; letters stay, in their order.
    #[test]
    fn every_prompt_is_read(prompt in prompt()) {
        let sections = read(&prompt);
        prop_assert!(!sections.is_empty());
        prop_assert!(sections.len() == 1 || sections.iter().all(|section| !section.is_empty()));
        for (text, weight) in sections.iter().flatten() {
            prop_assert!(!text.is_empty() && weight.abs() <= MOST_WEIGHT);
        }
        let letters = |text: &str| text.chars().filter(|c| c.is_lowercase()).collect::<String>();
        let left: String = sections.iter().flatten().map(|(text, _)| text.as_str()).collect();
        prop_assert_eq!(letters(&left), letters(&prompt));
    }

    #[test]
    fn what_is_escaped_is_text(text in "[a-z()\\[\\]\\\\: ,]{1,30}") {
        let escaped: String = text
            .chars()
            .flat_map(|c| "()[]\\".contains(c).then_some('\\').into_iter().chain([c]))
            .collect();
        let expected = if text.trim().is_empty() { vec![Vec::new()] } else { one(&[(text.as_str(), 1.0)]) };
        prop_assert_eq!(read(&escaped), expected);
    }
}

#[test]
fn a_literal_text_is_read_as_it_stands() {
    for text in [r"a (b:1.2) [c] \ d \( e", "", "((", "plain, words"] {
        let read: String =
            weighted(&literal(text)).concat().into_iter().map(|stretch| stretch.text).collect();
        assert_eq!(read, text);
        assert!(weighted(&literal(text)).concat().iter().all(|stretch| stretch.weight == 1.0), "{text}");
    }
}
