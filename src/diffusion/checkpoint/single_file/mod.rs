//! One `.safetensors` file in the layout of the original SDXL code, as model sites have them: every network of the
//! pipeline, under its names of there.
//!
//! - `unet`, `vae`, `text_encoders`: names as diffusers has them, and configurations from names and shapes
//! - `scheduler`: what the file says about its noise
//!
//! What no shape shows is SDXL's own. A folder of the file's name beside it (`model/` for `model.safetensors`) may say
//! otherwise: the configurations, scheduler and tokenizers that it has, in diffusers' layout, come before what is derived.

mod scheduler;
mod text_encoders;
mod unet;
mod vae;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tch::{Device, Kind};

use super::entry::Entry;
use super::header::Header;
use super::{CheckpointError, ConfigFile, Weights, kinds};
use crate::diffusion::schedulers::SchedulerConfig;

type Tensors = BTreeMap<String, Entry>;

/// A network's tensors by diffusers' names, and its `config.json`.
#[derive(Debug)]
struct Network {
    tensors: Tensors,
    config: Value,
}

/// A key map: from the names of an original file, less their prefix.
type KeyMap = fn(Tensors) -> Network;

/// The networks, with the prefix of their names in the file.
const NETWORKS: [(&str, &str, KeyMap); 4] = [
    ("text_encoder", "conditioner.embedders.0.transformer.", text_encoders::clip),
    ("text_encoder_2", "conditioner.embedders.1.model.", text_encoders::open_clip),
    ("unet", "model.diffusion_model.", unet::network),
    ("vae", "first_stage_model.", vae::network),
];

/// Names, or where they end in a dot beginnings of names, of what is no weight of the networks that are run:
/// noise tables of the training code, its averages and losses, CLIP's temperature, the end of CLIP that is for pictures,
/// and the two marks that [`scheduler`] reads.
const HARMLESS: [&str; 26] = [
    "alphas_cumprod",
    "alphas_cumprod_prev",
    "betas",
    "log_one_minus_alphas_cumprod",
    "logvar",
    "posterior_log_variance_clipped",
    "posterior_mean_coef1",
    "posterior_mean_coef2",
    "posterior_variance",
    "scale_factor",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod",
    "denoiser.sigmas",
    "global_step",
    "model_ema.",
    "first_stage_model.model_ema.",
    "first_stage_model.loss.",
    "conditioner.embedders.0.logit_scale",
    "conditioner.embedders.0.text_projection",
    "conditioner.embedders.0.transformer.logit_scale",
    "conditioner.embedders.0.transformer.text_projection.weight",
    "conditioner.embedders.1.model.logit_scale",
    scheduler::V_PRED,
    scheduler::ZTSNR,
];

/// Such a file, sorted.
#[derive(Debug)]
pub(super) struct SingleFile {
    path: PathBuf,
    networks: BTreeMap<&'static str, Network>,
    scheduler_config: SchedulerConfig,
}

impl SingleFile {
    /// Reads the header, and refuses what is no SDXL checkpoint, or has tensors that nobody knows.
    pub(super) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let header = kinds::read(path)?;
        if let Some(kind) = kinds::other_than_sdxl(&header) {
            return Err(CheckpointError::Unsupported { path: path.display().to_string(), kind });
        }
        let scheduler_config = scheduler::config(&header)?;
        let mut sorted: BTreeMap<&str, Tensors> = BTreeMap::new();
        let mut left = Vec::new();
        for (name, entry) in header.tensors {
            if is_harmless(&name) {
                continue;
            }
            let network = NETWORKS.into_iter().find(|(_, prefix, _)| name.starts_with(prefix));
            match network {
                Some((component, prefix, _)) => {
                    sorted.entry(component).or_default().insert(name[prefix.len()..].to_owned(), entry);
                }
                None => left.push(name),
            }
        }
        if !left.is_empty() {
            let component = path.display().to_string();
            return Err(CheckpointError::Leftover { component, names: left });
        }
        let networks = NETWORKS
            .into_iter()
            .map(|(component, _, map)| (component, map(sorted.remove(component).unwrap_or_default())));
        Ok(Self { path: path.to_owned(), networks: networks.collect(), scheduler_config })
    }

    /// The file of the folder beside it, if it is there.
    pub(super) fn beside(&self, name: &str) -> Option<PathBuf> {
        Some(folder_beside(&self.path)?.join(name)).filter(|path| path.exists())
    }

    pub(super) fn scheduler_config(&self) -> SchedulerConfig {
        self.scheduler_config.clone()
    }

    pub(super) fn config(&self, component: &str) -> Result<ConfigFile, CheckpointError> {
        if let Some(path) = self.beside(&format!("{component}/config.json")) {
            return ConfigFile::open(&path);
        }
        Ok(ConfigFile::derived(&self.path, component, &self.network(component)?.config))
    }

    pub(super) fn weights(
        &self,
        component: &str,
        device: Device,
        kind: Kind,
    ) -> Result<Weights, CheckpointError> {
        Ok(Weights::of(component, self.network(component)?.tensors.clone(), device, kind))
    }

    fn network(&self, component: &str) -> Result<&Network, CheckpointError> {
        let missing = || CheckpointError::file(&self.path, format!("has no {component}"));
        self.networks.get(component).ok_or_else(missing)
    }
}

/// An autoencoder of its own file: original names, with their prefix in a whole checkpoint or without, or diffusers'.
pub(super) fn vae_tensors(header: Header) -> (BTreeMap<String, Entry>, Value) {
    let tensors = header.tensors.into_iter().filter(|(name, _)| {
        !is_harmless(name) && !name.starts_with("loss.") && !name.starts_with("model_ema.")
    });
    let prefix = "first_stage_model.";
    let bare = tensors.map(|(name, entry)| (name.strip_prefix(prefix).unwrap_or(&name).to_owned(), entry));
    let Network { tensors, config } = vae::network(bare.collect());
    (tensors, config)
}

/// Where a lone file's configurations may lie: the folder that has its name without the ending.
pub(super) fn folder_beside(path: &Path) -> Option<PathBuf> {
    Some(path.with_extension("")).filter(|folder| folder != path && folder.is_dir())
}

fn is_harmless(name: &str) -> bool {
    HARMLESS.iter().any(|known| if known.ends_with('.') { name.starts_with(known) } else { name == *known })
        || name.ends_with(".position_ids")
}

fn shape<'a>(tensors: &'a Tensors, name: &str) -> &'a [i64] {
    tensors.get(name).map_or(&[], Entry::shape)
}

/// How many numbers from 0 on follow `prefix` in the names, each with a dot after it.
fn count(tensors: &Tensors, prefix: &str) -> usize {
    let has = |number: &usize| {
        let start = format!("{prefix}{number}.");
        tensors.range(start.clone()..).next().is_some_and(|(name, _)| name.starts_with(&start))
    };
    (0..).take_while(has).count()
}

#[cfg(test)]
mod tests;
