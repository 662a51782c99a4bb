//! # Finish: one step a file
#![doc = include_str!("README.md")]
//!
//! [`finish`] holds the list of steps.
//! - `invisible_mark/`: 64 bits in the pixels
//! - `fingerprint`: PDQ of the final pixels, in hexadecimal
//! - `pdq/`: the hash itself, equal to Meta's
//! - `config`: the operator's own mark
//! - `encode/`: JPEG, PNG, WebP and AVIF, declared as sRGB
//! - [`decode`]: pictures from outside, within limits
//! - [`visible_watermark`]: the mark that can be seen
//! - `libavif`: the C library behind AVIF
//! - `thumbnail`: the same picture, 512 pixels on its long side

pub mod decode;
mod config;
mod encode;
mod fingerprint;
pub mod invisible_mark;
mod libavif;
pub mod pdq;
mod thumbnail;
pub mod visible_watermark;

use image::RgbImage;

use crate::plan::{Output, Watermark};

pub use config::FinishConfig;
pub use encode::{FinishError, encode};
pub use fingerprint::{Fingerprint, fingerprint};
pub use thumbnail::{THUMBNAIL_LONG_SIDE_PX, thumbnail};
pub use visible_watermark::{Artwork, ArtworkError};

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

/// The mark that can be seen, and where it goes.
pub type VisibleMark<'a> = (&'a Artwork, &'a Watermark);

/// Every step, in order.
pub fn finish(
    mut picture: RgbImage,
    mark: Option<VisibleMark<'_>>,
    output: &Output,
) -> Result<Finished, FinishError> {
    if let Some((artwork, watermark)) = mark {
        visible_watermark::draw(&mut picture, artwork, watermark)?;
    }
    let picture = &picture;
    let fingerprint = fingerprint(picture);
    let bytes = encode(picture, output)?;
    let small = Output { quality: output.quality.min(THUMBNAIL_QUALITY), ..output.clone() };
    let thumbnail = encode(&thumbnail(picture), &small)?;
    Ok(Finished { fingerprint, picture: bytes, thumbnail })
}

#[cfg(test)]
mod tests;
