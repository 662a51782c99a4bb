//! Bodies that are too large and sockets that are too slow.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::House;

fn connect(house: &House) -> TcpStream {
    let socket = TcpStream::connect(&house.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

/// Everything until the service closes the connection, and how long that took.
fn until_closed(mut socket: TcpStream) -> (String, Duration) {
    let begun = Instant::now();
    let mut text = Vec::new();
    // A reset is a way to close, too; a time-out is not.
    if let Err(error) = socket.read_to_end(&mut text) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    (String::from_utf8_lossy(&text).into_owned(), begun.elapsed())
}

#[test]
fn a_body_over_the_cap_is_refused_as_json() {
    let house = House::shared();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.json");
    let prompt = "x".repeat(17 << 20);
    std::fs::write(&file, json!({"action": "generate", "prompt": prompt}).to_string()).unwrap();
    for framing in ["Content-Length: 0", "Transfer-Encoding: chunked"] {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-w", "\n%{http_code}", "-H", "Content-Type: application/json"]);
        curl.args(["-H", &format!("Authorization: Bearer {}", house.key)]);
        if framing.starts_with("Transfer") {
            curl.args(["-H", framing]);
        }
        let done = curl
            .args([
                "--data-binary",
                &format!("@{}", file.display()),
                &format!("http://{}/api/v2", house.address),
            ])
            .output()
            .unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        assert_eq!(status, "413", "{framing}: {text} {}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(serde_json::from_str::<Value>(body).unwrap()["code"], "PAYLOAD_TOO_LARGE");
    }
}

#[test]
fn idle_and_slow_sockets_are_cut() {
    let house = House::configured("[api]\nhead_timeout_s = 1\nkeep_alive_s = 1\nbody_timeout_s = 1\n");
    let mut slow_head = connect(&house);
    slow_head.write_all(b"POST /api/v2 HTTP/1.1\r\nHost: x\r\n").unwrap();
    let mut slow_body = connect(&house);
    let head = format!(
        "POST /api/v2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{",
        house.key
    );
    slow_body.write_all(head.as_bytes()).unwrap();
    let mut idle = connect(&house);
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();

    let (text, took) = until_closed(slow_head);
    assert!(took < Duration::from_secs(10), "a slow head after {took:?}: {text}");
    let (text, took) = until_closed(slow_body);
    assert!(took < Duration::from_secs(10), "a slow body after {took:?}: {text}");
    assert!(text.contains("INVALID_JSON"), "{text}");
    let (text, took) = until_closed(idle);
    assert!(took < Duration::from_secs(10), "an idle one after {took:?}");
    assert!(text.contains("200 OK"), "{text}");
    assert_eq!(house.ask(&json!({"action": "models"})).status, 200);
}

#[test]
fn a_client_that_goes_away_mid_body_harms_nobody() {
    let house = House::shared();
    for _ in 0..50 {
        let mut socket = connect(&house);
        let head = format!(
            "POST /api/v2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: 100000\r\n\r\n{{\"action\":",
            house.key
        );
        socket.write_all(head.as_bytes()).unwrap();
    }
    assert_eq!(house.ask(&json!({"action": "models"})).status, 200);
}
