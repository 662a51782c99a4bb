//! Status polling as the specification's clients do it: 10,000 connections, each polling every 3 s, while jobs run.
//!
//! `cargo bench --bench status [-- CLIENTS SECONDS]`. The service is the real binary with real jobs; the clients are
//! tasks in this process, so client and server share the machine's cores. `/healthz`, which does nothing, is measured
//! the same way in the same run: the ratio says what `status` costs beyond the server itself.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench prints its table and stops at the first surprise"
)]

#[path = "../tests/support/service.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod service;

use std::time::{Duration, Instant};

use service::Service;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const POLL: Duration = Duration::from_secs(3);

/// Latencies of one phase, in milliseconds, sorted.
struct Phase {
    latencies_ms: Vec<f64>,
    errors: usize,
    seconds: f64,
}

impl Phase {
    fn percentile(&self, share: f64) -> f64 {
        let last = self.latencies_ms.len().saturating_sub(1);
        self.latencies_ms.get((share * last as f64).round() as usize).copied().unwrap_or(f64::NAN)
    }

    fn print(&self, name: &str, clients: usize) {
        println!(
            "| {name} | {clients} | {:.0} | {:.2} | {:.2} | {:.2} | {} |",
            self.latencies_ms.len() as f64 / self.seconds,
            self.percentile(0.5),
            self.percentile(0.99),
            self.percentile(1.0),
            self.errors
        );
    }
}

/// One request on a kept connection; the answer's head and body are read whole.
async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> std::io::Result<bool> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        let mut chunk = [0_u8; 4096];
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        buffer.extend_from_slice(&chunk[..read]);
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length: usize = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0);
        if buffer.len() >= head + 4 + length {
            return Ok(text.starts_with("http/1.1 200"));
        }
    }
}

async fn poll(address: String, request: Vec<u8>, start: Instant, until: Instant) -> (Vec<f64>, usize) {
    let (mut latencies, mut errors) = (Vec::new(), 0);
    let Ok(mut stream) = TcpStream::connect(&address).await else { return (latencies, 1) };
    let mut buffer = Vec::new();
    let mut due = start;
    while due < until {
        tokio::time::sleep_until(due.into()).await;
        // From when it was due, so that a stall of the client or the server counts against every poll it delays.
        match exchange(&mut stream, &request, &mut buffer).await {
            Ok(true) => latencies.push(due.elapsed().as_secs_f64() * 1e3),
            Ok(false) | Err(_) => {
                errors += 1;
                match TcpStream::connect(&address).await {
                    Ok(fresh) => stream = fresh,
                    Err(_) => return (latencies, errors),
                }
            }
        }
        due += POLL;
    }
    (latencies, errors)
}

async fn phase(address: &str, requests: Vec<Vec<u8>>, seconds: u64) -> Phase {
    let clients = requests.len();
    // Connections open before the clock starts; polls are spread evenly over the interval.
    let begin = Instant::now() + Duration::from_secs(3);
    let until = begin + Duration::from_secs(seconds);
    let tasks: Vec<_> = requests
        .into_iter()
        .enumerate()
        .map(|(index, request)| {
            let start = begin + POLL.mul_f64(index as f64 / clients as f64);
            tokio::spawn(poll(address.to_owned(), request, start, until))
        })
        .collect();
    let mut all = Phase { latencies_ms: Vec::new(), errors: 0, seconds: seconds as f64 };
    for task in tasks {
        let (latencies, errors) = task.await.unwrap_or_default();
        all.latencies_ms.extend(latencies);
        all.errors += errors;
    }
    all.latencies_ms.sort_by(f64::total_cmp);
    all
}

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let clients = numbers.first().copied().unwrap_or(10_000) as usize;
    let seconds = numbers.get(1).copied().unwrap_or(15);
    let data = tempfile::tempdir().expect("a folder");
    let service = Service::start(data.path());
    let ids: Vec<String> = (0..50)
        .map(|index| service.generate(&format!("portrait of a woman, red hoodie, number {index}")))
        .collect();
    let post = |id: &str| {
        let body = format!(r#"{{"action":"status","id":"{id}","prompt":"x","model":"eros"}}"#);
        format!(
            "POST /api/v2 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            service.address,
            service.key,
            body.len()
        )
        .into_bytes()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let status: Vec<_> = (0..clients).map(|index| post(&ids[index % ids.len()])).collect();
    let health = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", service.address).into_bytes();
    println!(
        "| request | clients | requests/s | p50 ms | p99 ms | max ms | errors |\n|---|---|---|---|---|---|---|"
    );
    let polled = runtime.block_on(phase(&service.address, status, seconds));
    polled.print("status, while a job runs", clients);
    let idle = runtime.block_on(phase(&service.address, vec![health; clients], seconds));
    idle.print("healthz, while a job runs", clients);
    println!("p50 ratio status / healthz: {:.2}", polled.percentile(0.5) / idle.percentile(0.5));
    assert!(service.unfinished(&ids) > 0, "the jobs ended before the measurement did; give it more");
}
