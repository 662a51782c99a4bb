//! Grey from RGB.

use std::sync::LazyLock;

/// ITU-R BT.601: what each value of red, green and blue adds.
static PARTS: LazyLock<[[f64; 256]; 3]> =
    LazyLock::new(|| [0.299, 0.587, 0.114].map(|weight| std::array::from_fn(|value| weight * value as f64)));

/// Luma, 0 to 255, of packed 8-bit RGB. Summed in f64, then rounded to f32, as the reference does; products are looked up,
/// which is faster than making them.
pub(super) fn luma(rgb: &[u8], grey: &mut [f32]) {
    let [red, green, blue] = &*PARTS;
    let (pixels, _) = rgb.as_chunks::<3>();
    for (grey, &[r, g, b]) in grey.iter_mut().zip(pixels) {
        *grey = (red[usize::from(r)] + green[usize::from(g)] + blue[usize::from(b)]) as f32;
    }
}
