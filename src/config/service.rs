//! What belongs to no single room: folders, the public address, the first key, the log.

use std::path::PathBuf;

use serde::Deserialize;

use super::complaints::Complaints;
use crate::storage::{Secret, check_base_url};

/// Fewest characters of a fixed API key: 128 bits in hexadecimal.
const MIN_API_KEY_CHARS: usize = 32;

/// The `[service]` section.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceConfig {
    /// Checkpoints, one diffusers-layout folder each.
    pub models_dir: PathBuf,
    /// Models, styles, characters and random prompts.
    pub presets_dir: PathBuf,
    /// LoRA files, each with its entry in the register; it need not be there.
    pub loras_dir: PathBuf,
    /// Where clients reach this service; none means `http://` and the listen address.
    pub public_url: Option<String>,
    /// A fixed first API key; empty means that one is minted at the first start.
    pub api_key: Secret,
    /// A tracing filter, such as `info,imgen=debug`.
    pub log: String,
    pub log_format: LogFormat,
    /// The `lib` folder of a full CUDA libtorch 2.11; empty means the CPU one that set-up fetched.
    pub libtorch_dir: PathBuf,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            models_dir: "models".into(),
            presets_dir: "presets".into(),
            loras_dir: "loras".into(),
            public_url: None,
            api_key: Secret::default(),
            log: "info,actix_server=warn,c2pa=warn".into(),
            log_format: LogFormat::Text,
            libtorch_dir: PathBuf::new(),
        }
    }
}

impl ServiceConfig {
    /// Everything that is wrong, said at once.
    pub fn validate(&self, complaints: &mut Complaints) {
        let key = self.api_key.reveal();
        if !key.is_empty() {
            let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            if key.len() < MIN_API_KEY_CHARS || key.len() > 256 || !plain {
                complaints.add(
                    "service.api_key",
                    format!("needs {MIN_API_KEY_CHARS} to 256 characters of a-z, A-Z, 0-9, `_` and `-`"),
                );
            }
        }
        if let Some(Err(message)) = self.public_url.as_deref().map(check_base_url) {
            complaints.add("service.public_url", message);
        }
        if tracing_subscriber::EnvFilter::try_new(&self.log).is_err() {
            complaints
                .add("service.log", format!("`{}` is not a filter such as `info,imgen=debug`", self.log));
        }
        let libtorch = &self.libtorch_dir;
        if !libtorch.as_os_str().is_empty() && !libtorch.join("libtorch_cpu.so").is_file() {
            complaints.add(
                "service.libtorch_dir",
                format!("`{}` has no libtorch_cpu.so; name torch's `lib` folder", libtorch.display()),
            );
        }
    }

    /// What must be there for serving, and need not be for a single picture.
    pub fn validate_folders(&self, complaints: &mut Complaints) {
        for (place, folder) in
            [("service.models_dir", &self.models_dir), ("service.presets_dir", &self.presets_dir)]
        {
            if !folder.is_dir() {
                complaints.add(place, format!("there is no folder `{}`", folder.display()));
            }
        }
    }
}
