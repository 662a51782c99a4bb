//! Torben Mogensen's median: no sorting, no copy. Ported for its ties, which decide bits.

/// Lower median of `values`; 0 for none.
pub(super) fn torben(values: &[f32]) -> f32 {
    let Some(&first) = values.first() else { return 0.0 };
    let mut min = values.iter().copied().fold(first, f32::min);
    let mut max = values.iter().copied().fold(first, f32::max);
    let half = values.len().div_ceil(2);
    loop {
        let guess = (min + max) / 2.0;
        let (mut less, mut greater, mut equal) = (0, 0, 0);
        let (mut below, mut above) = (min, max);
        for &value in values {
            if value < guess {
                less += 1;
                below = below.max(value);
            } else if value > guess {
                greater += 1;
                above = above.min(value);
            } else {
                equal += 1;
            }
        }
        if less <= half && greater <= half {
            return match () {
                () if less >= half => below,
                () if less + equal >= half => guess,
                () => above,
            };
        }
        if less > greater {
            max = below;
        } else {
            min = above;
        }
    }
}
