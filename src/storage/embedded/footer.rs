//! What is known of an object, at the end of its own file.
//!
//! A file is the object's bytes, then this as JSON, then the length of the JSON (u32, little-endian) and eight bytes that
//! say what the file is. One file, one rename: bytes and knowledge can never disagree, no sidecar can be left behind,
//! and the length can be written after the hashes are known. The bytes come first, so a range is a plain read and an
//! operator's picture viewer opens the file as it lies.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};

/// Last eight bytes of every file.
const MARK: &[u8; 8] = b"imgenob1";
/// Length of the JSON and the mark.
const TAIL_BYTES: u64 = 12;
/// Names are at most 1 KiB and user metadata at most 2 KiB in S3; escaped, this is more than enough.
const MAX_JSON_BYTES: u64 = 64 << 10;

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Footer {
    pub(super) key: String,
    /// Length of the object's bytes.
    pub(super) length_bytes: u64,
    /// Hexadecimal; S3's `ETag`.
    pub(super) md5: String,
    /// Hexadecimal.
    pub(super) sha256: String,
    /// Milliseconds since 1970.
    pub(super) stored_at_ms: i64,
    pub(super) content_type: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_encoding: Option<String>,
    /// `x-amz-meta-*`.
    pub(super) metadata: BTreeMap<String, String>,
}

impl Footer {
    /// The bytes to put after the object's.
    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        if bytes.len() as u64 > MAX_JSON_BYTES {
            return Err(Error::new(ErrorKind::InvalidInput, "name and metadata are too long"));
        }
        let length = u32::try_from(bytes.len()).map_err(Error::other)?;
        bytes.extend(length.to_le_bytes());
        bytes.extend(MARK);
        Ok(bytes)
    }

    /// Reads the end of `file`.
    ///
    /// # Errors
    /// `InvalidData` for a file that is not an object, is cut short or has grown.
    pub(super) fn read(file: &File) -> Result<Self> {
        let damaged = |what: &str| Error::new(ErrorKind::InvalidData, format!("damaged object: {what}"));
        let file_bytes = file.metadata()?.len();
        let json_end = file_bytes.checked_sub(TAIL_BYTES).ok_or_else(|| damaged("too short"))?;
        let mut tail = [0; TAIL_BYTES as usize];
        file.read_exact_at(&mut tail, json_end)?;
        let [a, b, c, d, mark @ ..] = tail;
        if mark != *MARK {
            return Err(damaged("not marked as an object"));
        }
        let json_bytes = u64::from(u32::from_le_bytes([a, b, c, d]));
        let json_start = json_end.checked_sub(json_bytes).filter(|_| json_bytes <= MAX_JSON_BYTES);
        let json_start = json_start.ok_or_else(|| damaged("impossible length"))?;
        let mut json = vec![0; usize::try_from(json_bytes).map_err(Error::other)?];
        file.read_exact_at(&mut json, json_start)?;
        let footer: Self = serde_json::from_slice(&json).map_err(|e| damaged(&e.to_string()))?;
        if footer.length_bytes != json_start {
            return Err(damaged("its bytes are not all there"));
        }
        Ok(footer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn footer() -> Footer {
        Footer {
            key: "ünï/cödé \"+&.png".to_owned(),
            length_bytes: 5,
            md5: "00".to_owned(),
            sha256: "11".to_owned(),
            stored_at_ms: 1_743_278_570_000,
            content_type: Some("image/png".to_owned()),
            cache_control: None,
            content_disposition: None,
            content_encoding: None,
            metadata: BTreeMap::from([("job".to_owned(), "j-1".to_owned())]),
        }
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn is_read_back() {
        let bytes = [b"bytes".as_slice(), &footer().encode().unwrap()].concat();
        assert_eq!(Footer::read(&file(&bytes)).unwrap(), footer());
    }

    #[test]
    fn every_cut_and_every_growth_is_seen() {
        let whole = [b"bytes".as_slice(), &footer().encode().unwrap()].concat();
        for cut in 0..whole.len() {
            assert!(Footer::read(&file(&whole[..cut])).is_err(), "cut at {cut}");
            assert!(Footer::read(&file(&whole[cut + 1..])).is_err(), "without the first {}", cut + 1);
        }
        assert!(Footer::read(&file(&[whole.as_slice(), b"x"].concat())).is_err());
        assert!(Footer::read(&file(&[b"x".as_slice(), &whole].concat())).is_err());
    }
}
