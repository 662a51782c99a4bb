//! 256 bits, their hexadecimal form and their distance.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A PDQ hash. Bit 0 is the lowest bit of the last byte, so that printing begins with bit 255, as the reference's does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Hash256([u8; 32]);

/// Text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a PDQ hash has 64 hexadecimal digits")]
pub struct BadHash;

impl Hash256 {
    pub(super) fn from_bits(bit: impl Fn(usize) -> bool) -> Self {
        let mut bytes = [0; 32];
        for at in (0..256).filter(|&at| bit(at)) {
            bytes[31 - at / 8] |= 1 << (at % 8);
        }
        Self(bytes)
    }

    /// The hash as [`Hash256::bytes`] gave it.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// In the order of the hexadecimal form.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Number of bits in which two hashes differ (Hamming distance), 0 to 256. Unrelated pictures are near 128.
    pub fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(&other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }
}

impl fmt::Display for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Hash256 {
    type Err = BadHash;

    fn from_str(text: &str) -> Result<Self, BadHash> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| BadHash)?;
        Ok(Self(bytes))
    }
}
