//! What a file is, by its first bytes.

use crate::plan::Format;

/// Bytes within which markup is looked for.
const MARKUP_WITHIN: usize = 512;

/// What the first bytes of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Picture(Format),
    /// Markup that may be an SVG; other XML is.
    Svg,
    /// A phrase that completes "it is …".
    Other(&'static str),
}

impl Kind {
    /// Completes "it is …".
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Picture(Format::Jpeg) => "a JPEG",
            Self::Picture(Format::Png) => "a PNG",
            Self::Picture(Format::Webp) => "a WebP",
            Self::Picture(Format::Avif) => "an AVIF",
            Self::Svg => "an SVG or other XML",
            Self::Other(phrase) => phrase,
        }
    }
}

/// First bytes of what is often sent instead of a picture that is read here.
const OTHERS: &[(&[u8], &str)] = &[
    (b"GIF8", "a GIF"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"II+\0", "a BigTIFF"),
    (b"MM\0+", "a BigTIFF"),
    (b"8BPS", "a PSD"),
    (b"BM", "a BMP"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "PostScript"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"\0\0\x01\0", "an icon file"),
    (b"\x76\x2f\x31\x01", "an OpenEXR"),
    (b"qoif", "a QOI"),
    (b"\x1a\x45\xdf\xa3", "a Matroska film"),
];

pub fn sniff(bytes: &[u8]) -> Kind {
    if bytes.is_empty() {
        return Kind::Other("empty");
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Kind::Picture(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Kind::Picture(Format::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Kind::Picture(Format::Webp);
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return brand(bytes);
    }
    if let Some((_, phrase)) = OTHERS.iter().find(|(first, _)| bytes.starts_with(first)) {
        return Kind::Other(phrase);
    }
    markup(bytes).unwrap_or(Kind::Other("nothing that is known"))
}

/// Files of the ISO base media format say in `ftyp` what they are (ISO/IEC 14496-12, section 4.3).
fn brand(bytes: &[u8]) -> Kind {
    let length = bytes.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize);
    let end = length.clamp(16, 256).min(bytes.len());
    let brands = || std::iter::once(8..12).chain((16..end).step_by(4).map(|at| at..at + 4));
    let says = |names: &[&[u8]]| brands().filter_map(|at| bytes.get(at)).any(|brand| names.contains(&brand));
    if bytes.get(8..12) == Some(b"avis") {
        Kind::Other("an animated AVIF")
    } else if says(&[b"avif"]) {
        Kind::Picture(Format::Avif)
    } else if says(&[b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"mif1", b"msf1"]) {
        Kind::Other("a HEIC or HEIF")
    } else if says(&[b"crx "]) {
        Kind::Other("a camera's raw file")
    } else {
        Kind::Other("a film or another ISO media file")
    }
}

/// SVG, HTML and other XML, after a byte-order mark and white space.
fn markup(bytes: &[u8]) -> Option<Kind> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = text.get(..MARKUP_WITHIN).unwrap_or(text).to_ascii_lowercase();
    let start = head.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let head = &head[start..];
    let holds = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    if !head.starts_with(b"<") {
        None
    } else if holds(b"<!doctype html") || holds(b"<html") || head.starts_with(b"<script") {
        Some(Kind::Other("HTML"))
    } else if holds(b"<svg") || head.starts_with(b"<?xml") || head.starts_with(b"<!") {
        Some(Kind::Svg)
    } else {
        None
    }
}
