//! The container of a WebP (WebP Container Specification, "RIFF File Format" and "Extended File Format").

/// Bit of the `VP8X` flags that says that a profile is there.
const HAS_PROFILE: u8 = 0x20;

/// The same picture in the extended format, with a colour profile. `None` where `simple` is not a file of one opaque
/// picture of a size from 1 to 16,384 a side.
pub(super) fn with_profile(simple: &[u8], width_px: u32, height_px: u32, profile: &[u8]) -> Option<Vec<u8>> {
    let picture = simple.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WEBP")?;
    if !(picture.starts_with(b"VP8 ") || picture.starts_with(b"VP8L")) {
        return None;
    }
    let mut extended = [0; 10];
    extended[0] = HAS_PROFILE;
    extended[4..7].copy_from_slice(&width_px.checked_sub(1)?.to_le_bytes()[..3]);
    extended[7..].copy_from_slice(&height_px.checked_sub(1)?.to_le_bytes()[..3]);
    let mut body = Vec::with_capacity(picture.len() + profile.len() + 64);
    body.extend_from_slice(b"WEBP");
    chunk(&mut body, *b"VP8X", &extended)?;
    chunk(&mut body, *b"ICCP", profile)?;
    // libwebp pads its chunk already.
    body.extend_from_slice(picture);
    let mut file = Vec::with_capacity(body.len() + 8);
    chunk(&mut file, *b"RIFF", &body)?;
    Some(file)
}

/// Name, length, content, and a byte that makes the length even. `None` over 4 GB.
fn chunk(target: &mut Vec<u8>, name: [u8; 4], content: &[u8]) -> Option<()> {
    target.extend_from_slice(&name);
    target.extend_from_slice(&u32::try_from(content.len()).ok()?.to_le_bytes());
    target.extend_from_slice(content);
    if content.len() % 2 == 1 {
        target.push(0);
    }
    Some(())
}
