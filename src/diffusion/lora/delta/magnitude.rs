//! DoRA: the weight with its change has the length of its rows (or columns) set.

use tch::Tensor;

use super::placed;
use crate::diffusion::lora::LoraError;
use crate::diffusion::lora::keys::Part;
use crate::diffusion::lora::parts::Parts;

/// The lengths, and how a strength other than 1 is meant.
#[derive(Debug)]
pub(super) struct Magnitude {
    /// Of the file's shape.
    lengths: Tensor,
    key: String,
    style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `dora_scale`: the whole gain is multiplied (`lycoris/functional/general.py`, `apply_dora_scale`, 4.1.3; so does
    /// ComfyUI).
    Lycoris,
    /// `lora_magnitude_vector`: the change is multiplied before the lengths are set (`peft/tuners/lora/dora.py`, 0.21.2).
    Peft,
}

impl Magnitude {
    pub(super) fn read(parts: &mut Parts<'_>) -> Result<Option<Self>, LoraError> {
        let (entry, style) = match (parts.take(Part::DoraScale), parts.take(Part::MagnitudeVector)) {
            (None, None) => return Ok(None),
            (Some(entry), None) => (entry, Style::Lycoris),
            (None, Some(entry)) => (entry, Style::Peft),
            (Some(entry), Some(_)) => return Err(parts.refuse(&entry, "is one of two magnitudes")),
        };
        Ok(Some(Self { lengths: entry.tensor, key: entry.key, style }))
    }

    /// Whether the lengths are those of rows rather than columns, for a weight of this shape.
    fn by_row(&self, shape: &[i64]) -> bool {
        self.style == Style::Peft || self.lengths.size().first() == shape.first()
    }

    pub(super) fn check(&self, shape: &[i64]) -> Result<(), String> {
        let side = if self.by_row(shape) { shape.first() } else { shape.get(1) };
        let count = self.lengths.numel() as i64;
        if side == Some(&count) && self.lengths.size().contains(&count) {
            return Ok(());
        }
        Err(format!(
            "has lengths of {:?} in `{}`, the weight has the shape {shape:?}",
            self.lengths.size(),
            self.key
        ))
    }

    /// What `base` gains by `change` at this strength.
    pub(super) fn gain(&self, base: &Tensor, change: &Tensor, weight: f64) -> Tensor {
        let merged = match self.style {
            Style::Lycoris => base + change,
            Style::Peft => base + change * weight,
        };
        let shape = merged.size();
        let kept = if self.by_row(&shape) { 0 } else { 1 };
        let others: Vec<i64> = (0..shape.len() as i64).filter(|axis| *axis != kept).collect();
        let norms = merged.norm_scalaropt_dim(2, others, true);
        let mut view = vec![1; shape.len()];
        view[kept as usize] = -1;
        let lengths = placed(&self.lengths, base.device()).reshape(view.as_slice());
        // A row of zeros stays one.
        let gain = &merged * (lengths / (norms + f64::from(f32::EPSILON))) - base;
        match self.style {
            Style::Lycoris => gain * weight,
            Style::Peft => gain,
        }
    }
}
