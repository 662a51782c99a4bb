//! Pictures that are known: their PDQ hashes, as an operator brings them.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Hashes this far apart are of one picture (Meta, "PDQ & TMK + PDQF", 2019).
pub const MATCH_DISTANCE: u32 = 31;
/// Hashes of less quality match by chance (likewise).
pub const LEAST_QUALITY: u8 = 50;

/// Why a list cannot be used.
#[derive(Debug, Error)]
pub enum HashListError {
    #[error("`{path}`: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("`{path}`, line {line}: a PDQ hash is 64 hexadecimal digits, then at most `,` and a note")]
    Line { path: PathBuf, line: usize },
}

/// One list.
#[derive(Debug, Default)]
pub struct HashList {
    hashes: Vec<[u8; 32]>,
}

impl HashList {
    /// One hash a line, 64 hexadecimal digits, as ThreatExchange's `pdq` signals are exported; what follows a comma is a
    /// note. Empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// No file, or the first line that is none of these.
    pub fn open(path: &Path) -> Result<Self, HashListError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| HashListError::File { path: path.to_owned(), source })?;
        let mut list = Self::default();
        for (line, said) in (1..).zip(text.lines().map(str::trim)) {
            if said.is_empty() || said.starts_with('#') {
                continue;
            }
            let digits = said.split(',').next().unwrap_or_default().trim();
            let mut hash = [0; 32];
            hex::decode_to_slice(digits, &mut hash)
                .map_err(|_| HashListError::Line { path: path.to_owned(), line })?;
            list.hashes.push(hash);
        }
        Ok(list)
    }

    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The least distance to a hash of the list, where it is near enough to be the same picture.
    pub fn nearest(&self, hash: &[u8; 32], quality: u8) -> Option<u32> {
        if quality < LEAST_QUALITY {
            return None;
        }
        let distance = |known: &[u8; 32]| known.iter().zip(hash).map(|(a, b)| (a ^ b).count_ones()).sum();
        self.hashes.iter().map(distance).min().filter(|distance| *distance <= MATCH_DISTANCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Result<HashList, HashListError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        std::fs::write(&path, text).unwrap();
        HashList::open(&path)
    }

    #[test]
    fn a_picture_is_known_by_a_hash_nearby() {
        let list = opened(&format!("# known\n\n{},a note\n{}\n", "00".repeat(32), "FF".repeat(32))).unwrap();
        assert_eq!(list.len(), 2);
        let mut hash = [0; 32];
        hash[..3].fill(0xff);
        hash[3] = 0x7f;
        assert_eq!(list.nearest(&hash, LEAST_QUALITY), Some(31));
        hash[3] = 0xff;
        assert_eq!(list.nearest(&hash, LEAST_QUALITY), None);
        assert_eq!(list.nearest(&[0; 32], LEAST_QUALITY - 1), None);
    }

    #[test]
    fn a_line_that_is_no_hash_is_named() {
        let wrong = opened(&format!("{}\nabc\n", "00".repeat(32)));
        assert!(matches!(wrong, Err(HashListError::Line { line: 2, .. })), "{wrong:?}");
        assert!(matches!(HashList::open(Path::new("/nowhere")), Err(HashListError::File { .. })));
    }
}
