mod ages;
mod neighbours;
mod policy;
mod weights;

use proptest::prelude::*;

use super::floor::Floor;
use super::*;

/// Harmless words in the places of the real ones.
const TABLE: &str = "
    [sexual]
    marrow
    two turnips
    [minor]
    sprout
    child
    [real person]
    my gardener
    [harmless]
    marrow soup
    [ambiguous]
    marrow green
    sprout yellow
    [negated adult]
    oak
    [adult things]
    oak table
    [negated age]
    gnarled
    [negated clothing]
    leaves
";

fn reviewer() -> Reviewer {
    Reviewer::new(&ComplianceConfig::default()).unwrap()
}

fn review(texts: &Texts<'_>) -> Result<ApprovedPrompt, Blocked> {
    reviewer().approve(texts)
}

fn ids(texts: &Texts<'_>) -> Vec<&'static str> {
    let reviewed =
        reviewer().reviewed_by(&Floor::parse(TABLE), texts, Clearance::default(), &Opinion::default());
    reviewed.verdict.err().map_or(Vec::new(), |blocked| blocked.categories)
}

fn positive(positive: &str) -> Vec<&'static str> {
    ids(&Texts { positive, ..Texts::default() })
}

const MINORS: &[&str] = &["sexual/minors"];
const REAL: &[&str] = &["sexual/non_consensual"];
const NOTHING: &[&str] = &[];

#[test]
fn an_approved_prompt_is_the_text_byte_for_byte() {
    let texts = Texts { positive: " Ａ ré\u{200b}d hat,, ", negative: "-x\0", others: &["title"] };
    let approved = review(&texts).unwrap();
    assert_eq!((approved.positive(), approved.negative()), (texts.positive, texts.negative));
}

#[test]
fn the_answer_is_the_specifications() {
    let blocked = review(&Texts { positive: "canary-sexual-minors", ..Texts::default() }).unwrap_err();
    let expected = Blocked {
        categories: vec!["sexual/minors"],
        codes: vec!["cse"],
        message: "Content blocked — flagged for: Sexual Content Involving Minors.".into(),
    };
    assert_eq!(blocked, expected);
    let both = "canary-sexual-non-consensual canary-sexual-minors";
    let blocked = review(&Texts { positive: both, ..Texts::default() }).unwrap_err();
    assert_eq!(blocked.categories, ["sexual/minors", "sexual/non_consensual"]);
    assert_eq!(blocked.codes, ["cse", "src", "prv"]);
    assert!(blocked.to_string().ends_with("Minors, Non-Consensual Sexual Content."));
}

#[test]
fn canaries_fire_wherever_they_stand() {
    let blocks_all: Tightened = Category::ALL.iter().map(|category| (*category, Mode::Block)).collect();
    for category in Category::ALL {
        let text = format!("hat, {}", category.canary());
        for texts in [
            Texts { positive: &text, ..Texts::default() },
            Texts { negative: &text, ..Texts::default() },
            Texts { others: &["", &text], ..Texts::default() },
        ] {
            let blocked = reviewer()
                .prompt(
                    &texts,
                    Clearance { tightened: blocks_all.clone(), ..Clearance::default() },
                    &Opinion::default(),
                )
                .verdict
                .unwrap_err();
            assert!(blocked.categories.contains(&category.id()), "{blocked:?}");
        }
    }
}

#[test]
fn it_takes_both_words() {
    assert_eq!(positive("a marrow and two turnips, my oak"), NOTHING);
    assert_eq!(positive("a sprout in the garden of my gardener, one turnip"), NOTHING);
    assert_eq!(positive("a sprout, on a long day, in a field, with a marrow"), MINORS);
    assert_eq!(positive("two  turnips; SPROUT"), MINORS);
    assert_eq!(positive("my gardener with a marrow"), REAL);
    assert_eq!(positive("my gardener, marrow, sprout"), ["sexual/minors", "sexual/non_consensual"]);
    assert_eq!(positive("marrows, sprouting"), NOTHING, "whole words only");
    assert_eq!(positive("marrow soup, sprout"), NOTHING, "said of a thing");
    assert_eq!(positive("marrow soup, marrow, sprout"), MINORS);
}

