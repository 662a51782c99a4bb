//! Deltas of every kind, beside what LyCORIS' layers add (`tests/fixtures/make_loras.py`, `lycoris`).

use std::collections::HashMap;
use std::path::Path;

use super::*;

#[test]
fn every_kind_of_delta_is_lycoris() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/loras");
    let expected: HashMap<String, Tensor> =
        Tensor::read_safetensors(folder.join("lycoris.expected.safetensors")).unwrap().into_iter().collect();
    let mut unet = LiveWeights::default();
    let mut kinds = Vec::new();
    for (name, weight) in &expected {
        if let Some(kind) = name.strip_prefix("weight.") {
            unet.insert(format!("{kind}.weight"), weight);
            kinds.push((kind, weight.copy()));
        }
    }
    assert_eq!(kinds.len(), 20);
    let mut stack = LoraStack::new(&unet, &LiveWeights::default(), &LiveWeights::default());
    let mut parts = 0;
    for strength in [1.0, 0.4] {
        let choice = LoraChoice::new(folder.join("lycoris.safetensors"), strength);
        stack.set(&open(&[choice]).unwrap()).unwrap();
        for (kind, pristine) in &kinds {
            let part = expected.get(&format!("part.{kind}")).filter(|_| strength != 1.0);
            parts += usize::from(part.is_some());
            let gain =
                part.map_or_else(|| &expected[&format!("gain.{kind}")] * strength, Tensor::shallow_clone);
            let found = unet.get(&format!("{kind}.weight")).unwrap() - pristine;
            let difference = (&found - &gain).abs().max().double_value(&[]);
            assert!(difference <= 1e-5, "{kind} at {strength}: {difference:e}");
            assert!(found.abs().max().double_value(&[]) > 0.02, "{kind}");
        }
    }
    assert_eq!(parts, 2, "DoRA by columns, of a matrix and of a convolution");
}
