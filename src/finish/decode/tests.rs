use image::{Rgb, RgbImage};

use super::*;

const LIMITS: DecodeLimits = DecodeLimits { max_bytes: 1 << 20, max_pixels: 1_000_000, max_side_px: 4096 };

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The picture that `make_pictures.py` draws.
fn expected() -> RgbImage {
    RgbImage::from_fn(24, 16, |x, y| Rgb([x * 10 + 10, y * 15 + 10, 250 - x * 5 - y * 7].map(|v| v as u8)))
}

fn expected_grey() -> RgbImage {
    // Pillow's weights: ITU-R 601, in 1/65536.
    let luma = |Rgb([r, g, b]): &Rgb<u8>| {
        let sum = u32::from(*r) * 19_595 + u32::from(*g) * 38_470 + u32::from(*b) * 7_471 + 0x8000;
        (sum >> 16) as u8
    };
    let mut grey = expected();
    grey.pixels_mut().for_each(|pixel| *pixel = Rgb([luma(pixel); 3]));
    grey
}

fn furthest(a: &RgbImage, b: &RgbImage) -> u8 {
    assert_eq!(a.dimensions(), b.dimensions());
    a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn each_guise_of_the_picture_is_read() {
    for (name, format, off) in [
        ("rgb.png", Format::Png, 0),
        ("rgba.png", Format::Png, 0),
        ("rgb16.png", Format::Png, 0),
        ("interlaced.png", Format::Png, 0),
        ("palette.png", Format::Png, 32),
        ("swollen.png", Format::Png, 0),
        ("rgb.jpg", Format::Jpeg, 8),
        ("progressive.jpg", Format::Jpeg, 24),
        ("cmyk.jpg", Format::Jpeg, 10),
        ("turned.jpg", Format::Jpeg, 8),
        ("lossy.webp", Format::Webp, 24),
        ("lossless.webp", Format::Webp, 0),
        ("alpha.webp", Format::Webp, 0),
        ("lossy.avif", Format::Avif, 16),
        ("half_chroma.avif", Format::Avif, 24),
        ("alpha.avif", Format::Avif, 12),
    ] {
        let decoded = decode(&fixture(name), &LIMITS).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = furthest(&decoded.picture, &expected());
        println!("{name}: off by {found}");
        assert_eq!(decoded.format, format, "{name}");
        assert!(found <= off, "{name}: off by {found}");
    }
    for (name, off) in [("grey.png", 0), ("grey16.png", 0), ("grey_alpha.png", 0), ("grey.jpg", 6)] {
        let found = furthest(&decode(&fixture(name), &LIMITS).unwrap().picture, &expected_grey());
        assert!(found <= off, "{name}: off by {found}");
    }
    let bits = decode(&fixture("bits.png"), &LIMITS).unwrap().picture;
    let whiter = |(bit, grey): (&u8, &u8)| *bit == if *grey >= 128 { 255 } else { 0 };
    assert!(bits.as_raw().iter().zip(expected_grey().as_raw()).all(whiter));
}

#[test]
fn transparency_is_kept_where_it_is_asked_for() {
    for name in ["rgba.png", "grey_alpha.png", "alpha.webp", "alpha.avif"] {
        let picture = decode_rgba(&fixture(name), &LIMITS).unwrap();
        for (x, _, pixel) in picture.enumerate_pixels() {
            let due: u8 = if x < 12 { 255 } else { 128 };
            assert!(pixel[3].abs_diff(due) <= 1, "{name} at {x}: {pixel:?}");
        }
    }
    let palette = decode_rgba(&fixture("palette.png"), &LIMITS).unwrap();
    assert!(palette.pixels().any(|pixel| pixel[3] < 255));
    assert!(decode_rgba(&fixture("rgb.jpg"), &LIMITS).unwrap().pixels().all(|pixel| pixel[3] == 255));
}

#[test]
fn what_is_not_a_picture_is_named() {
    let with = |head: &[u8]| [head, &[0; 64]].concat();
    for (bytes, word) in [
        (Vec::new(), "empty"),
        (fixture("other.gif"), "a GIF"),
        (fixture("other.tiff"), "a TIFF"),
        (fixture("other.bmp"), "a BMP"),
        (with(b"8BPS\0\x01"), "a PSD"),
        (with(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "a HEIC"),
        (with(b"\0\0\0\x18ftypisom\0\0\0\0mp42avc1"), "a film"),
        (with(b"<!DOCTYPE html><html><body>"), "HTML"),
        (with(b"  \n<HTML>"), "HTML"),
        (with(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "an SVG"),
        (with(b"\xef\xbb\xbf<?xml version='1.0'?><note/>"), "XML"),
        (with(b"%PDF-1.7"), "a PDF"),
        (with(b"\x1f\x8b\x08"), "gzip"),
        (with(b"hello"), "nothing that is known"),
        (vec![0xff, 0xd8], "nothing that is known"),
    ] {
        let error = decode(&bytes, &LIMITS).unwrap_err();
        assert!(matches!(error, DecodeError::Kind { .. }), "{word}: {error:?}");
        assert!(error.to_string().contains(word), "{word}: {error}");
    }
}

#[test]
fn animations_are_refused() {
    for name in ["animated.png", "animated.webp", "animated.avif"] {
        let error = decode(&fixture(name), &LIMITS).unwrap_err();
        let told = matches!(error, DecodeError::Animated) || error.to_string().contains("animated");
        assert!(told, "{name}: {error}");
    }
}

#[test]
fn limits_hold_before_pixels_are_decoded() {
    let vast = fixture("vast.png");
    let error = decode(&vast, &LIMITS).unwrap_err();
    assert_eq!(
        error,
        DecodeError::Size { width_px: 30_000, height_px: 30_000, max_pixels: 1_000_000, max_side_px: 4096 }
    );
    for name in ["rgb.png", "rgb.jpg", "progressive.jpg", "lossy.webp", "lossless.webp", "lossy.avif"] {
        let bytes = fixture(name);
        let refused = |limits: DecodeLimits| decode(&bytes, &limits).unwrap_err();
        let few = DecodeLimits { max_pixels: 24 * 16 - 1, ..LIMITS };
        assert!(matches!(refused(few), DecodeError::Size { width_px: 24, height_px: 16, .. }), "{name}");
        let short = DecodeLimits { max_side_px: 23, ..LIMITS };
        assert!(matches!(refused(short), DecodeError::Size { .. }), "{name}");
        let small = DecodeLimits { max_bytes: bytes.len() - 1, ..LIMITS };
        assert!(matches!(refused(small), DecodeError::Bytes { .. }), "{name}");
        let exact = DecodeLimits { max_bytes: bytes.len(), max_pixels: 24 * 16, max_side_px: 24 };
        assert!(decode(&bytes, &exact).is_ok(), "{name}");
    }
}

fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat()
}

/// An AVIF of one item whose stream is one sequence header, of a still picture of `width_bits` and `height_bits` ones.
fn announcing(width_bits: u32, height_bits: u32) -> Vec<u8> {
    // Profile 0, still, reduced header, level 0; bits of width and height, and both numbers all ones.
    let mut bits = vec![0, 0, 0, 1, 1, 0, 0, 0, 0, 0];
    for value in [width_bits - 1, height_bits - 1] {
        bits.extend((0..4).rev().map(|bit| (value >> bit) & 1));
    }
    bits.extend(std::iter::repeat_n(1, (width_bits + height_bits) as usize));
    bits.resize(bits.len().next_multiple_of(8), 0);
    let header: Vec<u8> =
        bits.chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| (sum << 1) | *bit as u8)).collect();
    let stream = [&[0x0a, header.len() as u8][..], &header].concat();

    container(&stream, &[&[(0, stream.len() as u32)]])
}

