//! The real binary as a process of its own, for benches and for tests that kill it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A running service; it ends, unasked, with the value.
pub(crate) struct Service {
    process: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    pub(crate) key: String,
    data_dir: PathBuf,
}

impl Service {
    /// Serves `data_dir` on a free port and waits until the service says that it is ready.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[])
    }

    /// [`Service::start`] with more of the environment set.
    pub(crate) fn start_with(data_dir: &Path, environment: &[(&str, &str)]) -> Self {
        Self::start_until("/readyz", data_dir, environment)
    }

    /// [`Service::start_with`], for one that only has to answer on this page.
    pub(crate) fn start_until(page: &str, data_dir: &Path, environment: &[(&str, &str)]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let address = format!("127.0.0.1:{port}");
        let key = "imgen_test_0123456789abcdef0123456789abcdef".to_owned();
        let process = Command::new(env!("CARGO_BIN_EXE_imgen"))
            .arg("serve")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("IMGEN_LISTEN", &address)
            .env("IMGEN_DATA_DIR", data_dir)
            .env("IMGEN_API_KEY", &key)
            .env("IMGEN_LOG", "warn")
            .env("IMGEN_RATE_LIMIT_PER_MIN", "1000000")
            .env("IMGEN_MAX_QUEUE", "100000")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .expect("the service starts");
        let service = Self { process, address, key, data_dir: data_dir.to_owned() };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(120) {
            if ureq::get(format!("http://{}{page}", service.address)).call().is_ok() {
                return service;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the service is not ready after two minutes");
    }

    /// SIGKILL: no destructor runs, no file is closed by us.
    pub(crate) fn kill(mut self) -> PathBuf {
        self.process.kill().expect("the process is ours");
        self.process.wait().expect("the process ends");
        self.data_dir.clone()
    }

    /// SIGTERM, then the exit status.
    pub(crate) fn terminate(mut self) -> std::process::ExitStatus {
        self.signal("TERM");
        self.process.wait().expect("the process ends")
    }

    /// Sends it a signal, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill runs");
    }

    pub(crate) fn post(&self, body: &Value) -> Value {
        ureq::post(format!("http://{}/api/v2", self.address))
            .header("Authorization", format!("Bearer {}", self.key))
            .send_json(body)
            .and_then(|mut answer| answer.body_mut().read_json())
            .expect("an answer")
    }

    pub(crate) fn status(&self, id: &str) -> Value {
        self.post(&json!({"action": "status", "id": id}))
    }

    /// Polls until `wanted` says so, for at most five minutes.
    pub(crate) fn wait(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.status(id);
            if wanted(&status) {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(300), "still {status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Submits a job and gives its id.
    pub(crate) fn generate(&self, prompt: &str) -> String {
        let answer = self.post(&json!({"action": "generate", "prompt": prompt}));
        answer["id"].as_str().unwrap_or_else(|| panic!("no id in {answer}")).to_owned()
    }

    /// How many of the jobs have not ended.
    pub(crate) fn unfinished(&self, ids: &[String]) -> usize {
        ids.iter()
            .filter(|id| {
                let status = self.status(id);
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