#[test]
fn a_comma_makes_no_phrase_and_a_colour_hides_nobody() {
    assert_eq!(positive("a sprout, marrow, soup plates"), MINORS);
    assert_eq!(positive("a sprout, (marrow:1.2) soup"), MINORS);
    assert_eq!(positive("sprout m.a.r.r.o.w, soup"), MINORS);
    assert_eq!(positive("a wall in marrow green, marrow-green doors"), NOTHING);
    assert_eq!(positive("marrow green, sprout yellow"), NOTHING);
    assert_eq!(positive("marrow green photo of a sprout"), MINORS);
    assert_eq!(positive("marrow sprout yellow wall"), MINORS);
    assert_eq!(positive("a wall in sprout yellow"), NOTHING);
}

#[test]
fn two_words_in_one_are_two() {
    assert_eq!(positive("marrowsprout, garden"), MINORS);
    assert_eq!(positive("sproutmarrow"), MINORS);
    assert_eq!(positive("marrowsprouts, marrowing"), NOTHING);
}

#[test]
fn credentials_count_with_the_prompt() {
    assert_eq!(ids(&Texts { positive: "marrow", others: &["", "a sprout"], ..Texts::default() }), MINORS);
}

#[test]
fn the_negative_keeps_things_out() {
    assert_eq!(ids(&Texts { positive: "marrow", negative: "sprout, child", ..Texts::default() }), NOTHING);
    assert_eq!(ids(&Texts { positive: "sprout", negative: "marrow", ..Texts::default() }), NOTHING);
    assert_eq!(ids(&Texts { positive: "marrow", negative: "blur, OAK ,", ..Texts::default() }), MINORS);
    assert_eq!(ids(&Texts { positive: "marrow", negative: "oak table", ..Texts::default() }), NOTHING);
    assert_eq!(ids(&Texts { positive: "sprout", negative: "leaves", ..Texts::default() }), MINORS);
    assert_eq!(ids(&Texts { positive: "sprout", negative: "red leaves", ..Texts::default() }), NOTHING);
}

#[test]
fn disguises_do_not_help() {
    for word in [
        "SPROUT",
        "ｓｐｒｏｕｔ",
        "𝓼𝓹𝓻𝓸𝓾𝓽",
        "Ⓢⓟⓡⓞⓤⓣ",
        "🆂🅿🆁🅾🆄🆃",
        "sprоut",
        "ѕрrоυt",
        "ꜱᴘʀᴏᴜᴛ",
        "s\u{301}p\u{336}r\u{336}out",
        "spr\u{200b}o\u{ad}ut",
        "s\u{2060}p\u{feff}rout",
        "5pr0ut",
        "$pr0u7",
        "sprou+",
        "s p r o u t",
        "s.p.r.o.u.t",
        "s-p-r-o-u-t",
        "spr_out",
        "spr-out",
        "spr:.out",
        "5.p.r.0.u.7",
        "s, p, r, o, u, t",
        "sprooouuuut",
        "(sprout:1.3)",
        "[[sprout]]",
        "sprout\u{0}",
        "#sprout!",
    ] {
        assert_eq!(positive(&format!("marrow, {word}")), MINORS, "{word:?}");
        assert_eq!(positive(word), NOTHING, "{word:?} alone");
    }
    for word in ["chi1d", "ch1ld", "ch!ld", "chi|d", "c-h-1-l-d", "СHІLD", "ch11d", "ch!1d", "ch1lllld"] {
        assert_eq!(positive(&format!("marrow, {word}")), MINORS, "{word:?}");
    }
}

/// The words that ship, each by itself and each pair by rule, without writing a sentence.
#[test]
fn the_shipped_words_do_what_the_rules_say() {
    let section = |name: &str| {
        let table = include_str!("../floor.txt");
        let body = table.split(&format!("[{name}]\n")).nth(1).unwrap().split("\n[").next().unwrap();
        body.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect::<Vec<_>>()
    };
    let found = |positive: &str, negative: &str| {
        let verdict = review(&Texts { positive, negative, ..Texts::default() });
        verdict.err().map_or(Vec::new(), |blocked| blocked.categories)
    };
    for minor in section("minor") {
        assert_eq!(found(minor, ""), NOTHING, "{minor}");
        for other in section("sexual") {
            assert_eq!(found(&format!("{other}, {minor}"), ""), MINORS, "{other}, {minor}");
            assert_eq!(found(other, minor), NOTHING, "{other}, -{minor}");
        }
        for other in section("intimate") {
            assert_eq!(found(&format!("{other}, {minor}"), ""), MINORS, "{other}, {minor}");
            assert_eq!(found(other, minor), NOTHING, "{other}, -{minor}");
        }
        for other in section("negated clothing") {
            assert_eq!(found(minor, other), MINORS, "{minor}, -{other}");
        }
    }
    for other in section("sexual") {
        for person in section("real person") {
            let found = found(&format!("{other}, {person}"), "");
            assert_eq!(found, REAL, "{other}, {person}");
        }
        for adult in section("negated adult") {
            assert_eq!(found(other, adult), MINORS, "{other}, -{adult}");
        }
    }
    for harmless in section("harmless") {
        assert_eq!(found(&format!("{harmless}, {}", section("minor")[0]), ""), NOTHING, "{harmless}");
    }
}

