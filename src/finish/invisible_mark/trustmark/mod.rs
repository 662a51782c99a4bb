//! TrustMark (Bui, Agarwal and Collomosse, 2023): networks that hide 100 bits, given by the operator.
#![doc = include_str!("README.md")]
//!
//! - `data_layer`: a payload as the 100 bits that the networks carry, in the reference's four schemas
//! - `bch`: their error correction
//! - `region`: which part of a picture is marked, and how it is put back
//! - `config`

mod bch;
mod config;
mod data_layer;
mod region;
#[cfg(test)]
mod tests;

use image::RgbImage;

use self::data_layer::{Schema, decode, encode};
use self::region::Region;
use super::{Detection, InvisibleMark, MarkError};
use crate::onnx::{Network, OnnxError};

pub use self::config::{EncoderGives, TrustMarkConfig, Variant};

/// Side, in pixels, that the encoder wants.
const ENCODER_PX: usize = 256;
/// Bits that the networks carry.
const SECRET_BITS: usize = 100;
/// Shorter sides hold no mark.
const SHORTEST_PX: u32 = 128;
/// The smallest schema that holds a payload of 64 bits, and what it holds.
const SCHEMA: Schema = Schema::Bch4;

/// Encoder and decoder, ready to run.
#[derive(Debug)]
pub struct TrustMark {
    variant: Variant,
    gives: EncoderGives,
    encoder: Network,
    decoder: Network,
}

impl TrustMark {
    /// Reads both files, checks that they are those that were named, and makes them ready.
    ///
    /// # Errors
    /// A file that is not there, is another one, or is no network of TrustMark's shape.
    pub fn open(config: &TrustMarkConfig) -> Result<Self, OnnxError> {
        let side = config.variant.decoder_px();
        Ok(Self {
            variant: config.variant,
            gives: config.encoder_gives,
            encoder: Network::open(
                &config.encoder,
                &config.encoder_sha256,
                &[&[1, 3, ENCODER_PX, ENCODER_PX], &[1, SECRET_BITS]],
                3 * ENCODER_PX * ENCODER_PX,
            )?,
            decoder: Network::open(
                &config.decoder,
                &config.decoder_sha256,
                &[&[1, 3, side, side]],
                SECRET_BITS,
            )?,
        })
    }

    /// What the encoder adds to a picture of its own size: three planes, 2 being the whole range of a colour.
    fn residual(&self, cover: &[f32], secret: &[f32]) -> Result<Vec<f32>, MarkError> {
        let mut given = self.encoder.run(&[cover, secret])?;
        if self.gives == EncoderGives::Picture {
            for (value, cover) in given.iter_mut().zip(cover) {
                *value = value.clamp(-1.0, 1.0) - cover;
            }
        }
        for plane in given.chunks_exact_mut(ENCODER_PX * ENCODER_PX) {
            let mean = plane.iter().sum::<f32>() / plane.len() as f32;
            plane.iter_mut().for_each(|value| *value -= mean);
        }
        Ok(given)
    }
}

impl InvisibleMark for TrustMark {
    fn alg(&self) -> &'static str {
        self.variant.alg()
    }

    fn embed(&self, picture: &RgbImage, payload: u64, strength: f32) -> Result<RgbImage, MarkError> {
        let (width_px, height_px) = picture.dimensions();
        if width_px.min(height_px) < SHORTEST_PX {
            return Err(MarkError::TooSmall { width_px, height_px, needed_px: SHORTEST_PX });
        }
        let region = Region::of(picture, self.variant);
        let cover = region.planes(picture, ENCODER_PX);
        let secret = encode(SCHEMA, &bits(payload)).map(|bit| f32::from(u8::from(bit)));
        let residual = self.residual(&cover, &secret)?;
        Ok(region.marked(picture, &residual, ENCODER_PX, strength * self.variant.strength()))
    }

    fn detect(&self, picture: &RgbImage) -> Result<Option<Detection>, MarkError> {
        let (width_px, height_px) = picture.dimensions();
        if width_px.min(height_px) < SHORTEST_PX / 2 {
            return Ok(None);
        }
        let region = Region::of(picture, self.variant);
        let seen = self.decoder.run(&[&region.planes(picture, self.variant.decoder_px())])?;
        let mut packet = [false; SECRET_BITS];
        for (bit, logit) in packet.iter_mut().zip(seen) {
            *bit = logit > 0.0;
        }
        let Some(found) = decode(&packet).filter(|found| found.schema == SCHEMA) else { return Ok(None) };
        let (payload, rest) = found.data.split_at(64);
        if rest.contains(&true) {
            return Ok(None);
        }
        let coded_bits = SCHEMA.capacity() + SCHEMA.check_bits();
        let most = SCHEMA.corrects() as f64 + 1.0;
        Ok(Some(Detection {
            payload: payload.iter().fold(0, |sum, bit| (sum << 1) | u64::from(*bit)),
            bit_errors: found.bit_errors as u32,
            coded_bits: coded_bits as u32,
            confidence: 1.0 - found.bit_errors as f64 / most,
            // The networks see every picture at one size and do not tell how it lay.
            scale: 1.0,
            degrees: 0.0,
            mirrored: false,
        }))
    }
}

/// Most significant first, and zeros up to what the schema holds.
fn bits(payload: u64) -> Vec<bool> {
    let mut bits: Vec<bool> = (0..64).rev().map(|bit| (payload >> bit) & 1 == 1).collect();
    bits.resize(SCHEMA.capacity(), false);
    bits
}
