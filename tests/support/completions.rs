//! A stand-in for an OpenAI-compatible endpoint: a real HTTP server that says what it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// What the stand-in does with every request until it is told otherwise.
#[derive(Clone)]
pub(crate) enum Says {
    /// A completion with this text.
    Text(String),
    /// This status, and nothing else.
    Status(u16),
    /// This body, which is no completion.
    Body(String),
    /// A completion, after a while.
    Later(Duration, String),
}

pub(crate) struct Completions {
    pub(crate) url: String,
    says: Arc<Mutex<Says>>,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Completions {
    pub(crate) fn start(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let (says, heard) = (Arc::new(Mutex::new(says)), Arc::new(Mutex::new(Vec::new())));
        let (told, kept) = (says.clone(), heard.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (told, kept) = (told.clone(), kept.clone());
                std::thread::spawn(move || answer(stream, &told, &kept));
            }
        });
        Self { url, says, heard }
    }

    pub(crate) fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    /// What the user's message was, of each request so far.
    pub(crate) fn wishes(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard
            .iter()
            .map(|body| body["messages"][1]["content"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// The configuration of a service that asks here.
    pub(crate) fn config(&self) -> String {
        format!("[enhance]\nkind = 'openai'\nbase_url = '{}'\nmodel = 'stand-in'\nretries = 0\n", self.url)
    }
}

fn answer(stream: TcpStream, says: &Mutex<Says>, heard: &Mutex<Vec<Value>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    heard.lock().unwrap().push(serde_json::from_slice(&body).ok()?);
    let says = says.lock().unwrap().clone();
    let completion =
        |text: &str| json!({"choices": [{"message": {"role": "assistant", "content": text}}]}).to_string();
    let (status, body) = match says {
        Says::Text(text) => (200, completion(&text)),
        Says::Status(status) => (status, String::new()),
        Says::Body(body) => (200, body),
        Says::Later(pause, text) => {
            std::thread::sleep(pause);
            (200, completion(&text))
        }
    };
    let mut stream = reader.into_inner();
    write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
        .ok()
}
