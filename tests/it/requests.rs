//! Every request of `tests/fixtures/requests`, with what must come of it.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::house::{House, root};

/// A request that is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bad {
    /// For the reader of the file.
    #[serde(default, rename = "why")]
    _why: String,
    #[serde(default = "post")]
    method: String,
    /// `{key}` stands for the valid key.
    #[serde(default = "door")]
    path: String,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<Value>,
    /// The body as it is, where it is no JSON.
    raw: Option<String>,
    status: u16,
    code: String,
    error: Option<String>,
    field: Option<String>,
}

/// A request that is answered, possibly with warnings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Good {
    #[serde(default, rename = "why")]
    _why: String,
    body: Value,
    /// What the answer must hold, among other things.
    answer: Map<String, Value>,
    /// Codes, in order.
    warnings: Vec<String>,
    /// The field that `strict` blames.
    field: Option<String>,
}

fn post() -> String {
    "POST".into()
}

fn door() -> String {
    "/api/v2".into()
}

fn read<T: for<'de> Deserialize<'de>>(folder: &str) -> Vec<(String, T)> {
    let folder = root().join("tests/fixtures/requests").join(folder);
    let mut cases: Vec<(String, T)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = std::fs::read(&path).unwrap();
            let value =
                serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", name(&path)));
            (name(&path), value)
        })
        .collect();
    cases.sort_by(|(one, _), (two, _)| one.cmp(two));
    cases
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn bad_requests_are_refused_as_their_files_say() {
    let house = House::shared();
    let cases = read::<Bad>("bad");
    assert!(cases.len() > 60, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for (name, case) in cases {
        let headers: Vec<(&str, Option<&str>)> =
            case.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = case.raw.or(case.body.map(|body| body.to_string())).expect("body or raw");
        let path = case.path.replace("{key}", &house.key);
        let answer = house.send(&case.method, &path, &headers, body.as_bytes());
        let json = answer.json();
        let told = json["error"].as_str().unwrap_or_default();
        let said = (answer.status, json["code"].as_str(), json["details"]["field"].as_str());
        let field = case.field.as_deref().or(said.2);
        let envelope = json["request_id"] == answer.header("x-request-id") && json["details"].is_object();
        if said != (case.status, Some(&case.code), field)
            || case.error.is_some_and(|error| error != told)
            || told.is_empty()
            || !envelope
        {
            wrong.push(format!("{name}: {} {json}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn good_requests_are_answered_as_their_files_say() {
    let house = House::start(&[]);
    let mut wrong = Vec::new();
    for (name, case) in read::<Good>("good") {
        let answer = house.ask(&case.body);
        let json = answer.json();
        let held = case.answer.iter().all(|(key, value)| &json[key] == value);
        let codes: Vec<&str> = json["warnings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|warning| warning["code"].as_str())
            .collect();
        let shape = is_id(&json["id"], "run_", 26) && is_id(&json["gen_id"], "", 20) && json["seed"].is_u64();
        if answer.status != 200 || !held || codes != case.warnings || !shape {
            wrong.push(format!("{name}: {} {json}", answer.status));
        }
        let mut strict = case.body.clone();
        strict["strict"] = json!(true);
        let answer = house.ask(&strict);
        let json = answer.json();
        let said = (answer.status, json["code"].as_str(), json["details"]["field"].as_str());
        let due = if case.warnings.is_empty() {
            (200, None, None)
        } else {
            (400, Some("NOT_ACCEPTED"), case.field.as_deref())
        };
        if said != due {
            wrong.push(format!("{name}, strict: {} {json}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn is_id(value: &Value, prefix: &str, letters: usize) -> bool {
    value.as_str().and_then(|id| id.strip_prefix(prefix)).is_some_and(|id| {
        id.len() == letters && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}
