//! LoRA, and LoCon for convolutions: `up @ down`, where a Tucker core may stand between them
//! (`lycoris/modules/locon.py`, 4.1.3; `peft/tuners/lora/layer.py`, 0.21.2, without the core).

use tch::{Device, Tensor};

use super::{placed, tucker, without_unit_kernel};
use crate::diffusion::lora::LoraError;
use crate::diffusion::lora::keys::Part;
use crate::diffusion::lora::parts::{Entry, Parts};

#[derive(Debug)]
pub(super) struct LowRank {
    /// `[out, rank]`
    up: Tensor,
    /// `[rank, in * height * width]`; with a core, `[rank, in]`
    down: Tensor,
    /// `[rank, rank, height, width]`
    mid: Option<Tensor>,
    /// Of the product, without a kernel of one pixel.
    shape: Vec<i64>,
}

impl LowRank {
    pub(super) fn read(lora_down: &Entry, parts: &mut Parts<'_>) -> Result<Self, LoraError> {
        let lora_up = parts.require(Part::LoraUp, lora_down)?;
        let (up, down) = (parts.matrix(&lora_up, false)?, parts.matrix(lora_down, true)?);
        let (out, rank) = up.size2().unwrap_or_default();
        parts.check_same(&lora_up, rank, down.size()[0])?;
        let mut shape = without_unit_kernel(&lora_down.tensor.size()).to_vec();
        shape[0] = out;
        let Some(mid) = parts.take(Part::LoraMid) else { return Ok(Self { up, down, mid: None, shape }) };
        match (mid.tensor.size().as_slice(), shape.as_slice()) {
            ([p, q, height, width], [out, inner]) if *p == rank && *q == rank => {
                let shape = without_unit_kernel(&[*out, *inner, *height, *width]).to_vec();
                Ok(Self { up, down, mid: Some(mid.tensor), shape })
            }
            (found, _) => {
                Err(parts.refuse(&mid, format!("has the shape {found:?} between factors of rank {rank}")))
            }
        }
    }

    pub(super) fn rank(&self) -> i64 {
        self.down.size()[0]
    }

    pub(super) fn fits(&self, shape: &[i64]) -> (bool, Vec<i64>) {
        (without_unit_kernel(shape) == self.shape, self.shape.clone())
    }

    pub(super) fn product(&self, shape: &[i64], device: Device) -> Tensor {
        let (up, down) = (placed(&self.up, device), placed(&self.down, device));
        match &self.mid {
            None => up.mm(&down).view(shape),
            Some(mid) => tucker(&placed(mid, device), &up.tr(), &down).reshape(shape),
        }
    }
}
