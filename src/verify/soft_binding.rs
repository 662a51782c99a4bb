//! Names, values and scores of soft bindings, as the C2PA Soft Binding Resolution API speaks of them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::finish::pdq::Hash256;

/// PDQ under a name of C2PA's form; C2PA's list has none for it.
pub const PDQ_ALG: &str = "org.imgen.pdq.1";

/// Longest value in base64: 64 hexadecimal digits.
const LONGEST: usize = 88;

/// What a value of a binding stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// The payload of a mark.
    Mark(u64),
    Pdq(Hash256),
}

/// Why a binding was not understood: a sentence for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBinding {
    #[error("is no algorithm of this service; `/c2pa/services/supportedAlgorithms` lists them")]
    Alg,
    #[error("is not base64")]
    Base64,
    #[error("must be base64 of the mark's 8 bytes, big endian, or of their 16 hexadecimal digits")]
    Mark,
    #[error("must be base64 of the hash's 32 bytes or of their 64 hexadecimal digits")]
    Pdq,
}

/// Reads a base64 value of an algorithm; `marks` are the names of the mark algorithms.
///
/// A manifest holds the value as text, so base64 of that text is understood as well as base64 of the bytes.
pub fn parse(alg: &str, value: &str, marks: &[&str]) -> Result<Binding, BadBinding> {
    let is_mark = marks.contains(&alg);
    if !is_mark && alg != PDQ_ALG {
        return Err(BadBinding::Alg);
    }
    let bytes = decode(value).ok_or(BadBinding::Base64)?;
    if is_mark {
        bytes_of(&bytes).map(|bytes| Binding::Mark(u64::from_be_bytes(bytes))).ok_or(BadBinding::Mark)
    } else {
        bytes_of(&bytes).map(|bytes| Binding::Pdq(Hash256::from_bytes(bytes))).ok_or(BadBinding::Pdq)
    }
}

/// `N` bytes, given as such or as hexadecimal digits.
fn bytes_of<const N: usize>(given: &[u8]) -> Option<[u8; N]> {
    if let Ok(bytes) = given.try_into() {
        return Some(bytes);
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(given, &mut bytes).ok().map(|()| bytes)
}

/// Any of the usual alphabets; in a query, a `+` may have become a space.
fn decode(value: &str) -> Option<Vec<u8>> {
    if value.len() > LONGEST {
        return None;
    }
    let value = value.replace(' ', "+");
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(&value).ok())
}

/// `similarityScore` of two PDQ hashes: the percentage of bits that agree.
pub fn score(distance: u32) -> u32 {
    (256_u32.saturating_sub(distance) * 100 + 128) / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: &[&str] = &["org.imgen.tile-spread.1"];

    #[test]
    fn a_value_is_bytes_or_their_digits_in_any_base64() {
        for value in ["ASNFZ4mrze8=", "ASNFZ4mrze8", "MDEyMzQ1Njc4OWFiY2RlZg=="] {
            assert_eq!(parse(MARKS[0], value, MARKS), Ok(Binding::Mark(0x0123_4567_89ab_cdef)), "{value}");
        }
        let hash = Hash256::from_bytes([0xfb; 32]);
        for value in
            [STANDARD.encode([0xfb; 32]), URL_SAFE.encode([0xfb; 32]), STANDARD.encode("fb".repeat(32))]
        {
            assert_eq!(parse(PDQ_ALG, &value, MARKS), Ok(Binding::Pdq(hash)), "{value}");
            assert_eq!(parse(PDQ_ALG, &value.replace('+', " "), MARKS), Ok(Binding::Pdq(hash)), "{value}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        assert_eq!(parse("com.example.1", "AAAA", MARKS), Err(BadBinding::Alg));
        assert_eq!(parse(MARKS[0], "%%%", MARKS), Err(BadBinding::Base64));
        assert_eq!(parse(MARKS[0], &"A".repeat(1 << 20), MARKS), Err(BadBinding::Base64));
        assert_eq!(parse(MARKS[0], "AAAA", MARKS), Err(BadBinding::Mark));
        assert_eq!(parse(PDQ_ALG, "ASNFZ4mrze8=", MARKS), Err(BadBinding::Pdq));
    }

    #[test]
    fn a_score_is_a_percentage() {
        assert_eq!([0, 31, 128, 256, 300].map(score), [100, 88, 50, 0, 0]);
    }
}
