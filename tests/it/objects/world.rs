//! A store in a folder of its own, and two ways to it.

use std::path::{Path, PathBuf};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use imgen::api::objects;
use imgen::storage::{Embedded, Storage, StorageConfig};

/// What came back for a URL.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Vec<u8>,
}

/// How requests reach the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// actix-web on a port, plain curl for URLs.
    Port,
    /// The SDK's connector, and the store called directly for URLs.
    Direct,
}

pub(super) struct World {
    pub(super) way: Way,
    /// The store lies in a folder of it, so that what escapes is seen.
    around: tempfile::TempDir,
    pub(super) folder: PathBuf,
    pub(super) config: StorageConfig,
    pub(super) store: Embedded,
    pub(super) storage: Storage,
    /// Any S3 client with the store's own keys.
    pub(super) raw: Client,
    pub(super) base_url: String,
}

impl World {
    pub(super) fn new(way: Way) -> Self {
        Self::with(way, StorageConfig { max_attempts: 1, ..StorageConfig::default() })
    }

    pub(super) fn with(way: Way, config: StorageConfig) -> Self {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("data/objects");
        let store = Embedded::open(&folder, &config).unwrap();
        let base_url = match way {
            Way::Port => format!("http://127.0.0.1:{}", serve(store.clone())),
            Way::Direct => "http://store.example".to_owned(),
        };
        let transport = match way {
            Way::Port => aws_smithy_http_client::Builder::new().build_http(),
            Way::Direct => store.http_client(),
        };
        let raw = client(&base_url, &store, transport);
        let storage = match way {
            Way::Direct => Storage::inside(&config, &store, &base_url),
            Way::Port => {
                let keys = store.keys();
                let elsewhere = StorageConfig {
                    endpoint: Some(base_url.clone()),
                    access_key: keys.access_key.clone(),
                    secret_key: keys.secret_key.clone(),
                    ..config.clone()
                };
                Storage::connect(&elsewhere).unwrap()
            }
        };
        Self { way, around, folder, config, store, storage, raw, base_url }
    }

    /// The same folder, opened again as after a restart; by the direct way.
    pub(super) fn reopened(&self) -> Storage {
        let store = Embedded::open(&self.folder, &self.config).unwrap();
        Storage::inside(&self.config, &store, &self.base_url)
    }

    pub(super) async fn fetch(&self, method: &str, url: &str, headers: &[&str]) -> Fetched {
        match self.way {
            Way::Port => {
                let (method, url) = (method.to_owned(), url.to_owned());
                let headers: Vec<String> = headers.iter().map(ToString::to_string).collect();
                tokio::task::spawn_blocking(move || curl(&method, &url, &headers)).await.unwrap()
            }
            Way::Direct => {
                let target = url.strip_prefix(&self.base_url).unwrap();
                let mut request =
                    http::Request::builder().method(method).uri(target).header("host", "store.example");
                for header in headers {
                    let (name, value) = header.split_once(": ").unwrap();
                    request = request.header(name, value);
                }
                let answer = self.store.call(request.body(s3s::Body::empty()).unwrap()).await;
                let (parts, body) = answer.into_parts();
                let body = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes().to_vec();
                Fetched { status: parts.status.as_u16(), headers: parts.headers, body }
            }
        }
    }

    pub(super) async fn get(&self, url: &str) -> Fetched {
        self.fetch("GET", url, &[]).await
    }

    /// Everything there is, the store's folder and those around it too.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        walk(self.around.path())
    }

    /// All files but the keys: objects, and what is being written.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let all = self.paths();
        all.into_iter().filter(|path| path.is_file() && !path.ends_with(".keys.json")).collect()
    }
}

/// An S3 client with the store's keys.
pub(super) fn client(base_url: &str, store: &Embedded, transport: SharedHttpClient) -> Client {
    let keys = store.keys();
    Client::from_conf(
        aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(
                &keys.access_key,
                keys.secret_key.reveal(),
                None,
                None,
                "test",
            ))
            .endpoint_url(base_url)
            .force_path_style(true)
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .http_client(transport)
            .build(),
    )
}

/// Everything below `folder`.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        }
        found.push(path);
    }
    found
}

/// Mounts the store in actix-web on a free port, beside another route.
fn serve(store: Embedded) -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(
            actix_web::HttpServer::new(move || {
                actix_web::App::new()
                    .configure(|cfg| objects::mount(cfg, &store))
                    .default_service(actix_web::web::to(|| async { "another route" }))
            })
            .workers(2)
            .listen(listener)
            .unwrap()
            .disable_signals()
            .run(),
        )
    });
    port
}

/// Plain curl: no SDK, no knowledge of S3.
fn curl(method: &str, url: &str, headers: &[String]) -> Fetched {
    let mut command = std::process::Command::new("curl");
    command.args(["-sS", "--noproxy", "*", "--max-time", "20", "-i"]);
    match method {
        "HEAD" => command.arg("-I"),
        "PUT" => command.args(["-X", "PUT", "--data-binary", "intruder"]),
        method => command.args(["-X", method]),
    };
    for header in headers {
        command.args(["-H", header]);
    }
    let output = command.arg(url).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let end = output.stdout.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(output.stdout[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut found = http::HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        found.append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    Fetched { status, headers: found, body: output.stdout[end + 4..].to_vec() }
}
