//! `parse`: what a prompt becomes, as `generate` would have it.

use serde_json::{Value, json};

use crate::house::House;

fn parse(house: &House, mut body: Value) -> Value {
    body["action"] = json!("parse");
    let answer = house.ask(&body);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

#[test]
fn a_prompt_is_shown_as_it_is_read_and_as_it_is_drawn() {
    let house = House::shared();
    let body = json!({
        "prompt": "@AYA red hoodie, looking_at_viewer, -red dress, semi-realistic, -(a, b)", "negative": "blurry",
        "model": "atelier", "style": "storybook", "steps": 1,
    });
    let parsed = parse(&house, body.clone());
    let mut keys: Vec<&str> = parsed.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected =
        "character loras model negative positive style terms warnings windows would_block".split(' ');
    assert!(keys.iter().copied().eq(expected), "{keys:?}");
    let terms = json!([
        {"text": "aya", "to": "character"},
        {"text": "red hoodie", "to": "positive"},
        {"text": "looking_at_viewer", "to": "positive"},
        {"text": "red dress", "to": "negative"},
        {"text": "semi-realistic", "to": "positive"},
        {"text": "(a, b)", "to": "negative"},
    ]);
    assert_eq!(parsed["terms"], terms);
    let lora = &parsed["loras"][0];
    assert_eq!(
        (&lora["name"], &lora["weight"], &parsed["warnings"]),
        (&json!("aya"), &json!(1.0), &json!([]))
    );
    assert_eq!(parsed["would_block"], Value::Null);

    let (_, done) = house.draw(&body);
    for key in ["character", "model", "style", "positive", "negative", "loras"] {
        assert_eq!(parsed[key], done["meta"][key], "{key}");
    }
}

/// A prompt's own `-terms` keep things out, as the negative prompt does.
#[test]
fn what_is_kept_out_blocks_nothing() {
    let house = House::shared();
    let would_block = |body: Value| parse(&house, body)["would_block"].clone();
    for prompt in ["family picnic with kids, -nsfw, -nude", "kids playing football, -swastika"] {
        assert_eq!(would_block(json!({"prompt": prompt})), Value::Null, "{prompt}");
    }
    assert_eq!(would_block(json!({"prompt": "kids at a picnic", "negative": "nsfw, nude"})), Value::Null);
}

/// Begin and end are not counted, so a window has room for 75.
#[test]
fn windows_are_counted_for_both_encoders() {
    let house = House::shared();
    let lengths = |parsed: &Value, side: &str| -> Vec<Vec<u64>> {
        let encoders = parsed["windows"].as_array().unwrap();
        let counts = encoders.iter().map(|encoder| encoder[side].as_array().unwrap());
        counts.map(|counts| counts.iter().filter_map(Value::as_u64).collect()).collect()
    };
    let short = parse(&house, json!({"prompt": "hat"}));
    let names: Vec<_> =
        short["windows"].as_array().unwrap().iter().map(|one| one["encoder"].clone()).collect();
    assert_eq!(names, ["text_encoder", "text_encoder_2"]);
    assert_eq!(short["windows"][0]["room"], 75);
    let one = lengths(&short, "positive");
    let more = lengths(&parse(&house, json!({"prompt": "hat, hat"})), "positive");
    let term = more[1][0] - one[1][0];
    assert!(term >= 2, "a word and a comma: {term}");

    let repeated = 400 / term;
    let long = parse(&house, json!({"prompt": vec!["hat"; 1 + repeated as usize].join(", ")}));
    for (short, long) in one.iter().zip(lengths(&long, "positive")) {
        let (last, full) = long.split_last().unwrap();
        assert!(
            full.len() >= 5 && full.iter().all(|count| *count == 75) && (1..=75).contains(last),
            "{long:?}"
        );
        assert_eq!(long.iter().sum::<u64>(), short[0] + repeated * term);
    }
    assert_eq!(lengths(&long, "negative"), lengths(&short, "negative"));

    let weighted = parse(&house, json!({"prompt": "(hat:1.2), ([hat]), -(blue)"}));
    let plain = parse(&house, json!({"prompt": "hat, hat, -blue"}));
    assert!(weighted["positive"].as_str().unwrap().contains("(hat:1.2), ([hat])"));
    for side in ["positive", "negative"] {
        assert_eq!(lengths(&weighted, side), lengths(&plain, side), "weights are no tokens");
    }
    let broken = parse(&house, json!({"prompt": "hat BREAK hat"}));
    for (plain, broken) in one.iter().zip(lengths(&broken, "positive")) {
        assert_eq!((plain.len(), broken.len()), (1, 2), "BREAK begins a window");
        assert_eq!(broken.iter().sum::<u64>(), plain[0] + term - 1, "and is none");
    }
}

/// The same bound as the engine's: what `parse` warns of fails, and what it does not is drawn.
#[test]
fn a_prompt_that_no_job_could_draw_is_warned_of() {
    let house = House::shared();
    let prompt = |terms: usize| vec!["ä"; terms].join(",");
    let codes = |parsed: &Value| parsed["warnings"].to_string().contains("PROMPT_TOO_LONG");
    let total = |parsed: &Value| parsed["windows"][0]["positive"].as_array().unwrap().len();
    let mut terms = 100;
    while total(&parse(&house, json!({"prompt": prompt(terms)}))) <= 16 {
        terms += 100;
        assert!(terms < 1_900, "the prompt cannot become that long");
    }
    let (longer, shorter) = (prompt(terms), prompt(terms - 100));
    assert!(codes(&parse(&house, json!({"prompt": longer}))));
    assert!(!codes(&parse(&house, json!({"prompt": shorter}))));
    assert_eq!(house.draw(&json!({"prompt": longer, "steps": 1})).1["status"], "FAILED");
    assert_eq!(house.draw(&json!({"prompt": shorter, "steps": 1})).1["status"], "COMPLETED");
}

#[test]
fn what_would_be_blocked_is_said_as_status_says_it() {
    let house = House::shared();
    for body in [
        json!({"prompt": "canary-sexual-minors"}),
        json!({"prompt": "red hoodie", "cs_title": "canary-sexual-non-consensual"}),
    ] {
        let parsed = parse(&house, body.clone());
        let (_, done) = house.draw(&body);
        for key in ["error", "filter_categories", "compliance_codes"] {
            assert!(!done[key].is_null(), "{done}");
            assert_eq!(parsed["would_block"][key], done[key], "{key}");
        }
    }
}

#[test]
fn it_refuses_what_generate_refuses_and_warns_as_it_does() {
    let house = House::shared();
    let body = json!({"action": "parse", "prompt": "red hoodie", "width": 1, "quality": 900});
    let parsed = house.ask(&body).json();
    let drawn = house.ask(&{
        let mut body = body.clone();
        body["action"] = json!("generate");
        body["steps"] = json!(1);
        body
    });
    assert_eq!(parsed["warnings"], drawn.json()["warnings"]);
    for (more, code) in [
        (json!({"strict": true}), "NOT_ACCEPTED"),
        (json!({"prompt": " , "}), "PROMPT_REQUIRED"),
        (json!({"prompt": "@aya, @bella"}), "ONLY_ONE_CHARACTER"),
        (json!({"prompt": "@nobody_at_all"}), "INVALID_CHARACTER"),
        (json!({"promt": "x"}), "UNKNOWN_FIELD"),
        (json!({"seed": -2}), "INVALID_FIELD"),
    ] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = house.ask(&body);
        assert_eq!((answer.status, answer.json()["code"].clone()), (400, json!(code)), "{more}");
    }
}

#[test]
fn no_picture_and_no_job_comes_of_it() {
    let house = House::configured("[api]\ngenerate_per_minute = 1\n");
    for _ in 0..20 {
        assert!(parse(&house, json!({"prompt": "red hoodie"}))["id"].is_null());
    }
    assert_eq!(house.ask(&json!({"action": "generate", "prompt": "red hoodie", "steps": 1})).status, 200);
}
