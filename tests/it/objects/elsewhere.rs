//! A store elsewhere that does not do what it should, and what is said of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imgen::storage::{ProbeStep, Secret, Storage, StorageConfig, StorageError};

use super::world::{Way, World};

fn config(endpoint: &str) -> StorageConfig {
    StorageConfig {
        endpoint: Some(endpoint.to_owned()),
        access_key: "AKIDEXAMPLE".to_owned(),
        secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        attempt_timeout_s: 1,
        operation_timeout_s: 10,
        max_attempts: 1,
        ..StorageConfig::default()
    }
}

/// A server that gives its `n`th request what `answer(n)` says; none is a closed connection. Counts requests.
fn server(answer: impl Fn(usize) -> Option<String> + Send + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            read_request(&mut socket);
            if let Some(text) = answer(counted.fetch_add(1, Ordering::SeqCst)) {
                let _ = socket.write_all(text.as_bytes());
            }
        }
    });
    (endpoint, count)
}

fn read_request(socket: &mut TcpStream) {
    let mut reader = BufReader::new(socket);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let _ = reader.read_exact(&mut vec![0; length]);
}

fn xml(status: &str, code: &str) -> String {
    let body = format!("<Error><Code>{code}</Code><Message>said</Message></Error>");
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

async fn probe_error(config: &StorageConfig) -> (ProbeStep, StorageError) {
    match Storage::connect(config).unwrap().probe().await.unwrap_err() {
        StorageError::Probe { step, source } => (step, *source),
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_named() {
    for (status, code, said) in [
        ("403 Forbidden", "RequestTimeTooSkewed", "clock"),
        ("403 Forbidden", "InvalidAccessKeyId", "credentials"),
        ("404 Not Found", "NoSuchBucket", "no bucket named \"objects\""),
        ("507 Insufficient Storage", "InsufficientStorage", "full"),
        ("503 Slow Down", "SlowDown", "503 SlowDown"),
    ] {
        let (endpoint, _) = server(move |_| Some(xml(status, code)));
        let (step, error) = probe_error(&config(&endpoint)).await;
        assert_eq!(step, ProbeStep::Put);
        assert!(error.to_string().contains(said), "{code}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_, error) = probe_error(&config(&format!("http://{closed}"))).await;
    assert!(matches!(error, StorageError::Connect { .. }), "{error:?}");
    let (_, error) = probe_error(&config("http://no-such-host.invalid")).await;
    assert!(matches!(error, StorageError::Dns { .. }), "{error:?}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let (_, error) = probe_error(&config(&format!("http://{}", silent.local_addr().unwrap()))).await;
    assert!(matches!(error, StorageError::Timeout { .. }), "{error:?}");
    let (plain, _) = server(|_| Some("HTTP/1.1 400 Bad Request\r\n\r\n".to_owned()));
    let (_, error) = probe_error(&config(&plain.replace("http:", "https:"))).await;
    assert!(!matches!(error, StorageError::Answer { .. }), "{error:?}");
    assert!(!error.to_string().contains("wJalr"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_of_trouble_is_ridden_out() {
    let ok = "HTTP/1.1 200 OK\r\nETag: \"0\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (endpoint, count) = server(move |n| match n {
        0 => Some(xml("503 Slow Down", "SlowDown")),
        1 => None,
        _ => Some(ok.to_owned()),
    });
    let patient = StorageConfig { max_attempts: 4, ..config(&endpoint) };
    let key = "a_b_00001.jpg".parse().unwrap();
    let storage = Storage::connect(&patient).unwrap();
    storage.put(&key, vec![1; 100_000], "image/jpeg").await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 3, "503, then a reset, then stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_secret_is_refused_and_said_so() {
    let world = World::new(Way::Port);
    let keys = world.store.keys();
    let wrong = StorageConfig { access_key: keys.access_key.clone(), ..config(&world.base_url) };
    let (step, error) = probe_error(&wrong).await;
    assert_eq!(step, ProbeStep::Put);
    assert!(error.to_string().contains("SignatureDoesNotMatch"), "{error}");
    let right = StorageConfig { secret_key: keys.secret_key.clone(), ..wrong };
    let other_bucket = StorageConfig { bucket: "elsewhere".to_owned(), ..right.clone() };
    assert!(Storage::connect(&right).unwrap().probe().await.is_ok());
    assert!(Storage::connect(&other_bucket).unwrap().probe().await.is_err());
}
