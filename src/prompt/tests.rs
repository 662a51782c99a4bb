use std::time::Instant;

use proptest::prelude::*;

use super::{ParsedPrompt, PromptError, Token, parse, tokens};

fn read(prompt: &str) -> Result<ParsedPrompt, PromptError> {
    parse(prompt, &|name| ["aya", "bella", "x_1-b"].contains(&name))
}

/// `prompt` must come out as these three.
fn check(prompt: &str, character: Option<&str>, positive: &str, negative: &str) {
    let expected = ParsedPrompt {
        character: character.map(str::to_owned),
        positive: positive.to_owned(),
        negative: negative.to_owned(),
    };
    assert_eq!(read(prompt), Ok(expected), "{prompt:?}");
}

#[test]
fn the_specification_s_own_example() {
    check(
        "@aya black lingerie, sitting on bed, looking_at_viewer, warm lighting, -red dress, -ugly hands",
        Some("aya"),
        "black lingerie, sitting on bed, looking_at_viewer, warm lighting",
        "red dress, ugly hands",
    );
}

#[test]
fn minus_before_a_letter_digit_parenthesis_or_quote_is_negative() {
    check("-red", None, "", "red");
    check(" \t -été, -赤いドレス", None, "", "été, 赤いドレス");
    check("-2 heads, -3d render", None, "", "2 heads, 3d render");
    check("-(red dress:1.3), -\"quoted\"", None, "", "(red dress:1.3), \"quoted\"");
}

#[test]
fn other_hyphens_stay() {
    check("semi-realistic, well-lit", None, "semi-realistic, well-lit", "");
    check("-, a, - b, --c, -_d", None, "-, a, - b, --c, -_d", "");
    check("-1, -0.5, -12", None, "-1, -0.5, -12", "");
    check("−red, –red", None, "−red, –red", "");
}

#[test]
fn one_group_is_one_term() {
    check("-(red, blue:1.2), hat", None, "hat", "(red, blue:1.2)");
    check("-\"one, two\" three, hat", None, "hat", "\"one, two\" three");
    check("(a, -b), -c", None, "(a, -b)", "c");
    check("-((a, b), c), d", None, "d", "((a, b), c)");
    check(r"-(a \), b), c", None, "c", r"(a \), b)");
}

#[test]
fn a_sign_without_partner_is_text() {
    check("-(red, blue", None, "blue", "(red");
    check("-\"red, blue", None, "blue", "\"red");
    check("sad :(, -smile, glad :)", None, "sad :(, glad :)", "smile");
    check("5\" heels, -hat, 6\" nails", None, "5\" heels, 6\" nails", "hat");
    check("), -a", None, ")", "a");
}

#[test]
fn names_are_found_at_word_boundaries_in_any_case() {
    check("@AYA red", Some("aya"), "red", "");
    check("red @aya dress", Some("aya"), "red dress", "");
    check("red dress,@Aya", Some("aya"), "red dress", "");
    check("(@aya:1.2), hat", Some("aya"), "(:1.2), hat", "");
    check("@aya's hat", Some("aya"), "'s hat", "");
    check("@aya, @aya hat", Some("aya"), "hat", "");
    check("@x_1-b hat", Some("x_1-b"), "hat", "");
    check("@aya- hat", Some("aya"), "- hat", "");
    check("@aya", Some("aya"), "", "");
}

#[test]
fn the_name_is_no_part_of_its_term() {
    check("@aya -red dress", Some("aya"), "", "red dress");
    check("-red @aya dress", Some("aya"), "", "red dress");
}

/// Each of them, also a name that is nobody's, and where the terms go.
#[test]
fn tokens_come_in_order() {
    let said = tokens("@AYA red hat, -blue @x @y hat,, semi-realistic, @aya");
    let name = |name: &str| Token::Name(name.into());
    let expected = [
        name("aya"),
        Token::Positive("red hat".into()),
        name("x"),
        name("y"),
        Token::Negative("blue hat".into()),
        Token::Positive("semi-realistic".into()),
        name("aya"),
    ];
    assert_eq!(said, expected);
    assert_eq!(tokens(" , "), []);
}

#[test]
fn other_at_signs_are_text() {
    check("mail a@b", None, "mail a@b", "");
    check("mail a@aya", None, "mail a@aya", "");
    check("e\u{301}@aya", None, "e\u{301}@aya", "");
    check("@ home, hat @", None, "@ home, hat @", "");
}

#[test]
fn wrong_names_are_errors() {
    assert_eq!(read("@nobody hat"), Err(PromptError::UnknownCharacter("nobody".into())));
    assert_eq!(read("@ayaé"), Err(PromptError::UnknownCharacter("ayaé".into())));
    assert_eq!(read("@aya and @bella"), Err(PromptError::TwoCharacters("aya".into(), "bella".into())));
    assert_eq!(read("-(hat, @bella), @aya"), Err(PromptError::TwoCharacters("bella".into(), "aya".into())));
}

#[test]
fn nothing_said_is_an_error() {
    for empty in ["", " ", ",", " , \n,\t", "\u{3000}"] {
        assert_eq!(read(empty), Err(PromptError::Empty), "{empty:?}");
    }
}

#[test]
fn text_stays_byte_for_byte() {
    for odd in
        ["a  b", "NUL \0 in it", "👩‍👩‍👧‍👦 family", "שלום עולם", "\u{202e}x\u{202c}", "zero\u{200b}width", "ﬁ"]
    {
        check(&format!("  {odd} ,, -x{odd} ,"), None, odd, &format!("x{odd}"));
    }
}

#[test]
fn fifty_thousand_tokens_take_no_time() {
    let shapes =
        ["a, ", "-a, ", "(, ", "\", ", "-(, ", "@aya ", "(,)", "@", " ", "\\(", "-\"", "e\u{301}@aya,"];
    for shape in shapes {
        let prompt = shape.repeat(50_000);
        let start = Instant::now();
        let _ = read(&prompt);
        let took_ms = start.elapsed().as_millis();
        assert!(took_ms < 1_000, "{shape:?} took {took_ms} ms");
    }
}

proptest! {
    #[test]
    fn never_panics(prompt in r#"(\PC|[-@,()" \\\x00a1]|aya|\u{200d}|\u{202e}){0,60}"#) {
        let _ = read(&prompt);
    }

    /// Without the signs that mean something, every term comes back in its order on its side.
    #[test]
    fn terms_keep_their_order(
        terms in prop::collection::vec((any::<bool>(), "[a-zé][a-z0-9 _.é-]{0,8}[a-z]"), 1..20)
    ) {
        let prompt: Vec<String> =
            terms.iter().map(|(minus, text)| format!("{}{text}", if *minus { "-" } else { "" })).collect();
        let side = |wanted: bool| {
            let kept: Vec<&str> =
                terms.iter().filter(|(minus, _)| *minus == wanted).map(|(_, text)| text.as_str()).collect();
            kept.join(", ")
        };
        let parsed = read(&prompt.join(",")).unwrap();
        prop_assert_eq!(parsed.positive, side(false));
        prop_assert_eq!(parsed.negative, side(true));
    }
}
