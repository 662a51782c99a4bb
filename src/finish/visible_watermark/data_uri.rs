//! A mark as clients send it (RFC 2397).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::ArtworkError;
use super::artwork::MAX_BYTES;
use crate::finish::decode::{Kind, sniff};
use crate::plan::Format;

/// Padding may be left out, as some clients do.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const TYPES: [(&str, Kind); 5] = [
    ("image/png", Kind::Picture(Format::Png)),
    ("image/jpeg", Kind::Picture(Format::Jpeg)),
    ("image/jpg", Kind::Picture(Format::Jpeg)),
    ("image/webp", Kind::Picture(Format::Webp)),
    ("image/svg+xml", Kind::Svg),
];

/// The bytes within a data URI, whose type must be what the bytes are.
///
/// # Errors
/// Not a base64 data URI, too long, another type than it says.
pub fn from_data_uri(uri: &str) -> Result<Vec<u8>, ArtworkError> {
    let uri = uri.trim();
    let scheme = uri.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:"));
    let rest = scheme.and_then(|_| uri.get(5..)).ok_or(ArtworkError::NotADataUri)?;
    let (head, text) = rest.split_once(',').ok_or(ArtworkError::NotADataUri)?;
    let mut words = head.split(';').map(str::trim);
    let said = words.next().unwrap_or_default();
    if !words.next_back().is_some_and(|last| last.eq_ignore_ascii_case("base64")) {
        return Err(ArtworkError::NotBase64);
    }
    let (said, kind) =
        TYPES.into_iter().find(|(name, _)| said.eq_ignore_ascii_case(name)).ok_or(ArtworkError::Mime)?;
    // Said before decoding: four characters hold three bytes.
    let about = text.len() / 4 * 3;
    if about > MAX_BYTES + 3 {
        return Err(ArtworkError::Bytes { bytes: about, max_bytes: MAX_BYTES });
    }
    let bytes = BASE64.decode(text).map_err(|_| ArtworkError::BrokenBase64)?;
    let found = sniff(&bytes);
    if found != kind {
        return Err(ArtworkError::MimeDiffers { said, found: found.phrase() });
    }
    Ok(bytes)
}
