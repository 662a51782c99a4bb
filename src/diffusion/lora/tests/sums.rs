//! Several LoRAs at once, and the way back.

use proptest::prelude::*;

use super::*;

/// Three files that share weights, one of them with magnitudes.
fn files(folder: &Path) -> [PathBuf; 3] {
    let [[a, b], [c, d], [e, f]] = [pair(31, 2), pair(32, 3), pair(33, 2)];
    [
        save(
            folder,
            "one",
            &[
                ("lora_unet_a.lora_down.weight", a),
                ("lora_unet_a.lora_up.weight", b),
                ("lora_unet_a.alpha", Tensor::from(0.5)),
                ("lora_te1_text_model_fc1.lora_down.weight", c),
                ("lora_te1_text_model_fc1.lora_up.weight", d),
            ],
        ),
        save(
            folder,
            "two",
            &[
                ("unet.a.lora_A.weight", e),
                ("unet.a.lora_B.weight", f),
                ("unet.point.lora.down.weight", randn(34, &[2, 3]).unwrap()),
                ("unet.point.lora.up.weight", randn(35, &[4, 2, 1, 1]).unwrap()),
            ],
        ),
        save(
            folder,
            "three",
            &[
                ("lora_unet_conv.lora_down.weight", randn(36, &[2, 3, 3, 3]).unwrap()),
                ("lora_unet_conv.lora_up.weight", randn(37, &[4, 2, 1, 1]).unwrap()),
                ("lora_unet_conv.dora_scale", randn(38, &[4, 1, 1, 1]).unwrap().abs()),
                ("lora_unet_a.lora_down.weight", randn(39, &[1, 4]).unwrap()),
                ("lora_unet_a.lora_up.weight", randn(40, &[6, 1]).unwrap()),
                ("lora_te2_fc1.lora_down.weight", randn(41, &[1, 4]).unwrap()),
                ("lora_te2_fc1.lora_up.weight", randn(42, &[6, 1]).unwrap()),
            ],
        ),
    ]
}

#[test]
fn the_sum_of_the_deltas_is_rounded_once() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two, _] = files(folder.path());
    let read = |path: &Path, name: &str| {
        let tensors = Tensor::read_safetensors(path).unwrap();
        tensors.into_iter().find(|(known, _)| known == name).unwrap().1.to_kind(Kind::Double)
    };
    for kind in [Kind::Float, Kind::BFloat16] {
        let mut networks = Networks::new(kind);
        let before = networks.get("a.weight").to_kind(Kind::Double);
        let te_before = networks.get("te1").to_kind(Kind::Double);
        let first = LoraChoice { te_weight: -2.0, ..LoraChoice::new(&one, 0.75) };
        networks.set(&[first, LoraChoice::new(&two, -0.5)]).unwrap();
        let product = |path: &Path, up: &str, down: &str| read(path, up).mm(&read(path, down));
        // Alpha 0.5 over rank 2; the other file has no alpha.
        let exact = &before
            + product(&one, "lora_unet_a.lora_up.weight", "lora_unet_a.lora_down.weight") * (0.75 * 0.25)
            + product(&two, "unet.a.lora_B.weight", "unet.a.lora_A.weight") * -0.5;
        let te_exact = te_before
            + product(
                &one,
                "lora_te1_text_model_fc1.lora_up.weight",
                "lora_te1_text_model_fc1.lora_down.weight",
            ) * -2.0;
        for (name, exact) in [("a.weight", exact), ("te1", te_exact)] {
            let found = networks.get(name).to_kind(Kind::Double);
            // Half a unit in the last place of bf16, which has 8 bits, beside the f32 of the sum.
            let allowed = if kind == Kind::BFloat16 { 0.5 / 128.0 } else { 0.0 };
            let worst = ((found - &exact).abs() - exact.abs() * allowed).max().double_value(&[]);
            assert!(worst <= 2e-6, "{name} in {kind:?}: {worst:e}");
        }
        assert_eq!(
            networks.get("te2"),
            &randn(21, &[6, 4]).unwrap().to_kind(kind),
            "not part of these files"
        );
    }
}

