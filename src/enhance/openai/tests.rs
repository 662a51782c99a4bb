use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;

/// Answers each connection with the next of `answers` (the last one for good), and keeps what it was sent.
struct Stub {
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    fn new(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = heard.clone();
        std::thread::spawn(move || {
            for (turn, stream) in listener.incoming().flatten().enumerate() {
                let answer = answers[turn.min(answers.len() - 1)].clone();
                let kept = kept.clone();
                std::thread::spawn(move || serve(stream, &answer, &kept));
            }
        });
        Self { url, heard }
    }

    fn calls(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

/// An empty answer is silence: the connection stays open. One of a single zero is a broken connection.
fn serve(mut stream: TcpStream, answer: &[u8], kept: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                break;
            }
        }
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => request.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    kept.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
    match answer {
        [] => std::thread::sleep(Duration::from_secs(30)),
        [0] => {}
        _ => _ = stream.write_all(answer),
    }
}

fn http(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn completion(content: &Value) -> Vec<u8> {
    http("200 OK", &json!({"choices": [{"message": {"role": "assistant", "content": content}}]}).to_string())
}

fn ask(stub: &Stub, settings: EnhanceConfig) -> Result<String, EnhanceError> {
    let config = EnhanceConfig { base_url: stub.url.clone(), model: "tiny".into(), ..settings };
    OpenAi::new(&config, Duration::from_millis(1_500))
        .propose(&Wish { text: "a cat, night".into(), seed: u64::MAX })
}

#[test]
fn a_completion_is_given_back_and_the_request_is_what_endpoints_read() {
    let stub = Stub::new(vec![completion(&json!("moonlight, rooftops"))]);
    let settings = EnhanceConfig { api_key: Secret::new("sk-1"), ..EnhanceConfig::default() };
    assert_eq!(ask(&stub, settings), Ok("moonlight, rooftops".to_owned()));
    let heard = stub.heard.lock().unwrap();
    let (head, body) = heard[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("authorization: bearer sk-1"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["model"], "tiny");
    assert_eq!(body["messages"][1], json!({"role": "user", "content": "a cat, night"}));
    assert_eq!(body["seed"], i64::MAX);
}

#[test]
fn without_a_key_none_is_sent() {
    let stub = Stub::new(vec![completion(&json!("x"))]);
    ask(&stub, EnhanceConfig::default()).unwrap();
    assert!(!stub.heard.lock().unwrap()[0].to_lowercase().contains("authorization"));
}

#[test]
fn garbage_is_an_error_and_is_not_asked_for_twice() {
    let wrong = [
        http("200 OK", "<html>"),
        http("200 OK", "{\"choices\": []}"),
        completion(&Value::Null),
        completion(&json!(7)),
    ];
    for answer in wrong {
        let stub = Stub::new(vec![answer]);
        assert!(matches!(ask(&stub, EnhanceConfig::default()), Err(EnhanceError::Endpoint(_))));
        assert_eq!(stub.calls(), 1);
    }
}

#[test]
fn trouble_of_the_moment_is_tried_again() {
    for trouble in [http("500 Oops", ""), http("429 Slow", ""), vec![0]] {
        let stub = Stub::new(vec![trouble, completion(&json!("rain"))]);
        assert_eq!(ask(&stub, EnhanceConfig::default()), Ok("rain".to_owned()));
        assert_eq!(stub.calls(), 2);
    }
    let stub = Stub::new(vec![http("503 No", "")]);
    assert_eq!(
        ask(&stub, EnhanceConfig { retries: 1, ..EnhanceConfig::default() }),
        Err(EnhanceError::Status(503))
    );
    assert_eq!(stub.calls(), 2);
}

#[test]
fn a_refusal_is_final_and_a_redirect_is_not_followed() {
    let elsewhere =
        b"HTTP/1.1 307 Over\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_vec();
    for (answer, status) in [(http("401 Who", ""), 401), (http("404 What", ""), 404), (elsewhere, 307)] {
        let stub = Stub::new(vec![answer]);
        assert_eq!(ask(&stub, EnhanceConfig::default()), Err(EnhanceError::Status(status)));
        assert_eq!(stub.calls(), 1);
    }
}

#[test]
fn silence_ends_at_the_deadline_and_so_do_all_tries_together() {
    let begun = Instant::now();
    assert_eq!(ask(&Stub::new(vec![Vec::new()]), EnhanceConfig::default()), Err(EnhanceError::Timeout));
    let settings = EnhanceConfig { retries: 10, ..EnhanceConfig::default() };
    assert_eq!(ask(&Stub::new(vec![http("500 Oops", "")]), settings), Err(EnhanceError::Status(500)));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_huge_answer_is_not_read() {
    let stub = Stub::new(vec![completion(&json!("x".repeat(200_000)))]);
    let error = ask(&stub, EnhanceConfig::default()).unwrap_err();
    assert!(error.to_string().contains("larger than 65536 bytes"), "{error}");
}

#[test]
fn nobody_there_is_an_error() {
    let config = EnhanceConfig {
        base_url: "http://127.0.0.1:1/v1".into(),
        model: "m".into(),
        ..EnhanceConfig::default()
    };
    let failed =
        OpenAi::new(&config, Duration::from_millis(900)).propose(&Wish { text: "x".into(), seed: 1 });
    assert!(matches!(failed, Err(EnhanceError::Endpoint(_))), "{failed:?}");
}
