//! - `lycoris`: deltas of every kind, beside LyCORIS' own
//! - `refusals`: files that cannot be used, and what is said of them
//! - `sums`: several at once, and the way back

mod lycoris;
mod refusals;
mod sums;

use std::path::{Path, PathBuf};

use tch::{Kind, Tensor};

use super::shelf::ChosenLora;
use super::{LoraChoice, LoraError, LoraShelf, LoraStack};
use crate::diffusion::checkpoint::LiveWeights;
use crate::diffusion::noise::randn;

/// A UNet of two matrices, a convolution and a norm, and text encoders of one matrix each.
struct Networks {
    tensors: Vec<(&'static str, Tensor)>,
    stack: LoraStack,
}

const UNET: [(&str, &[i64]); 5] = [
    ("a.weight", &[6, 4]),
    ("b.to_q.weight", &[5, 6]),
    ("conv.weight", &[4, 3, 3, 3]),
    ("point.weight", &[4, 3, 1, 1]),
    ("norm.weight", &[6]),
];

impl Networks {
    fn new(kind: Kind) -> Self {
        let (mut unet, mut te1, mut te2) =
            (LiveWeights::default(), LiveWeights::default(), LiveWeights::default());
        let mut tensors = Vec::new();
        for (seed, (name, shape)) in (1..).zip(UNET) {
            let tensor = randn(seed, shape).unwrap().to_kind(kind);
            unet.insert(name.to_owned(), &tensor);
            tensors.push((name, tensor));
        }
        for (name, encoder, seed) in [("te1", &mut te1, 20), ("te2", &mut te2, 21)] {
            let tensor = randn(seed, &[6, 4]).unwrap().to_kind(kind);
            encoder.insert("fc1.weight".to_owned(), &tensor);
            tensors.push((name, tensor));
        }
        Self { tensors, stack: LoraStack::new(&unet, &te1, &te2) }
    }

    fn get(&self, name: &str) -> &Tensor {
        &self.tensors.iter().find(|(known, _)| *known == name).unwrap().1
    }

    /// The weights as they are now.
    fn copy(&self) -> Vec<Tensor> {
        self.tensors.iter().map(|(_, tensor)| tensor.copy()).collect()
    }

    fn set(&mut self, choices: &[LoraChoice]) -> Result<(), LoraError> {
        self.stack.set(&open(choices)?)
    }
}

fn open(choices: &[LoraChoice]) -> Result<Vec<ChosenLora>, LoraError> {
    LoraShelf::default().open(choices)
}

fn save(folder: &Path, name: &str, tensors: &[(&str, Tensor)]) -> PathBuf {
    let path = folder.join(format!("{name}.safetensors"));
    Tensor::write_safetensors(tensors, &path).unwrap();
    path
}

/// `down` and `up` for a matrix of 6 rows and 4 columns.
fn pair(seed: u64, rank: i64) -> [Tensor; 2] {
    [randn(seed, &[rank, 4]).unwrap(), randn(seed + 100, &[6, rank]).unwrap()]
}

/// Every bit, and that zeros have the same sign.
fn same_bits(left: &[Tensor], right: &[Tensor]) -> bool {
    let bits = |tensor: &Tensor| match tensor.kind() {
        Kind::Float => tensor.view_dtype(Kind::Int),
        _ => tensor.view_dtype(Kind::Int16),
    };
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| bits(left) == bits(right))
}
