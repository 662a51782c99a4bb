//! The only way to make the path of an object.

use std::fmt;
use std::str::FromStr;

use crate::plan::Format;

/// Longest name that is taken; a picture's name is under 110 bytes.
const MAX_BYTES: usize = 200;

/// The name of a stored picture or of its thumbnail (specification, "Completed (Safe)", `filename`).
///
/// Made of `[a-z0-9_.]` only, so it needs no escaping in a URL, in a header or on a disk, and cannot leave a folder.
///
/// ```
/// use imgen::plan::Format;
/// use imgen::storage::ObjectKey;
///
/// let picture = ObjectKey::picture("k3v9", "00ff", 1, Format::Jpeg)?;
/// assert_eq!(picture.as_str(), "k3v9_00ff_00001.jpg");
/// let thumbnail = ObjectKey::thumbnail("k3v9", "00ff", 1, Format::Jpeg)?;
/// assert_eq!(thumbnail.as_str(), "k3v9_00ff_00001_thumb.jpg");
/// assert_eq!("k3v9_00ff_00001.jpg".parse::<ObjectKey>()?, picture);
/// assert!("../k3v9_00ff_00001.jpg".parse::<ObjectKey>().is_err());
/// assert!(ObjectKey::picture("K3V9", "00ff", 1, Format::Jpeg).is_err());
/// # Ok::<(), imgen::storage::KeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(String);

/// Why something is not the name of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("{part} of an object's name is empty")]
    Empty { part: &'static str },
    #[error("{part} of an object's name holds {found:?}; only a-z and 0-9 may be used")]
    Character { part: &'static str, found: char },
    #[error("pictures are numbered 1 to 99999, not {0}")]
    Number(u32),
    #[error("an object's name is at most {MAX_BYTES} bytes, not {0}")]
    TooLong(usize),
    #[error(
        "not an object's name: it must read genid_fingerprint_00001.jpg or genid_fingerprint_00001_thumb.jpg"
    )]
    Shape,
}

impl ObjectKey {
    /// The picture itself: `{gen_id}_{fingerprint}_{number:05}.{extension}`.
    ///
    /// `number` counts the pictures of a job from 1.
    pub fn picture(gen_id: &str, fingerprint: &str, number: u32, format: Format) -> Result<Self, KeyError> {
        Self::build(gen_id, fingerprint, number, "", format)
    }

    /// The thumbnail of [`ObjectKey::picture`]: the same name with `_thumb`.
    pub fn thumbnail(gen_id: &str, fingerprint: &str, number: u32, format: Format) -> Result<Self, KeyError> {
        Self::build(gen_id, fingerprint, number, "_thumb", format)
    }

    /// A fresh name for a probe of the store; `token` is chance, in `[a-z0-9]`.
    pub(super) fn probe(token: &str) -> Result<Self, KeyError> {
        Self::build("probe", token, 1, "", Format::Png)
    }

    fn build(
        gen_id: &str,
        fingerprint: &str,
        number: u32,
        suffix: &str,
        format: Format,
    ) -> Result<Self, KeyError> {
        word("gen_id", gen_id)?;
        word("fingerprint", fingerprint)?;
        if !(1..=99_999).contains(&number) {
            return Err(KeyError::Number(number));
        }
        let name = format!("{gen_id}_{fingerprint}_{number:05}{suffix}.{}", format.extension());
        if name.len() > MAX_BYTES {
            return Err(KeyError::TooLong(name.len()));
        }
        Ok(Self(name))
    }

    /// The whole name, which is also the `filename` of an answer.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn word(part: &'static str, text: &str) -> Result<(), KeyError> {
    if text.is_empty() {
        return Err(KeyError::Empty { part });
    }
    match text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit())) {
        Some(found) => Err(KeyError::Character { part, found }),
        None => Ok(()),
    }
}

impl FromStr for ObjectKey {
    type Err = KeyError;

    /// Reads back what was stored; anything that the constructors could not have made is refused.
    fn from_str(name: &str) -> Result<Self, KeyError> {
        if name.len() > MAX_BYTES {
            return Err(KeyError::TooLong(name.len()));
        }
        let (stem, extension) = name.split_once('.').ok_or(KeyError::Shape)?;
        let format =
            Format::ALL.into_iter().find(|format| format.extension() == extension).ok_or(KeyError::Shape)?;
        let parts: Vec<&str> = stem.split('_').collect();
        let (gen_id, fingerprint, digits, suffix) = match parts[..] {
            [gen_id, fingerprint, digits] => (gen_id, fingerprint, digits, ""),
            [gen_id, fingerprint, digits, "thumb"] => (gen_id, fingerprint, digits, "_thumb"),
            _ => return Err(KeyError::Shape),
        };
        let number = digits.parse().map_err(|_| KeyError::Shape)?;
        let key = Self::build(gen_id, fingerprint, number, suffix, format)?;
        if key.0 == name { Ok(key) } else { Err(KeyError::Shape) }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_nobody_made_are_refused() {
        for name in [
            "",
            ".jpg",
            "a_b_00001",
            "a_b_1.jpg",
            "a_b_+0001.jpg",
            "a_b_00000.jpg",
            "a_b_00001.gif",
            "a_b_00001_thumbs.jpg",
            "a_b_00001_thumb_thumb.jpg",
            "a__00001.jpg",
            "a_b_00001.jpg.png",
            "a/b_c_00001.jpg",
            "a_b_00001.jpg\n",
            "é_b_00001.jpg",
        ] {
            assert!(name.parse::<ObjectKey>().is_err(), "{name:?}");
        }
        assert_eq!(ObjectKey::picture("a", &"f".repeat(300), 1, Format::Png), Err(KeyError::TooLong(312)),);
    }

    proptest! {
        #[test]
        fn what_is_made_is_read_back(gen_id in "[a-z0-9]{1,20}", fingerprint in "[a-f0-9]{64}", number in 1u32..=99_999) {
            for format in Format::ALL {
                let picture = ObjectKey::picture(&gen_id, &fingerprint, number, format).unwrap();
                let thumbnail = ObjectKey::thumbnail(&gen_id, &fingerprint, number, format).unwrap();
                prop_assert_eq!(picture.as_str().parse::<ObjectKey>().unwrap(), picture);
                prop_assert_eq!(thumbnail.as_str().parse::<ObjectKey>().unwrap(), thumbnail);
            }
        }

        #[test]
        fn whatever_is_read_holds_only_safe_bytes(name in "\\PC{0,40}") {
            if let Ok(key) = name.parse::<ObjectKey>() {
                prop_assert!(key.as_str().bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.')));
            }
        }
    }
}
