//! LoHa: two low-rank products, multiplied element by element (`lycoris/modules/loha.py` and
//! `lycoris/functional/loha.py`, 4.1.3).

use tch::{Device, Tensor};

use super::{placed, tucker, without_unit_kernel};
use crate::diffusion::lora::LoraError;
use crate::diffusion::lora::keys::Part;
use crate::diffusion::lora::parts::{Entry, Parts};

#[derive(Debug)]
pub(super) struct Hadamard {
    w1: Product,
    w2: Product,
}

/// One of the two products.
#[derive(Debug)]
struct Product {
    /// `[out, rank]`; with a core, `[rank, out]`
    a: Tensor,
    /// `[rank, in * height * width]`; with a core, `[rank, in]`
    b: Tensor,
    /// `[rank, rank, height, width]`
    core: Option<Tensor>,
}

impl Hadamard {
    /// `w1_a` is the first of its tensors.
    pub(super) fn read(w1_a: &Entry, parts: &mut Parts<'_>) -> Result<Self, LoraError> {
        let w2_a = parts.require(Part::HadaW2A, w1_a)?;
        let (first_key, second) = (w1_a.key.clone(), w2_a.key.clone());
        let w1 = Product::read(w1_a, [Part::HadaW1B, Part::HadaT1], parts)?;
        let w2 = Product::read(&w2_a, [Part::HadaW2B, Part::HadaT2], parts)?;
        if (w1.rank(), w1.shape()) != (w2.rank(), w2.shape()) {
            let entry = Entry { key: second, tensor: w2.a };
            let reason = format!("gives another shape or rank than `{first_key}`");
            return Err(parts.refuse(&entry, reason));
        }
        Ok(Self { w1, w2 })
    }

    pub(super) fn rank(&self) -> i64 {
        self.w1.rank()
    }

    pub(super) fn fits(&self, shape: &[i64]) -> (bool, Vec<i64>) {
        let own = self.w1.shape();
        let fits = match (own.as_slice(), shape) {
            // A kernel that is in the columns.
            ([rows, columns], [out, rest @ ..]) => rows == out && *columns == rest.iter().product::<i64>(),
            _ => own == without_unit_kernel(shape),
        };
        (fits, own)
    }

    pub(super) fn product(&self, shape: &[i64], device: Device) -> Tensor {
        (self.w1.product(device) * self.w2.product(device)).reshape(shape)
    }
}

impl Product {
    fn read(a: &Entry, [b, core]: [Part; 2], parts: &mut Parts<'_>) -> Result<Self, LoraError> {
        let b = parts.require(b, a)?;
        let core = parts.take(core);
        let (left, right) = (parts.matrix(a, core.is_some())?, parts.matrix(&b, true)?);
        let rank = left.size()[usize::from(core.is_none())];
        parts.check_same(&b, right.size()[0], rank)?;
        if let Some(core) = &core {
            let size = core.tensor.size();
            if size.len() != 4 || size[..2] != [rank, rank] {
                return Err(
                    parts.refuse(core, format!("has the shape {size:?} between factors of rank {rank}"))
                );
            }
        }
        Ok(Self { a: left, b: right, core: core.map(|core| core.tensor) })
    }

    fn rank(&self) -> i64 {
        self.b.size()[0]
    }

    fn shape(&self) -> Vec<i64> {
        match &self.core {
            None => vec![self.a.size()[0], self.b.size()[1]],
            Some(core) => {
                let kernel = core.size();
                without_unit_kernel(&[self.a.size()[1], self.b.size()[1], kernel[2], kernel[3]]).to_vec()
            }
        }
    }

    fn product(&self, device: Device) -> Tensor {
        let (a, b) = (placed(&self.a, device), placed(&self.b, device));
        match &self.core {
            None => a.mm(&b),
            Some(core) => tucker(&placed(core, device), &a, &b),
        }
    }
}