/// An AVIF whose items are each made of these pieces of the stream, by offset and length.
fn container(stream: &[u8], items: &[&[(u32, u32)]]) -> Vec<u8> {
    let ftyp = boxed(b"ftyp", b"avif\0\0\0\0avifmif1");
    let count = (items.len() as u16).to_be_bytes();
    let infe = |item: u16| {
        let id = item.to_be_bytes();
        boxed(b"infe", &[&b"\x02\0\0\0"[..], &id, b"\0\0av01\0"].concat())
    };
    let infes: Vec<u8> = (1..).zip(items).flat_map(|(item, _)| infe(item)).collect();
    let iinf = boxed(b"iinf", &[&[0; 4], &count[..], &infes].concat());
    let iloc = |start: u32| {
        let mut body = [&[0, 0, 0, 0, 0x44, 0][..], &count].concat();
        for (item, pieces) in (1_u16..).zip(items) {
            body.extend([item.to_be_bytes(), [0, 0], (pieces.len() as u16).to_be_bytes()].concat());
            for (offset, length) in *pieces {
                body.extend([(start + offset).to_be_bytes(), length.to_be_bytes()].concat());
            }
        }
        boxed(b"iloc", &body)
    };
    let meta = |offset: u32| boxed(b"meta", &[&[0; 4], &iinf[..], &iloc(offset)].concat());
    let offset = (ftyp.len() + meta(0).len() + 8) as u32;
    [ftyp, meta(offset), boxed(b"mdat", stream)].concat()
}

