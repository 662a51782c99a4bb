//! The alphas that diffusers writes beside the tensors, in place of `.alpha` keys.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::Value;

use super::LoraError;
use super::keys::{ModuleName, Network};

/// Under this name in the header (`diffusers/loaders/lora_base.py`, `LORA_ADAPTER_METADATA_KEY`, 0.42.1).
const NAME: &str = "lora_adapter_metadata";

/// PEFT's `LoraConfig` of each network (`peft/tuners/lora/config.py`, 0.21.2), as far as it changes the strength.
#[derive(Debug, Default)]
pub(super) struct AdapterMetadata(BTreeMap<Network, Config>);

#[derive(Debug, Default)]
struct Config {
    lora_alpha: Option<f64>,
    /// By module, or the end of its path.
    alpha_pattern: Vec<(String, f64)>,
    /// Divide by the root of the rank, not by the rank.
    use_rslora: bool,
}

impl AdapterMetadata {
    /// # Errors
    /// Text that is no JSON object, an alpha that is no number, a module that is a regular expression.
    pub(super) fn read(path: &Path, metadata: &HashMap<String, String>) -> Result<Self, LoraError> {
        let Some(text) = metadata.get(NAME) else { return Ok(Self::default()) };
        let refuse = |reason: String| LoraError::file(path, format!("{NAME}: {reason}"));
        let fields: BTreeMap<String, Value> =
            serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
        let mut configs: BTreeMap<Network, Config> = BTreeMap::new();
        for (name, value) in &fields {
            let (network, field) = match name.split_once('.') {
                None => (Network::UNet, name.as_str()),
                Some(("unet", field)) => (Network::UNet, field),
                Some(("text_encoder", field)) => (Network::TextEncoder, field),
                Some(("text_encoder_2", field)) => (Network::TextEncoder2, field),
                Some(_) => continue,
            };
            let number = |value: &Value| {
                let number = value.as_f64().filter(|number| number.is_finite());
                number.ok_or_else(|| refuse(format!("{name}: {value} is no number")))
            };
            let config = configs.entry(network).or_default();
            match (field, value) {
                ("lora_alpha", value) => config.lora_alpha = Some(number(value)?),
                ("use_rslora", value) => config.use_rslora = value.as_bool().unwrap_or_default(),
                ("alpha_pattern", Value::Object(pattern)) => {
                    for (module, alpha) in pattern {
                        let literal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
                        if !module.strip_prefix('^').unwrap_or(module).chars().all(literal) {
                            return Err(refuse(format!("{name}: `{module}` is no module but a pattern")));
                        }
                        config.alpha_pattern.push((module.replace('.', "_"), number(alpha)?));
                    }
                }
                _ => {}
            }
        }
        Ok(Self(configs))
    }

    /// What stands for the module's alpha, if its rank is `rank`.
    pub(super) fn alpha(&self, module: &ModuleName, rank: i64) -> Option<f64> {
        let config = self.0.get(&module.network)?;
        let by_pattern = config.alpha_pattern.iter().find(|(pattern, _)| {
            let (whole, pattern) =
                pattern.strip_prefix('^').map_or((false, pattern.as_str()), |rest| (true, rest));
            // Encoders' paths are kept without their first word.
            let pattern = pattern.strip_prefix("text_model_").unwrap_or(pattern);
            let before = module.flat.strip_suffix(pattern);
            before.is_some_and(|before| before.is_empty() || !whole && before.ends_with('_'))
        });
        let alpha = by_pattern.map(|(_, alpha)| *alpha).or(config.lora_alpha)?;
        Some(if config.use_rslora { alpha * (rank as f64).sqrt() } else { alpha })
    }
}
