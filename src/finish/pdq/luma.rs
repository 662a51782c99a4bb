//! Grey from RGB.

/// Luma (ITU-R BT.601), 0 to 255, of packed 8-bit RGB.
///
/// The reference sums `0.299 r + 0.587 g + 0.114 b` in f64 and rounds to f32. In thousandths the sum is a whole number below
/// 2^24, so f32 holds it, and one division rounds it just once: the same bits, for all 2^24 colours.
#[inline(always)]
pub(super) fn luma(rgb: &[u8], grey: &mut [f32]) {
    let (pixels, _) = rgb.as_chunks::<3>();
    for (grey, &[r, g, b]) in grey.iter_mut().zip(pixels) {
        *grey = (299 * i32::from(r) + 587 * i32::from(g) + 114 * i32::from(b)) as f32 / 1000.0;
    }
}