#[test]
fn the_size_that_an_av1_stream_announces_is_believed_over_the_container() {
    assert_eq!(av1_sizes::read(&announcing(4, 3)), Ok(vec![(16, 8)]));
    assert_eq!(av1_sizes::read(&announcing(16, 16)), Ok(vec![(65_536, 65_536)]));
    let error = decode(&announcing(16, 16), &LIMITS).unwrap_err();
    assert!(matches!(error, DecodeError::Size { width_px: 65_536, height_px: 65_536, .. }), "{error:?}");
    assert_eq!(av1_sizes::read(&fixture("lossy.avif")), Ok(vec![(24, 16)]));
    assert_eq!(av1_sizes::read(&fixture("alpha.avif")), Ok(vec![(24, 16); 2]));
}

#[test]
fn too_many_scans_are_refused_and_only_scans_are_counted() {
    let most = decode(&fixture("scans_100.jpg"), &LIMITS).unwrap();
    let progressive = decode(&fixture("progressive.jpg"), &LIMITS).unwrap();
    assert_eq!(most.picture, progressive.picture, "the first scan comes again and again");
    let error = decode(&fixture("scans_101.jpg"), &LIMITS).unwrap_err();
    assert_eq!(error, DecodeError::broken(Format::Jpeg, &"101 scans are too many"));

    // In a comment, and behind the end, where phones put films.
    let jpeg = fixture("rgb.jpg");
    let marks = b"\xff\xda\0\x0c".repeat(500);
    let comment = [b"\xff\xfe", &(marks.len() as u16 + 2).to_be_bytes()[..], &marks].concat();
    let odd = [&jpeg[..2], &comment, &jpeg[2..], &marks].concat();
    assert_eq!(decode(&odd, &LIMITS).unwrap().picture, decode(&jpeg, &LIMITS).unwrap().picture);
    // An end within a comment is none.
    let cut = [&jpeg[..2], b"\xff\xfe\0\x04\xff\xd9", &jpeg[2..jpeg.len() - 2]].concat();
    assert_eq!(decode(&cut, &LIMITS).unwrap_err(), DecodeError::broken(Format::Jpeg, &"it ends early"));
}

#[test]
fn a_webp_is_one_frame_as_large_as_its_canvas() {
    // The animation without the flag that announces it.
    let mut hidden = fixture("animated.webp");
    assert_eq!(&hidden[12..16], b"VP8X");
    hidden[20] &= !2;
    assert!(matches!(decode(&hidden, &LIMITS), Err(DecodeError::Broken { .. })));
    // A frame of the animation, which lies within a chunk of its own, as the picture: what it announces counts.
    let animated = fixture("animated.webp");
    let at = animated.windows(4).position(|kind| kind == b"VP8 " || kind == b"VP8L").unwrap();
    let length = u32::from_le_bytes(animated[at + 4..at + 8].try_into().unwrap()) as usize;
    let frame = &animated[at..at + 8 + length.next_multiple_of(2)];
    let extended = |side: u8, after: &[u8]| {
        let canvas = [b"VP8X\x0a\0\0\0\0\0\0\0".as_slice(), &[side, 0, 0, 15, 0, 0]].concat();
        let body = [b"WEBP", &canvas[..], frame, after].concat();
        [b"RIFF", &(body.len() as u32).to_le_bytes()[..], &body].concat()
    };
    assert_eq!(decode(&extended(23, b""), &LIMITS).unwrap().picture.dimensions(), (24, 16));
    let error = decode(&extended(24, b""), &LIMITS).unwrap_err();
    assert_eq!(error, DecodeError::broken(Format::Webp, &"its frame is not as large as its canvas"));
    // A second picture, of any other size.
    let second = b"VP8L\x06\0\0\0\x2f\xff\xff\xff\x0f\0";
    let error = decode(&extended(23, second), &LIMITS).unwrap_err();
    assert!(matches!(error, DecodeError::Size { width_px: 16_384, height_px: 16_384, .. }), "{error:?}");
}

