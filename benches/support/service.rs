//! The real binary, served on a free port with a data folder of its own, for the benches.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// A running service; it ends with the value.
pub struct Service {
    process: Child,
    /// `127.0.0.1:PORT`.
    pub address: String,
    pub key: String,
    _data: tempfile::TempDir,
}

impl Service {
    pub fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let data = tempfile::tempdir().expect("a folder");
        let address = format!("127.0.0.1:{port}");
        let key = "imgen_bench_0123456789abcdef0123456789abcdef".to_owned();
        let process = Command::new(env!("CARGO_BIN_EXE_imgen"))
            .arg("serve")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("IMGEN_LISTEN", &address)
            .env("IMGEN_DATA_DIR", data.path())
            .env("IMGEN_API_KEY", &key)
            .env("IMGEN_LOG", "warn")
            .env("IMGEN_RATE_LIMIT_PER_MIN", "1000000")
            .env("IMGEN_MAX_QUEUE", "100000")
            .stdout(Stdio::null())
            .spawn()
            .expect("the service starts");
        let service = Self { process, address, key, _data: data };
        for _ in 0..600 {
            if ureq::get(format!("http://{}/readyz", service.address)).call().is_ok() {
                return service;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the service is not ready after a minute");
    }

    pub fn post(&self, body: &Value) -> Value {
        ureq::post(format!("http://{}/api/v2", self.address))
            .header("Authorization", format!("Bearer {}", self.key))
            .send_json(body)
            .and_then(|mut answer| answer.body_mut().read_json())
            .expect("an answer")
    }

    /// Submits a job and gives its id.
    pub fn generate(&self, prompt: &str) -> String {
        let answer = self.post(&json!({"action": "generate", "prompt": prompt}));
        answer["id"].as_str().unwrap_or_else(|| panic!("no id in {answer}")).to_owned()
    }

    /// How many of the jobs have not ended.
    pub fn unfinished(&self, ids: &[String]) -> usize {
        ids.iter()
            .filter(|id| {
                let status = self.post(&json!({"action": "status", "id": id}));
                matches!(status["status"].as_str(), Some("IN_QUEUE" | "IN_PROGRESS"))
            })
            .count()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
