//! Whether two pictures are the same but for the invisible mark that each carries.

/// The marks of two records differ by about two levels.
const MARKS_RMS_LEVELS: f64 = 4.0;

/// Two encoded pictures.
pub(crate) fn alike(one: &[u8], two: &[u8]) -> bool {
    let pixels = |bytes| image::load_from_memory(bytes).expect("a picture").to_rgb8();
    let (one, two) = (pixels(one), pixels(two));
    let squares = one.as_raw().iter().zip(two.as_raw()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
    let mean = squares.sum::<f64>() / one.as_raw().len() as f64;
    one.dimensions() == two.dimensions() && mean.sqrt() < MARKS_RMS_LEVELS
}
