//! # Finish: one step a file
#![doc = include_str!("README.md")]
//!
//! [`finish`] holds the list of steps.
//! - `invisible_mark/`: 64 bits in the pixels
//! - `fingerprint`: PDQ of the final pixels, in hexadecimal
//! - `pdq/`: the hash itself, equal to Meta's
//! - `encode`: JPEG and PNG, declared as sRGB
//! - `thumbnail`: the same picture, 512 pixels on its long side

mod encode;
mod fingerprint;
pub mod invisible_mark;
pub mod pdq;
mod thumbnail;

use image::RgbImage;

use crate::plan::Output;

pub use encode::{FinishError, encode};
pub use fingerprint::{Fingerprint, fingerprint};
pub use thumbnail::{THUMBNAIL_LONG_SIDE_PX, thumbnail};

/// Quality of a lossy thumbnail, unless the picture itself was asked for with less.
const THUMBNAIL_QUALITY: u8 = 85;

/// What storage gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    pub fingerprint: Fingerprint,
    /// The encoded picture.
    pub picture: Vec<u8>,
    /// The encoded thumbnail, in the format of the picture.
    pub thumbnail: Vec<u8>,
}

/// Every step, in order.
pub fn finish(picture: &RgbImage, output: &Output) -> Result<Finished, FinishError> {
    let fingerprint = fingerprint(picture);
    let bytes = encode(picture, output)?;
    let small = Output { quality: output.quality.min(THUMBNAIL_QUALITY), ..output.clone() };
    let thumbnail = encode(&thumbnail(picture), &small)?;
    Ok(Finished { fingerprint, picture: bytes, thumbnail })
}

#[cfg(test)]
mod tests;