#[test]
fn every_list_of_the_floor_is_read_and_has_words() {
    let floor = Floor::embedded();
    let lists = [
        &floor.sexual,
        &floor.intimate,
        &floor.minor,
        &floor.always_minor,
        &floor.real_person,
        &floor.harmless,
        &floor.ambiguous,
        &floor.negated_adult,
        &floor.adult_things,
        &floor.negated_age,
        &floor.negated_clothing,
    ];
    assert!(lists.iter().all(|list| !list.is_empty()));
    assert_eq!(super::phrases::sections(Floor::TEXT).len(), lists.len());
}

#[test]
fn the_specifications_examples_pass() {
    for prompt in [
        "black lingerie, sitting on bed, looking_at_viewer, warm lighting",
        "elegant black lace lingerie, perched on bed, warm lighting",
        "photo of aya, enhanced prompt, quality tags",
    ] {
        let texts = Texts { positive: prompt, negative: "red dress, ugly hands, child", ..Texts::default() };
        assert!(review(&texts).is_ok(), "{prompt}");
    }
}

#[test]
fn ordinary_prompts_pass() {
    for prompt in [
        "a child playing with a kite on a beach",
        "a teenager reading in a library, warm light",
        "10 year old whisky bottle on an oak table",
        "mother and children baking, family portrait",
        "portrait of a famous actress in a red coat",
        "politician giving a speech",
        "Essex countryside at dawn",
        "sextant on an old map",
        "a kid goat in the mountains",
        "nude lipstick, elegant adult woman",
        "same-sex wedding, happy couple, children throwing petals",
        "classical marble statue in a museum",
        "middle school building, autumn",
        "baby elephant at a water hole",
        "18 year old student at graduation",
        "grandmother, 80 years old, smiling",
        "16:9 cinematic, 35mm, f/1.8",
        "Lolita's Cafe, neon sign, night street",
    ] {
        assert!(review(&Texts { positive: prompt, ..Texts::default() }).is_ok(), "{prompt}");
    }
}

#[test]
fn terms_that_need_nothing_beside_them() {
    assert_eq!(review(&Texts { positive: "csam", ..Texts::default() }).unwrap_err().categories, MINORS);
    assert!(
        review(&Texts { positive: "a breast of chicken, underwear on a line", ..Texts::default() }).is_ok()
    );
}

#[test]
fn a_negative_term_is_read_without_its_weight() {
    for adult in ["(oak:1.5)", "[oak]", "blur BREAK oak", "blur; oak", "blur|oak", "blur\noak"] {
        assert_eq!(
            ids(&Texts { positive: "marrow", negative: adult, ..Texts::default() }),
            MINORS,
            "{adult:?}"
        );
    }
}

proptest! {
    #[test]
    fn never_panics(positive in r#"(\PC|[-@,()" \x00a1!|]|marrow|sprout|15|yo|1,000|girl|13/|aged ){0,60}"#, negative in r"\PC{0,20}") {
        let _ = ids(&Texts { positive: &positive, negative: &negative, others: &[&negative] });
    }
}

/// Milliseconds of the quickest of three reviews.
fn took_ms(text: &str) -> f64 {
    let once = || {
        let start = std::time::Instant::now();
        positive(text);
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..3).map(|_| once()).fold(f64::INFINITY, f64::min)
}

/// What is written as one letter and read as six is worst. Four times the text may take four times the time, not sixteen times.
#[test]
fn long_texts_take_no_time() {
    for piece in [
        "a ",
        "marrow soup ",
        "15 ",
        "under ",
        "s.",
        "e\u{301}",
        "aaaa",
        "@ ",
        "(a)[b] ",
        "BREAK ",
        "\u{3316}",
        "\u{fdfa}",
        "she is ",
        "'s",
        "1,000 ",
    ] {
        let (short, long) = (took_ms(&piece.repeat(2_000)), took_ms(&piece.repeat(8_000)));
        assert!(long < 10.0 * short.max(1.0), "{piece:?}: {short} ms, then {long} ms");
    }
}
