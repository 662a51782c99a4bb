//! The specification's own examples, run as they stand: only the address and the key are put in.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::house::{House, fetch_picture, root};

const ADDRESS: &str = "https://imgen-stage.api.efficientstack.com/api/v2";
const KEY: &str = "your-api-key";

/// The example with this house's address and key.
fn example(house: &House, name: &str) -> String {
    let text = std::fs::read_to_string(root().join("tests/fixtures/clients").join(name)).unwrap();
    assert!(text.contains(ADDRESS) && text.contains(KEY));
    text.replace(ADDRESS, &format!("http://{}/api/v2", house.address)).replace(KEY, &house.key)
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn printed(done: &Output) -> String {
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{text}{}", String::from_utf8_lossy(&done.stderr));
    text
}

/// Runs the example and fetches the picture whose URL it prints.
fn run(name: &str, file: &str, command: impl FnOnce(&Path) -> Command) {
    let house = House::shared();
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), file, &example(&house, name));
    let text = printed(&command(&path).output().expect("the interpreter starts"));
    let url = text.split_whitespace().find(|word| word.starts_with("http://"));
    let (_, picture) = fetch_picture(url.unwrap_or_else(|| panic!("no URL in {text:?}")));
    assert_eq!((picture.width(), picture.height()), (1344, 768));
}

#[test]
fn javascript() {
    // Top-level await wants a module, hence the name.
    run("client.js", "client.mjs", |path| {
        let version =
            Command::new("node").arg("--version").output().expect("node 18 or newer is wanted; `make setup`");
        let major = String::from_utf8_lossy(&version.stdout)
            .trim()
            .trim_start_matches('v')
            .split('.')
            .next()
            .map(str::parse);
        assert!(matches!(major, Some(Ok(18_u32..))), "node 18 or newer is wanted");
        let mut node = Command::new("node");
        node.arg(path);
        node
    });
}

#[test]
fn python() {
    run("client.py", "client.py", |path| {
        let packages = root().join(".setup/site-packages");
        let mut python = Command::new("python3");
        if packages.is_dir() {
            python.env("PYTHONPATH", packages);
        } else {
            let has =
                Command::new("python3").args(["-c", "import requests"]).output().expect("python3 is wanted");
            assert!(has.status.success(), "Python's `requests` is wanted: `make setup-test` fetches it");
        }
        python.arg(path);
        python
    });
}

#[test]
fn php() {
    let modules = Command::new("php").arg("-m").output();
    if !modules
        .is_ok_and(|modules| String::from_utf8_lossy(&modules.stdout).lines().any(|line| line == "curl"))
    {
        eprintln!(
            "SKIPPED: the PHP example was NOT run: there is no php with curl here (apt install php-cli php-curl)"
        );
        return;
    }
    run("client.php", "client.php", |path| {
        let mut php = Command::new("php");
        php.arg(path);
        php
    });
}

#[test]
fn shell() {
    let house = House::shared();
    let text = example(&house, "client.sh");
    let (first, poll) = text.split_once("# Poll status").unwrap();
    let bash = |script: &str| printed(&Command::new("bash").args(["-euc", script]).output().unwrap());
    let answers: Vec<Value> =
        serde_json::Deserializer::from_str(&bash(first)).into_iter().collect::<Result<_, _>>().unwrap();
    let [models, job] = &answers[..] else { panic!("{answers:?}") };
    assert!(models["models"]["eros"].is_object());
    let settings: String = first.lines().take(2).collect::<Vec<_>>().join("\n");
    let poll = format!("{settings}\n#{poll}").replace("JOB_ID", job["id"].as_str().unwrap());
    let begun = Instant::now();
    let done = loop {
        let status: Value = serde_json::from_str(&bash(&poll)).unwrap();
        if !matches!(status["status"].as_str(), Some("IN_QUEUE" | "IN_PROGRESS")) {
            break status;
        }
        assert!(begun.elapsed() < Duration::from_secs(360), "{status}");
        std::thread::sleep(Duration::from_secs(3));
    };
    fetch_picture(done["meta"]["images"][0]["url"].as_str().unwrap_or_else(|| panic!("{done}")));
}
