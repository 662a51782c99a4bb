//! What is near the floor's words and not meant, and what is meant and not near them.

use super::*;

fn blocked(positive: &str, negative: &str) -> bool {
    review(&Texts { positive, negative, ..Texts::default() }).is_err()
}

#[test]
fn ordinary_phrases_pass_the_words_that_ship() {
    for prompt in [
        "children's book illustration, a bottomless pit",
        "kids running through a field of oilseed rape",
        "a proud son at graduation, magna cum laude",
        "chicken breasts on a grill, kids at the table",
        "guess the sex of the baby, party balloons",
        "kids gathering pussy willows",
        "children under bare naked trees",
        "Philip K. Dick book cover, a teen android",
        "Naga children in festival dress, Nagaland",
        "a kinder world, lingerie advert on a wall",
        "lingerie catalogue, under 10 dollars",
        "Mr Dickson",
        "Dickson Street at night",
        "twenty-one year old woman in lingerie",
        "thirty five year old woman, cleavage",
        "a hundred and one years old, nude study",
        "1,000 year old oak, nude figure drawing",
        "woman, one hand on hip, black lingerie",
        "sexy woman, 2 candles",
        "woman, 12 candles, lingerie",
        "lingerie ad, 3 women, 85 mm",
        "woman, 3/4 view, lingerie",
        "sexy woman, 5'7\" tall",
        "she is 5'10\", black lingerie",
        "sexy girl, 10/10",
        "sexy woman, 16×9",
        "iPhone 14 girl, lingerie",
        "sexy F-16 student pilot",
        "sexy woman 16 bit pixel art",
        "sexy vampire aged 1,200 years",
        "elf queen aged one hundred and twenty, lingerie",
        "woman in lingerie under two umbrellas",
        "couple in bed under one blanket, boudoir",
        "lingerie under $10",
        "kids looking at a robin with a red breast",
        "comet visible to naked eye, kids on a hill",
        "1girl 1boy, lingerie",
        "32 year old woman, lingerie",
        "(woman:1.3), lingerie",
        "(from below:1), lingerie, <lora:from_below:1>",
        "middle aged woman, lingerie, middle age",
        "woman aged 25, lingerie",
        "a naga dragon over children at play",
    ] {
        assert!(!blocked(prompt, ""), "{prompt}");
    }
    for (prompt, negative) in
        [("a kitten sleeping", "adult cat, clothes"), ("a rooster, cock of the walk", "adults")]
    {
        assert!(!blocked(prompt, negative), "{prompt}");
    }
    for negative in ["adult content", "older photo, blurry", "child, kids", "nsfw, nude"] {
        assert!(!blocked("portrait of a woman, lingerie", negative), "{negative}");
    }
}

#[test]
fn what_could_hide_a_body_hides_none_beside_a_minor() {
    for prompt in ["sprout marrow green", "sprout, marrow green tones"] {
        assert_eq!(positive(prompt), MINORS, "{prompt}");
    }
    assert!(!blocked("portrait of a woman, nude makeup, nude lipstick", ""));
    assert!(!blocked("a comet that the naked eye can see, kids on a hill", ""));
}

#[test]
fn adults_are_kept_out_anywhere_in_a_term() {
    for negative in ["any oak", "oak / elm", "fog, oak and elm", "elm.oak", "gnarled"] {
        assert_eq!(ids(&Texts { positive: "marrow", negative, ..Texts::default() }), MINORS, "{negative}");
    }
    for negative in ["oak table", "gnarled elm", "elm"] {
        assert_eq!(ids(&Texts { positive: "marrow", negative, ..Texts::default() }), NOTHING, "{negative}");
    }
    let bare = Texts { positive: "a portrait", negative: "oak, leaves", ..Texts::default() };
    assert_eq!(ids(&bare), MINORS);
    assert!(blocked("a portrait in underwear", "any adult"));
}

/// A picture that may be unfit is not drawn of what may be a minor, whatever the prompt's own review let pass.
#[test]
fn the_joint_rule_knows_bare_ages_and_adults_kept_out() {
    let seen = Signs { unfit: 0.7, known: Vec::new(), pdq: "00".repeat(32), model_sha256: String::new() };
    let joint = |positive: &str, negative: &str| {
        let texts = Texts { positive, negative, ..Texts::default() };
        reviewer()
            .picture_signs(&seen, &texts, &Clearance::default())
            .blocked
            .map(|blocked| blocked.categories)
    };
    assert_eq!(joint("she is 13, at the pool", ""), Some(MINORS.to_vec()));
    assert_eq!(joint("at the pool", "adult, blurry"), Some(MINORS.to_vec()));
    assert_eq!(joint("twenty-five year old woman at the beach", ""), None);
    assert_eq!(joint("at the pool", "child, blurry"), None);
}
