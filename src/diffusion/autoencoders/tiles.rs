//! Decoding in overlapping tiles (`diffusers/models/autoencoders/autoencoder_kl.py`, `tiled_decode`, 0.42.1): memory that does
//! not grow with the picture.
//!
//! Each tile is normalised by its own statistics, so the picture is not quite the one decoded whole.

use tch::Tensor;

/// `tile_overlap_factor`, as a part of a tile's side: one in this many.
const OVERLAP: i64 = 4;

/// Sides of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tiling {
    /// `tile_latent_min_size`, in cells.
    pub(super) latent: i64,
    /// `tile_sample_min_size`, in pixels.
    pub(super) sample: i64,
}

impl Tiling {
    /// Whether `[batch, channels, height, width]` is more than one tile.
    pub(super) fn divides(self, latents: &Tensor) -> bool {
        latents.size()[2..].iter().any(|&side| side > self.latent)
    }

    /// Decodes tile by tile with `decode`, and blends each into those above and to the left of it.
    pub(super) fn decode(self, latents: &Tensor, decode: impl Fn(&Tensor) -> Tensor) -> Tensor {
        let size = latents.size();
        let stride = self.latent - self.latent / OVERLAP;
        let blended = self.sample / OVERLAP;
        let kept = self.sample - blended;
        let mut rows = Vec::new();
        let mut above: Vec<Tensor> = Vec::new();
        for top in (0..size[2]).step_by(stride as usize) {
            let band = latents.narrow(2, top, self.latent.min(size[2] - top));
            let mut row: Vec<Tensor> = Vec::new();
            for (column, left) in (0..size[3]).step_by(stride as usize).enumerate() {
                let tile = decode(&band.narrow(3, left, self.latent.min(size[3] - left)));
                if let Some(above) = above.get(column) {
                    blend(above, &tile, 2, blended);
                }
                if let Some(beside) = row.last() {
                    blend(beside, &tile, 3, blended);
                }
                row.push(tile);
            }
            let crop = |tile: &Tensor, axis: usize| tile.narrow(axis as i64, 0, kept.min(tile.size()[axis]));
            rows.push(Tensor::cat(&row.iter().map(|tile| crop(&crop(tile, 2), 3)).collect::<Vec<_>>(), 3));
            above = row;
        }
        Tensor::cat(&rows, 2)
    }
}

/// `blend_v` and `blend_h`: the first `extent` rows or columns of `tile` go over from the last of `before`. Writes into `tile`.
fn blend(before: &Tensor, tile: &Tensor, axis: usize, extent: i64) {
    let (there, here) = (before.size()[axis], tile.size()[axis]);
    let extent = extent.min(there).min(here);
    let mut shape = [1; 4];
    shape[axis] = extent;
    let share = Tensor::arange(extent, (tile.kind(), tile.device())).view(shape) / extent as f64;
    let axis = axis as i64;
    let mut edge = tile.narrow(axis, 0, extent);
    let mixed = before.narrow(axis, there - extent, extent) * (1.0 - &share) + &edge * share;
    edge.copy_(&mixed);
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;

    use tch::{Device, Kind};

    use super::super::AutoencoderKL;
    use super::*;
    use crate::diffusion::checkpoint::{Checkpoint, ModelFiles};
    use crate::diffusion::noise::randn;

    fn autoencoder() -> AutoencoderKL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny-sdxl");
        let files = ModelFiles::find(&folder, None).unwrap();
        AutoencoderKL::load(&Checkpoint::open(&files).unwrap(), Device::Cpu, |_| Kind::Float).unwrap()
    }

    fn difference(one: &Tensor, other: &Tensor) -> f64 {
        assert_eq!(one.size(), other.size());
        (one - other).abs().max().double_value(&[])
    }

    #[test]
    fn tiles_are_diffusers() {
        let vae = autoencoder();
        let tiling = vae.config.tiling();
        assert_eq!(tiling, Tiling { latent: 8, sample: 64 });
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiles.safetensors");
        let tensors: HashMap<_, _> = Tensor::read_safetensors(path).unwrap().into_iter().collect();
        for i in 0..3 {
            let latents = &tensors[&format!("latents.{i}")];
            assert!(tiling.divides(latents));
            let tiled = tiling.decode(latents, |tile| vae.decode_whole(tile));
            assert!(difference(&tiled, &tensors[&format!("decoded.{i}")]) < 2e-5, "{i}");
            assert!(difference(&tiled, &vae.decode(latents)) > 1e-3, "{i}: a small picture is decoded whole");
        }
        assert!(!tiling.divides(&randn(1, &[1, 4, 8, 8]).unwrap()));
    }

    #[test]
    fn only_large_pictures_are_decoded_in_tiles() {
        let vae = autoencoder();
        let latents = |height: i64, width: i64| {
            Tensor::zeros([1, 4, 1, 1], (Kind::Float, Device::Cpu)).expand([1, 4, height, width], false)
        };
        for size in crate::plan::SIZES {
            let (height, width) = (i64::from(size.height_px / 8), i64::from(size.width_px / 8));
            assert!(!vae.is_too_large(&latents(height, width)), "{size:?}");
        }
        assert!(vae.is_too_large(&latents(512, 512)));
    }
}
