//! WebP by libwebp.

use image::RgbImage;
use webp::{Encoder, WebPConfig};

use super::{FinishError, SRGB_ICC, riff};
use crate::plan::Format;

/// Longest side that the format can hold (WebP Lossless Bitstream, section 3: 14 bits).
const MAX_SIDE_PX: u32 = 16_383;

/// Effort of libwebp, 0 to 6. 4 takes two to three times as long for files that are a tenth smaller at quality 75 and no
/// smaller at 95.
const METHOD: i32 = 2;

/// From this quality on [`QUICK_METHOD`] gives files that are no larger, within 0.1 dB; at 90 they are a fifth larger.
const QUICK_FROM: u8 = 95;

/// Takes two thirds of the time of [`METHOD`].
const QUICK_METHOD: i32 = 0;

/// What `quality` means where nothing is lost: effort, 0 to 100, and the method for it. (25, 1) takes five times as long
/// for files that are a tenth smaller.
const LOSSLESS_EFFORT: (f32, i32) = (0.0, 0);

pub(super) fn encode(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, FinishError> {
    write(picture, |config| {
        config.quality = f32::from(quality);
        config.method = if quality < QUICK_FROM { METHOD } else { QUICK_METHOD };
    })
}

pub(super) fn encode_lossless(picture: &RgbImage) -> Result<Vec<u8>, FinishError> {
    write(picture, |config| {
        config.lossless = 1;
        (config.quality, config.method) = LOSSLESS_EFFORT;
    })
}

fn write(picture: &RgbImage, set: impl FnOnce(&mut WebPConfig)) -> Result<Vec<u8>, FinishError> {
    let (width_px, height_px) = picture.dimensions();
    if !(1..=MAX_SIDE_PX).contains(&width_px) || !(1..=MAX_SIDE_PX).contains(&height_px) {
        return Err(FinishError::Size { format: Format::Webp, width_px, height_px });
    }
    let mut config = WebPConfig::new()
        .map_err(|()| FinishError::Webp("this libwebp is not the one that was compiled for".to_owned()))?;
    set(&mut config);
    let bare = Encoder::from_rgb(picture.as_raw(), width_px, height_px)
        .encode_advanced(&config)
        .map_err(|error| FinishError::Webp(format!("{error:?}")))?;
    riff::with_profile(&bare, width_px, height_px, SRGB_ICC)
        .ok_or_else(|| FinishError::Webp("libwebp wrote no picture".to_owned()))
}
