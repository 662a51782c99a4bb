//! One job, however often it is asked for.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::house::House;

#[test]
fn a_hundred_equal_requests_at_once_are_one_job() {
    let house = House::start(&[]);
    let body = json!({"action": "generate", "prompt": "a red hoodie", "steps": 1});
    let headers = [("Idempotency-Key", Some("order 17"))];
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..100).map(|_| scope.spawn(|| house.ask_with(&headers, &body))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let bodies: HashSet<String> = answers.iter().map(|answer| answer.json().to_string()).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    let replayed = answers
        .iter()
        .filter(|answer| answer.headers.get("idempotency-replayed").is_some_and(|v| v == "true"));
    assert_eq!(replayed.count(), 99);
    assert!(answers.iter().all(|answer| answer.status == 200));

    let other = json!({"action": "generate", "prompt": "a blue hoodie", "steps": 1});
    let refused = house.ask_with(&headers, &other);
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("IDEMPOTENCY_MISMATCH")));
    let fresh = house.ask_with(&[("Idempotency-Key", Some("order 18"))], &other);
    assert_eq!(fresh.status, 200);
    assert_ne!(fresh.json()["id"], serde_json::from_slice::<Value>(&answers[0].body).unwrap()["id"]);
    let stranger = format!("Bearer {}", house.another_key("stranger"));
    let theirs =
        house.ask_with(&[("Idempotency-Key", Some("order 17")), ("Authorization", Some(&stranger))], &other);
    assert_eq!(theirs.status, 200, "a key's idempotency keys are its own");
}
