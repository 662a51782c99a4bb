use proptest::prelude::*;

use super::words::is_word;
use super::*;
use crate::enhance::{Ask, EnhanceError, Enhancer, Grasp, Wish, enhance};
use crate::prompt::parse;

#[derive(Debug)]
struct Says(String);

/// Says the same and understands nothing.
#[derive(Debug)]
struct Babbles(Says);

impl Enhancer for Babbles {
    fn propose(&self, wish: &Wish) -> Result<String, EnhanceError> {
        self.0.propose(wish)
    }

    fn grasp(&self) -> Grasp {
        Grasp::Fragments
    }

    fn check(&self) -> Result<String, EnhanceError> {
        self.0.check()
    }
}

impl Enhancer for Says {
    fn propose(&self, _: &Wish) -> Result<String, EnhanceError> {
        Ok(self.0.clone())
    }

    fn check(&self) -> Result<String, EnhanceError> {
        Ok(String::new())
    }
}

const VOCABULARY: &[&str] = &[
    "soft light",
    "plain backdrop",
    "gentle colors",
    "clean outline",
    "centered composition",
    "fine texture",
];

fn run(
    prompt: &str,
    said: &str,
    negative: &str,
    seed: u64,
    fits: &mut dyn FnMut(&str) -> bool,
) -> crate::enhance::Enhanced {
    let vocabulary: Vec<String> = VOCABULARY.iter().map(|term| (*term).to_owned()).collect();
    let parsed = parse(prompt, &|_| true).unwrap();
    let ask = Ask {
        prompt,
        positive: &parsed.positive,
        negative: &format!("{}, {negative}", parsed.negative),
        vocabulary: &vocabulary,
        refused: &["acme".into(), "Ada Lovelace".into()],
        most_terms: 6,
        seed,
    };
    enhance(&Says(said.to_owned()), &ask, fits).unwrap()
}

fn enhanced(prompt: &str, said: &str) -> String {
    run(prompt, said, "", 7, &mut |_| true).prompt
}

#[test]
fn additions_stand_between_the_positive_and_the_negative_terms() {
    for (prompt, expected) in [
        ("@aya red hat, -red dress", "@aya red hat, warm glow, tall trees, -red dress"),
        ("red hat", "red hat, warm glow, tall trees"),
        ("@aya", "@aya, warm glow, tall trees"),
        ("@aya, -hat", "@aya, warm glow, tall trees, -hat"),
        ("-hat", "-hat, warm glow, tall trees"),
        ("-hat, red coat,", "-hat, red coat, warm glow, tall trees,"),
        (
            "a cat BREAK a (garden:1.2), -(x, y:1.1)",
            "a cat BREAK a (garden:1.2), warm glow, tall trees, -(x, y:1.1)",
        ),
        ("[red hat, -blue coat]", "[red hat, -blue coat], warm glow, tall trees"),
        ("a cat <lora:x, y:0.5>", "a cat <lora:x, y:0.5>, warm glow, tall trees"),
        ("@aya -hat,", "@aya -hat, warm glow, tall trees"),
    ] {
        let made = run(prompt, "warm glow, tall trees", "", 1, &mut |_| true);
        let expected = if wishes(prompt).is_empty() { None } else { Some(expected) };
        if let Some(expected) = expected {
            assert_eq!(made.prompt, expected);
        } else {
            assert_eq!(
                Place::find(prompt).with(&["warm glow".into(), "tall trees".into()]),
                prompt_with(prompt)
            );
        }
    }
}

/// Where no term is positive: behind the name, else at the end.
fn prompt_with(prompt: &str) -> String {
    match prompt {
        "@aya" => "@aya, warm glow, tall trees",
        "@aya, -hat" => "@aya, warm glow, tall trees, -hat",
        "-hat" => "-hat, warm glow, tall trees",
        "@aya -hat," => "@aya -hat, warm glow, tall trees",
        other => panic!("{other}"),
    }
    .to_owned()
}

#[test]
fn the_model_sees_plain_words_only() {
    for (prompt, seen) in [
        ("@aya red hat, -glasses, (soft light:1.3)", "red hat, soft light"),
        ("((cat)), [dog], {bird}, (fox:0.8), [wolf:1.1]", "cat, dog, bird, fox, wolf"),
        ("(red hat, blue coat:1.2) BREAK garden", "red hat, blue coat garden"),
        ("BREAK, cat, BREAK", "cat"),
        ("a <lora:thing:0.8> cat, <lora:other:1>, looking_at_viewer", "a cat, looking at viewer"),
        ("[cat:dog:0.5], [a|b], clock at 12:30pm", "cat dog, a b, clock at 12 30pm"),
        (r"cat \(animal\), (a:1.05)", "cat animal, a"),
        ("a:1.2, < b, breaking", "a, b, breaking"),
        ("@aya", ""),
    ] {
        assert_eq!(wishes(prompt).join(", "), seen, "{prompt}");
    }
}