#[test]
fn the_same_set_again_costs_nothing_and_order_is_no_matter() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two, three] = files(folder.path());
    let mut networks = Networks::new(Kind::BFloat16);
    let set = [LoraChoice::new(&one, 0.3), LoraChoice::new(&two, 1.2), LoraChoice::new(&three, -0.7)];
    networks.set(&set).unwrap();
    let merged = networks.copy();
    // What somebody else writes there stays, as nothing is merged again.
    let _ = networks.get("a.weight").shallow_clone().fill_(7.0);
    let reversed: Vec<_> = set.iter().rev().cloned().collect();
    networks.set(&reversed).unwrap();
    assert_eq!(networks.get("a.weight"), &merged[0].full_like(7.0));
    networks.set(&[]).unwrap();
    networks.set(&reversed).unwrap();
    assert!(same_bits(&networks.copy(), &merged));
    assert_eq!(networks.stack.merged().len(), 3);
}

/// Two files that merely swap places, at the level below the one that sorts them.
#[test]
fn gains_add_up_in_any_order_but_for_rounding() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two, three] = files(folder.path());
    let pristine = Networks::new(Kind::Float).copy();
    let alone: Vec<Vec<Tensor>> = [&one, &two, &three]
        .map(|path| {
            let mut networks = Networks::new(Kind::Float);
            networks.set(&[LoraChoice::new(path, 0.6)]).unwrap();
            networks.copy()
        })
        .into();
    let mut networks = Networks::new(Kind::Float);
    networks.set(&[&one, &two, &three].map(|path| LoraChoice::new(path, 0.6))).unwrap();
    for (place, together) in networks.copy().iter().enumerate() {
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]] {
            let sum = order
                .iter()
                .fold(pristine[place].copy(), |sum, &file| sum + (&alone[file][place] - &pristine[place]));
            let difference = (sum - together).abs().max().double_value(&[]);
            assert!(difference < 2e-6, "{place} {order:?}: {difference:e}");
        }
    }
}

#[test]
fn a_sum_that_overflows_half_way_leaves_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let [one, ..] = files(folder.path());
    let huge = save(
        folder.path(),
        "huge",
        &[
            ("lora_unet_a.lora_down.weight", randn(1, &[1, 4]).unwrap()),
            ("lora_unet_a.lora_up.weight", randn(2, &[6, 1]).unwrap()),
            ("lora_unet_b_to_q.lora_down.weight", randn(1, &[1, 6]).unwrap() * 1e30),
            ("lora_unet_b_to_q.lora_up.weight", randn(2, &[5, 1]).unwrap() * 1e30),
        ],
    );
    let mut networks = Networks::new(Kind::Float);
    let pristine = networks.copy();
    networks.set(&[LoraChoice::new(&one, 1.0)]).unwrap();
    let said = networks.set(&[LoraChoice::new(&huge, 1.0)]).unwrap_err().to_string();
    assert!(said.contains("`lora_unet_b_to_q.lora_down.weight`") && said.contains("infinite"), "{said}");
    assert!(same_bits(&networks.copy(), &pristine));
    assert!(networks.stack.merged().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever was merged before, a set gives the bits that it gives by itself, and none gives the checkpoint.
    #[test]
    fn any_sequence_leads_back(
        bf16 in any::<bool>(),
        sets in prop::collection::vec(prop::collection::vec((0_usize..4, -2.0_f64..2.0, -2.0_f64..2.0), 0..4), 1..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let [one, two, three] = files(folder.path());
        // Refused in the midst of the sequence, at any place of a set.
        let bad = save(folder.path(), "bad", &[("lora_unet_a.lora_down.weight", randn(1, &[1, 4]).unwrap())]);
        let files = [one, two, three, bad];
        let kind = if bf16 { Kind::BFloat16 } else { Kind::Float };
        let mut networks = Networks::new(kind);
        let pristine = networks.copy();
        for set in &sets {
            let choices: Vec<_> = set
                .iter()
                .map(|&(file, weight, te_weight)| LoraChoice { te_weight, ..LoraChoice::new(&files[file], weight) })
                .collect();
            let before = networks.copy();
            let mut fresh = Networks::new(kind);
            match networks.set(&choices) {
                Ok(()) => {
                    fresh.set(&choices).unwrap();
                    prop_assert!(same_bits(&networks.copy(), &fresh.copy()));
                }
                Err(_) => prop_assert!(same_bits(&networks.copy(), &before)),
            }
        }
        networks.set(&[]).unwrap();
        prop_assert!(same_bits(&networks.copy(), &pristine));
    }
}
