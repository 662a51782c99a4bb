//! LoRA files that were read, so that the next picture with one of them waits for no disk.

use std::fs;
use std::path::Path;
use std::rc::Rc;

use std::time::SystemTime;

use super::lora_file::LoraFile;
use super::{LoraChoice, LoraError};

/// Of tensors kept; the file unused for longest goes first.
const MOST_BYTES: u64 = 1 << 30;

/// Files by path, as long as their length and time of change stay; the one used last at the end.
#[derive(Debug, Default)]
pub(in crate::diffusion) struct LoraShelf {
    files: Vec<(Stamp, Rc<LoraFile>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    changed: Option<SystemTime>,
}

/// A file that was read and the strengths it was asked with.
#[derive(Debug, Clone)]
pub(in crate::diffusion) struct ChosenLora {
    pub(super) file: Rc<LoraFile>,
    pub(super) weight: f64,
    pub(super) te_weight: f64,
}

impl LoraShelf {
    /// Reads what is not there yet.
    ///
    /// # Errors
    /// The first file that cannot be used, and a strength that is no number.
    pub(in crate::diffusion) fn open(
        &mut self,
        choices: &[LoraChoice],
    ) -> Result<Vec<ChosenLora>, LoraError> {
        choices
            .iter()
            .map(|&LoraChoice { ref path, weight, te_weight, ref sha256 }| {
                if let Some(other) = [weight, te_weight].into_iter().find(|weight| !weight.is_finite()) {
                    return Err(LoraError::file(path, format!("{other} is no weight")));
                }
                let file = self.file(path)?;
                if sha256.as_ref().is_some_and(|wanted| *wanted != file.sha256) {
                    let reason =
                        format!("its sha256 is {}; it is not the file that was asked for", file.sha256);
                    return Err(LoraError::file(path, reason));
                }
                Ok(ChosenLora { file, weight, te_weight })
            })
            .collect()
    }

    fn file(&mut self, path: &Path) -> Result<Rc<LoraFile>, LoraError> {
        let about = fs::metadata(path).map_err(|error| LoraError::file(path, error))?;
        let stamp = Stamp { length: about.len(), changed: about.modified().ok() };
        let known = self.files.iter().position(|(_, file)| file.path == path);
        let known = known.map(|place| self.files.remove(place)).filter(|(before, _)| *before == stamp);
        let file = match known {
            Some((_, file)) => file,
            None => Rc::new(LoraFile::read(path)?),
        };
        self.files.push((stamp, file.clone()));
        let mut held: u64 = self.files.iter().map(|(_, file)| file.bytes).sum();
        while held > MOST_BYTES && self.files.len() > 1 {
            held -= self.files.remove(0).1.bytes;
        }
        Ok(file)
    }
}
