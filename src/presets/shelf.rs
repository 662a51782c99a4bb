//! The presets as they are now. Whoever uses them takes all at once, so that none changes under its hands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use super::load::load;
use super::{Loaded, Presets, Unavailable};
use crate::config::complaints::Complaints;
use crate::diffusion::Digests;

/// What every checkpoint in diffusers' layout has.
const CHECKPOINT_INDEX: &str = "model_index.json";

/// Presets that are read again, all or nothing.
#[derive(Debug)]
pub struct Shelf {
    dir: PathBuf,
    models_dir: PathBuf,
    loras_dir: PathBuf,
    now: RwLock<Arc<Presets>>,
    /// What the files looked like when they were last read.
    read_at: Mutex<Stamp>,
    refused: AtomicBool,
    unavailable: Unavailable,
    loaded: Loaded,
    /// Of LoRA files, so that each is read once.
    digests: Digests,
}

/// Each file with the time of its last change and its size in bytes.
pub(super) type Stamp = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

impl Shelf {
    /// Reads the presets below `dir` for the first time. `models_dir` is where their checkpoints are, `loras_dir` where LoRAs
    /// are registered.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn open(dir: &Path, models_dir: &Path, loras_dir: &Path) -> Result<Self, Complaints> {
        let read_at = Mutex::new(stamp(dir, loras_dir));
        let digests = Digests::default();
        let now = RwLock::new(Arc::new(load(dir, loras_dir, &digests)?));
        let (dir, models_dir, loras_dir) = (dir.to_owned(), models_dir.to_owned(), loras_dir.to_owned());
        Ok(Self {
            dir,
            models_dir,
            loras_dir,
            now,
            read_at,
            refused: AtomicBool::new(false),
            unavailable: Unavailable::default(),
            loaded: Loaded::default(),
            digests,
        })
    }

    /// All presets, as they stay for whoever took them.
    pub fn now(&self) -> Arc<Presets> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Where the checkpoints are that presets name.
    pub fn models_dir(&self) -> &Path {
        &self.models_dir
    }

    /// Where LoRA files are that the register names.
    pub fn loras_dir(&self) -> &Path {
        &self.loras_dir
    }

    /// Checkpoints that could not be loaded lately.
    pub fn unavailable(&self) -> &Unavailable {
        &self.unavailable
    }

    /// The files of checkpoints that were loaded.
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Whether there is a model that can be drawn with, as far as is known.
    pub fn can_draw(&self) -> bool {
        self.now().models.values().any(|model| self.unavailable.why(&model.weights()).is_none())
    }

    /// Whether the files are not what is in use, because something is wrong with them.
    pub fn is_stale(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// What the files look like.
    pub(super) fn look(&self) -> Stamp {
        stamp(&self.dir, &self.loras_dir)
    }

    /// Whether a file came, went or changed since they were read.
    pub(super) fn has_changed(&self) -> bool {
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) != self.look()
    }

    /// Reads the files. What is wrong with them is logged, and then the old presets stay.
    pub(super) fn read_again(&self) {
        // Taken first: a change while the files are read is one that is seen next time.
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = self.look();
        match load(&self.dir, &self.loras_dir, &self.digests)
            .and_then(|presets| self.with_checkpoints(presets))
        {
            Ok(presets) => {
                let counts = presets.counts();
                *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(presets);
                self.refused.store(false, Ordering::Relaxed);
                tracing::info!(?counts, "the presets were read again");
            }
            Err(complaints) => {
                self.refused.store(true, Ordering::Relaxed);
                for complaint in &complaints.0 {
                    tracing::error!(%complaint, "a preset is wrong");
                }
                let count = complaints.0.len();
                tracing::error!(complaints = count, "the presets stay as they were");
            }
        }
    }

    /// At the start every checkpoint is loaded. Later there must at least be one where a preset says so.
    fn with_checkpoints(&self, presets: Presets) -> Result<Presets, Complaints> {
        let mut complaints = Complaints::default();
        for (key, model) in &presets.models {
            let file = self.dir.join("models").join(format!("{key}.toml"));
            let mut missing = |field: &str, what: &str, path: &Path| {
                let message = format!("there is no {what} in {}", path.display());
                complaints.add(format!("{}: {field}", file.display()), message);
            };
            let checkpoint = self.models_dir.join(&model.checkpoint);
            if !checkpoint.join(CHECKPOINT_INDEX).is_file() && !checkpoint.is_file() {
                missing("checkpoint", "checkpoint", &checkpoint);
            }
            if let Some(vae) =
                model.vae.as_ref().map(|vae| self.models_dir.join(vae)).filter(|vae| !vae.exists())
            {
                missing("vae", "VAE", &vae);
            }
        }
        if complaints.is_empty() { Ok(presets) } else { Err(complaints) }
    }
}

/// Folders that cannot be listed count as empty: reading them then says what is wrong.
fn stamp(dir: &Path, loras_dir: &Path) -> Stamp {
    let folders = ["models", "characters", "prompts"].map(|folder| dir.join(folder));
    let folders = folders.iter().map(PathBuf::as_path).chain([loras_dir]);
    let entries = folders.filter_map(|folder| folder.read_dir().ok()).flatten().flatten();
    let kind = |path: &PathBuf| path.extension().is_some_and(|it| it == "toml" || it == "safetensors");
    let looks = entries.map(|entry| entry.path()).filter(kind).filter_map(|path| {
        let about = path.metadata().ok()?;
        Some((path, (about.modified().ok(), about.len())))
    });
    looks.collect()
}
