//! # The mark nobody sees
#![doc = include_str!("README.md")]
//!
//! - `tile_spread/`: our own scheme
//! - [`trustmark`]: networks that an operator brings
//! - `config`: which of the two
//! - `plane`: luma as floats, and means over boxes

mod config;
mod plane;
pub mod tile_spread;
pub mod trustmark;

use std::fmt::Debug;

use image::RgbImage;

use crate::onnx::RunError;

pub use config::{MarkConfig, MarkKind, readers};
pub use tile_spread::TileSpread;
pub use trustmark::{TrustMark, TrustMarkConfig};

/// A way to hide 64 bits in a picture and to find them again.
pub trait InvisibleMark: Send + Sync + Debug {
    /// Name of the algorithm in a C2PA soft binding (`alg`).
    fn alg(&self) -> &'static str;

    /// The picture with `payload` in it. `strength` 1 is the usual; more is safer and less invisible.
    ///
    /// # Errors
    /// [`MarkError::TooSmall`] where no mark fits.
    fn embed(&self, picture: &RgbImage, payload: u64, strength: f32) -> Result<RgbImage, MarkError>;

    /// The mark in a picture, or in what has become of it; `None` where there is none to be read.
    ///
    /// # Errors
    /// What keeps a detector from looking at all.
    fn detect(&self, picture: &RgbImage) -> Result<Option<Detection>, MarkError>;
}

/// A payload as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    pub payload: u64,
    /// Coded bits that were read wrong and put right.
    pub bit_errors: u32,
    /// Coded bits in all.
    pub coded_bits: u32,
    /// 1 where every coded bit was read right, 0 where as many were wrong as by chance.
    pub confidence: f64,
    /// Size of the picture as it is, in parts of its size as it was marked; where a side is longer than 1344 pixels, of
    /// both as they are when shown at that size.
    pub scale: f64,
    /// By how much it was turned since, anticlockwise.
    pub degrees: f64,
    pub mirrored: bool,
}

/// Why a mark could not be made or looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    #[error("{width_px}x{height_px} is too small for a mark; {needed_px} pixels on either side are needed")]
    TooSmall { width_px: u32, height_px: u32, needed_px: u32 },
    #[error("a network failed: {0}")]
    Network(#[from] RunError),
}
