//! LoKr: the Kronecker product of two matrices, of which the second may have a kernel, and each may be whole or in
//! factors (`lycoris/modules/lokr.py` and `lycoris/functional/lokr.py`, 4.1.3).

use tch::{Device, Tensor};

use super::{placed, tucker, without_unit_kernel};
use crate::diffusion::lora::LoraError;
use crate::diffusion::lora::keys::Part;
use crate::diffusion::lora::parts::{Entry, Parts};

#[derive(Debug)]
pub(super) struct Kronecker {
    w1: Half,
    w2: Half,
}

#[derive(Debug)]
enum Half {
    /// `[rows, columns]` or `[rows, columns, height, width]`
    Whole(Tensor),
    /// `[rows, rank]` and `[rank, columns * height * width]`
    Factors(Tensor, Tensor),
    /// `[rank, rows]`, `[rank, columns]` and `[rank, rank, height, width]`
    Tucker(Tensor, Tensor, Tensor),
}

impl Kronecker {
    pub(super) fn read(parts: &mut Parts<'_>) -> Result<Self, LoraError> {
        let w1 = match (parts.take(Part::LokrW1), parts.take(Part::LokrW1A)) {
            (Some(whole), None) => Half::whole(&whole, parts)?,
            (None, Some(a)) => Half::factors(&a, Part::LokrW1B, None, parts)?,
            (Some(whole), Some(_)) => return Err(parts.refuse(&whole, "is there whole and in factors")),
            (None, None) => return Err(parts.incomplete()),
        };
        let w2 = match (parts.take(Part::LokrW2), parts.take(Part::LokrW2A)) {
            (Some(whole), None) => Half::whole(&whole, parts)?,
            (None, Some(a)) => {
                let core = parts.take(Part::LokrT2);
                Half::factors(&a, Part::LokrW2B, core, parts)?
            }
            (Some(whole), Some(_)) => return Err(parts.refuse(&whole, "is there whole and in factors")),
            (None, None) => return Err(parts.incomplete()),
        };
        Ok(Self { w1, w2 })
    }

    /// Of the half that is in factors; of the first where both are.
    pub(super) fn rank(&self) -> Option<i64> {
        self.w1.rank().or_else(|| self.w2.rank())
    }

    pub(super) fn fits(&self, shape: &[i64]) -> (bool, Vec<i64>) {
        let (first, mut own) = (self.w1.shape(), self.w2.shape());
        own[0] *= first[0];
        own[1] *= first[1];
        let fits = first.len() == 2
            && match (own.as_slice(), shape) {
                // A kernel that is in the columns of the second half.
                ([rows, columns], [out, inner, kernel @ ..]) => {
                    rows == out && *columns == inner * kernel.iter().product::<i64>() && inner % first[1] == 0
                }
                (own, _) => own == without_unit_kernel(shape),
            };
        (fits, own)
    }

    pub(super) fn product(&self, shape: &[i64], device: Device) -> Tensor {
        let (w1, mut w2) = (self.w1.product(device), self.w2.product(device));
        let columns = w1.size()[1];
        if let [_, inner, height, width] = *shape {
            w2 = w2.reshape([-1, inner / columns, height, width]);
            return w1.unsqueeze(-1).unsqueeze(-1).kron(&w2.contiguous()).reshape(shape);
        }
        w1.kron(&w2).reshape(shape)
    }
}

impl Half {
    fn whole(entry: &Entry, parts: &Parts<'_>) -> Result<Self, LoraError> {
        let size = entry.tensor.size();
        if !matches!(size.len(), 2 | 4) {
            return Err(parts.refuse(entry, format!("has the shape {size:?}")));
        }
        Ok(Self::Whole(entry.tensor.reshape(without_unit_kernel(&size))))
    }

    fn factors(a: &Entry, b: Part, core: Option<Entry>, parts: &mut Parts<'_>) -> Result<Self, LoraError> {
        let b = parts.require(b, a)?;
        let (left, right) = (parts.matrix(a, core.is_some())?, parts.matrix(&b, true)?);
        let rank = left.size()[usize::from(core.is_none())];
        parts.check_same(&b, right.size()[0], rank)?;
        match core {
            None => Ok(Self::Factors(left, right)),
            Some(core) if core.tensor.dim() == 4 && core.tensor.size()[..2] == [rank, rank] => {
                Ok(Self::Tucker(left, right, core.tensor))
            }
            Some(core) => {
                let size = core.tensor.size();
                Err(parts.refuse(&core, format!("has the shape {size:?} between factors of rank {rank}")))
            }
        }
    }

    fn rank(&self) -> Option<i64> {
        match self {
            Self::Whole(_) => None,
            Self::Factors(_, b) | Self::Tucker(_, b, _) => Some(b.size()[0]),
        }
    }

    fn shape(&self) -> Vec<i64> {
        match self {
            Self::Whole(whole) => whole.size(),
            Self::Factors(a, b) => vec![a.size()[0], b.size()[1]],
            Self::Tucker(a, b, core) => {
                let kernel = core.size();
                without_unit_kernel(&[a.size()[1], b.size()[1], kernel[2], kernel[3]]).to_vec()
            }
        }
    }

    fn product(&self, device: Device) -> Tensor {
        match self {
            Self::Whole(whole) => placed(whole, device),
            Self::Factors(a, b) => placed(a, device).mm(&placed(b, device)),
            Self::Tucker(a, b, core) => {
                let whole = tucker(&placed(core, device), &placed(a, device), &placed(b, device));
                let size = whole.size();
                whole.reshape(without_unit_kernel(&size))
            }
        }
    }
}
