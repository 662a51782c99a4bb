//! JPEG: baseline and progressive; grey, YCbCr, RGB and CMYK.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::{DynamicImage, ImageDecoder};

use super::{DecodeError, DecodeLimits};
use crate::plan::Format;

/// A progressive file goes over every coefficient once a scan; real ones have about ten.
const MOST_SCANS: usize = 128;

/// Turned as its Exif says.
pub(super) fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<DynamicImage, DecodeError> {
    let broken = |error: image::ImageError| DecodeError::broken(Format::Jpeg, &error);
    // In the coded data 0xff is always followed by 0 or a restart, so this counts scans, or more where Exif has a picture.
    let scans = bytes.windows(2).filter(|pair| pair == b"\xff\xda").count();
    if scans > MOST_SCANS {
        return Err(DecodeError::broken(Format::Jpeg, &format!("{scans} scans are too many")));
    }
    if !ends(bytes) {
        return Err(DecodeError::broken(Format::Jpeg, &"it ends early"));
    }
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    limits.admit(width, height)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Whether the end of the picture is marked after its last scan: the decoder makes up what is missing.
fn ends(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    last(0xd9).is_some_and(|end| last(0xda).is_some_and(|scan| scan < end))
}
