//! Who is let in, and that nobody sees another's jobs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::{Answer, House};

#[test]
fn another_keys_job_is_told_from_no_unknown_one() {
    let house = House::shared();
    let stranger = house.another_key("stranger");
    let mine = house.generate("a red hoodie");
    assert!(house.status(&mine)["status"].is_string());

    let header = format!("Bearer {stranger}");
    let ask = |id: &str| {
        let answer =
            house.ask_with(&[("Authorization", Some(&header))], &json!({"action": "status", "id": id}));
        without_number(&answer)
    };
    let unknown = ask(&format!("run_{}", "z".repeat(26)));
    assert_eq!(unknown.0, 400);
    assert_eq!(unknown.1["error"], "Bad ID");
    for id in [mine.as_str(), "nonsense", "../../etc/passwd", "", &"a".repeat(100_000)] {
        assert_eq!(ask(id), unknown);
    }
}

/// Status and body, less the request's own number.
fn without_number(answer: &Answer) -> (u16, Value) {
    let mut body = answer.json();
    body["request_id"].take();
    (answer.status, body)
}

#[test]
fn a_disabled_key_is_let_in_no_more() {
    let house = House::start(&[]);
    let key = house.another_key("guest");
    house.cli(&["keys", "disable", "guest"]);
    let header = format!("Bearer {key}");
    let begun = Instant::now();
    while house.ask_with(&[("Authorization", Some(&header))], &json!({"action": "models"})).status != 401 {
        assert!(begun.elapsed() < Duration::from_secs(5), "still let in");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(house.ask(&json!({"action": "models"})).status, 200, "the other key still is");
}

#[test]
fn wrong_keys_are_slowed_down_and_right_ones_are_not() {
    let house = House::configured("[api]\nfree_auth_failures_per_minute = 3\n");
    let wrong = [("Authorization", Some("Bearer imgen_wrong"))];
    let took = |headers: &[(&str, Option<&str>)], status: u16| {
        let begun = Instant::now();
        assert_eq!(house.ask_with(headers, &json!({"action": "models"})).status, status);
        begun.elapsed()
    };
    let first: Duration = (0..3).map(|_| took(&wrong, 401)).sum();
    assert!(first < Duration::from_millis(900), "{first:?}");
    assert!(took(&wrong, 401) >= Duration::from_millis(900));
    assert!(took(&[], 200) < Duration::from_millis(500));
}
