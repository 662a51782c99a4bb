//! Grey from RGB.

/// ITU-R BT.601 luma, 0 to 255, of packed 8-bit RGB. Summed in f64, then rounded to f32, as the reference does.
pub(super) fn luma(rgb: &[u8]) -> Vec<f32> {
    let (pixels, _) = rgb.as_chunks::<3>();
    let grey = |&[r, g, b]: &[u8; 3]| 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    pixels.iter().map(|pixel| grey(pixel) as f32).collect()
}
