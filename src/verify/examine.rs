//! What a file says of itself: its manifest, its mark, its fingerprint.

use std::panic::catch_unwind;
use std::sync::Arc;

use image::RgbImage;
use image::imageops::flip_horizontal_in_place;

use crate::credentials::{C2paReport, Reader};
use crate::finish::decode::{DecodeError, DecodeLimits, decode};
use crate::finish::invisible_mark::{Detection, InvisibleMark};
use crate::finish::pdq::{self, Hash256};

/// All that is read from one file; no record has been looked at.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub c2pa: C2paReport,
    pub mark: Option<FoundMark>,
    /// `None` where the file is damaged so that no pixels come out of it, though its manifest can still be read.
    pub looks: Option<Looks>,
}

/// What the pixels are like.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    pub width_px: u32,
    pub height_px: u32,
    pub hash: Hash256,
    /// The hash of the picture as it was before it was mirrored, where its mark says that it was: what is looked for.
    pub upright: Hash256,
    /// 0 to 100; below [`pdq::MIN_QUALITY`] the hash is not matched.
    pub quality: u8,
}

/// A mark, and which algorithm found it.
#[derive(Debug, Clone)]
pub struct FoundMark {
    pub alg: &'static str,
    pub detection: Detection,
}

/// Why a file could not be examined.
#[derive(Debug, thiserror::Error)]
pub enum ExamineError {
    #[error(transparent)]
    Picture(#[from] DecodeError),
    /// A decoder gave up in a way that it should not; the file is to blame, and the panic has been logged.
    #[error("the picture cannot be decoded")]
    Undecodable,
}

/// Examines a picture from outside. Its header is checked against `limits` before anything is decoded, and a panic of
/// someone else's parser is the file's fault, not this process's end.
pub(super) fn examine(
    bytes: &[u8],
    limits: &DecodeLimits,
    credentials: &Reader,
    marks: &[Arc<dyn InvisibleMark>],
) -> Result<Evidence, ExamineError> {
    let decoded = match catch_unwind(|| decode(bytes, limits)).map_err(|_| ExamineError::Undecodable)? {
        Ok(decoded) => decoded,
        Err(DecodeError::Broken { format, detail }) => {
            let c2pa = credentials.read(bytes, format);
            // Somebody who asks why a signed file does not open is told that it was damaged after it was signed.
            return if c2pa.present {
                Ok(Evidence { c2pa, mark: None, looks: None })
            } else {
                Err(DecodeError::Broken { format, detail }.into())
            };
        }
        Err(error) => return Err(error.into()),
    };
    let c2pa = credentials.read(bytes, decoded.format);
    let mut picture = decoded.picture;
    let (width_px, height_px) = picture.dimensions();
    let (hash, quality) = pdq::hash_rgb(&picture);
    let mark = detect(&picture, marks);
    let mut upright = hash;
    if mark.as_ref().is_some_and(|mark| mark.detection.mirrored) {
        flip_horizontal_in_place(&mut picture);
        upright = pdq::hash_rgb(&picture).0;
    }
    Ok(Evidence { c2pa, mark, looks: Some(Looks { width_px, height_px, hash, upright, quality }) })
}

/// The first mark that any of the algorithms finds.
pub(super) fn detect(picture: &RgbImage, marks: &[Arc<dyn InvisibleMark>]) -> Option<FoundMark> {
    marks.iter().find_map(|mark| match mark.detect(picture) {
        Ok(found) => found.map(|detection| FoundMark { alg: mark.alg(), detection }),
        Err(error) => {
            // A picture that is too small for a mark, say, has none.
            tracing::debug!(alg = mark.alg(), %error, "no mark could be looked for");
            None
        }
    })
}
