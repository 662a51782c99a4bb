//! AV1 pictures through libavif and libaom. The only file of this room with `unsafe` in it.
//!
//! libavif itself is C: what comes from outside is decoded only after its header kept the limits, on one thread, with
//! metadata ignored and libavif's own strictness on.

#![expect(
    unsafe_code,
    reason = "a C interface can be called in no other way; each call says why it is sound"
)]

use std::ffi::CStr;
use std::ptr::NonNull;

use image::{RgbImage, RgbaImage};
use libavif_sys as sys;
use thiserror::Error;

/// What libavif said.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AvifError {
    #[error("{0}")]
    Refused(String),
    #[error("it holds {frames} pictures")]
    Sequence { frames: u32 },
    #[error("{width_px}x{height_px}")]
    TooLarge { width_px: u32, height_px: u32 },
}

/// How the colours of a picture are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Green, blue and red as they are: the decoder gives back every bit.
    Lossless,
    /// BT.601, full range; quality 1 to 100, and whether colour is kept at half the resolution.
    Lossy { quality: u8, half_chroma: bool },
}

struct Picture(NonNull<sys::avifImage>);

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `avifImageCreate` and is destroyed once.
        unsafe { sys::avifImageDestroy(self.0.as_ptr()) }
    }
}

struct Encoder(NonNull<sys::avifEncoder>);

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `avifEncoderCreate` and is destroyed once.
        unsafe { sys::avifEncoderDestroy(self.0.as_ptr()) }
    }
}

struct Decoder(NonNull<sys::avifDecoder>);

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `avifDecoderCreate` and is destroyed once.
        unsafe { sys::avifDecoderDestroy(self.0.as_ptr()) }
    }
}

/// Bytes that libavif allocated.
struct Written(sys::avifRWData);

impl Drop for Written {
    fn drop(&mut self) {
        // SAFETY: zeroed or filled by `avifEncoderWrite`; freed once.
        unsafe { sys::avifRWDataFree(&raw mut self.0) }
    }
}

fn checked(result: sys::avifResult) -> Result<(), AvifError> {
    if result == sys::AVIF_RESULT_OK {
        return Ok(());
    }
    // SAFETY: libavif answers with a static string for every number.
    let said = unsafe { CStr::from_ptr(sys::avifResultToString(result)) };
    Err(AvifError::Refused(said.to_string_lossy().into_owned()))
}

fn out_of_memory() -> AvifError {
    AvifError::Refused("out of memory".to_owned())
}

/// Encodes on one thread. `speed` is 0 (slow, small) to 10. Declared as sRGB by an `nclx` colour box.
pub(super) fn encode(picture: &RgbImage, coding: Coding, speed: u8) -> Result<Vec<u8>, AvifError> {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 || width > 65_536 || height > 65_536 {
        return Err(AvifError::TooLarge { width_px: width, height_px: height });
    }
    let half = matches!(coding, Coding::Lossy { half_chroma: true, .. });
    let layout = if half { sys::AVIF_PIXEL_FORMAT_YUV420 } else { sys::AVIF_PIXEL_FORMAT_YUV444 };
    // SAFETY: plain numbers; null or a new picture.
    let target = Picture(
        NonNull::new(unsafe { sys::avifImageCreate(width, height, 8, layout) }).ok_or_else(out_of_memory)?,
    );
    // SAFETY: a picture just made, of which this is the only reference.
    let image = unsafe { &mut *target.0.as_ptr() };
    image.yuvRange = sys::AVIF_RANGE_FULL;
    image.colorPrimaries = sys::AVIF_COLOR_PRIMARIES_BT709 as sys::avifColorPrimaries;
    image.transferCharacteristics =
        sys::AVIF_TRANSFER_CHARACTERISTICS_SRGB as sys::avifTransferCharacteristics;
    let matrix = match coding {
        Coding::Lossless => sys::AVIF_MATRIX_COEFFICIENTS_IDENTITY,
        Coding::Lossy { .. } => sys::AVIF_MATRIX_COEFFICIENTS_BT601,
    };
    image.matrixCoefficients = matrix as sys::avifMatrixCoefficients;
    // SAFETY: `image` is valid and has no planes yet.
    checked(unsafe { sys::avifImageAllocatePlanes(image, sys::AVIF_PLANES_YUV) })?;
    fill(image, picture, coding);

    // SAFETY: null or a new encoder.
    let encoder = Encoder(NonNull::new(unsafe { sys::avifEncoderCreate() }).ok_or_else(out_of_memory)?);
    // SAFETY: an encoder just made, of which this is the only reference.
    let settings = unsafe { &mut *encoder.0.as_ptr() };
    settings.codecChoice = sys::AVIF_CODEC_CHOICE_AOM;
    settings.maxThreads = 1;
    settings.speed = i32::from(speed.min(10));
    settings.quality = match coding {
        Coding::Lossless => 100,
        // 100 would make libaom lossless on colours that were rounded already: a large file for nothing.
        Coding::Lossy { quality, .. } => i32::from(quality.clamp(1, 99)),
    };
    let mut written = Written(sys::avifRWData::default());
    // SAFETY: encoder, picture and output are valid and live through the call.
    checked(unsafe { sys::avifEncoderWrite(encoder.0.as_ptr(), image, &raw mut written.0) })?;
    // SAFETY: libavif gives `size` bytes at `data`, which live until `written` is dropped.
    Ok(unsafe { std::slice::from_raw_parts(written.0.data, written.0.size) }.to_vec())
}

