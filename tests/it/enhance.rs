//! `optimize`, and `generate` with `optimize`: what is added, and what happens when nothing can be.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::completions::{Completions, Says};
use crate::house::{House, root};

const PROMPT: &str = "@aya red hoodie, (smiling:1.2), -red dress";
/// By the small vocabulary of the test model, more terms would need another window.
const ENHANCED: &str = "@aya red hoodie, (smiling:1.2), warm lighting, city skyline, -red dress";

fn text(said: &str) -> Says {
    Says::Text(said.into())
}

fn optimize(house: &House, prompt: &str) -> crate::house::Answer {
    house.ask(&json!({"action": "optimize", "prompt": prompt, "model": "eros"}))
}

fn codes(answer: &Value) -> Vec<String> {
    let warnings = answer["warnings"].as_array().into_iter().flatten();
    warnings.filter_map(|warning| warning["code"].as_str()).map(str::to_owned).collect()
}

#[test]
fn optimize_gives_the_prompt_with_more_and_the_model_sees_no_syntax() {
    let model =
        Completions::start(text("Warm lighting, city skyline, red hoodie, @bella, -hat, nude, (x:1.2)"));
    let house = House::configured(&model.config());
    let answer = optimize(&house, PROMPT);
    assert_eq!((answer.status, &answer.json()["prompt"]), (200, &json!(ENHANCED)), "{}", answer.json());
    assert_eq!(model.wishes(), ["red hoodie, smiling"]);
    assert!(codes(&answer.json()).is_empty());
    assert_ne!(
        answer.header("x-ratelimit-remaining"),
        answer.header("x-ratelimit-limit"),
        "it costs what `generate` costs"
    );

    let parsed = house.ask(&json!({"action": "parse", "prompt": ENHANCED})).json();
    assert_eq!(parsed["character"], "aya");
    assert!(parsed["negative"].as_str().unwrap().ends_with("red dress"));
}

/// The model is of no use: the style's own words, the same for the same seed.
#[test]
fn a_talkative_model_is_replaced_by_the_vocabulary() {
    let model = Completions::start(text("Certainly! I would be happy to help you with that prompt."));
    let house = House::configured(&model.config());
    let ask = |seed: i64, style: &str| {
        let body = json!({"action": "optimize", "prompt": "red hoodie, -hat", "seed": seed, "style": style});
        house.ask(&body).json()["prompt"].as_str().unwrap().to_owned()
    };
    let first = ask(7, "noir");
    assert!(
        first.starts_with("red hoodie, ") && first.ends_with(", -hat") && first.matches(',').count() == 5,
        "{first}"
    );
    assert_eq!(ask(7, "noir"), first);
    assert_ne!(ask(8, "noir"), first);
    assert_ne!(ask(7, "cartoon"), first);
}

#[test]
fn optimize_says_502_when_the_model_fails() {
    let model = Completions::start(Says::Status(500));
    let house = House::configured(&format!("{}timeout_s = 1\n", model.config()));
    for says in [
        Says::Status(500),
        Says::Status(401),
        Says::Body("<html>".into()),
        Says::Body(json!({"choices": []}).to_string()),
        text(&"x".repeat(100_000)),
        Says::Later(Duration::from_secs(3), "rain".into()),
    ] {
        model.say(says);
        let begun = Instant::now();
        let answer = optimize(&house, PROMPT);
        let json = answer.json();
        assert_eq!(
            (answer.status, &json["error"], &json["code"]),
            (502, &json!("Enhancement failed"), &json!("ENHANCEMENT_FAILED"))
        );
        assert!(begun.elapsed() < Duration::from_secs(3));
    }
    let house = House::configured("[enhance]\nkind = 'none'\n");
    assert_eq!(optimize(&house, PROMPT).status, 502);
    assert_eq!(optimize(&house, "@aya").status, 502, "also where no model would have been asked");
}

