//! How large the frames of an AVIF are by their own word.
//!
//! The container says one size and the AV1 stream another; libaom makes room for the stream's before anyone can compare.
//! So the stream's sequence headers are read first. What this file cannot follow is refused, so that nothing gets past
//! it by being odd.

use super::bits::Bits;

/// Why the sizes could not be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Film,
    Malformed(&'static str),
}

const CUT: Refusal = Refusal::Malformed("it ends early");

/// Boxes, items, pieces and headers that are looked at; real files have a few dozen.
const MOST: usize = 4096;

/// Width and height, in pixels, that each AV1 item's stream announces.
pub(super) fn read(file: &[u8]) -> Result<Vec<(u32, u32)>, Refusal> {
    let mut meta = None;
    for (kind, body) in boxes(file)? {
        match kind {
            b"moov" => return Err(Refusal::Film),
            b"meta" if meta.is_some() => return Err(Refusal::Malformed("two lists of items")),
            b"meta" => meta = Some(body),
            _ => {}
        }
    }
    let meta = meta.ok_or(Refusal::Malformed("no list of items"))?;
    let children = boxes(meta.get(4..).ok_or(CUT)?)?;
    let one = |name: &[u8; 4]| {
        let mut found = children.iter().filter(|(kind, _)| *kind == name);
        let first = found.next().map(|(_, body)| *body);
        if found.next().is_some() { Err(Refusal::Malformed("a list of items twice")) } else { Ok(first) }
    };
    let idat = one(b"idat")?.unwrap_or_default();
    let places = places(one(b"iloc")?.ok_or(Refusal::Malformed("no places of items"))?)?;
    let coded = coded_items(one(b"iinf")?.ok_or(Refusal::Malformed("no list of items"))?)?;
    let mut sizes = Vec::new();
    let mut read = 0;
    for id in coded {
        let place = places.iter().find(|place| place.item == id);
        let place = place.ok_or(Refusal::Malformed("an item without a place"))?;
        let source = if place.within_idat { idat } else { file };
        let mut stream = Vec::new();
        for &(offset, length) in &place.pieces {
            let rest = source.get(offset..).ok_or(CUT)?;
            // A length of 0 means up to the end.
            stream.extend_from_slice(if length == 0 { rest } else { rest.get(..length).ok_or(CUT)? });
            if read + stream.len() > file.len() {
                return Err(Refusal::Malformed("pieces overlap"));
            }
        }
        read += stream.len();
        let found = announced(&stream)?;
        if found.is_empty() {
            return Err(Refusal::Malformed("an item without a sequence header"));
        }
        sizes.extend(found);
    }
    if sizes.is_empty() { Err(Refusal::Malformed("no AV1 picture in it")) } else { Ok(sizes) }
}

/// Kind and content of a box.
type Box4<'a> = (&'a [u8; 4], &'a [u8]);

/// Boxes of ISO/IEC 14496-12, section 4.2: four bytes of length, four of kind.
fn boxes(mut rest: &[u8]) -> Result<Vec<Box4<'_>>, Refusal> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let length = rest.first_chunk::<4>().map(|length| u32::from_be_bytes(*length)).ok_or(CUT)?;
        let kind = rest.get(4..8).and_then(|kind| kind.first_chunk()).ok_or(CUT)?;
        let (head, length) = match length {
            0 => (8, rest.len()),
            1 => {
                let long = rest.get(8..16).and_then(|long| long.first_chunk::<8>()).ok_or(CUT)?;
                (16, usize::try_from(u64::from_be_bytes(*long)).map_err(|_| CUT)?)
            }
            _ => (8, length as usize),
        };
        found.push((kind, rest.get(head..length).ok_or(CUT)?));
        rest = rest.get(length..).ok_or(CUT)?;
        if found.len() > MOST {
            return Err(Refusal::Malformed("too many boxes"));
        }
    }
    Ok(found)
}

struct Place {
    item: u32,
    within_idat: bool,
    /// Offset and length, in bytes.
    pieces: Vec<(usize, usize)>,
}