/// Rows of one plane of a picture that libavif allocated.
fn plane(image: &mut sys::avifImage, index: usize, width: usize, height: usize) -> Vec<&mut [u8]> {
    let (start, stride) = (image.yuvPlanes[index], image.yuvRowBytes[index] as usize);
    // SAFETY: `avifImageAllocatePlanes` succeeded, so each plane has at least `height` rows of `stride >= width` bytes.
    // The rows do not overlap, and borrow the picture.
    (0..height).map(|y| unsafe { std::slice::from_raw_parts_mut(start.add(y * stride), width) }).collect()
}

fn fill(image: &mut sys::avifImage, picture: &RgbImage, coding: Coding) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let rows = || picture.as_raw().chunks_exact(3 * width);
    match coding {
        Coding::Lossless => {
            // The identity matrix: Y is green, U blue, V red.
            for (index, channel) in [(0, 1), (1, 2), (2, 0)] {
                for (target, row) in plane(image, index, width, height).into_iter().zip(rows()) {
                    for (value, pixel) in target.iter_mut().zip(row.chunks_exact(3)) {
                        *value = pixel[channel];
                    }
                }
            }
        }
        Coding::Lossy { half_chroma, .. } => {
            for (target, row) in plane(image, 0, width, height).into_iter().zip(rows()) {
                for (value, pixel) in target.iter_mut().zip(row.chunks_exact(3)) {
                    *value = luma(pixel);
                }
            }
            for (index, weights) in [(1, CB), (2, CR)] {
                if half_chroma {
                    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
                    let raw = picture.as_raw();
                    for (y, target) in plane(image, index, half_width, half_height).into_iter().enumerate() {
                        let (upper, lower) = (2 * y, (2 * y + 1).min(height - 1));
                        for (x, value) in target.iter_mut().enumerate() {
                            let (left, right) = (2 * x, (2 * x + 1).min(width - 1));
                            let mean = [0, 1, 2].map(|channel| {
                                let at = |x: usize, y: usize| i32::from(raw[3 * (y * width + x) + channel]);
                                at(left, upper) + at(right, upper) + at(left, lower) + at(right, lower)
                            });
                            *value = chroma(mean, weights, 2);
                        }
                    }
                } else {
                    for (target, row) in plane(image, index, width, height).into_iter().zip(rows()) {
                        for (value, pixel) in target.iter_mut().zip(row.chunks_exact(3)) {
                            *value = chroma([pixel[0].into(), pixel[1].into(), pixel[2].into()], weights, 0);
                        }
                    }
                }
            }
        }
    }
}

