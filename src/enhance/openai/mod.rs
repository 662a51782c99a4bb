//! Any endpoint that speaks OpenAI's chat completions, within bounds of time, size and tries.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::config::EnhanceConfig;
use super::enhancer::{EnhanceError, Enhancer, Wish};
use crate::outbound;
use crate::storage::Secret;

/// What every model is told. What it does beyond that, the shell takes away.
const TASK: &str = "You add visual details to the tags of a picture. Answer with 4 to 8 short new tags, separated by \
    commas, in lower case, and nothing else: light, setting, materials, mood, composition. Do not repeat or contradict \
    the given tags. Add no people, no names, no brands, no text.";

/// Most tokens of an answer; those of models that think first count too.
const MAX_TOKENS: u32 = 400;

/// The pause before the first further try; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// One endpoint and one model there.
#[derive(Debug)]
pub struct OpenAi {
    url: String,
    model: String,
    api_key: Secret,
    timeout: Duration,
    retries: u32,
    max_answer_bytes: u64,
    agent: ureq::Agent,
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

/// How one try ended, other than well.
struct Failed {
    error: EnhanceError,
    /// Whether another try may go better.
    again: bool,
}

impl OpenAi {
    pub(super) fn new(config: &EnhanceConfig, timeout: Duration) -> Self {
        Self {
            url: format!("{}/chat/completions", config.base_url.trim_end_matches('/')),
            model: config.model.clone(),
            api_key: config.api_key.clone(),
            timeout,
            retries: config.retries,
            max_answer_bytes: config.max_answer_bytes,
            agent: outbound::agent(None),
        }
    }

    fn body(&self, wish: &Wish) -> Value {
        json!({
            "model": self.model,
            "messages": [{"role": "system", "content": TASK}, {"role": "user", "content": wish.text}],
            "max_tokens": MAX_TOKENS,
            "temperature": 0.7,
            // Endpoints take signed numbers.
            "seed": wish.seed >> 1,
            "stream": false,
        })
    }

    fn attempt(&self, body: &str, left: Duration) -> Result<String, Failed> {
        let key = self.api_key.reveal();
        let sent = outbound::post_json(&self.agent, &self.url, key, body, left, self.max_answer_bytes);
        let (status, bytes) = sent.map_err(|error| broken(&error))?;
        if status != 200 {
            let again = status == 429 || status >= 500;
            return Err(Failed { error: EnhanceError::Status(status), again });
        }
        let strange = |message: String| Failed { error: EnhanceError::Endpoint(message), again: false };
        let answer: Answer =
            serde_json::from_slice(&bytes).map_err(|error| strange(format!("not a completion: {error}")))?;
        let content = answer.choices.into_iter().next().and_then(|choice| choice.message.content);
        content.ok_or_else(|| strange("a completion without text".to_owned()))
    }
}

fn broken(error: &ureq::Error) -> Failed {
    match error {
        ureq::Error::Timeout(_) => Failed { error: EnhanceError::Timeout, again: false },
        ureq::Error::BodyExceedsLimit(limit) => {
            let message = format!("its answer is larger than {limit} bytes");
            Failed { error: EnhanceError::Endpoint(message), again: false }
        }
        other => Failed { error: EnhanceError::Endpoint(other.to_string()), again: true },
    }
}

impl Enhancer for OpenAi {
    fn propose(&self, wish: &Wish) -> Result<String, EnhanceError> {
        let until = Instant::now() + self.timeout;
        let body = self.body(wish).to_string();
        let mut pause = FIRST_PAUSE;
        for tries_left in (0..=self.retries).rev() {
            let left = until.saturating_duration_since(Instant::now());
            match self.attempt(&body, left) {
                Ok(content) => return Ok(content),
                Err(failed) => {
                    let over = until.saturating_duration_since(Instant::now()) <= pause;
                    if !failed.again || tries_left == 0 || over {
                        return Err(failed.error);
                    }
                    tracing::debug!(error = %failed.error, "the enhancement endpoint is asked again");
                }
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        Err(EnhanceError::Timeout)
    }

    fn check(&self) -> Result<String, EnhanceError> {
        Ok(format!("{} at {}, not asked yet", self.model, self.url))
    }
}

#[cfg(test)]
mod tests;
