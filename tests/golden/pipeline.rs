//! Whole pictures: the latents after 10 steps, and the pixels.

use imgen::diffusion::{DtypeChoice, RenderOptions};
use imgen::plan::Size;
use tch::{Kind, Tensor};

use crate::fixtures;
use crate::pictures::{Drawn, FOLDERS, Reference, approved, engine};

#[test]
fn latents_after_ten_steps_are_diffusers() {
    let engine = engine(DtypeChoice::F32);
    let folder = tempfile::tempdir().unwrap();
    for name in FOLDERS {
        let reference = Reference::read(name);
        assert_eq!(reference.cases.len(), 16);
        let mut worst = 0.0_f64;
        for case in &reference.cases {
            let dump = folder.path().join("latents.safetensors");
            let mut options = case.options(reference.folder.clone());
            options.dump_latents = Some(dump.clone());
            let rendered = engine.draw(options, Box::new(|_, _| true)).unwrap();
            let ours = fixtures::latents(&dump);
            let theirs = &reference.tensors[&case.latents];
            let difference = (ours - theirs).abs().max().double_value(&[]);
            assert!(difference <= 1e-4, "{name}: {difference:e} in {case:?}");
            worst = worst.max(difference);
            if let Some(picture) = &case.picture {
                assert_pixels(&rendered.image, &reference.tensors[picture]);
            }
        }
        println!("{name}: worst difference of latents {worst:e}");
    }
}

#[test]
fn weights_and_clip_skip_reach_the_picture() {
    let engine = engine(DtypeChoice::F32);
    let folder = tempfile::tempdir().unwrap();
    for name in FOLDERS {
        let (expected, drawn) = Drawn::read(name);
        for Drawn { positive, negative, clip_skip, latents, side } in drawn {
            let dump = folder.path().join("latents.safetensors");
            let options = RenderOptions {
                prompt: approved(&positive, &negative),
                size: Size { width_px: side, height_px: side },
                num_inference_steps: 4,
                guidance_scale: 5.0,
                clip_skip,
                seed: 3,
                dump_latents: Some(dump.clone()),
                ..Reference::read(name).cases[0].options(fixtures::path(name))
            };
            engine.draw(options, Box::new(|_, _| true)).unwrap();
            let difference = (fixtures::latents(&dump) - &expected[&latents]).abs().max().double_value(&[]);
            assert!(difference <= 1e-4, "{name}, {latents}: {difference:e}");
        }
    }
}

/// A pixel on the edge between two values may fall on either side.
fn assert_pixels(ours: &image::RgbImage, theirs: &Tensor) {
    let size = theirs.size();
    assert_eq!((i64::from(ours.height()), i64::from(ours.width())), (size[1], size[2]));
    let ours = Tensor::from_slice(ours.as_raw()).view_as(theirs).to_kind(Kind::Int);
    let difference = (ours - theirs.to_kind(Kind::Int)).abs();
    assert!(difference.max().int64_value(&[]) <= 1);
    let unequal = difference.sum(Kind::Int64).int64_value(&[]) as f64 / difference.numel() as f64;
    assert!(unequal <= 1e-3, "{unequal} of the values differ by one");
}

#[test]
fn bf16_is_near() {
    let (exact, rounded) = (engine(DtypeChoice::F32), engine(DtypeChoice::Bf16));
    for name in FOLDERS {
        let reference = Reference::read(name);
        let case = &reference.cases[0];
        let draw = |engine: &imgen::diffusion::Engine| {
            let options = case.options(reference.folder.clone());
            engine.draw(options, Box::new(|_, _| true)).unwrap().image.into_raw()
        };
        let (exact, rounded) = (draw(&exact), draw(&rounded));
        let sum: u64 = exact.iter().zip(&rounded).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = sum as f64 / exact.len() as f64;
        assert!(mean > 0.0 && mean < 6.0, "{name}: bf16 is {mean} of 255 away on average");
    }
}
