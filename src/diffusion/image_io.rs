//! Tensors to pictures, and latents to and from files.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use image::RgbImage;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tch::{Kind, Tensor};

use super::error::DiffusionError;

/// The name of the one tensor in a file of latents.
const LATENTS: &str = "latents";

/// No latents are near this, in bytes.
const LONGEST_BYTES: u64 = 256 << 20;

/// `[1, 3, height, width]` in -1 to 1, f32, on the CPU, to pixels (`diffusers/image_processor.py`,
/// `VaeImageProcessor.postprocess` to `pil`, 0.42.1): halved, moved to 0 to 1, clamped, times 255, rounded.
pub(super) fn to_image(sample: &Tensor) -> Result<RgbImage, DiffusionError> {
    check_finite(sample, "the decoded picture")?;
    let size = sample.size();
    let unsuitable = || DiffusionError::Unsuitable(format!("a tensor of shape {size:?} is no picture"));
    let [1, 3, height, width] = size[..] else { return Err(unsuitable()) };
    let bytes = ((sample / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round().to_kind(Kind::Uint8);
    let bytes = Vec::<u8>::try_from(bytes.permute([0, 2, 3, 1]).contiguous().view(-1))?;
    let (width, height) = (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0));
    RgbImage::from_raw(width, height, bytes).ok_or_else(unsuitable)
}

/// Fails on NaN and infinity.
pub(super) fn check_finite(tensor: &Tensor, what: &str) -> Result<(), DiffusionError> {
    // A sum with NaN or infinity in it is one of both; f64 does not overflow by itself.
    if tensor.abs().sum(Kind::Double).double_value(&[]).is_finite() {
        Ok(())
    } else {
        Err(DiffusionError::NotFinite { what: what.into() })
    }
}

/// Reads the tensor `latents` of exactly `shape`, as f32.
pub(super) fn read_latents(path: &Path, shape: &[i64]) -> Result<Tensor, DiffusionError> {
    let refuse = |reason: String| file_error(path, reason);
    let length = fs::metadata(path).map_err(|error| refuse(error.to_string()))?.len();
    if length > LONGEST_BYTES {
        return Err(refuse(format!("{length} bytes is too long for latents")));
    }
    let bytes = fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| refuse(error.to_string()))?;
    let view = file.tensor(LATENTS).map_err(|error| refuse(error.to_string()))?;
    let kind = match view.dtype() {
        Dtype::F32 => Kind::Float,
        Dtype::F16 => Kind::Half,
        Dtype::BF16 => Kind::BFloat16,
        other => return Err(refuse(format!("`{LATENTS}` has the unsupported number format {other:?}"))),
    };
    let found: Vec<i64> = view.shape().iter().map(|&side| i64::try_from(side).unwrap_or(i64::MAX)).collect();
    if found != shape {
        return Err(refuse(format!("`{LATENTS}` has shape {found:?}, this size wants {shape:?}")));
    }
    let tensor = Tensor::f_from_data_size(view.data(), shape, kind)?.to_kind(Kind::Float);
    check_finite(&tensor, &format!("{}: `{LATENTS}`", path.display()))?;
    Ok(tensor)
}

/// Writes the tensor `latents`, as f32.
pub(super) fn write_latents(path: &Path, latents: &Tensor) -> Result<(), DiffusionError> {
    let refuse = |reason: String| file_error(path, reason);
    let numbers = Vec::<f32>::try_from(latents.to_device(tch::Device::Cpu).contiguous().view(-1))?;
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let shape = latents.size().iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
    let view = TensorView::new(Dtype::F32, shape, &bytes).map_err(|error| refuse(error.to_string()))?;
    let tensors = HashMap::from([(LATENTS, view)]);
    safetensors::serialize_to_file(tensors, None, path).map_err(|error| refuse(error.to_string()))
}

fn file_error(path: &Path, reason: String) -> DiffusionError {
    DiffusionError::TensorFile { path: path.display().to_string(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_rounded_as_diffusers_rounds_them() {
        // red, green, blue planes of one row of two pixels
        let sample = Tensor::from_slice(&[-1.0_f32, 1.0, 0.0, -7.0, 0.003, 7.0]).view([1, 3, 1, 2]);
        let image = to_image(&sample).unwrap();
        assert_eq!(image.as_raw()[..], [0, 128, 128, 255, 0, 255]);
    }

    #[test]
    fn what_is_no_number_is_no_picture() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let sample = Tensor::from_slice(&[0.0, bad, 0.0]).view([1, 3, 1, 1]);
            assert!(matches!(to_image(&sample), Err(DiffusionError::NotFinite { .. })), "{bad}");
        }
    }

    #[test]
    fn latents_go_through_a_file_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("latents.safetensors");
        let latents = crate::diffusion::noise::randn(3, &[1, 4, 2, 5]).unwrap();
        write_latents(&path, &latents).unwrap();
        assert_eq!(read_latents(&path, &[1, 4, 2, 5]).unwrap(), latents);
        let said = read_latents(&path, &[1, 4, 5, 2]).unwrap_err().to_string();
        assert!(said.contains("[1, 4, 2, 5]") && said.contains("latents.safetensors"), "{said}");
    }
}