#[test]
fn optimize_refuses_what_generate_refuses() {
    let model = Completions::start(text("warm lighting"));
    let house = House::configured(&model.config());
    for (body, code) in [
        (json!({}), "PROMPT_REQUIRED"),
        (json!({"prompt": " , "}), "PROMPT_REQUIRED"),
        (json!({"prompt": "@nobody_at_all hat"}), "INVALID_CHARACTER"),
        (json!({"prompt": "@aya @bella"}), "ONLY_ONE_CHARACTER"),
        (json!({"prompt": 7}), "INVALID_FIELD"),
        (json!({"prompt": "hat", "width": 7}), "UNKNOWN_FIELD"),
        (json!({"prompt": "hat", "model": "nothing", "strict": true}), "NOT_ACCEPTED"),
        (json!({"prompt": "canary-sexual-minors"}), "CONTENT_BLOCKED"),
    ] {
        let mut body = body;
        body["action"] = json!("optimize");
        let answer = house.ask(&body);
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(code)), "{body}");
    }
    assert!(model.wishes().is_empty(), "no model was asked for any of them");
    let answer = house
        .ask(&json!({"action": "optimize", "prompt": "hat", "model": "nothing", "style": "none"}))
        .json();
    assert_eq!(codes(&answer), ["MODEL_FALLBACK", "STYLE_FALLBACK"]);
}

#[test]
fn generate_draws_the_enhanced_prompt_and_meta_holds_both() {
    let model = Completions::start(text("warm lighting, city skyline"));
    let house = House::configured(&model.config());
    let (job, done) = house.draw(&json!({"prompt": PROMPT, "optimize": true, "steps": 1}));
    assert_eq!((&job["prompt"], codes(&job).len()), (&json!(ENHANCED), 0), "{job}");
    let meta = &done["meta"];
    assert_eq!(
        (&meta["prompt"], &meta["original_prompt"], &meta["optimized"]),
        (&json!(ENHANCED), &json!(PROMPT), &json!(true))
    );
    assert!(
        meta["positive"].as_str().unwrap().contains("red hoodie, (smiling:1.2), warm lighting, "),
        "{meta}"
    );
    assert!(meta["negative"].as_str().unwrap().ends_with("red dress"));

    let (_, plain) = house.draw(&json!({"prompt": PROMPT, "steps": 1}));
    assert_eq!(plain["meta"]["optimized"], false);
    assert!(plain["meta"].get("original_prompt").is_none());
    assert_eq!(model.wishes().len(), 1, "only who asks for it gets it");
}

#[test]
fn generate_goes_on_with_the_clients_prompt_unless_strict() {
    let model = Completions::start(Says::Status(500));
    let house = House::configured(&model.config());
    let body = json!({"prompt": PROMPT, "optimize": true, "steps": 1});
    let (job, done) = house.draw(&body);
    assert_eq!((&job["prompt"], codes(&job)), (&json!(PROMPT), vec!["ENHANCE_SKIPPED".to_owned()]));
    assert_eq!((&done["meta"]["prompt"], &done["meta"]["optimized"]), (&json!(PROMPT), &json!(false)));
    assert_eq!(codes(&done["meta"]), ["ENHANCE_SKIPPED"]);

    let mut strict = body.clone();
    (strict["action"], strict["strict"]) = (json!("generate"), json!(true));
    let refused = house.ask(&strict);
    let json = refused.json();
    assert_eq!(
        (refused.status, &json["code"], &json["details"]["field"]),
        (400, &json!("NOT_ACCEPTED"), &json!("optimize"))
    );
    model.say(text("warm lighting, city skyline"));
    assert_eq!(house.ask(&strict).status, 200);
}

#[test]
fn a_repeated_request_is_not_enhanced_again() {
    let model = Completions::start(text("warm lighting, city skyline"));
    let house = House::configured(&model.config());
    let body = json!({"action": "generate", "prompt": PROMPT, "optimize": true, "steps": 1});
    let headers = [("Idempotency-Key", Some("order 1"))];
    let first = house.ask_with(&headers, &body);
    model.say(Says::Status(500));
    let second = house.ask_with(&headers, &body);
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(first.json(), second.json());
    assert_eq!(model.wishes().len(), 1);
    let other = json!({"action": "generate", "prompt": "hat", "optimize": true});
    assert_eq!(house.ask_with(&headers, &other).status, 422);
    assert_eq!(model.wishes().len(), 1);
}

