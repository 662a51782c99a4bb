//! Handles on the weights that a loaded network computes with, by name.

use std::collections::BTreeMap;

use tch::Tensor;

/// The tensors of a network under their diffusers names. Each handle shares its numbers with the layer that took the
/// tensor, also where that layer is one of several side by side: what is copied into it, the network computes with.
#[derive(Debug, Default)]
pub(in crate::diffusion) struct LiveWeights(BTreeMap<String, Tensor>);

impl LiveWeights {
    pub(in crate::diffusion) fn insert(&mut self, name: String, tensor: &Tensor) {
        self.0.insert(name, tensor.shallow_clone());
    }

    /// Names such as `down_blocks.0.resnets.0.conv1.weight`, in order.
    pub(in crate::diffusion) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(in crate::diffusion) fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }
}

/// Lets every handle on `tensor` see `layout`, which holds the same numbers in another order or place.
pub(in crate::diffusion) fn relay(tensor: &Tensor, layout: &Tensor) {
    // A handle is a pointer to the tensor, not a view of it: what one is set to, all are.
    let _ = tensor.shallow_clone().set_source_tensor_(layout);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_handle_follows_its_tensor() {
        let taken = Tensor::from_slice(&[1_f32, 2.0]).view([2, 1]);
        let mut live = LiveWeights::default();
        live.insert("a.weight".into(), &taken);
        let joined = Tensor::cat(&[&taken, &taken], 0);
        relay(&taken, &joined.narrow(0, 2, 2));
        live.get("a.weight").unwrap().shallow_clone().copy_(&Tensor::from_slice(&[3_f32, 4.0]).view([2, 1]));
        assert_eq!(joined, Tensor::from_slice(&[1_f32, 2.0, 3.0, 4.0]).view([4, 1]));
        assert_eq!(taken, Tensor::from_slice(&[3_f32, 4.0]).view([2, 1]));
        assert_eq!(live.names().collect::<Vec<_>>(), ["a.weight"]);
    }
}
