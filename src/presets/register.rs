//! The register of LoRA files: what each is for, whose it is, and the hash by which a plan names it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use toml::Value;

use super::fields::{Fields, is_key};
use super::load::folder;
use super::viewer::{KEYS, KeyRef, Viewer, read_keys};
use crate::config::complaints::Complaints;
use crate::diffusion::Digests;

/// What `NAME.toml` in the folder of LoRAs says of `NAME.safetensors` beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredLora {
    /// Of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// The only checkpoints that it fits; `None` for all of its shapes.
    pub base: Option<Vec<String>>,
    /// Words that call up what it shows; may be empty.
    pub trigger: String,
    pub licence: String,
    /// Where it comes from.
    pub source: String,
    /// The only keys that may use it; `None` for all. A character that brings it may narrow this further.
    pub allowed_keys: Option<Vec<KeyRef>>,
    /// Why the file cannot be used, where it cannot.
    pub fault: Option<&'static str>,
}

impl RegisteredLora {
    fn take(fields: &mut Fields<'_>) -> Option<Self> {
        let sha256 = fields.text_as("sha256", "64 lower-case hexadecimal digits", |text| {
            let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            (digits && text.len() == 64).then(|| text.to_owned())
        });
        let base = fields.optional("base", "a list of checkpoints' names", |value| {
            let name = |item: &Value| item.as_str().map(str::to_owned);
            value.as_array()?.iter().map(name).collect::<Option<Vec<_>>>()
        });
        let allowed_keys = fields.optional("allowed_keys", KEYS, read_keys);
        let trigger = fields.text_or_empty("trigger");
        let licence = fields.text("licence");
        let source = fields.text("source");
        Some(Self {
            sha256: sha256?,
            base: base?,
            trigger: trigger?,
            licence: licence?,
            source: source?,
            allowed_keys: allowed_keys?,
            fault: None,
        })
    }

    /// Whether this key may use it, as far as the register goes.
    pub(super) fn is_for(&self, viewer: &Viewer<'_>) -> bool {
        self.allowed_keys.as_ref().is_none_or(|keys| keys.iter().any(|key| key.is(viewer)))
    }

    /// Whether it can be merged into a checkpoint of this name.
    pub fn fits(&self, checkpoint: &str) -> bool {
        self.base.as_ref().is_none_or(|base| base.iter().any(|name| name == checkpoint))
    }
}

/// Where the weights of a registered LoRA are.
pub fn lora_file(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.safetensors"))
}

/// Every LoRA of the folder, by name. An entry whose file is not there, or is another one than was registered, is kept with
/// its fault: what it is missing from can be drawn without it.
pub(super) fn load(
    dir: &Path,
    digests: &Digests,
    complaints: &mut Complaints,
) -> BTreeMap<String, RegisteredLora> {
    if !dir.is_dir() {
        return BTreeMap::new();
    }
    let mut register = folder(dir, complaints, RegisteredLora::take);
    for (name, lora) in &mut register {
        lora.fault = fault(&lora_file(dir, name), digests, &lora.sha256);
        if let Some(fault) = &lora.fault {
            tracing::warn!(lora = name, %fault, "a registered LoRA cannot be used");
        }
    }
    for name in unregistered(dir).iter().filter(|name| !register.contains_key(*name)) {
        tracing::warn!(lora = name, "the file has no entry in the register and is not offered");
    }
    register
}

/// In words for clients; what names files goes to the log.
fn fault(file: &Path, digests: &Digests, registered: &str) -> Option<&'static str> {
    match digests.of_file(file) {
        Ok(found) if found == registered => None,
        Ok(found) => {
            tracing::warn!(file = %file.display(), found, registered, "a LoRA is not the registered one");
            Some("its file is not the registered one")
        }
        Err(_) if !file.exists() => Some("its file is missing"),
        Err(error) => {
            tracing::warn!(%error, "a LoRA cannot be read");
            Some("its file cannot be read")
        }
    }
}

/// Names of all `.safetensors` files in the folder.
fn unregistered(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = entries.filter(|path| path.extension().is_some_and(|it| it == "safetensors"));
    let names = files.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    names.filter(|name| is_key(name)).collect()
}
