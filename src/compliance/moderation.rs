//! A further opinion on a prompt: any endpoint that speaks OpenAI's moderations.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use super::Category;
use super::verdict::Sign;
use crate::config::complaints::Complaints;
use crate::outbound;
use crate::storage::Secret;

/// Largest answer that is read.
const MAX_ANSWER_BYTES: u64 = 256 << 10;

/// The `[compliance.moderation]` section; without a base URL nobody is asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModerationConfig {
    /// What comes before `/moderations`, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The model's name there; empty for the endpoint's own choice.
    pub model: String,
    /// Sent as a bearer token; empty for none. Never printed.
    pub api_key: Secret,
    pub timeout_ms: u64,
}

impl Default for ModerationConfig {
    fn default() -> Self {
        Self { base_url: String::new(), model: String::new(), api_key: Secret::default(), timeout_ms: 5_000 }
    }
}

impl ModerationConfig {
    pub(super) fn validate(&self, complaints: &mut Complaints) {
        let is_url = ["http://", "https://"].iter().any(|scheme| {
            self.base_url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        });
        if !self.base_url.is_empty() && !is_url {
            complaints.add("compliance.moderation.base_url", "must be an http or https URL");
        }
        if !self.api_key.reveal().bytes().all(|byte| (b'!'..=b'~').contains(&byte)) {
            complaints.add("compliance.moderation.api_key", "must be printable ASCII without spaces");
        }
        if !(100..=60_000).contains(&self.timeout_ms) {
            complaints.add("compliance.moderation.timeout_ms", "must be from 100 to 60000");
        }
    }
}

/// The endpoint gave no opinion; then nothing may be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the moderation endpoint: {0}")]
pub struct ModerationUnavailable(String);

/// What the endpoint said; nothing where there is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Opinion(pub(super) Vec<Sign>);

/// The endpoint.
#[derive(Debug)]
pub struct Moderator {
    url: String,
    model: String,
    api_key: Secret,
    timeout: Duration,
    agent: ureq::Agent,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Answered>,
}

#[derive(Deserialize)]
struct Answered {
    categories: BTreeMap<String, Option<bool>>,
    category_scores: BTreeMap<String, Option<f32>>,
}

impl Moderator {
    pub(super) fn new(config: &ModerationConfig) -> Option<Self> {
        (!config.base_url.is_empty()).then(|| Self {
            url: format!("{}/moderations", config.base_url.trim_end_matches('/')),
            model: config.model.clone(),
            api_key: config.api_key.clone(),
            timeout: Duration::from_millis(config.timeout_ms),
            agent: outbound::agent(None),
        })
    }

    /// Blocks for as long as the configuration allows. Categories that this service does not know are left out; one that the
    /// endpoint calls flagged counts in full.
    ///
    /// # Errors
    /// No answer in time, or one that is no opinion.
    pub fn opinion(&self, text: &str) -> Result<Opinion, ModerationUnavailable> {
        let mut body = json!({"input": text});
        if !self.model.is_empty() {
            body["model"] = json!(self.model);
        }
        let (body, key) = (body.to_string(), self.api_key.reveal());
        let (status, bytes) =
            outbound::post_json(&self.agent, &self.url, key, &body, self.timeout, MAX_ANSWER_BYTES)
                .map_err(|error| ModerationUnavailable(error.to_string()))?;
        if status != 200 {
            return Err(ModerationUnavailable(format!("it answered {status}")));
        }
        let answer: Answer = serde_json::from_slice(&bytes)
            .map_err(|error| ModerationUnavailable(format!("its answer is no moderation: {error}")))?;
        if answer.results.is_empty() {
            return Err(ModerationUnavailable("its answer is empty".to_owned()));
        }
        Ok(Opinion(answer.results.iter().flat_map(Answered::signs).collect()))
    }
}

impl Answered {
    fn signs(&self) -> impl Iterator<Item = Sign> {
        Category::ALL.iter().filter_map(|category| {
            let flagged = self.categories.get(category.id()).copied().flatten().unwrap_or_default();
            let score = self.category_scores.get(category.id()).copied().flatten();
            let score = if flagged { Some(1.0) } else { score };
            // Below that even the locked categories, which know no threshold, are only named.
            let score = score.filter(|score| *score > 0.0 && (flagged || !category.is_locked()))?;
            Some(Sign { category: *category, score: score.min(1.0), by: "moderation".to_owned() })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// An endpoint that gives one answer, and what it was asked.
    fn endpoint(status: u16, answer: &str) -> (ModerationConfig, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        );
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            let mut piece = [0; 4096];
            while !String::from_utf8_lossy(&heard).contains("\"input\"") {
                let count = stream.read(&mut piece).unwrap();
                heard.extend_from_slice(&piece[..count]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(heard).unwrap()
        });
        let config = ModerationConfig {
            base_url,
            api_key: Secret::new("k3y"),
            model: "m".into(),
            ..Default::default()
        };
        (config, asked)
    }

    #[test]
    fn scores_become_signs() {
        let answer = r#"{"id": "x", "results": [{"flagged": true,
            "categories": {"hate": true, "violence": false, "sexual/minors": false, "fun": true},
            "category_scores": {"hate": 0.4, "violence": 0.7, "sexual/minors": 0.2, "harassment": 0.0}}]}"#;
        let (config, asked) = endpoint(200, answer);
        let Opinion(signs) = Moderator::new(&config).unwrap().opinion("a hat").unwrap();
        let said: Vec<_> = signs.iter().map(|sign| (sign.category, sign.score)).collect();
        assert_eq!(said, [(Category::Hate, 1.0), (Category::Violence, 0.7)]);
        let asked = asked.join().unwrap();
        assert!(asked.starts_with("POST /v1/moderations ") && asked.contains("Bearer k3y"), "{asked}");
        assert!(asked.contains(r#""input":"a hat""#) && asked.contains(r#""model":"m""#), "{asked}");
    }

    #[test]
    fn whatever_is_no_opinion_is_an_error() {
        let huge = format!("{{\"results\": [\"{}\"]}}", "x".repeat(300 << 10));
        for (status, answer) in
            [(500, "{}"), (200, "hello"), (200, r#"{"results": []}"#), (200, r#"{"error": 1}"#), (200, &huge)]
        {
            let (config, asked) = endpoint(status, answer);
            let said = Moderator::new(&config).unwrap().opinion("a hat").unwrap_err();
            assert!(!said.to_string().contains("k3y"), "{said}");
            let _ = asked.join();
        }
        let nobody =
            ModerationConfig { base_url: "http://127.0.0.1:9".into(), ..ModerationConfig::default() };
        assert!(Moderator::new(&nobody).unwrap().opinion("a hat").is_err());
        assert!(Moderator::new(&ModerationConfig::default()).is_none());
    }
}