/// BT.601 (ITU-R BT.601-7, section 2.5) in 1/65536, full range.
const Y: [i32; 3] = [19_595, 38_470, 7_471];
const CB: [i32; 3] = [-11_059, -21_709, 32_768];
const CR: [i32; 3] = [32_768, -27_439, -5_329];

fn luma(pixel: &[u8]) -> u8 {
    let sum: i32 = Y.iter().zip(pixel).map(|(weight, &value)| weight * i32::from(value)).sum();
    ((sum + (1 << 15)) >> 16).clamp(0, 255) as u8
}

/// `sums` are of `1 << shift` pixels.
fn chroma(sums: [i32; 3], weights: [i32; 3], shift: u32) -> u8 {
    let sum: i32 = weights.iter().zip(sums).map(|(weight, value)| weight * value).sum();
    (((sum + (1 << (15 + shift))) >> (16 + shift)) + 128).clamp(0, 255) as u8
}

/// Decodes one still picture of at most `max_pixels` and `max_side_px`, as 8-bit RGBA.
pub(super) fn decode(bytes: &[u8], max_pixels: u64, max_side_px: u32) -> Result<RgbaImage, AvifError> {
    // SAFETY: null or a new decoder.
    let decoder = Decoder(NonNull::new(unsafe { sys::avifDecoderCreate() }).ok_or_else(out_of_memory)?);
    // SAFETY: a decoder just made; only this reference and, inside the calls below, libavif use it.
    let settings = unsafe { &mut *decoder.0.as_ptr() };
    settings.codecChoice = sys::AVIF_CODEC_CHOICE_AOM;
    settings.maxThreads = 1;
    settings.ignoreExif = 1;
    settings.ignoreXMP = 1;
    settings.requestedSource = sys::AVIF_DECODER_SOURCE_PRIMARY_ITEM;
    settings.imageCountLimit = 2;
    settings.strictFlags = sys::AVIF_STRICT_ENABLED;
    // SAFETY: `bytes` outlives the decoder, which only reads them.
    checked(unsafe { sys::avifDecoderSetIOMemory(settings, bytes.as_ptr(), bytes.len()) })?;
    // SAFETY: the decoder is valid and has its input.
    checked(unsafe { sys::avifDecoderParse(settings) })?;
    if settings.imageCount > 1 {
        return Err(AvifError::Sequence { frames: settings.imageCount.unsigned_abs() });
    }
    // SAFETY: parsed, so `image` points at the decoder's own picture, with its size but no pixels yet.
    let (width, height) = unsafe { ((*settings.image).width, (*settings.image).height) };
    within(width, height, max_pixels, max_side_px)?;
    // SAFETY: as above.
    checked(unsafe { sys::avifDecoderNextImage(settings) })?;
    let mut picture = RgbaImage::new(width, height);
    let mut target = sys::avifRGBImage::default();
    // SAFETY: both are valid; only the fields of `target` are written.
    unsafe { sys::avifRGBImageSetDefaults(&raw mut target, settings.image) };
    if (target.width, target.height) != (width, height) {
        return Err(AvifError::Refused("its size changed while it was read".to_owned()));
    }
    target.format = sys::AVIF_RGB_FORMAT_RGBA;
    target.depth = 8;
    target.maxThreads = 1;
    target.rowBytes = 4 * width;
    target.pixels = picture.as_mut_ptr();
    // SAFETY: `pixels` has `height` rows of `rowBytes`, as said, and lives through the call; the source is decoded.
    checked(unsafe { sys::avifImageYUVToRGB(settings.image, &raw mut target) })?;
    Ok(picture)
}

fn within(width_px: u32, height_px: u32, max_pixels: u64, max_side_px: u32) -> Result<(), AvifError> {
    let pixels = u64::from(width_px) * u64::from(height_px);
    if pixels == 0 || pixels > max_pixels || width_px.max(height_px) > max_side_px {
        return Err(AvifError::TooLarge { width_px, height_px });
    }
    Ok(())
}
