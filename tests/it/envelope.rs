//! What every answer carries.

use serde_json::json;

use crate::house::House;

#[test]
fn the_clients_request_number_is_kept_when_it_is_plain() {
    let house = House::shared();
    for (sent, kept) in
        [("order-17.a_B", true), ("a b", false), ("<x>", false), (&"n".repeat(129), false), ("", false)]
    {
        for body in [json!({"action": "models"}), json!({})] {
            let answer = house.ask_with(&[("X-Request-Id", Some(sent))], &body);
            let id = answer.header("x-request-id");
            assert_eq!(id == sent, kept, "{sent:?} became {id:?}");
            assert!((1..=128).contains(&id.len()));
        }
    }
    let one = house.ask(&json!({"action": "models"}));
    let two = house.ask(&json!({"action": "models"}));
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[test]
fn authenticated_answers_say_what_is_left() {
    let house = House::shared();
    for body in
        [json!({"action": "models"}), json!({"action": "nonsense"}), json!({"action": "status", "id": "x"})]
    {
        let answer = house.ask(&body);
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            answer.header(name).parse::<u64>().expect(name);
        }
    }
    let stranger = house.ask_with(&[("Authorization", None)], &json!({"action": "models"}));
    assert!(!stranger.headers.contains_key("x-ratelimit-limit"));
    assert_eq!(stranger.header("www-authenticate"), "Bearer");
}

#[test]
fn the_list_of_models_is_as_specified() {
    let house = House::shared();
    let answer = house.ask(&json!({"action": "models"})).json();
    let keys: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["characters", "default_model", "models", "loras"]);
    let characters: Vec<&str> =
        answer["characters"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    assert!(characters.contains(&"aya") && characters.is_sorted(), "{characters:?}");
    let eros = &answer["models"]["eros"];
    assert!(eros["label"].is_string());
    assert_eq!(eros["files"][0]["name"], "text_encoder/model.safetensors");
    assert_eq!(eros["files"][3]["sha256"].as_str().unwrap().len(), 64);
    let default_style = eros["default_style"].as_str().unwrap();
    assert!(eros["styles"][default_style]["label"].is_string());
    assert!(eros["styles"]["professional"]["label"].is_string());
}

#[test]
fn a_random_prompt_is_one_that_generate_takes() {
    let house = House::shared();
    for (body, holds) in [
        (json!({"action": "random", "character": "aya"}), Some("@aya")),
        (json!({"action": "random", "character": ""}), None),
    ] {
        let answer = house.ask(&body).json();
        let keys: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["prompt"]);
        let prompt = answer["prompt"].as_str().unwrap();
        assert_eq!(prompt.contains('@'), holds.is_some(), "{prompt}");
        assert!(prompt.contains(holds.unwrap_or_default()), "{prompt}");
    }
    let prompts: std::collections::HashSet<String> =
        (0..40).map(|_| house.ask(&json!({"action": "random"})).json()["prompt"].to_string()).collect();
    assert!(prompts.len() > 3, "{prompts:?}");
    for prompt in prompts.iter().take(5) {
        let prompt: String = serde_json::from_str(prompt).unwrap();
        let answer = house.ask(&json!({"action": "generate", "prompt": prompt, "steps": 1, "strict": true}));
        assert_eq!(answer.status, 200, "{prompt}: {}", answer.json());
    }
}

#[test]
fn health_needs_no_key() {
    let house = House::shared();
    let stranger = [("Authorization", None)];
    assert_eq!(house.send("GET", "/healthz", &stranger, b"").json()["status"], "ok");
    let ready = house.send("GET", "/readyz", &stranger, b"");
    assert_eq!(ready.status, 200, "{}", ready.json());
    assert_eq!(ready.json()["status"], "ready");
}