#[test]
fn what_is_no_plain_addition_is_left_out() {
    let prompt = "red hoodie, short hair, smiling, night street, -glasses, -rain";
    for said in [
        "blue hoodie",
        "red hoodies",
        "hoodie",
        "long hair",
        "sad face",
        "bright daytime",
        "round glasses",
        "rainy street",
        "a woman with her dog",
        "She is standing there",
        "standing next to a very tall building",
        "nude",
        "bare breasts",
        "by greg rutkowski",
        "Ada Lovelace",
        "acme shoes",
        "Taylor Swift",
        "xkqztr",
        "aaaaargh",
        "**",
        "# Heading",
        "text: hello",
        "(hat:1.2)",
        "@bella",
        "-hat",
        "<lora:x:1>",
        "no hat",
        "8 year old",
        "1girl",
        "![x](y)",
        "http://x.example",
        "it's",
        "BREAK",
        "{}",
        "a",
        "",
        "this image shows a cat",
        "schoolgirl",
        "open mouth",
        "bright smile",
        "blonde",
        "teen style",
        "artstation",
    ] {
        let made = run(prompt, said, "", 1, &mut |_| true);
        assert_eq!(made.from_vocabulary, made.additions.len(), "{said:?} became {:?}", made.additions);
    }
}

#[test]
fn good_proposals_are_taken_cleaned_in_order_and_once() {
    let said = "Sure! Here are tags:\n1. Wet pavement\n2) neon signs\n- a 35mm lens.\n* \"deep shadows\"; neon sign, Signs, reflections";
    assert_eq!(
        enhanced("man in a coat, -hat", said),
        "man in a coat, wet pavement, neon signs, 35mm lens, deep shadows, reflections, -hat"
    );
    assert_eq!(
        enhanced("a cat", "<think>dogs, trees</think>tall grass, morning dew"),
        "a cat, tall grass, morning dew"
    );
    assert_eq!(enhanced("un chat", "lumière dorée, forêt"), "un chat, lumière dorée, forêt");
}

/// What the embedded model said of portraits in earlier days, and what may be left of it.
#[test]
fn of_a_model_that_understands_nothing_only_what_goes_with_anything_is_taken() {
    let said = "dark chocolate, rich flavors, golden light, sunset over mountains, happy-go-beer sundae, soft shadows, candle in the corner";
    let vocabulary = ["calm gaze".to_owned(), "even tones".to_owned(), "relaxed shoulders".to_owned()];
    let babbles = |prompt: &str, said: &str| {
        let parsed = parse(prompt, &|_| true).unwrap();
        let ask = Ask {
            prompt,
            positive: &parsed.positive,
            negative: &parsed.negative,
            vocabulary: &vocabulary,
            refused: &[],
            most_terms: 6,
            seed: 1,
        };
        enhance(&Babbles(Says(said.to_owned())), &ask, &mut |_| true).unwrap().additions
    };
    assert_eq!(babbles("gray hair, glasses", said), ["golden light", "soft shadows"]);
    assert_eq!(babbles("a cat, blue background", said), ["golden light", "soft shadows"]);
    assert_eq!(babbles("a violin", said), ["golden light", "sunset over mountains", "soft shadows"]);
    assert_eq!(babbles("a violin", ""), ["even tones"], "nobody has a gaze");
    assert_eq!(babbles("gray hair, glasses", "").len(), 3);
}

#[test]
fn additions_do_not_contradict_each_other() {
    assert_eq!(
        enhanced("old pier", "sunrise, moonlit water, calm sea, stormy clouds, golden sunrise"),
        "old pier, sunrise, calm sea"
    );
}

#[test]
fn what_the_negative_prompt_keeps_out_is_not_added() {
    let made = run("a fox", "film grain, pine forest, tall grass", "film grain, lowres", 1, &mut |_| true);
    assert_eq!(made.additions, ["pine forest", "tall grass"]);
}

#[test]
fn the_vocabulary_helps_out_by_the_seed() {
    let made = |seed| run("a fox", "nothing of use here at all.", "", seed, &mut |_| true);
    assert_eq!(made(1), made(1));
    assert_eq!((made(1).from_vocabulary, made(1).additions.len()), (4, 4));
    assert!((2..9).any(|seed| made(seed) != made(1)));
    let one = run("a fox", "tall grass", "", 1, &mut |_| true);
    assert_eq!((one.from_vocabulary, one.additions[0].as_str()), (3, "tall grass"));
}

