//! A linear layer's weight once more, in the order in which the CPU multiplies bf16.

use std::cell::{Cell, RefCell};

use tch::{Device, Kind, Tensor};

use crate::diffusion::shim::PackedWeight;

/// Rows of the inputs that weights are packed for. It is the same for all, so that the first picture's size does not decide what
/// the next one's sums are rounded to.
const ROWS: i64 = 1024;

thread_local! {
    /// How often weights of this thread's networks have changed.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
    /// Whether there is room to keep weights twice.
    static ROOM: Cell<bool> = const { Cell::new(false) };
}

/// Whether the networks that this thread computes with from now on may keep their weights twice.
pub(in crate::diffusion) fn may_pack(room: bool) {
    ROOM.set(room);
}

/// Says that weights of this thread's networks have other numbers now: what was packed of them is packed anew.
pub(in crate::diffusion) fn weights_changed() {
    CHANGES.set(CHANGES.get() + 1);
}

/// Made when it is first used. Without it oneDNN reorders the weight at every call, which takes a third to a half of the time
/// of SDXL's linear layers.
#[derive(Debug, Default)]
pub(super) struct Packed(RefCell<Option<Made>>);

#[derive(Debug)]
struct Made {
    /// [`CHANGES`] when it was made.
    changes: u64,
    /// `None` where oneDNN has no such layer.
    weight: Option<PackedWeight>,
}

impl Packed {
    /// `input` times `weight`, where packing it is of use.
    pub(super) fn multiply(&self, weight: &Tensor, input: &Tensor, bias: Option<&Tensor>) -> Option<Tensor> {
        if !ROOM.get() || weight.device() != Device::Cpu || weight.kind() != Kind::BFloat16 {
            return None;
        }
        let changes = CHANGES.get();
        let mut made = self.0.borrow_mut();
        if made.as_ref().is_none_or(|made| made.changes != changes) {
            *made = Some(Made { changes, weight: PackedWeight::new(weight, ROWS).ok() });
        }
        made.as_ref()?.weight.as_ref()?.multiply(input, bias).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::noise::randn;

    #[test]
    fn a_packed_weight_multiplies_as_the_plain_one_does() {
        let bf16 = |seed: u64, shape: &[i64]| randn(seed, shape).unwrap().to_kind(Kind::BFloat16);
        let (weight, bias, input) = (bf16(1, &[96, 64]), bf16(2, &[96]), bf16(3, &[2, 33, 64]));
        let plain = |weight: &Tensor| input.linear(weight, Some(&bias)).to_kind(Kind::Float);
        let packed = Packed::default();
        let multiplied = || packed.multiply(&weight, &input, Some(&bias));
        may_pack(false);
        assert!(multiplied().is_none(), "there is no room for it");
        may_pack(true);
        if !std::arch::is_x86_feature_detected!("avx512bf16") {
            return;
        }
        let first = multiplied().unwrap();
        let difference = |ours: &Tensor, theirs: &Tensor| (ours - theirs).abs().max().double_value(&[]);
        let before = plain(&weight);
        assert!(
            difference(&first.to_kind(Kind::Float), &before) < 0.2,
            "bf16 has 8 bits: 32 is followed by 32.25"
        );
        weight.shallow_clone().copy_(&(&weight * -1.0));
        assert_eq!(multiplied().unwrap(), first, "nobody said that it changed");
        weights_changed();
        let after = multiplied().unwrap().to_kind(Kind::Float);
        assert!(difference(&after, &plain(&weight)) < 0.2 && difference(&after, &before) > 1.0);
        assert_eq!(packed.multiply(&weight, &input, None).unwrap().size(), [2, 33, 96]);
        may_pack(false);
    }
}