#[test]
fn pieces_of_an_avif_that_overlap_are_refused() {
    // A sequence header of 16x8 pixels, then 10,000 bytes of padding.
    let header = [0x0a, 5, 0b0001_1000, 0b0000_1100, 0b1011_1111, 0b1100_0000, 0];
    let whole = [&header[..], &[0x7a, 0x90, 0x4e], &[0; 10_000]].concat();
    let length = whole.len() as u32;
    let read = |pieces: &[(u32, u32)]| av1_sizes::read(&container(&whole, &[pieces]));
    for pieces in [&[(0, length)][..], &[(0, 3), (3, length - 3)]] {
        assert_eq!(read(pieces), Ok(vec![(16, 8)]), "{pieces:?}");
    }
    // Each is within the file, and all together are far larger than it.
    for times in [4, 4000] {
        let (pieces, item) = (vec![(0, length); times], [(0, length)]);
        for overlapping in [container(&whole, &[&pieces]), container(&whole, &vec![&item[..]; times])] {
            let error = decode(&overlapping, &LIMITS).unwrap_err();
            assert_eq!(error, DecodeError::broken(Format::Avif, &"pieces overlap"), "{times}");
        }
    }
    let error = decode(&container(&whole, &[&[(0, 1); 5000]]), &LIMITS).unwrap_err();
    assert_eq!(error, DecodeError::broken(Format::Avif, &"too many pieces"));
    assert!(read(&[(1 << 20, length)]).is_err(), "outside of the file");
}

const WHOLE: [&str; 16] = [
    "rgb.png",
    "rgb16.png",
    "palette.png",
    "interlaced.png",
    "bits.png",
    "rgb.jpg",
    "progressive.jpg",
    "cmyk.jpg",
    "turned.jpg",
    "lossy.webp",
    "lossless.webp",
    "alpha.webp",
    "lossy.avif",
    "half_chroma.avif",
    "alpha.avif",
    "animated.avif",
];

#[test]
fn what_is_cut_short_is_an_error() {
    for name in WHOLE {
        let bytes = fixture(name);
        for length in 0..bytes.len() {
            let missing = bytes.len() - length;
            assert!(decode(&bytes[..length], &LIMITS).is_err(), "{name} without its last {missing} bytes");
        }
    }
}

#[test]
fn a_changed_checksum_or_pixel_of_a_png_is_an_error() {
    let bytes = fixture("rgb.png");
    let at = bytes.windows(4).position(|window| window == b"IDAT").unwrap();
    for change in [at + 20, bytes.len() - 14] {
        let mut bad = bytes.clone();
        bad[change] ^= 1;
        assert!(matches!(decode(&bad, &LIMITS), Err(DecodeError::Broken { .. })), "byte {change}");
    }
}

/// Bytes flipped, cut out, doubled and overwritten at places drawn from a fixed sequence.
#[test]
fn nothing_in_a_file_can_panic() {
    let mut state = 7_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut read = 0;
    for name in WHOLE.into_iter().chain(["animated.png", "animated.webp", "other.gif"]) {
        let bytes = fixture(name);
        for _ in 0..400 {
            let mut bad = bytes.clone();
            for _ in 0..=draw(3) {
                let at = draw(bad.len());
                match draw(5) {
                    0 => bad[at] ^= 1 << draw(8),
                    1 => bad[at] = [0, 0x7f, 0x80, 0xff][draw(4)],
                    2 => drop(bad.drain(at..(at + 1 + draw(8)).min(bad.len()))),
                    3 => {
                        let again = bad[at..(at + 16).min(bad.len())].to_vec();
                        bad.splice(at..at, again);
                    }
                    _ => bad.truncate(at.max(1)),
                }
                if bad.is_empty() {
                    break;
                }
            }
            read += usize::from(decode(&bad, &LIMITS).is_ok());
        }
    }
    println!("{read} changed files could still be read");
    assert!(read > 100, "only {read}: the changes break every file at once and test nothing");
}
