//! Who enhances prompts, and within which bounds.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::{Disabled, Embedded, Enhancer, OpenAi};
use crate::config::complaints::Complaints;
use crate::storage::Secret;

/// The `[enhance]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnhanceConfig {
    pub kind: Kind,
    /// `embedded`: the GGUF of SmolLM2-135M-Instruct that set-up fetches.
    pub model_file: PathBuf,
    /// `openai`: what comes before `/chat/completions`, such as `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// `openai`: the model's name there.
    pub model: String,
    /// `openai`: sent as a bearer token; empty for none. Never printed.
    pub api_key: Secret,
    /// Seconds that the model may take for one enhancement, all attempts together.
    pub timeout_s: u32,
    /// `openai`: further attempts after a 429, a 5xx or a broken connection, with growing pauses.
    pub retries: u32,
    /// `openai`: most bytes of an answer.
    pub max_answer_bytes: u64,
    /// Enhancements that run at once. The embedded model does one after the other whatever this says.
    pub at_once: usize,
    /// Enhancements that wait for their turn; more are turned away.
    pub waiting: usize,
    /// Most terms that one enhancement adds.
    pub most_terms: usize,
    /// Words that are never added, such as names of people and brands; in any case.
    pub refuse: Vec<String>,
}

/// Which model proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The small one inside this process.
    #[default]
    Embedded,
    /// An endpoint that speaks OpenAI's chat completions: llama.cpp, Ollama, vLLM and others.
    OpenAi,
    None,
}

impl Default for EnhanceConfig {
    fn default() -> Self {
        Self {
            kind: Kind::Embedded,
            model_file: ".enhancer/SmolLM2-135M-Instruct.Q4_1.gguf".into(),
            base_url: String::new(),
            model: String::new(),
            api_key: Secret::default(),
            timeout_s: 20,
            retries: 2,
            max_answer_bytes: 64 << 10,
            at_once: 2,
            waiting: 16,
            most_terms: 6,
            refuse: Vec::new(),
        }
    }
}

impl EnhanceConfig {
    /// Everything that is wrong, said at once.
    pub fn validate(&self, complaints: &mut Complaints) {
        if self.kind == Kind::OpenAi {
            if !is_base_url(&self.base_url) {
                complaints.add(
                    "enhance.base_url",
                    "must be an http or https URL such as `http://127.0.0.1:11434/v1`",
                );
            }
            if self.model.trim().is_empty() {
                complaints.add("enhance.model", "must name the endpoint's model");
            }
        }
        if !self.api_key.reveal().bytes().all(|byte| (b'!'..=b'~').contains(&byte)) {
            complaints.add("enhance.api_key", "must be printable ASCII without spaces");
        }
        if !(1..=300).contains(&self.timeout_s) {
            complaints.add("enhance.timeout_s", "must lie between 1 and 300 seconds");
        }
        if self.retries > 10 {
            complaints.add("enhance.retries", "must be at most 10");
        }
        if !(1 << 10..=16 << 20).contains(&self.max_answer_bytes) {
            complaints.add("enhance.max_answer_bytes", "must lie between 1 kB and 16 MB");
        }
        if !(1..=64).contains(&self.at_once) {
            complaints.add("enhance.at_once", "must lie between 1 and 64");
        }
        if self.waiting > 1_000 {
            complaints.add("enhance.waiting", "must be at most 1000");
        }
        if !(1..=20).contains(&self.most_terms) {
            complaints.add("enhance.most_terms", "must lie between 1 and 20");
        }
    }

    /// The enhancer that is asked for. Nothing is loaded or connected to yet.
    pub fn open(&self) -> Arc<dyn Enhancer> {
        let timeout = Duration::from_secs(self.timeout_s.into());
        match self.kind {
            Kind::Embedded => Arc::new(Embedded::new(self.model_file.clone(), timeout, self.at_once)),
            Kind::OpenAi => Arc::new(OpenAi::new(self, timeout)),
            Kind::None => Arc::new(Disabled),
        }
    }
}

/// With a host, and with a path or without.
fn is_base_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        let config: EnhanceConfig = toml::from_str(text).unwrap();
        let mut complaints = Complaints::default();
        config.validate(&mut complaints);
        complaints.0.into_iter().map(|complaint| complaint.place).collect()
    }

    #[test]
    fn the_defaults_hold_and_an_endpoint_needs_its_address() {
        assert!(complaints("").is_empty());
        assert!(complaints("kind = 'none'").is_empty());
        assert_eq!(complaints("kind = 'openai'"), ["enhance.base_url", "enhance.model"]);
        assert!(complaints("kind = 'openai'\nbase_url = 'https://x.example/v1/'\nmodel = 'm'").is_empty());
        for bad in ["ftp://x/v1", "x/v1", "http://", "http://x/v1?a=b"] {
            let text = format!("kind = 'openai'\nbase_url = '{bad}'\nmodel = 'm'");
            assert_eq!(complaints(&text), ["enhance.base_url"], "{bad}");
        }
        assert_eq!(complaints("timeout_s = 0\nat_once = 0\nmost_terms = 99").len(), 3);
    }

    #[test]
    fn the_key_is_never_printed() {
        let config: EnhanceConfig = toml::from_str("api_key = 'sk-very-secret'").unwrap();
        assert!(!format!("{config:?}").contains("very"));
    }
}
