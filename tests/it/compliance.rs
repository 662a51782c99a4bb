//! What review blocks, what it lets through, and what is written down of it.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::{House, curl, root};

/// Entries of the ledger about a job, the oldest first.
fn ledger(house: &House, job: &str) -> Vec<Value> {
    let printed = house.cli(&["ledger", "list", "--job", job]);
    let mut entries: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    entries.reverse();
    entries.into_iter().map(|mut line| line["entry"].take()).collect()
}

fn id(job: &Value) -> &str {
    job["id"].as_str().unwrap()
}

#[test]
fn a_blocked_prompt_gets_an_id_and_its_status_says_why_and_nothing_is_drawn() {
    let house = House::shared();
    let (job, done) = house.draw(&json!({"prompt": "a hat, canary-sexual-minors", "steps": 1}));
    assert_eq!(job["prompt"], "a hat, canary-sexual-minors");
    let wanted = json!({
        "status": "COMPLETED", "compliance": "unsafe",
        "error": "Content blocked — flagged for: Sexual Content Involving Minors.",
        "filter_categories": ["sexual/minors"], "compliance_codes": ["cse"],
    });
    assert_eq!(done, wanted);
    let entries = ledger(&house, id(&job));
    let blocked = entries.iter().find(|entry| entry["category"] == "sexual/minors").unwrap();
    assert_eq!((&blocked["decision"], &blocked["stage"]), (&json!("blocked"), &json!("prompt")));
    assert!(blocked.get("score").is_none() && blocked["text_sha256"].as_str().unwrap().len() == 64);
    let said = house.ask(&json!({"action": "parse", "prompt": "a hat, canary-sexual-minors"})).json();
    assert_eq!(said["would_block"]["filter_categories"], json!(["sexual/minors"]));
    let held = house.cli(&["ledger", "verify"]);
    assert!(held.contains("entries hold"), "{held}");
}

