//! The fingerprint in `meta` and in object names: PDQ in hexadecimal.

use image::RgbImage;

use super::pdq;

/// PDQ of a picture's final pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    pub hash: pdq::Hash256,
    /// 64 digits, as [`pdq::Hash256`] prints.
    pub hex: String,
    /// 0 to 100; below [`pdq::MIN_QUALITY`] the hash says little.
    pub quality: u8,
}

/// Fingerprint of a picture as it is, before encoding.
pub fn fingerprint(picture: &RgbImage) -> Fingerprint {
    let (hash, quality) = pdq::hash_rgb(picture);
    Fingerprint { hash, hex: hash.to_string(), quality }
}
