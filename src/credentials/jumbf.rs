//! A look at the boxes of a manifest store before anything interprets them: size, number, depth.

/// Largest manifest store that is read, in bytes. One with embedded thumbnails and a long history is about 1 MB.
const MAX_STORE_BYTES: usize = 16 << 20;
/// Most boxes. What is done with assertions later costs up to the square of their number.
const MAX_BOXES: usize = 2000;
/// Deepest nesting; real ones need five.
const MAX_DEPTH: usize = 16;
/// Smallest box: its length and its type (ISO/IEC 19566-5).
const HEADER_BYTES: usize = 8;

/// Whether the store is of a size that can be read.
pub(super) fn check(store: &[u8]) -> Result<(), String> {
    if store.len() > MAX_STORE_BYTES {
        return Err(format!("the manifest is larger than {} MiB", MAX_STORE_BYTES >> 20));
    }
    let mut boxes = 0;
    walk(store, 0, &mut boxes)
}

fn walk(mut rest: &[u8], depth: usize, boxes: &mut usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("the manifest's boxes are nested deeper than {MAX_DEPTH}"));
    }
    while rest.len() >= HEADER_BYTES {
        *boxes += 1;
        if *boxes > MAX_BOXES {
            return Err(format!("the manifest has more than {MAX_BOXES} boxes"));
        }
        let Some((inside, behind, is_super)) = split(rest) else {
            return Err("a box of the manifest is longer than the manifest".to_owned());
        };
        if is_super {
            walk(inside, depth + 1, boxes)?;
        }
        rest = behind;
    }
    Ok(())
}

/// What is in the first box, what is behind it, and whether boxes are in it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let (header, after) = bytes.split_at_checked(HEADER_BYTES)?;
    let short = u32::from_be_bytes(header.get(..4)?.try_into().ok()?);
    let is_super = header.get(4..)? == b"jumb";
    let (header_bytes, length) = match short {
        0 => (HEADER_BYTES, bytes.len()),
        1 => {
            let long = u64::from_be_bytes(after.get(..8)?.try_into().ok()?);
            (HEADER_BYTES + 8, usize::try_from(long).ok()?)
        }
        _ => (HEADER_BYTES, usize::try_from(short).ok()?),
    };
    let inside = bytes.get(header_bytes..length)?;
    Some((inside, bytes.get(length..)?, is_super))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let length = u32::try_from(inside.len() + HEADER_BYTES).unwrap();
        [&length.to_be_bytes()[..], kind, inside].concat()
    }

    #[test]
    fn what_is_too_deep_too_many_or_too_long_is_refused() {
        let nested = |depth: usize| (0..depth).fold(Vec::new(), |inside, _| boxed(b"jumb", &inside));
        assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
        assert!(check(&nested(MAX_DEPTH + 10)).unwrap_err().contains("deeper"));
        let many = boxed(b"free", b"").repeat(MAX_BOXES + 1);
        assert!(check(&many).unwrap_err().contains("boxes"));
        assert!(check(&boxed(b"jumb", &many)).unwrap_err().contains("boxes"));
        assert!(check(&vec![0; MAX_STORE_BYTES + 1]).unwrap_err().contains("larger"));
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for length in [9_u32, 100, u32::MAX, 7] {
            let bytes = [&length.to_be_bytes()[..], b"jumb"].concat();
            assert!(check(&bytes).is_err(), "{length}");
        }
        let long = [&1_u32.to_be_bytes()[..], b"jumb", &u64::MAX.to_be_bytes()].concat();
        assert!(check(&long).is_err());
        assert_eq!(check(&[0, 0, 0, 0, b'f', b'r', b'e', b'e', 1, 2, 3]), Ok(()), "to the end");
    }
}
