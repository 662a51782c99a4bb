//! What a file adds to the weight of one module.
//!
//! - `low_rank`: LoRA and LoCon; `hadamard`: LoHa; `kronecker`: LoKr: products of small factors
//! - `magnitude`: DoRA, over any of them

mod hadamard;
mod kronecker;
mod low_rank;
mod magnitude;

use tch::{Device, Kind, Tensor};

use self::hadamard::Hadamard;
use self::kronecker::Kronecker;
use self::low_rank::LowRank;
use self::magnitude::Magnitude;
use super::LoraError;
use super::keys::Part;
use super::parts::Parts;

/// A change of one weight, in factors.
#[derive(Debug)]
pub(super) struct Delta {
    factors: Factors,
    /// `alpha / rank`
    scale: f64,
    magnitude: Option<Magnitude>,
}

#[derive(Debug)]
enum Factors {
    LowRank(LowRank),
    Hadamard(Hadamard),
    Kronecker(Kronecker),
}

impl Delta {
    /// Takes all that the file has for a module. `alpha_of` gives the alpha of a rank where the module has none of its
    /// own.
    pub(super) fn read(
        mut parts: Parts<'_>,
        alpha_of: impl Fn(i64) -> Option<f64>,
    ) -> Result<Self, LoraError> {
        let alpha = parts.number(Part::Alpha)?;
        let magnitude = Magnitude::read(&mut parts)?;
        let (factors, rank) = if let Some(down) = parts.take(Part::LoraDown) {
            let low_rank = LowRank::read(&down, &mut parts)?;
            let rank = low_rank.rank();
            (Factors::LowRank(low_rank), Some(rank))
        } else if let Some(w1_a) = parts.take(Part::HadaW1A) {
            let hadamard = Hadamard::read(&w1_a, &mut parts)?;
            let rank = hadamard.rank();
            (Factors::Hadamard(hadamard), Some(rank))
        } else {
            let kronecker = Kronecker::read(&mut parts)?;
            let rank = kronecker.rank();
            (Factors::Kronecker(kronecker), rank)
        };
        parts.finish()?;
        // An alpha of 0 is none, as in kohya's and LyCORIS' constructors. Factors that are whole have no rank and are
        // not scaled (`lycoris/modules/lokr.py`, 4.1.3).
        let scale = rank.map_or(1.0, |rank| {
            let alpha = alpha.filter(|alpha| *alpha != 0.0).or_else(|| alpha_of(rank));
            alpha.map_or(1.0, |alpha| alpha / rank as f64)
        });
        Ok(Self { factors, scale, magnitude })
    }

    /// Whether it can be added to a weight of this shape; if not, the shape it has.
    pub(super) fn check(&self, shape: &[i64]) -> Result<(), String> {
        let (fits, own) = match &self.factors {
            Factors::LowRank(factors) => factors.fits(shape),
            Factors::Hadamard(factors) => factors.fits(shape),
            Factors::Kronecker(factors) => factors.fits(shape),
        };
        if !fits {
            return Err(format!("is a change of {own:?}, the weight has the shape {shape:?}"));
        }
        self.magnitude.as_ref().map_or(Ok(()), |magnitude| magnitude.check(shape))
    }

    /// What the weight `base` (f32, of a shape that was checked) gains at this strength, in f32.
    pub(super) fn gain(&self, base: &Tensor, weight: f64) -> Tensor {
        let (shape, device) = (base.size(), base.device());
        let product = match &self.factors {
            Factors::LowRank(factors) => factors.product(&shape, device),
            Factors::Hadamard(factors) => factors.product(&shape, device),
            Factors::Kronecker(factors) => factors.product(&shape, device),
        };
        match &self.magnitude {
            None => product * (self.scale * weight),
            Some(magnitude) => magnitude.gain(base, &(product * self.scale), weight),
        }
    }
}

/// Without the two sides of a kernel of one pixel: such a convolution is a matrix.
fn without_unit_kernel(shape: &[i64]) -> &[i64] {
    match shape {
        [_, _, 1, 1] => &shape[..2],
        _ => shape,
    }
}

/// In f32 on the device of the weight.
fn placed(factor: &Tensor, device: Device) -> Tensor {
    factor.to_device(device).to_kind(Kind::Float)
}

/// `core` (`[p, q, height, width]`) with `rows` (`[p, out]`) and `columns` (`[q, in]`) multiplied in:
/// `[out, in, height, width]` (`lycoris/functional/general.py`, `rebuild_tucker`, 4.1.3).
fn tucker(core: &Tensor, rows: &Tensor, columns: &Tensor) -> Tensor {
    Tensor::einsum("ijkl,ip,jr->prkl", &[core, rows, columns], None::<i64>)
}
