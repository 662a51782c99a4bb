//! Quantiles of a symmetrical beta distribution, as `scipy.stats.beta.ppf` gives them.

/// Halvings of the interval: more than float64 has bits.
const HALVINGS: usize = 64;
/// Terms of the series; each is less than half the one before.
const TERMS: usize = 80;

/// The number below which a beta-distributed one lies with `probability`, both parameters being `parameter`.
///
/// By halving the interval on which the regularised incomplete beta function is below the probability; the upper half
/// is the lower one mirrored, so that the series only ever runs up to 1/2.
pub(super) fn beta_quantile(probability: f64, parameter: f64) -> f64 {
    if probability <= 0.0 {
        return 0.0;
    }
    if probability > 0.5 {
        return 1.0 - beta_quantile(1.0 - probability, parameter);
    }
    // By symmetry the integral up to 1/2 is half of the whole.
    let whole = 2.0 * incomplete_beta(0.5, parameter);
    let (mut low, mut high) = (0.0, 0.5);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if incomplete_beta(middle, parameter) < probability * whole {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The integral of `t^(a - 1) (1 - t)^(a - 1)` from 0 to `x`, by its power series (Abramowitz and Stegun, 26.5.4, with
/// the binomial series for `(1 - t)^(a - 1)`); `x` is at most 1/2.
fn incomplete_beta(x: f64, a: f64) -> f64 {
    let mut coefficient = 1.0;
    let mut sum = 1.0 / a;
    for n in 1..TERMS {
        let n = n as f64;
        coefficient *= (n - a) / n * x;
        sum += coefficient / (a + n);
    }
    x.powf(a) * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_arcsine_distribution_are_its_closed_form() {
        // With both parameters 1/2 the quantile is sin^2(pi p / 2).
        for i in 0..=100 {
            let probability = f64::from(i) / 100.0;
            let exact = (std::f64::consts::FRAC_PI_2 * probability).sin().powi(2);
            let ours = beta_quantile(probability, 0.5);
            assert!((ours - exact).abs() <= 1e-13, "{probability}: {ours} is not {exact}");
        }
    }

    #[test]
    fn quantiles_are_scipys() {
        // scipy 1.17.1, scipy.stats.beta.ppf(p, 0.6, 0.6)
        for (probability, theirs) in SCIPY {
            let ours = beta_quantile(probability, 0.6);
            assert!((ours / theirs - 1.0).abs() <= 1e-10, "{probability}: {ours} is not {theirs}");
        }
    }

    const SCIPY: [(f64, f64); 4] = [
        (0.001, 1.855873851745199e-05),
        (0.1, 0.03958440558878085),
        (0.37, 0.3227940020973615),
        (0.95, 0.9874455431263885),
    ];
}
