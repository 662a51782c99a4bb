//! How much one caller gets.

use serde_json::json;

use crate::house::{House, has_ended};

#[test]
fn generate_has_a_budget_that_polls_do_not_spend() {
    let house = House::start(&[("IMGEN_RATE_LIMIT_PER_MIN", "3")]);
    let body = json!({"action": "generate", "prompt": "a red hoodie", "steps": 1});
    let mut id = String::new();
    for left in [2, 1, 0] {
        let answer = house.ask(&body);
        assert_eq!(answer.status, 200, "{}", answer.json());
        assert_eq!(answer.header("x-ratelimit-limit"), "3");
        assert_eq!(answer.header("x-ratelimit-remaining"), left.to_string());
        answer.json()["id"].as_str().unwrap().clone_into(&mut id);
    }
    let refused = house.ask(&body);
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!("RATE_LIMITED")));
    let wait_s: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait_s), "{wait_s}");
    for _ in 0..50 {
        assert_eq!(house.ask(&json!({"action": "status", "id": id})).status, 200);
    }
    let stranger = format!("Bearer {}", house.another_key("stranger"));
    assert_eq!(
        house.ask_with(&[("Authorization", Some(&stranger))], &body).status,
        200,
        "each key has its own"
    );
}

#[test]
fn a_full_queue_refuses_and_drops_nothing() {
    let house = House::start(&[("IMGEN_MAX_QUEUE", "2")]);
    let body = json!({"action": "generate", "prompt": "a red hoodie", "steps": 4});
    let mut accepted = Vec::new();
    let refused = loop {
        let answer = house.ask(&body);
        if answer.status != 200 {
            break answer;
        }
        accepted.push(answer.json()["id"].as_str().unwrap().to_owned());
        assert!(accepted.len() < 200, "the queue never fills");
    };
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!("QUEUE_FULL")));
    refused.header("retry-after").parse::<u64>().unwrap();
    for id in &accepted {
        let ended = house.wait(id, has_ended);
        assert_eq!(ended["status"], "COMPLETED");
    }
}
