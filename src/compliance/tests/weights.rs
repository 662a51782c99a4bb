//! Weights, escapes and `BREAK` hide nothing: what is left of a prompt when they are read is reviewed.

use std::sync::LazyLock;

use super::*;
use crate::diffusion::tokenizer::CLIPTokenizer;
use crate::prompt::weighted;

/// `word` cut at `at`, in every way in which syntax can stand between two parts or around them.
fn cut(word: &str, at: usize) -> Vec<String> {
    let (one, two) = word.split_at(at);
    vec![
        format!("({one}:1.2)({two})"),
        format!("({one}:1.2)({two}:0.8)"),
        format!("({one})({two})"),
        format!("[{one}]{two}"),
        format!("{one}({two}:1.3)"),
        format!("(({one}){two}"),
        format!("{one}(:1.3){two}"),
        format!("{one}(: 1.3 ){two}"),
        format!("{one}[]{two}"),
        format!("{one}()[]{two}"),
        format!(r"{one}\{two}"),
        format!(r"({one}:1.2)\{two}"),
        format!("([{one}){two}]"),
        format!("(x:-1) BREAK ({one}:2){two} BREAK"),
    ]
}

#[test]
fn a_word_in_parts_is_a_word() {
    for at in 1.."sprout".len() {
        for hidden in cut("sprout", at) {
            assert_eq!(positive(&format!("marrow, {hidden}")), MINORS, "{hidden}");
            assert_eq!(positive(&hidden), NOTHING, "{hidden} alone");
            let texts = Texts { positive: "marrow", others: &[&hidden], ..Texts::default() };
            assert_eq!(ids(&texts), MINORS, "{hidden}");
        }
    }
    for parts in ["(spr:1.1)(o:1.2)(ut:1.3)", "s[p](r)o(u:0.4)t", r"s\p\r\o\u\t", "5(pr:1.2)0u7"] {
        assert_eq!(positive(&format!("marrow, {parts}")), MINORS, "{parts}");
    }
}

#[test]
fn a_canary_in_parts_is_one_in_either_prompt() {
    for category in Category::LOCKED {
        let canary = category.canary();
        for hidden in [1, 3, 7, canary.len() - 1].into_iter().flat_map(|at| cut(&canary, at)) {
            for texts in [
                Texts { positive: &hidden, ..Texts::default() },
                Texts { positive: "a hat", negative: &hidden, ..Texts::default() },
            ] {
                assert_eq!(review(&texts).unwrap_err().categories, [category.id()], "{hidden}");
            }
        }
    }
}

#[test]
fn a_phrase_goes_on_over_weights_and_breaks() {
    for phrase in [
        "(two:1.2) turnips",
        "(two:1.2)(turnips:1.3)",
        "two(turnips)",
        "two BREAK turnips",
        "(two BREAK turnips:1.1)",
        "two\nBREAK, turnips",
        "((two:1.2) [turnips])",
    ] {
        assert_eq!(positive(&format!("sprout, {phrase}")), MINORS, "{phrase}");
    }
    for age in ["(15:1.2) year old", "15 BREAK year old", "(1:1.2)5 year old", "[15](yo)", r"15\ year\ old"] {
        assert_eq!(positive(&format!("{age} gardener, marrow")), MINORS, "{age}");
    }
}

#[test]
fn a_negative_term_in_parts_is_one() {
    for at in 1.."oak".len() {
        for hidden in cut("oak", at) {
            let texts = Texts { positive: "marrow", negative: &hidden, ..Texts::default() };
            assert_eq!(ids(&texts), MINORS, "{hidden}");
        }
    }
    let texts =
        Texts { positive: "marrow", negative: "(oak table:1.2), so[ak], (o:1.2) ak", ..Texts::default() };
    assert_eq!(ids(&texts), NOTHING, "whole terms only");
}

/// Below 0 a weight works the other way round, and so does review.
#[test]
fn a_weight_below_zero_turns_a_word_round() {
    for hidden in ["(sprout:-1.5)", "(spr:-1)(out:-2)", "((sprout:-1):0.5)", "fog, [(sprout:-0.1)]"] {
        let texts = Texts { positive: "marrow", negative: hidden, ..Texts::default() };
        assert_eq!(ids(&texts), MINORS, "{hidden}");
        assert!(texts.spoken().contains("sprout"), "{hidden}");
    }
    for positive in ["marrow, (oak:-2)", "marrow, (o:-1)(ak:-1), fog"] {
        assert_eq!(ids(&Texts { positive, ..Texts::default() }), MINORS, "{positive}");
    }
    let against = Texts { positive: "marrow", negative: "(sprout:1.5), sprout", ..Texts::default() };
    assert_eq!(ids(&against), NOTHING, "kept out, as it should be");
}

#[test]
fn what_is_approved_keeps_its_weights() {
    let texts =
        Texts { positive: r"(a:1.2) [hat] \(x\) BREAK b", negative: "(dark:1.3)", ..Texts::default() };
    let approved = review(&texts).unwrap();
    assert_eq!((approved.positive(), approved.negative()), (texts.positive, texts.negative));
    assert_eq!(texts.spoken(), format!("{}\na hat (x), b", texts.positive));
    assert_eq!(Texts { positive: "a hat", ..Texts::default() }.spoken(), "a hat");
}

/// CLIP's own, which cuts words as both of SDXL's do.
static ENCODER: LazyLock<CLIPTokenizer> = LazyLock::new(|| CLIPTokenizer::clip(false).unwrap());

#[test]
fn words_end_where_the_encoders_end_them() {
    for prompt in [
        "marrow2 sprout",
        "marrow6sprout",
        "it'smarrow, sprout",
        "a\u{200b}marrow, sprout",
        "x\u{336}marrow sprout",
        "two\u{200b}turnips sprout",
        "MARROW\u{200d}9 'llsprout",
        "marrow,'sprout2",
        "''sprout2, marrow",
        "marrow (\"'sprout3\")",
    ] {
        assert_eq!(positive(prompt), MINORS, "{prompt:?}");
    }
    assert_eq!(positive("my\u{200b}gardener, marrow"), REAL);
}

proptest! {
    /// Whatever stands around and between, if the encoders get the word it is found.
    #[test]
    fn what_the_encoders_get_is_reviewed(
        pieces in prop::collection::vec(
            "[()\\[\\]\\\\]{0,2}|(:1\\.[1-9]\\))?| |BREAK|, |a|[0-9]|'(s|ll|d|re)|'|,'|''|\u{200b}|\u{336}|\u{301}|\u{24d0}|²|_|-|é",
            7,
        )
    ) {
        let letters = ["s", "p", "r", "o", "u", "t", ""];
        let prompt: String = pieces.iter().zip(letters).map(|(piece, letter)| format!("{piece}{letter}")).collect();
        let gets_it = |text: &str| ENCODER.cut(text).iter().any(|word| word == "sprout");
        if weighted(&prompt).iter().flatten().any(|stretch| gets_it(&stretch.text)) {
            prop_assert_eq!(positive(&format!("marrow, {prompt}")), MINORS);
        }
    }
}
