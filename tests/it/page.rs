//! What the page says of an answer: its own script, as it is served, in node with nothing to draw on.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::house::House;
use crate::verify::{jpeg, made, verified};

/// Stands for every element; then the script's own `verdict` is asked.
const HARNESS: &str = r#"
const any = new Proxy(function () {}, {
  get: (_, key) => key === Symbol.toPrimitive ? () => 0 : any, apply: () => any, construct: () => any, set: () => true,
});
globalThis.document = any;
globalThis.addEventListener = () => {};
const [script, answers] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const verdict = new Function(script + "\nreturn verdict;")();
console.log(JSON.stringify(answers.map(verdict)));
"#;

/// Tone, icon, pill, headline and explanation for each answer.
fn verdicts(house: &House, answers: &[Value]) -> Vec<[String; 5]> {
    let page = house.send("GET", "/verify", &[("Authorization", None)], b"");
    let page = String::from_utf8(page.body).unwrap();
    let script = page.split("<script>").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
    let mut node = Command::new("node")
        .args(["-e", HARNESS])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node 18 or newer is wanted; `make setup`");
    node.stdin.take().unwrap().write_all(json!([script, answers]).to_string().as_bytes()).unwrap();
    let done = node.wait_with_output().unwrap();
    assert!(done.status.success());
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn the_page_says_that_this_service_made_it_only_where_a_record_says_so() {
    let house = House::shared();
    let made = made(&house, "jpeg", 61);
    let intact = verified(&house, "jpeg", &made.bytes);
    let stripped = verified(&house, "jpeg", &jpeg(&made.pixels, 80));
    // Signed by another who is trusted, with our mark in the pixels; and the same under our manifest's id.
    let mut theirs = intact.clone();
    theirs["match"]["record_by"] = json!("mark");
    let mut forged = theirs.clone();
    forged["findings"] = json!([{"code": "MANIFEST_NOT_OURS", "message": "it is not ours", "records": []}]);
    // A visible watermark is an edit with a source type of its own.
    let mut edited = intact.clone();
    let store = &mut edited["c2pa"]["manifest"];
    let active = store["active_manifest"].as_str().unwrap().to_owned();
    let assertions = store["manifests"][&active]["assertions"].as_array_mut().unwrap();
    let actions = assertions.iter_mut().find(|one| one["label"] == "c2pa.actions.v2").unwrap();
    let enhanced = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced";
    let edit = json!({"action": "c2pa.edited", "digitalSourceType": enhanced});
    actions["data"]["actions"].as_array_mut().unwrap().push(edit);
    // Pixels of ours, signed anew by nobody who is trusted here.
    let mut resigned = stripped.clone();
    resigned["c2pa"]["present"] = json!(true);
    resigned["c2pa"]["state"] = json!("Valid");
    let told = verdicts(&house, &[intact, stripped, theirs, forged, edited, resigned]);
    let [intact, stripped, theirs, forged, edited, resigned] = told.as_slice() else { panic!("{told:?}") };

    assert_eq!(edited[4], intact[4]);
    assert!(resigned[4].contains("made by somebody else"), "{resigned:?}");

    assert_eq!((intact[2].as_str(), intact[3].as_str()), ("Trusted", "Genuine, and unchanged"));
    assert!(intact[4].starts_with("This service made it with AI on "), "{intact:?}");
    assert!(intact[4].ends_with(" It was made with your key."), "{intact:?}");
    assert_eq!(stripped[2], "Recovered");
    assert!(stripped[4].contains("credentials were stripped"), "{stripped:?}");
    assert!(theirs[4].starts_with("Its Content Credentials are signed by "), "{theirs:?}");
    assert_eq!((forged[0].as_str(), forged[2].as_str()), ("bad", "Does not fit together"));
}
