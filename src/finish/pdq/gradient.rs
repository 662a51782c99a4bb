//! Quality: how much there is in a picture to tell it by.

use super::Samples;

/// 0 to 100: the sum of whole-percent steps between neighbouring samples, over 90, capped.
pub(super) fn quality(samples: &Samples) -> u8 {
    let step = |a: f32, b: f32| ((a - b) * 100.0 / 255.0) as i32;
    let mut sum = 0;
    for rows in samples.windows(2) {
        sum += rows[0].iter().zip(&rows[1]).map(|(&a, &b)| step(a, b).abs()).sum::<i32>();
    }
    for row in samples {
        sum += row.windows(2).map(|pair| step(pair[0], pair[1]).abs()).sum::<i32>();
    }
    (sum / 90).clamp(0, 100) as u8
}
