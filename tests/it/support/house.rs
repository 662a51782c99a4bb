//! A running service with a small model, and the few ways in which tests talk to it.

use std::collections::HashMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::service::Service;

/// A service of its own, with its own data; it ends with the value.
pub(crate) struct House {
    service: Service,
    /// Checkpoints and LoRAs.
    _folders: [TempDir; 2],
    data: TempDir,
    agent: ureq::Agent,
}

impl Deref for House {
    type Target = Service;
    fn deref(&self) -> &Service {
        &self.service
    }
}

/// What came back, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// By lower-case name.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body, which must be JSON and say so.
    pub(crate) fn json(&self) -> Value {
        let kind = self.headers.get("content-type").map(String::as_str);
        assert_eq!(kind, Some("application/json"), "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }
}

/// A register of the shipped names, and of `ink`, which is no character's; each a LoRA that fits the small model.
fn loras_for_the_small_model() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let weights = std::fs::read(root().join("tests/fixtures/loras/kohya_starter.safetensors")).unwrap();
    let sha256 = hex::encode(Sha256::digest(&weights));
    let entry = format!("sha256 = '{sha256}'\nbase = ['starter']\nlicence = 'none'\nsource = 'random'");
    let shipped = std::fs::read_dir(root().join("loras")).unwrap().map(|entry| entry.unwrap().path());
    let entries = shipped.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    for path in entries.chain([PathBuf::from("ink.toml")]) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        std::fs::write(folder.path().join(format!("{name}.toml")), &entry).unwrap();
        std::fs::write(folder.path().join(format!("{name}.safetensors")), &weights).unwrap();
    }
    folder
}

impl House {
    /// The one that tests share which only ask; it lives as long as any of them holds it.
    pub(crate) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<House>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let house = Arc::new(Self::start(&[]));
            *shared = Arc::downgrade(&house);
            house
        })
    }

    /// With a model of `tests/fixtures`: the real pipeline, of small, untrained networks.
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        Self::start_until("/readyz", environment)
    }

    /// One that only has to answer on this page.
    pub(crate) fn start_until(page: &str, environment: &[(&str, &str)]) -> Self {
        let model = tempfile::tempdir().unwrap();
        let fixture = root().join("tests/fixtures/tiny-starter");
        std::os::unix::fs::symlink(fixture, model.path().join("starter")).unwrap();
        let data = tempfile::tempdir().unwrap();
        let loras = loras_for_the_small_model();
        let mut all = vec![
            ("IMGEN_MODELS_DIR", model.path().to_str().unwrap()),
            ("IMGEN_LORAS_DIR", loras.path().to_str().unwrap()),
        ];
        // What is enhanced is said by the tests that are about it, in their configuration.
        if !environment.iter().any(|(name, _)| *name == "IMGEN_CONFIG") {
            all.push(("IMGEN_ENHANCE", "none"));
        }
        all.extend(environment);
        let service = Service::start_until(page, data.path(), &all);
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { service, _folders: [model, loras], data, agent }
    }

    /// With a configuration file of this text.
    pub(crate) fn configured(text: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Self::start(&[("IMGEN_CONFIG", file.path().to_str().unwrap())])
    }

    /// Any request. A header whose value is `None` is left out; the usual two are there unless given.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, Option<&str>)],
        body: &[u8],
    ) -> Answer {
        let bearer = format!("Bearer {}", self.key);
        let mut all =
            vec![("Authorization", Some(bearer.as_str())), ("Content-Type", Some("application/json"))];
        all.retain(|(name, _)| !headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)));
        all.extend(headers);
        let url = format!("http://{}{path}", self.address);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in all {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let answer = match method {
            "GET" => self.agent.run(request.body(()).unwrap()),
            _ => self.agent.run(request.body(body).unwrap()),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        Answer {
            status: answer.status().as_u16(),
            headers: answer
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
                .collect(),
            body: answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap(),
        }
    }

    /// One action, with the usual headers.
    pub(crate) fn ask(&self, body: &Value) -> Answer {
        self.ask_with(&[], body)
    }

    pub(crate) fn ask_with(&self, headers: &[(&str, Option<&str>)], body: &Value) -> Answer {
        self.send("POST", "/api/v2", headers, body.to_string().as_bytes())
    }

    /// Submits a job and waits for its end; gives the answers of `generate` and of the last `status`.
    pub(crate) fn draw(&self, body: &Value) -> (Value, Value) {
        let mut body = body.clone();
        body["action"] = json!("generate");
        let job = self.ask(&body).json();
        let id = job["id"].as_str().unwrap_or_else(|| panic!("no id in {job}")).to_owned();
        let last = self.wait(&id, has_ended);
        (job, last)
    }

    /// A key of somebody else, made beside the running service as an operator would.
    pub(crate) fn another_key(&self, name: &str) -> String {
        let made = self.cli(&["keys", "create", name]);
        let token = made.split_whitespace().find(|word| word.starts_with("imgen_") && word.len() > 20);
        let token = token.unwrap_or_else(|| panic!("no key in {made:?}")).to_owned();
        let header = format!("Bearer {token}");
        for _ in 0..50 {
            if self.ask_with(&[("Authorization", Some(&header))], &json!({"action": "models"})).status == 200
            {
                return token;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the new key is not let in");
    }

    /// The folder that the service keeps its data in.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Runs the binary on this house's data and gives what it prints.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let done = Command::new(env!("CARGO_BIN_EXE_imgen"))
            .args(arguments)
            .current_dir(root())
            .env("IMGEN_DATA_DIR", self.data.path())
            .output()
            .expect("the binary runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }
}

/// Whether a job's status is final.
pub(crate) fn has_ended(status: &Value) -> bool {
    !matches!(status["status"].as_str(), Some("IN_QUEUE" | "IN_PROGRESS"))
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Fetches a URL as a stranger would, with curl; the status and the bytes.
pub(crate) fn curl(url: &str) -> (u16, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    let done = Command::new("curl")
        .args(["-sS", "-o", file.to_str().unwrap(), "-w", "%{http_code}", url])
        .output()
        .expect("curl runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    (String::from_utf8(done.stdout).unwrap().parse().unwrap(), std::fs::read(file).unwrap_or_default())
}

/// [`curl`] for a picture that must be there.
pub(crate) fn fetch_picture(url: &str) -> (Vec<u8>, image::DynamicImage) {
    let (status, bytes) = curl(url);
    assert_eq!(status, 200, "{url}: {}", String::from_utf8_lossy(&bytes));
    let picture = image::load_from_memory(&bytes).expect("a picture");
    (bytes, picture)
}
