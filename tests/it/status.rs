//! Where a job stands, from its queue to its end.

use serde_json::{Value, json};

use crate::house::{House, has_ended};

#[test]
fn a_job_goes_through_its_states_and_says_how_far_it_is() {
    let house = House::start(&[]);
    let first = house
        .ask(&json!({"action": "generate", "prompt": "a red hoodie", "steps": 30, "num_images": 2}))
        .json();
    let second = house.ask(&json!({"action": "generate", "prompt": "a red hoodie", "steps": 2})).json();
    let id = |job: &Value| job["id"].as_str().unwrap().to_owned();
    let waiting = house.status(&id(&second));
    assert_eq!(waiting["status"], "IN_QUEUE", "{waiting}");
    assert!(waiting["queue_position"].is_u64(), "{waiting}");

    let running =
        house.wait(&id(&first), |status| status["progress"].as_f64().is_some_and(|done| done > 0.0));
    assert_eq!(running["status"], "IN_PROGRESS", "{running}");
    assert!(running["progress"].as_f64().unwrap() < 1.0);
    assert!(running["step"].as_u64().unwrap() <= running["steps"].as_u64().unwrap());
    assert!(running["eta_s"].is_u64());

    // As the specification has clients ask: with prompt and model, which may be anything.
    let body = json!({"action": "status", "id": id(&first), "prompt": 7, "model": null});
    assert_eq!(house.ask(&body).status, 200);
    assert_eq!(house.wait(&id(&second), has_ended)["status"], "COMPLETED");
    let done = house.wait(&id(&first), has_ended);
    assert_eq!(done["meta"]["images"].as_array().unwrap().len(), 4);
    assert_eq!(done["meta"]["steps"], 30);
}

#[test]
fn meta_holds_every_key_of_the_specification() {
    let house = House::shared();
    let (job, done) = house.draw(&json!({
        "prompt": "@aya red hoodie, -hat", "negative": "blurry", "width": 1024, "height": 1024, "seed": 5, "steps": 2,
        "cs_title": "AI Image", "wm_scale": 500, "metadata": {"order": [1, null]}, "sampler": "DPM++ 2M Karras",
        "style": "professional", "guidance": 4.5,
    }));
    assert_eq!((&done["status"], &done["compliance"]), (&json!("COMPLETED"), &json!("safe")), "{done}");
    let meta = &done["meta"];
    for key in [
        "id",
        "gen_id",
        "time",
        "prompt",
        "positive",
        "negative",
        "character",
        "model",
        "style",
        "width",
        "height",
        "format",
        "quality",
        "lossless",
        "optimized",
        "compliance",
        "compliance_codes",
        "fingerprint",
        "images",
        "enable_invisimark",
        "enable_c2pa",
        "compute_pdq",
        "wm_position",
        "wm_scale",
        "wm_transparency",
        "cs_author",
        "cs_title",
    ] {
        assert!(!meta[key].is_null(), "no {key} in {meta}");
    }
    for (key, value) in [
        ("id", job["id"].clone()),
        ("gen_id", job["gen_id"].clone()),
        ("prompt", json!("@aya red hoodie, -hat")),
        ("character", json!("aya")),
        ("model", json!("eros")),
        ("style", json!("professional")),
        ("width", json!(1024)),
        ("format", json!("jpeg")),
        ("quality", json!(95)),
        ("lossless", json!(false)),
        ("optimized", json!(false)),
        ("compliance", json!("safe")),
        ("compliance_codes", json!([])),
        ("enable_invisimark", json!(true)),
        ("enable_c2pa", json!(true)),
        ("compute_pdq", json!(true)),
        ("wm_position", json!("bottom-right")),
        ("wm_scale", json!(100)),
        ("wm_transparency", json!(100)),
        ("wm_rotation", json!(0)),
        ("wm_padding_x", json!(10)),
        ("wm_padding_y", json!(10)),
        ("cs_author", json!("")),
        ("cs_title", json!("AI Image")),
        ("seed", json!(5)),
        ("steps", json!(2)),
        ("guidance", json!(4.5)),
        ("sampler", json!("DPMSolverMultistepSchedulerKarras")),
        ("metadata", json!({"order": [1, null]})),
        ("warnings", job["warnings"].clone()),
    ] {
        assert_eq!(meta[key], value, "{key}");
    }
    let positive = meta["positive"].as_str().unwrap();
    let negative = meta["negative"].as_str().unwrap();
    assert!(
        positive.contains("red hoodie") && !positive.contains('@') && !positive.contains("hat"),
        "{positive}"
    );
    assert!(negative.ends_with("hat, blurry"), "{negative}");
    let time = meta["time"].as_str().unwrap();
    assert!(time.len() == 20 && time.ends_with('Z') && &time[10..11] == "T", "{time}");
    assert_eq!(meta["fingerprint"].as_str().unwrap().len(), 64);
}

#[test]
fn a_job_without_a_character_has_an_empty_one() {
    let house = House::shared();
    let (_, done) = house.draw(&json!({"prompt": "red hoodie", "steps": 1}));
    assert_eq!(done["meta"]["character"], "");
    assert!(done["meta"].get("metadata").is_none());
    assert_eq!(done["meta"]["warnings"], json!([]));
}
