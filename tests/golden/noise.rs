//! `torch.randn` of a seeded CPU generator, bit for bit.

use imgen::diffusion::noise::randn;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::fixtures;

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    seed: u64,
    shape: Vec<i64>,
    first: Vec<f32>,
    sha256: String,
}

fn sha256(numbers: &[f32]) -> String {
    hex::encode(Sha256::digest(numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>()))
}

#[test]
fn noise_is_torchs_bit_for_bit() {
    let File { cases } = fixtures::json("noise.json");
    assert!(cases.len() >= 50);
    for case in cases {
        let drawn = randn(case.seed, &case.shape).unwrap();
        assert_eq!(drawn.size(), case.shape);
        let drawn = fixtures::numbers(&drawn);
        assert_eq!(drawn[..case.first.len()], case.first, "seed {} shape {:?}", case.seed, case.shape);
        assert_eq!(sha256(&drawn), case.sha256, "seed {} shape {:?}", case.seed, case.shape);
    }
}

#[test]
fn noise_does_not_depend_on_what_was_drawn_before() {
    let before = fixtures::numbers(&randn(7, &[1, 4, 8, 8]).unwrap());
    let _ = randn(8, &[5]).unwrap();
    tch::manual_seed(3);
    assert_eq!(before, fixtures::numbers(&randn(7, &[1, 4, 8, 8]).unwrap()));
    assert_ne!(before, fixtures::numbers(&randn(8, &[1, 4, 8, 8]).unwrap()));
}

#[test]
fn an_impossible_shape_is_an_error() {
    let error = randn(0, &[4, -1]).unwrap_err().to_string();
    assert!(error.starts_with("libtorch: ") && error.contains("-1"), "{error}");
}