/// What a model adds can neither block a harmless prompt nor open a blocked one.
#[test]
fn review_sees_the_prompt_before_and_after() {
    let model = Completions::start(text("canary-sexual-minors, warm lighting, city skyline"));
    let house = House::configured(&model.config());
    let (job, done) = house.draw(&json!({"prompt": PROMPT, "optimize": true, "steps": 1}));
    assert_eq!((&job["prompt"], &done["compliance"]), (&json!(ENHANCED), &json!("safe")));
    let (_, blocked) = house.draw(&json!({"prompt": "canary-sexual-minors", "optimize": true, "steps": 1}));
    assert_eq!(blocked["compliance"], "unsafe");
    assert_eq!(model.wishes().len(), 1, "a blocked prompt goes to no model");
}

#[test]
fn nothing_is_pushed_out_of_the_windows() {
    let model = Completions::start(text("warm lighting, city skyline, wet asphalt, neon signs"));
    let house = House::configured(&model.config());
    let windows = |prompt: &str| {
        let parsed = house.ask(&json!({"action": "parse", "prompt": prompt})).json();
        parsed["windows"][0]["positive"].as_array().unwrap().len()
    };
    let mut grew = 0;
    for terms in 1..40 {
        let prompt = vec!["hat"; terms].join(", ");
        let enhanced = optimize(&house, &prompt).json()["prompt"].as_str().unwrap().to_owned();
        assert!(enhanced.starts_with(&prompt));
        assert_eq!(windows(&prompt), windows(&enhanced), "{enhanced}");
        grew += usize::from(enhanced.len() > prompt.len());
    }
    assert!((20..39).contains(&grew), "{grew} of 39 had room");
}

#[test]
fn more_than_may_wait_are_told_so_and_the_door_stays_open() {
    let model = Completions::start(Says::Later(Duration::from_secs(2), "warm lighting, city skyline".into()));
    let house = House::configured(&format!("{}at_once = 1\nwaiting = 1\n", model.config()));
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..6).map(|_| scope.spawn(|| optimize(&house, PROMPT))).collect();
        std::thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        assert_eq!(house.ask(&json!({"action": "models"})).status, 200);
        let drawn = house.ask(&json!({"action": "generate", "prompt": "hat", "optimize": true, "steps": 1}));
        assert_eq!((drawn.status, codes(&drawn.json())), (200, vec!["ENHANCE_SKIPPED".to_owned()]));
        assert!(begun.elapsed() < Duration::from_millis(1_500), "{:?}", begun.elapsed());
        let answers: Vec<_> = asked.into_iter().map(|asked| asked.join().unwrap()).collect();
        let (served, turned): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((served.len(), turned.len()), (2, 4));
        for answer in turned {
            assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("UNAVAILABLE")));
            assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        }
    });
}

/// The one that comes with the service, as set-up leaves it.
#[test]
fn the_embedded_model_enhances() {
    assert!(root().join(".enhancer/SmolLM2-135M-Instruct.Q4_1.gguf").exists(), "`make setup` fetches it");
    let house = House::configured("[enhance]\ntimeout_s = 120\n");
    let ask = || house.ask(&json!({"action": "optimize", "prompt": "@aya red hoodie, -glasses", "seed": 7}));
    let (first, second) = (ask(), ask());
    assert_eq!(first.status, 200, "{}", first.json());
    let prompt = first.json()["prompt"].as_str().unwrap().to_owned();
    assert!(
        prompt.starts_with("@aya red hoodie, ")
            && prompt.ends_with(", -glasses")
            && prompt.matches(',').count() >= 3,
        "{prompt}"
    );
    assert_eq!(second.json()["prompt"], prompt, "the same seed, the same additions");
}

#[test]
fn without_its_file_only_enhancement_fails() {
    let house = House::configured("[enhance]\nmodel_file = '/nowhere/model.gguf'\n");
    assert_eq!(optimize(&house, PROMPT).status, 502);
    assert_eq!(optimize(&house, "@aya").status, 502);
    let job = house.ask(&json!({"action": "generate", "prompt": PROMPT, "optimize": true, "steps": 1}));
    assert_eq!((job.status, codes(&job.json())), (200, vec!["ENHANCE_SKIPPED".to_owned()]));
}
