//! Where each network of a pipeline comes from: a folder in diffusers' layout or a single file, and the VAE perhaps from
//! elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tch::{Device, Kind};

use super::digest::model_sha256;
use super::entry::Entry;
use super::files::vae_files;
use super::single_file::{SingleFile, folder_beside, vae_tensors};
use super::weights::read;
use super::{CheckpointError, ConfigFile, Digests, ModelIndex, Weights, kinds};
use crate::diffusion::schedulers::SchedulerConfig;
use crate::diffusion::tokenizer::{CLIPTokenizer, TokenizerError};

/// The files of one model: what is loaded together, and is one identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::diffusion) struct ModelFiles {
    /// A folder in diffusers' layout, or a `.safetensors` file.
    pub(in crate::diffusion) checkpoint: PathBuf,
    /// In place of the checkpoint's own: such a file, or the folder of one.
    pub(in crate::diffusion) vae: Option<PathBuf>,
}

impl ModelFiles {
    /// With links and `..` resolved, so that one model has one name; but a file that is a link keeps its own name, by which
    /// it is known what it is and what lies beside it.
    pub(in crate::diffusion) fn find(checkpoint: &Path, vae: Option<&Path>) -> Result<Self, CheckpointError> {
        let find = |path: &Path| {
            let found = match (path.parent(), path.file_name()) {
                (Some(parent), Some(name)) if path.is_file() => {
                    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
                    parent.canonicalize().map(|parent| parent.join(name))
                }
                _ => path.canonicalize(),
            };
            found.map_err(|error| CheckpointError::file(path, error))
        };
        Ok(Self { checkpoint: find(checkpoint)?, vae: vae.map(find).transpose()? })
    }

    /// One hash for all the weights.
    pub(in crate::diffusion) fn sha256(&self, digests: &Digests) -> Result<String, CheckpointError> {
        model_sha256(self, digests)
    }
}

/// An open checkpoint: headers and configurations, no weights yet.
#[derive(Debug)]
pub(in crate::diffusion) struct Checkpoint {
    layout: Layout,
    vae: Option<Vae>,
}

#[derive(Debug)]
enum Layout {
    Folder(PathBuf),
    SingleFile(Box<SingleFile>),
}

/// An autoencoder by itself.
#[derive(Debug)]
struct Vae {
    path: PathBuf,
    /// `None` where the shapes must do.
    config_file: Option<PathBuf>,
    derived: Value,
    tensors: BTreeMap<String, Entry>,
}

impl Checkpoint {
    /// Recognises what there is by names and shapes alone.
    pub(in crate::diffusion) fn open(files: &ModelFiles) -> Result<Self, CheckpointError> {
        let path = &files.checkpoint;
        let layout = if path.is_dir() {
            Layout::Folder(path.clone())
        } else {
            Layout::SingleFile(Box::new(SingleFile::open(path)?))
        };
        Ok(Self { layout, vae: files.vae.as_deref().map(Vae::open).transpose()? })
    }

    /// What the networks take in memory in a number format, in bytes; a little more than they do, since not all is loaded.
    pub(in crate::diffusion) fn bytes(&self, kind: Kind) -> Result<u64, CheckpointError> {
        let mut numbers: u64 = 0;
        for component in ["text_encoder", "text_encoder_2", "unet", "vae"] {
            numbers = numbers.saturating_add(self.weights(component, Device::Cpu, kind)?.numbers());
        }
        Ok(numbers.saturating_mul(kind.elt_size_in_bytes() as u64))
    }

    pub(in crate::diffusion) fn model_index(&self) -> Result<ModelIndex, CheckpointError> {
        match &self.layout {
            Layout::Folder(folder) => ModelIndex::open(folder),
            Layout::SingleFile(file) => match file.beside("model_index.json") {
                Some(path) => ModelIndex::open(path.parent().unwrap_or(&path)),
                None => Ok(ModelIndex::default()),
            },
        }
    }

    pub(in crate::diffusion) fn scheduler_config(&self) -> Result<SchedulerConfig, CheckpointError> {
        const NAME: &str = "scheduler/scheduler_config.json";
        let path = match &self.layout {
            Layout::Folder(folder) => folder.join(NAME),
            Layout::SingleFile(file) => match file.beside(NAME) {
                Some(path) => path,
                None => return Ok(file.scheduler_config()),
            },
        };
        let text = std::fs::read_to_string(&path).map_err(|error| CheckpointError::file(&path, error))?;
        SchedulerConfig::from_json(&text).map_err(|error| CheckpointError::file(&path, error))
    }

    /// The `config.json` of `text_encoder`, `text_encoder_2`, `unet` or `vae`.
    pub(in crate::diffusion) fn config(&self, component: &str) -> Result<ConfigFile, CheckpointError> {
        match (&self.layout, &self.vae) {
            (_, Some(vae)) if component == "vae" => vae.config(),
            (Layout::Folder(folder), _) => ConfigFile::open(&folder.join(component).join("config.json")),
            (Layout::SingleFile(file), _) => file.config(component),
        }
    }

    /// The tensors of the same, by diffusers' names.
    pub(in crate::diffusion) fn weights(
        &self,
        component: &str,
        device: Device,
        kind: Kind,
    ) -> Result<Weights, CheckpointError> {
        match (&self.layout, &self.vae) {
            (_, Some(vae)) if component == "vae" => {
                Ok(Weights::of(&vae.path.display().to_string(), vae.tensors.clone(), device, kind))
            }
            (Layout::Folder(folder), _) => Weights::open(folder, component, device, kind),
            (Layout::SingleFile(file), _) => file.weights(component, device, kind),
        }
    }
}

impl Vae {
    /// A diffusers folder of an autoencoder alone, a file of one, or a whole pipeline's folder, of which `vae` is taken.
    fn open(path: &Path) -> Result<Self, CheckpointError> {
        if !path.is_dir() {
            let header = kinds::read(path)?;
            if let Some(kind) = kinds::other_than_vae(&header) {
                return Err(CheckpointError::Unsupported { path: path.display().to_string(), kind });
            }
            let beside = folder_beside(path).map(|folder| folder.join("config.json"));
            let (tensors, derived) = vae_tensors(header);
            let config_file = beside.filter(|config| config.is_file());
            return Ok(Self { path: path.to_owned(), config_file, derived, tensors });
        }
        let (folder, files) = vae_files(path)?;
        let config_file = Some(folder.join("config.json"));
        Ok(Self { path: folder, config_file, derived: Value::Null, tensors: read(&files)? })
    }

    fn config(&self) -> Result<ConfigFile, CheckpointError> {
        match &self.config_file {
            Some(path) => ConfigFile::open(path),
            None => Ok(ConfigFile::derived(&self.path, "vae", &self.derived)),
        }
    }
}

/// `tokenizer` or `tokenizer_2` of a checkpoint: its folder's, that of the folder beside a single file, or CLIP's own.
///
/// # Errors
/// As [`CLIPTokenizer::load`].
pub(in crate::diffusion) fn tokenizer(
    checkpoint: &Path,
    name: &str,
) -> Result<CLIPTokenizer, TokenizerError> {
    let folder = if checkpoint.is_file() { folder_beside(checkpoint) } else { Some(checkpoint.to_owned()) };
    match folder.map(|folder| folder.join(name)).filter(|folder| !checkpoint.is_file() || folder.is_dir()) {
        Some(folder) => CLIPTokenizer::load(&folder),
        None => CLIPTokenizer::clip(name == "tokenizer_2"),
    }
}
