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
fn a_bare_number_is_an_age_where_it_stands_like_one() {
    for age in [
        "girl, 14, 85 mm lens",
        "14 girl",
        "girl 14 and smiling",
        "she is 9 and smiling",
        "girl, 14 years",
        "he's just 15",
        "age is just 15",
        "14 Jahre alt",
        "15 años",
        "twenty, five year old",
        "twenty 15 year old",
        "one hundred 15-year-old",
        "fifty 15yo",
        "she is 13 as ever",
        "girl 14 sits on grass",
        "girl, 14 in a garden",
        "girl (14 and smiling)",
        "a girl, 9. Her name",
        "girl 9",
        "14 лет",
        "14 lat",
        "$14 year old",
        "20/15 year old",
        "she is 14 of course",
        "girl, 14 out in a garden",
        "girl under 9 in a garden",
        "woman, 14 smiling",
        "under 16 and smiling",
    ] {
        assert_eq!(positive(&format!("{age}, marrow")), MINORS, "{age}");
    }
    for other in ["woman, 10 roses", "2 girls", "1girl", "1 girl", "girl, 16:9", "woman 12 inch"] {
        assert_eq!(positive(&format!("{other}, marrow")), NOTHING, "{other}");
    }
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
