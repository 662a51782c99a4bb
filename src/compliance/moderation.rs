//! A further opinion on a prompt: any endpoint that speaks OpenAI's moderations.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use super::verdict::Sign;
use super::{Category, ComplianceConfig};
use crate::outbound;
use crate::storage::Secret;

/// Score from which on a locked category counts.
const LEAST_LOCKED: f32 = 0.5;

/// Largest answer that is read.
const MAX_ANSWER_BYTES: u64 = 256 << 10;

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
    #[serde(default)]
    flagged: bool,
    categories: BTreeMap<String, Option<bool>>,
    category_scores: BTreeMap<String, Option<f32>>,
}

impl Moderator {
    pub(super) fn new(config: &ComplianceConfig) -> Option<Self> {
        (!config.moderation_url.is_empty()).then(|| Self {
            url: format!("{}/moderations", config.moderation_url.trim_end_matches('/')),
            model: config.moderation_model.clone(),
            api_key: config.moderation_key.clone(),
            timeout: Duration::from_millis(config.moderation_timeout_ms),
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
        let mut signs = Vec::new();
        for result in &answer.results {
            let of_this = result.signs();
            if result.flagged && of_this.iter().all(|sign| sign.score < 1.0) {
                return Err(ModerationUnavailable("it flags what this service has no name for".to_owned()));
            }
            signs.extend(of_this);
        }
        Ok(Opinion(signs))
    }
}

impl Answered {
    /// A category that is flagged counts in full. A locked one knows no threshold, so its score counts from a half on.
    fn signs(&self) -> Vec<Sign> {
        let sign = |category: &Category| {
            let flagged = self.categories.get(category.id()).copied().flatten().unwrap_or_default();
            let score = self.category_scores.get(category.id()).copied().flatten();
            let score = if flagged { Some(1.0) } else { score };
            let least = if category.is_locked() { LEAST_LOCKED } else { f32::MIN_POSITIVE };
            let score = score.filter(|score| *score >= least)?.min(1.0);
            Some(Sign { category: *category, score, by: "moderation".to_owned() })
        };
        Category::ALL.iter().filter_map(sign).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// An endpoint that gives one answer, and what it was asked.
    fn endpoint(status: u16, answer: &str) -> (ComplianceConfig, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let moderation_url = format!("http://{}/v1/", listener.local_addr().unwrap());
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
        let config = ComplianceConfig {
            moderation_url,
            moderation_key: Secret::new("k3y"),
            moderation_model: "m".into(),
            ..ComplianceConfig::default()
        };
        (config, asked)
    }

    #[test]
    fn scores_become_signs() {
        let answer = r#"{"id": "x", "results": [{"flagged": true,
            "categories": {"hate": true, "violence": false, "sexual/minors": false, "fun": true},
            "category_scores": {"hate": 0.4, "violence": 0.7, "sexual/minors": 0.2, "sexual/non_consensual": 0.7, "harassment": 0.0}}]}"#;
        let (config, asked) = endpoint(200, answer);
        let Opinion(signs) = Moderator::new(&config).unwrap().opinion("a hat").unwrap();
        let said: Vec<_> = signs.iter().map(|sign| (sign.category, sign.score)).collect();
        let wanted = [(Category::SexualNonConsensual, 0.7), (Category::Hate, 1.0), (Category::Violence, 0.7)];
        assert_eq!(said, wanted);
        let asked = asked.join().unwrap();
        assert!(asked.starts_with("POST /v1/moderations ") && asked.contains("Bearer k3y"), "{asked}");
        assert!(asked.contains(r#""input":"a hat""#) && asked.contains(r#""model":"m""#), "{asked}");
    }

    #[test]
    fn whatever_is_no_opinion_is_an_error() {
        let huge = format!("{{\"results\": [\"{}\"]}}", "x".repeat(300 << 10));
        for (status, answer) in [
            (500, "{}"),
            (200, "hello"),
            (200, r#"{"results": []}"#),
            (200, r#"{"results": [{"flagged": true, "categories": {}, "category_scores": {"fun": 1}}]}"#),
            (200, r#"{"error": 1}"#),
            (200, &huge),
        ] {
            let (config, asked) = endpoint(status, answer);
            let said = Moderator::new(&config).unwrap().opinion("a hat").unwrap_err();
            assert!(!said.to_string().contains("k3y"), "{said}");
            let _ = asked.join();
        }
        let nobody =
            ComplianceConfig { moderation_url: "http://127.0.0.1:9".into(), ..ComplianceConfig::default() };
        assert!(Moderator::new(&nobody).unwrap().opinion("a hat").is_err());
        assert!(Moderator::new(&ComplianceConfig::default()).is_none());
    }
}
