//! AVIF: still pictures of 8 to 12 bits, grids and transparency among them.

use image::DynamicImage;

use super::super::libavif::{self, AvifError};
use super::av1_sizes::{self, Refusal};
use super::{DecodeError, DecodeLimits};
use crate::plan::Format;

pub(super) fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<DynamicImage, DecodeError> {
    let sizes = av1_sizes::read(bytes).map_err(|refusal| match refusal {
        Refusal::Film => DecodeError::Animated,
        Refusal::Malformed(detail) => DecodeError::broken(Format::Avif, &detail),
    })?;
    let mut announced = 0;
    for (width, height) in sizes {
        limits.admit(width, height)?;
        announced += u64::from(width) * u64::from(height);
    }
    // A picture and its transparency, whole or in cells that reach over its edges.
    if announced > 4 * limits.max_pixels {
        return Err(DecodeError::broken(Format::Avif, &"its cells are larger than any picture may be"));
    }
    let picture =
        libavif::decode(bytes, limits.max_pixels, limits.max_side_px).map_err(|error| match error {
            AvifError::Sequence { .. } => DecodeError::Animated,
            AvifError::TooLarge { width_px: 0, .. } | AvifError::TooLarge { height_px: 0, .. } => {
                DecodeError::Empty
            }
            AvifError::TooLarge { width_px, height_px } => DecodeError::Size {
                width_px,
                height_px,
                max_pixels: limits.max_pixels,
                max_side_px: limits.max_side_px,
            },
            AvifError::Refused(detail) => DecodeError::broken(Format::Avif, &detail),
        })?;
    Ok(picture.into())
}