#[test]
fn every_delivered_picture_was_looked_at() {
    let house = House::shared();
    let (job, done) = house.draw(&json!({"prompt": "a red hoodie", "steps": 1, "num_images": 2, "seed": 77}));
    assert_eq!(done["meta"]["compliance_codes"], json!([]));
    let entries = ledger(&house, id(&job));
    let said = |entry: &Value| (entry["picture_index"].clone(), entry["decision"].clone());
    assert_eq!(
        entries.iter().map(said).collect::<Vec<_>>(),
        [(json!(0), json!("passed")), (json!(1), json!("passed"))]
    );
    for entry in &entries {
        assert!(entry["score"].as_f64().unwrap() < 0.8, "{entry}");
        assert_eq!(entry["model_sha256"].as_str().unwrap().len(), 64);
        assert_eq!(entry["pdq"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn requests_and_keys_can_be_stricter_than_the_policy_and_not_laxer() {
    let house = House::start(&[]);
    let wish =
        |compliance: Value| json!({"prompt": "a hat, canary-violence", "steps": 1, "compliance": compliance});
    let (_, flagged) = house.draw(&json!({"prompt": "a hat, canary-violence", "steps": 1}));
    assert_eq!(flagged["meta"]["compliance_codes"], json!(["vcr"]), "{flagged}");
    let (_, blocked) = house.draw(&wish(json!({"violence": "block"})));
    assert_eq!(blocked["filter_categories"], json!(["violence"]));
    let laxer = json!({"prompt": "canary-hate", "steps": 1, "compliance": {"hate": "flag"}});
    assert_eq!(house.draw(&laxer).1["filter_categories"], json!(["hate"]));
    let bad = [
        (json!({"fun": "block"}), "compliance.fun"),
        (json!({"violence": "never"}), "compliance.violence"),
        (json!({"violence": "off"}), "compliance.violence"),
        (json!({"violence": true}), "compliance.violence"),
        (json!(1), "compliance"),
    ];
    for (compliance, field) in bad {
        let mut body = wish(compliance);
        body["action"] = json!("generate");
        let answer = house.ask(&body);
        assert_eq!(
            (answer.status, &answer.json()["details"]["field"]),
            (400, &json!(field)),
            "{}",
            answer.json()
        );
    }

    house.cli(&["keys", "tighten", "1", "violence=block"]);
    assert!(house.cli(&["keys", "list"]).contains(" violence=block\n"));
    let begun = Instant::now();
    loop {
        let (_, done) = house.draw(&json!({"prompt": "a hat, canary-violence", "steps": 1}));
        if done["compliance"] == "unsafe" {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "the key is treated as before: {done}");
    }
}

#[test]
fn an_operator_can_let_texts_pass_but_not_those_of_a_locked_category() {
    let house = House::shared();
    let wish = |prompt: &str| json!({"prompt": prompt, "steps": 1, "style": "professional"});
    let (job, blocked) = house.draw(&wish("a museum, canary-hate"));
    assert_eq!(blocked["compliance"], "unsafe", "{blocked}");
    let rule = ["ledger", "rule", id(&job), "override", "--by", "ada", "--reason", "an exhibition about it"];
    assert!(house.cli(&rule).contains("pass in hate from now on"));
    let (again, done) = house.draw(&wish("a museum, canary-hate"));
    assert_eq!(done["compliance"], "safe", "{done}");
    assert_eq!(done["meta"]["compliance_codes"], json!(["hte"]));
    assert_eq!(ledger(&house, id(&again))[0]["decision"], "overridden");
    let (_, other) = house.draw(&wish("another museum, canary-hate"));
    assert_eq!(other["compliance"], "unsafe");

    let (locked, _) = house.draw(&wish("canary-sexual-minors"));
    let refused = Command::new(env!("CARGO_BIN_EXE_imgen"))
        .args(["ledger", "rule", id(&locked), "override", "--by", "ada", "--reason", "none"])
        .current_dir(root())
        .env("IMGEN_DATA_DIR", house.data())
        .output()
        .unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("takes no override"));
}

#[test]
fn a_prompt_that_optimize_refuses_is_written_down_and_can_be_ruled_on() {
    let house = House::shared();
    let asked = || house.ask(&json!({"action": "optimize", "prompt": "a gallery, canary-hate"}));
    let refused = asked();
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!("CONTENT_BLOCKED")));
    let id = refused.json()["details"]["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("opt_"), "{id}");
    let entries = ledger(&house, &id);
    assert_eq!((&entries[0]["decision"], &entries[0]["category"]), (&json!("blocked"), &json!("hate")));
    assert!(entries[0]["key_id"].is_i64(), "{}", entries[0]);
    let nameless = std::process::Command::new(env!("CARGO_BIN_EXE_imgen"))
        .args(["ledger", "rule", &id, "override", "--by", " ", "--reason", "an exhibition about it"])
        .current_dir(root())
        .env("IMGEN_DATA_DIR", house.data())
        .output()
        .unwrap();
    assert!(
        !nameless.status.success() && String::from_utf8_lossy(&nameless.stderr).contains("it says nothing")
    );
    house.cli(&["ledger", "rule", &id, "override", "--by", "ada", "--reason", "an exhibition about it"]);
    let passed = asked().json();
    assert_eq!(passed["warnings"][0]["code"], "ENHANCE_SKIPPED", "{passed}");
    assert!(passed["warnings"][0]["message"].as_str().unwrap().contains("an operator's ruling"), "{passed}");
}

#[test]
fn without_its_picture_filter_the_service_is_not_ready_and_delivers_nothing() {
    let house = House::start_until("/healthz", &[("IMGEN_PICTURE_MODEL", "/nowhere/open-nsfw.onnx")]);
    let ready = house.send("GET", "/readyz", &[("Authorization", None)], b"");
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["details"]["not_ready"], json!(["picture_filter"]));
    let (_, failed) = house.draw(&json!({"prompt": "a red hoodie", "steps": 1}));
    assert_eq!(
        failed,
        json!({"status": "FAILED", "error": "Generation failed", "code": "filter_unavailable"})
    );
}

#[test]
fn a_picture_that_an_operator_knows_is_not_delivered() {
    let house = House::shared();
    let wish = json!({"prompt": "a red hoodie in the rain", "steps": 1, "seed": 4711, "format": "png"});
    let (job, done) = house.draw(&wish);
    let (status, _) = curl(done["meta"]["images"][0]["url"].as_str().unwrap());
    assert_eq!(status, 200);
    let pdq = ledger(&house, id(&job))[0]["pdq"].as_str().unwrap().to_owned();

    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("known.txt");
    std::fs::write(&list, format!("# ours\n{pdq},the rain\n")).unwrap();
    let listed = format!(
        "[[compliance.hash_lists]]\nfile = {:?}\ncategory = \"intellectual_property\"\n\
         [compliance.categories.intellectual_property]\nmode = \"block\"\n",
        list.display().to_string()
    );
    let strict = House::configured(&listed);
    let (job, blocked) = strict.draw(&wish);
    assert_eq!(blocked["filter_categories"], json!(["intellectual_property"]), "{blocked}");
    assert!(blocked.get("meta").is_none());
    assert_eq!(ledger(&strict, id(&job))[0]["by"], "hash_list:known.txt");

    strict.cli(&["ledger", "rule", id(&job), "override", "--by", "ada", "--reason", "it is ours"]);
    let (_, done) = strict.draw(&wish);
    assert_eq!(done["meta"]["compliance_codes"], json!(["ipv"]), "{done}");
    strict.cli(&["ledger", "rule", id(&job), "uphold", "--by", "ada", "--reason", "it is not"]);
    assert_eq!(strict.draw(&wish).1["compliance"], "unsafe");
}
