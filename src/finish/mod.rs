//! # Finish: one step a file
#![doc = include_str!("README.md")]
//!
//! [`finish`] holds the list of steps.
//! - [`visible_watermark`]: the mark that can be seen
//! - [`invisible_mark`]: 64 bits in the pixels
//! - `fingerprint`: PDQ of the final pixels, in hexadecimal
//! - `pdq/`: the hash itself, equal to Meta's
//! - `encode/`: JPEG, PNG, WebP and AVIF, declared as sRGB
//! - `c2pa_sign`: what is claimed of the picture; signing is the last step that makes bytes
//! - `read_back`: the mark out of the signed bytes, which will be published
//! - [`scale`]: pictures at another size
//! - `thumbnail`: the same picture, 512 pixels on its long side
//! - [`decode`]: pictures from outside, within limits
//! - `config`: the operator's own mark
//! - `error`
//! - `libavif`: the C library behind AVIF
//! - `testing`: what tests share

mod c2pa_sign;
mod config;
pub mod decode;
mod encode;
mod error;
mod fingerprint;
pub mod invisible_mark;
mod libavif;
pub mod pdq;
mod read_back;
pub mod scale;
mod thumbnail;
pub mod visible_watermark;

use image::RgbImage;

use self::encode::encode_with;
use self::invisible_mark::{InvisibleMark, MarkError};
use crate::credentials::{Claim, Credentials, Provenance, Signed};
use crate::plan::{Output, Watermark};

pub use config::FinishConfig;
pub use encode::{AvifEncoder, encode};
pub use error::FinishError;
pub use fingerprint::{Fingerprint, fingerprint};
pub use read_back::MarkRead;
pub use thumbnail::{THUMBNAIL_LONG_SIDE_PX, thumbnail};
pub use visible_watermark::{Artwork, ArtworkError};

/// Quality of a lossy thumbnail, unless the picture itself was asked for with less.
const THUMBNAIL_QUALITY: u8 = 85;
/// Strengths of the invisible mark, in the order in which they are tried until it is read back with ease.
pub const STRENGTHS: [f32; 3] = [1.0, 1.4, 2.0];
/// Share of coded bits that may be read wrong out of a picture just made: what happens to it later takes more.
pub const EASY_ERRORS: f64 = 0.05;

/// The mark that can be seen, and where it goes.
pub type VisibleMark<'a> = (&'a Artwork, &'a Watermark);

/// What pictures are finished with. `None` leaves a step out, as only `imgen finish` may be told to.
#[derive(Debug, Clone, Copy)]
pub struct Tools<'a> {
    pub mark: Option<&'a dyn InvisibleMark>,
    pub credentials: Option<&'a Credentials>,
    pub avif: AvifEncoder,
}

/// How one picture is finished.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    pub visible_mark: Option<VisibleMark<'a>>,
    pub output: &'a Output,
    /// What the invisible mark says: the id of the picture's record.
    pub payload: u64,
    pub provenance: &'a Provenance,
}

impl Task<'_> {
    /// Whether anything is seen of the visible mark.
    fn shows_mark(&self) -> bool {
        self.visible_mark.is_some_and(|(_, watermark)| watermark.opacity_percent > 0)
    }
}

/// What storage and record get.
#[derive(Debug)]
pub struct Finished {
    pub fingerprint: Fingerprint,
    /// The encoded picture, signed where there are credentials.
    pub picture: Signed,
    /// The encoded thumbnail, in the format of the picture and signed likewise.
    pub thumbnail: Signed,
    /// The invisible mark as it was read out of `picture`; `None` where there is none to be read.
    pub mark: Option<MarkRead>,
}

/// Every step, in order.
///
/// # Errors
/// A watermark that cannot be drawn, a size that the format cannot hold, a picture that could not be signed or whose
/// signature does not hold. A mark that cannot be read back (JPEG of quality 1) is no error: the picture then says of
/// itself that it has none.
pub fn finish(mut picture: RgbImage, task: &Task<'_>, tools: Tools<'_>) -> Result<Finished, FinishError> {
    if let Some((artwork, watermark)) = task.visible_mark {
        visible_watermark::draw(&mut picture, artwork, watermark)?;
    }
    let marked = match tools.mark {
        Some(mark) => readable(&picture, task, tools, mark)?,
        None => None,
    };
    let (picture, signed, mark) = match marked {
        Some(Marked { picture, signed, read }) => (picture, signed, Some(read)),
        None => {
            let signed = encode_and_sign(&picture, None, task, tools)?;
            read_back::pixels(&signed.bytes)?;
            (picture, signed, None)
        }
    };
    let fingerprint = fingerprint(&picture);
    let thumbnail = small(&picture, &signed, task, tools)?;
    Ok(Finished { fingerprint, picture: signed, thumbnail, mark })
}

/// A picture out of whose signed bytes the mark was read that they claim.
struct Marked {
    picture: RgbImage,
    signed: Signed,
    read: MarkRead,
}

/// The least strength at which the mark is read with ease, or else the one at which it is read best; `None` where it cannot
/// be read at all. Each is signed before it is read, so that what is read is what will be published; what claims a mark that is not
/// read is dropped.
fn readable(
    picture: &RgbImage,
    task: &Task<'_>,
    tools: Tools<'_>,
    mark: &dyn InvisibleMark,
) -> Result<Option<Marked>, FinishError> {
    let mut best: Option<Marked> = None;
    for strength in STRENGTHS {
        let marked = match mark.embed(picture, task.payload, strength) {
            Ok(marked) => marked,
            Err(MarkError::TooSmall { .. }) => break,
            Err(error) => return Err(error.into()),
        };
        let signed = encode_and_sign(&marked, Some(mark.alg()), task, tools)?;
        let pixels = read_back::pixels(&signed.bytes)?;
        let Some(read) = read_back::mark(mark, &pixels, task.payload, strength)? else {
            continue;
        };
        let easily = read.is_easy();
        if best.as_ref().is_none_or(|best| read.bit_errors < best.read.bit_errors) {
            best = Some(Marked { picture: marked, signed, read });
        }
        if easily {
            break;
        }
    }
    if best.is_none() {
        tracing::warn!(
            format = task.output.format.name(),
            quality = task.output.quality,
            "no mark can be read out of the picture; it goes out without one"
        );
    }
    Ok(best)
}

/// `alg` names the invisible mark that the claim says is in it.
fn encode_and_sign(
    picture: &RgbImage,
    alg: Option<&str>,
    task: &Task<'_>,
    tools: Tools<'_>,
) -> Result<Signed, FinishError> {
    let bytes = encode_with(picture, task.output, tools.avif)?;
    let claim = task.provenance.picture(task.payload, alg, task.shows_mark());
    sign(bytes, task.output, tools, &claim)
}

fn small(
    picture: &RgbImage,
    full: &Signed,
    task: &Task<'_>,
    tools: Tools<'_>,
) -> Result<Signed, FinishError> {
    let quality = task.output.quality.min(THUMBNAIL_QUALITY);
    let output = Output { quality, ..task.output.clone() };
    let bytes = encode_with(&thumbnail(picture)?, &output, tools.avif)?;
    sign(bytes, &output, tools, &task.provenance.thumbnail(full))
}

fn sign(bytes: Vec<u8>, output: &Output, tools: Tools<'_>, claim: &Claim<'_>) -> Result<Signed, FinishError> {
    match tools.credentials {
        Some(credentials) => Ok(credentials.sign(&bytes, output.format, claim)?),
        None => Ok(Signed {
            bytes,
            manifest: Vec::new(),
            manifest_id: String::new(),
            content_type: output.format.content_type(),
        }),
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
