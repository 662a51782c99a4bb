//! JPEG: baseline and progressive; grey, YCbCr, RGB and CMYK.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::{DynamicImage, ImageDecoder};

use super::{DecodeError, DecodeLimits};
use crate::plan::Format;

/// A progressive file goes over every coefficient once a scan; real ones have about ten.
const MOST_SCANS: usize = 100;

/// Turned as its Exif says.
pub(super) fn read(bytes: &[u8], limits: &DecodeLimits) -> Result<DynamicImage, DecodeError> {
    let broken = |error: image::ImageError| DecodeError::broken(Format::Jpeg, &error);
    // The decoder makes up what is missing, so that it ends is seen to here.
    let scans = scans(bytes).ok_or_else(|| DecodeError::broken(Format::Jpeg, &"it ends early"))?;
    if scans > MOST_SCANS {
        return Err(DecodeError::broken(Format::Jpeg, &format!("{scans} scans are too many")));
    }
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(broken)?;
    let (width, height) = decoder.dimensions();
    limits.admit(width, height)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// How many scans there are before the end of the picture is marked (ITU-T T.81, annex B); `None` where it is not. What lies
/// behind the end, or within other segments, is not looked into: a thumbnail, a film, another picture.
fn scans(bytes: &[u8]) -> Option<usize> {
    const END_OF_IMAGE: u8 = 0xd9;
    const START_OF_SCAN: u8 = 0xda;
    let (mut rest, mut scans) = (bytes, 0);
    loop {
        // In the coded data of a scan 0xff is followed by 0, and a marker may be preceded by any number of 0xff.
        let at = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
        let marker = rest[at + 1];
        rest = &rest[at + 2..];
        match marker {
            END_OF_IMAGE => return (scans > 0).then_some(scans),
            // Markers without a segment: TEM, restarts, start of image.
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                let length = rest.first_chunk().map(|length| u16::from_be_bytes(*length))?;
                rest = rest.get(usize::from(length.max(2))..)?;
                scans += usize::from(marker == START_OF_SCAN);
            }
        }
    }
}
