//! LoRAs by their registered names: a character's own, and those that a request adds.

use serde_json::{Value, json};

use crate::alike::alike;
use crate::house::{House, fetch_picture};

/// The picture, and its `meta`.
fn drawn(house: &House, more: &Value) -> (Vec<u8>, Value) {
    let mut body = json!({"prompt": "@aya red hoodie", "steps": 2, "seed": 7, "format": "png"});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let (_, done) = house.draw(&body);
    assert_eq!(done["status"], "COMPLETED", "{done}");
    let url = done["meta"]["images"][0]["url"].as_str().unwrap();
    (fetch_picture(url).0, done["meta"].clone())
}

#[test]
fn a_character_is_drawn_with_its_lora_and_as_strongly_as_asked() {
    let house = House::shared();
    let (with, meta) = drawn(&house, &json!({}));
    let lora = &meta["loras"][0];
    assert_eq!(
        (&lora["name"], &lora["weight"], &lora["te_weight"]),
        (&json!("aya"), &json!(1.0), &json!(1.0))
    );
    assert_eq!(lora["sha256"].as_str().unwrap().len(), 64);
    let (same, _) = drawn(&house, &json!({"loras": [{"name": "aya"}]}));
    assert!(alike(&with, &same));
    let (without, meta) = drawn(&house, &json!({"loras": [{"name": "aya", "weight": 0}]}));
    assert_eq!(meta["loras"][0]["weight"], json!(0.0));
    assert!(!alike(&with, &without), "the LoRA changes the picture");
}

#[test]
fn a_request_adds_one_by_its_name() {
    let house = House::shared();
    let listed = house.ask(&json!({"action": "models"})).json()["loras"]["ink"].clone();
    assert_eq!(listed["models"], json!(["atelier", "eros"]));
    let (plain, _) = drawn(&house, &json!({"prompt": "a hat"}));
    let (with, meta) =
        drawn(&house, &json!({"prompt": "a hat", "loras": [{"name": "ink", "weight": 0.9, "te_weight": 0}]}));
    assert_eq!(meta["loras"][0]["sha256"], listed["sha256"]);
    assert_eq!((&meta["loras"][0]["weight"], &meta["loras"][0]["te_weight"]), (&json!(0.9), &json!(0.0)));
    assert!(!alike(&plain, &with));
    let others = house.ask(&json!({"action": "generate", "prompt": "a hat", "loras": [{"name": "aya"}]}));
    assert_eq!((others.status, &others.json()["details"]["field"]), (400, &json!("loras[0].name")));
    let (again, _) = drawn(&house, &json!({"prompt": "a hat"}));
    assert!(alike(&plain, &again), "it is gone for the next picture");
}
