//! The process is killed, and nothing that was accepted is lost.

use std::path::Path;

use serde_json::{Value, json};

use crate::alike::alike;
use crate::service::Service;

/// Enough steps that a job is caught in the middle.
fn submit(service: &Service, seed: u32) -> String {
    let body = json!({"action": "generate", "prompt": "portrait of a woman, red hoodie", "width": 1024,
                      "height": 1024, "seed": seed, "steps": 40, "format": "png"});
    let answer = service.post(&body);
    answer["id"].as_str().unwrap_or_else(|| panic!("no id in {answer}")).to_owned()
}

fn in_the_middle(status: &Value) -> bool {
    status["status"] == "IN_PROGRESS" && status["progress"].as_f64().is_some_and(|progress| progress > 0.0)
}

fn ended(status: &Value) -> bool {
    !matches!(status["status"].as_str(), Some("IN_QUEUE" | "IN_PROGRESS"))
}

fn picture(status: &Value) -> Vec<u8> {
    assert_eq!(status["status"], "COMPLETED", "{status}");
    let url = status["meta"]["images"][0]["url"].as_str().expect("a URL");
    ureq::get(url)
        .call()
        .expect("the URL works")
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_vec()
        .unwrap()
}

/// Files of the embedded store, which keeps one for each object.
fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, |entries| {
        entries
            .map(|entry| entry.expect("an entry").path())
            .map(|path| if path.is_dir() { files(&path) } else { 1 })
            .sum()
    })
}

#[test]
fn a_killed_service_finishes_what_it_accepted() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path());
    let running = submit(&service, 7);
    let waiting = submit(&service, 8);
    service.wait(&running, in_the_middle);
    service.kill();

    let service = Service::start(data.path());
    let first = service.wait(&running, ended);
    let second = service.wait(&waiting, ended);
    let interrupted = picture(&first);
    assert!(!alike(&interrupted, &picture(&second)), "two seeds, two pictures");
    let undisturbed = submit(&service, 7);
    assert!(alike(&interrupted, &picture(&service.wait(&undisturbed, ended))), "one seed, one picture");
    let before = files(&data.path().join("objects"));

    service.kill();
    let service = Service::start(data.path());
    assert_eq!(picture(&service.status(&running)), interrupted, "what was completed stays, and is served");
    assert_eq!(files(&data.path().join("objects")), before, "nothing was drawn again");
}

#[test]
fn a_stopped_service_parks_what_it_runs_and_exits_with_success() {
    let data = tempfile::tempdir().unwrap();
    let service = Service::start(data.path());
    let ids = [submit(&service, 1), submit(&service, 2), submit(&service, 3)];
    service.wait(&ids[0], in_the_middle);
    assert!(service.terminate().success());

    let service = Service::start(data.path());
    for id in &ids {
        picture(&service.wait(id, ended));
    }
}
