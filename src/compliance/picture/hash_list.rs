//! Pictures that are known: their PDQ hashes, as an operator brings them.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::finish::pdq::{Hash256, MATCH_DISTANCE, MIN_QUALITY};

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
pub(super) struct HashList {
    hashes: Vec<Hash256>,
}

impl HashList {
    /// One hash a line, 64 hexadecimal digits, as ThreatExchange's `pdq` signals are exported; what follows a comma is a
    /// note. Empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// No file, or the first line that is none of these.
    pub(super) fn open(path: &Path) -> Result<Self, HashListError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| HashListError::File { path: path.to_owned(), source })?;
        let mut list = Self::default();
        for (line, said) in (1..).zip(text.lines().map(str::trim)) {
            if said.is_empty() || said.starts_with('#') {
                continue;
            }
            let digits = said.split(',').next().unwrap_or_default().trim();
            let hash = digits.parse().map_err(|_| HashListError::Line { path: path.to_owned(), line })?;
            list.hashes.push(hash);
        }
        Ok(list)
    }

    /// Whether a hash of the list is near enough to be the same picture's.
    pub(super) fn knows(&self, hash: &Hash256, quality: u8) -> bool {
        quality >= MIN_QUALITY && self.hashes.iter().any(|known| known.distance(hash) <= MATCH_DISTANCE)
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

    fn near_zero(bits: usize) -> Hash256 {
        let mut bytes = [0; 32];
        (0..bits).for_each(|bit| bytes[bit / 8] |= 1 << (bit % 8));
        Hash256::from_bytes(bytes)
    }

    #[test]
    fn a_picture_is_known_by_a_hash_nearby() {
        let list = opened(&format!("# known\n\n{},a note\n{}\n", "00".repeat(32), "FF".repeat(32))).unwrap();
        let knows = |bits: usize, quality| list.knows(&near_zero(bits), quality);
        assert!(knows(0, MIN_QUALITY) && knows(31, MIN_QUALITY));
        assert!(knows(225, MIN_QUALITY), "31 from the other");
        assert!(!knows(32, MIN_QUALITY) && !knows(128, 100));
        assert!(!knows(0, MIN_QUALITY - 1), "it says too little");
    }

    #[test]
    fn a_line_that_is_no_hash_is_named() {
        let wrong = opened(&format!("{}\nabc\n", "00".repeat(32)));
        assert!(matches!(wrong, Err(HashListError::Line { line: 2, .. })), "{wrong:?}");
        assert!(matches!(HashList::open(Path::new("/nowhere")), Err(HashListError::File { .. })));
    }
}