#[test]
fn what_does_not_fit_is_left_out_and_the_rest_is_tried() {
    let made = run("a fox", "tall grass, pine forest, dew", "", 1, &mut |prompt| !prompt.contains("pine"));
    assert_eq!(made.additions, ["tall grass", "dew"]);
    let full = run("a fox, -hat", "tall grass, dew", "", 1, &mut |_| false);
    assert_eq!((full.prompt.as_str(), full.additions.len()), ("a fox, -hat", 0));
}

#[test]
fn words_are_told_from_noise() {
    for word in
        ["lightning", "strengths", "bokeh", "low-angle", "35mm", "8k", "sky", "naïve", "Überlicht", "夜景"]
    {
        assert!(is_word(word), "{word}");
    }
    for noise in
        ["", "-", "bcdfgh", "aaah", "1234", "x1y2", "word_word", "a+b", "thisisaverylongwordindeed", "😀"]
    {
        assert!(!is_word(noise), "{noise}");
    }
}

/// Pieces of prompts in every syntax, also broken ones.
fn term() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}( [a-z]{1,8}){0,2}",
        "-[a-z]{1,8}( [a-z]{1,8})?",
        Just("@aya".to_owned()),
        "@aya [a-z]{2,6}",
        "\\([a-z]{2,6}:[01]\\.[0-9]\\)",
        "-\\([a-z]{2,5}, [a-z]{2,5}:1\\.[0-9]\\)",
        "\\[\\[?[a-z]{2,6}, [a-z]{2,6}\\]",
        "[a-z]{2,6} BREAK [a-z]{2,6}",
        "<lora:[a-z]{2,6}:0\\.[0-9]>",
        "[a-z]{1,4}[()\\[\\]{}<>\"\\\\:|_-]{1,3}[a-z]{0,4}",
        "\\PC{1,12}",
        Just(String::new()),
    ]
}

fn prompt() -> impl Strategy<Value = String> {
    (prop::collection::vec(term(), 1..8), prop_oneof![Just(", "), Just(","), Just(" ,  ")])
        .prop_map(|(terms, joint)| terms.join(joint).trim().to_owned())
        .prop_filter("it says something", |prompt| parse(prompt, &|_| true).is_ok())
}

/// What models say, and what nobody should.
fn said() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{3,9}( [a-z]{3,9}){0,2}",
        "\\PC{0,20}",
        "[-@(<\\[{\"\\\\:|A-Za-z0-9 .]{0,16}",
        Just("-red dress".to_owned()),
        Just("@bella".to_owned()),
        Just("BREAK".to_owned()),
        Just("<lora:x:1>".to_owned()),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.join(", "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Cut out what was put in, and the prompt is the client's, byte for byte; read it, and it is the client's with more
    /// positive terms behind all of theirs.
    #[test]
    fn the_clients_prompt_stays(prompt in prompt(), said in said(), seed in any::<u64>()) {
        let made = run(&prompt, &said, "", seed, &mut |_| true);
        let place = Place::find(&prompt);
        prop_assert_eq!(place.with(&[]), prompt.clone());
        prop_assert_eq!(place.with(&made.additions), made.prompt.clone());

        let (before, after) = (parse(&prompt, &|_| true).unwrap(), parse(&made.prompt, &|_| true).unwrap());
        prop_assert_eq!(&before.character, &after.character);
        prop_assert_eq!(&before.negative, &after.negative);
        let joint = if before.positive.is_empty() { "" } else { ", " };
        let expected = match made.additions.is_empty() {
            true => before.positive.clone(),
            false => format!("{}{joint}{}", before.positive, made.additions.join(", ")),
        };
        prop_assert_eq!(after.positive, expected);
        for addition in &made.additions {
            prop_assert!(addition.chars().all(|c| c.is_alphanumeric() || " -'".contains(c)), "{}", addition);
            prop_assert!(!addition.starts_with('-') && addition.split(' ').count() <= 4 && addition.chars().count() <= 40);
        }
        prop_assert!(made.additions.len() <= 6);
        prop_assert_eq!(run(&prompt, &said, "", seed, &mut |_| true), made);
    }

    /// The model sees no sign of syntax.
    #[test]
    fn no_syntax_reaches_the_model(prompt in prompt()) {
        let seen = wishes(&prompt).join(", ");
        prop_assert!(!seen.contains(|c: char| "()[]{}<>|\\\"_".contains(c)), "{}", seen);
        prop_assert!(!seen.split_whitespace().any(|word| word == "BREAK" || word == "@aya"), "{}", seen);
    }

    #[test]
    fn nothing_panics(prompt in "\\PC{0,80}", said in "\\PC{0,200}") {
        let _ = wishes(&prompt);
        let _ = Place::find(&prompt).with(&["x".to_owned()]);
        let mut sieve = Sieve::new(&prompt, &said, &[]);
        for piece in pieces(&said) {
            if let Some(term) = sieve.pass(piece) {
                sieve.add(&term);
            }
        }
    }
}