/// Section 8.11.3, `iloc`.
fn places(body: &[u8]) -> Result<Vec<Place>, Refusal> {
    let mut bits = Bits::new(body);
    let mut number = |width: u32| bits.take(width).ok_or(CUT);
    let version = number(8)?;
    number(24)?;
    let sizes = [number(4)?, number(4)?, number(4)?, number(4)?].map(|bytes| bytes as u32);
    let [offset_bytes, length_bytes, base_bytes, index_bytes] = sizes;
    if version > 2 || sizes.iter().any(|bytes| ![0, 4, 8].contains(bytes)) {
        return Err(Refusal::Malformed("places of items in a form that is not known"));
    }
    let wide = if version == 2 { 32 } else { 16 };
    let items = number(wide)?;
    let mut found = Vec::new();
    let mut seen = 0;
    for _ in 0..items {
        let item = number(wide)? as u32;
        let method = if version > 0 { number(16)? & 15 } else { 0 };
        number(16)?;
        let base = number(8 * base_bytes)?;
        let mut pieces = Vec::new();
        for _ in 0..number(16)? {
            if version > 0 {
                number(8 * index_bytes)?;
            }
            let offset = base.checked_add(number(8 * offset_bytes)?).ok_or(CUT)?;
            let length = number(8 * length_bytes)?;
            let fits = |value: u64| usize::try_from(value).map_err(|_| CUT);
            pieces.push((fits(offset)?, fits(length)?));
            seen += 1;
            if seen > MOST {
                return Err(Refusal::Malformed("too many pieces"));
            }
        }
        if method > 1 {
            return Err(Refusal::Malformed("items made of items"));
        }
        found.push(Place { item, within_idat: method == 1, pieces });
        if found.len() > MOST {
            return Err(Refusal::Malformed("too many items"));
        }
    }
    Ok(found)
}

/// Numbers of the items that are AV1 (section 8.11.6, `iinf` and `infe`).
fn coded_items(body: &[u8]) -> Result<Vec<u32>, Refusal> {
    let wide = body.first().is_some_and(|version| *version > 0);
    let entries = boxes(body.get(if wide { 8 } else { 6 }..).ok_or(CUT)?)?;
    let mut found = Vec::new();
    for (kind, entry) in entries {
        if kind != b"infe" {
            continue;
        }
        let mut bits = Bits::new(entry);
        let mut number = |width: u32| bits.take(width).ok_or(CUT);
        let version = number(8)?;
        number(24)?;
        let item = match version {
            2 => number(16)?,
            3 => number(32)?,
            _ => return Err(Refusal::Malformed("an item in a form that is not known")),
        };
        number(16)?;
        if number(32)? == u64::from(u32::from_be_bytes(*b"av01")) {
            found.push(item as u32);
        }
    }
    Ok(found)
}

/// What the sequence headers of a stream say (AV1 specification, sections 5.3.1 and 5.5.1).
fn announced(mut stream: &[u8]) -> Result<Vec<(u32, u32)>, Refusal> {
    let mut sizes = Vec::new();
    let mut seen = 0;
    while let Some(&head) = stream.first() {
        seen += 1;
        if seen > MOST {
            return Err(Refusal::Malformed("too many units"));
        }
        let (kind, extended, sized) = ((head >> 3) & 15, head & 4 != 0, head & 2 != 0);
        let at = if extended { 2 } else { 1 };
        let rest = stream.get(at..).ok_or(CUT)?;
        let (taken, length) = if sized { leb128(rest)? } else { (0, rest.len()) };
        let end = taken.checked_add(length).ok_or(CUT)?;
        let unit = rest.get(taken..end).ok_or(CUT)?;
        const SEQUENCE_HEADER: u8 = 1;
        if kind == SEQUENCE_HEADER {
            sizes.push(frame_size(unit).ok_or(CUT)?);
        }
        stream = &rest[end..];
    }
    Ok(sizes)
}

/// Bytes taken, and the number.
fn leb128(bytes: &[u8]) -> Result<(usize, usize), Refusal> {
    let mut value = 0_usize;
    for (index, &byte) in bytes.iter().enumerate().take(8) {
        value |= usize::from(byte & 127) << (7 * index);
        if byte & 128 == 0 {
            return Ok((index + 1, value));
        }
    }
    Err(CUT)
}

/// `max_frame_width_minus_1 + 1` and the height's.
fn frame_size(unit: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(unit);
    bits.take(3 + 1)?;
    let reduced = bits.flag()?;
    if reduced {
        bits.take(5)?;
    } else {
        let mut delay_bits = None;
        if bits.flag()? {
            bits.take(64)?;
            if bits.flag()? {
                bits.skip_uvlc()?;
            }
            if bits.flag()? {
                delay_bits = Some(bits.take(5)? as u32 + 1);
                bits.take(32 + 5 + 5)?;
            }
        }
        let display_delay = bits.flag()?;
        for _ in 0..=bits.take(5)? {
            bits.take(12)?;
            if bits.take(5)? > 7 {
                bits.take(1)?;
            }
            if let Some(delay_bits) = delay_bits
                && bits.flag()?
            {
                bits.take(delay_bits)?;
                bits.take(delay_bits + 1)?;
            }
            if display_delay && bits.flag()? {
                bits.take(4)?;
            }
        }
    }
    let (width_bits, height_bits) = (bits.take(4)? as u32 + 1, bits.take(4)? as u32 + 1);
    Some((bits.take(width_bits)? as u32 + 1, bits.take(height_bits)? as u32 + 1))
}
