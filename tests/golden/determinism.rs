//! The same order gives the same picture, whatever was drawn before it.

use image::RgbImage;
use imgen::diffusion::{
    Determinism, DeviceChoice, DiffusionConfig, DtypeChoice, Engine, RenderOptions, RenderSpec, Rendered,
    Wanted,
};
use imgen::plan::samplers;

use crate::pictures::{FOLDERS, Reference, approved, engine};

fn draw(engine: &Engine, options: RenderOptions) -> Vec<u8> {
    engine.draw(options, Box::new(|_, _| true)).unwrap().image.into_raw()
}

#[test]
fn a_picture_does_not_depend_on_those_before_it() {
    for dtype in [DtypeChoice::F32, DtypeChoice::Bf16] {
        let engine = engine(dtype);
        let [one, other] = FOLDERS.map(Reference::read);
        let a = || one.cases[1].options(one.folder.clone());
        let b = other.cases[13].options(other.folder.clone());
        let first = draw(&engine, a());
        let between = draw(&engine, b);
        assert_eq!(draw(&engine, a()), first, "{dtype:?}");
        assert_ne!(first, between);
    }
}

#[test]
fn a_seed_is_a_picture() {
    let engine = engine(DtypeChoice::F32);
    let reference = Reference::read(FOLDERS[0]);
    let with_seed = |seed| RenderOptions { seed, ..reference.cases[1].options(reference.folder.clone()) };
    let pictures = [0, 1, u32::MAX].map(|seed| draw(&engine, with_seed(seed)));
    assert!(pictures[0] != pictures[1] && pictures[1] != pictures[2] && pictures[0] != pictures[2]);
    assert_eq!(draw(&engine, with_seed(u32::MAX)), pictures[2]);
}

#[test]
fn a_cancelled_picture_leaves_nothing_behind() {
    let engine = engine(DtypeChoice::F32);
    let reference = Reference::read(FOLDERS[0]);
    let options = || reference.cases[9].options(reference.folder.clone());
    let first = draw(&engine, options());
    assert!(engine.draw(options(), Box::new(|step, _| step < 4)).is_err());
    assert_eq!(draw(&engine, options()), first);
}

/// An engine that may draw up to three pictures together.
fn hasty() -> Engine {
    let config = DiffusionConfig {
        device: DeviceChoice::Cpu,
        dtype: DtypeChoice::F32,
        deterministic: Determinism::Never,
        batch: 3,
        ..DiffusionConfig::default()
    };
    Engine::start(&config).unwrap()
}

/// Pictures that differ in prompt and seed alone; the last has a window more than the others.
fn alike(guidance_scale: f64, sampler: &str) -> Vec<RenderSpec> {
    let reference = Reference::read(FOLDERS[0]);
    let long = vec!["a red hat on a table"; 20].join(", ");
    let texts = [("a cat", "rain"), ("two dogs by the sea", ""), ("a boat", "snow"), (long.as_str(), "fog")];
    let spec = |(seed, (positive, negative))| {
        let RenderOptions { model_dir, size, .. } = reference.cases[1].options(reference.folder.clone());
        RenderSpec {
            model_dir,
            vae: None,
            prompt: approved(positive, negative),
            size,
            sampler: samplers::named(sampler).unwrap(),
            num_inference_steps: 6,
            guidance_scale,
            guidance_rescale: 0.3,
            clip_skip: 0,
            seed,
            loras: Vec::new(),
        }
    };
    (5..).zip(texts).map(spec).collect()
}

fn render(engine: &Engine, specs: Vec<RenderSpec>) -> Vec<Rendered> {
    let wanted = |spec| Wanted { spec, progress: Box::new(|_, _| true) };
    engine.render(specs.into_iter().map(wanted).collect()).unwrap()
}

fn worst(one: &RgbImage, other: &RgbImage) -> u8 {
    one.as_raw().iter().zip(other.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

#[test]
fn a_picture_is_the_same_alone_and_among_others() {
    let engine = engine(DtypeChoice::Bf16);
    assert_eq!(engine.most_together(), 1);
    let specs = alike(5.0, "EulerDiscreteScheduler");
    let among = render(&engine, specs.clone());
    assert!(among.iter().all(|rendered| rendered.batch == 1));
    for (spec, among) in specs.into_iter().zip(among) {
        assert_eq!(render(&engine, vec![spec])[0].image, among.image);
    }
}

/// In f32 other kernels may add up in another order, and no more.
#[test]
fn a_batch_gives_each_prompt_and_seed_its_own_picture() {
    let (together, alone) = (hasty(), engine(DtypeChoice::F32));
    for (guidance_scale, sampler) in [
        (5.0, "EulerDiscreteScheduler"),
        (1.0, "DPMSolverSDEScheduler"),
        (7.0, "EulerAncestralDiscreteScheduler"),
    ] {
        let specs = alike(guidance_scale, sampler);
        let batches = batches(&together, specs.clone());
        for (spec, (image, _)) in specs.into_iter().zip(&batches) {
            let apart = worst(image, &render(&alone, vec![spec])[0].image);
            assert!(apart <= 1, "{sampler}: {apart} of 255");
        }
        // The first may have been begun before all others came; the long one is never with them.
        let sizes: Vec<_> = batches.iter().map(|(_, batch)| *batch).collect();
        assert!(sizes[3] == 1 && sizes.iter().any(|batch| *batch > 1), "{sizes:?}");
    }
}

fn batches(engine: &Engine, specs: Vec<RenderSpec>) -> Vec<(RgbImage, usize)> {
    render(engine, specs).into_iter().map(|rendered| (rendered.image, rendered.batch)).collect()
}

#[test]
fn a_picture_that_is_cancelled_or_cannot_be_drawn_takes_no_other_with_it() {
    let engine = hasty();
    let mut specs = alike(5.0, "EulerDiscreteScheduler");
    let expected = render(&engine, vec![specs[2].clone()]).remove(0).image;
    // An encoder of the tiny checkpoint has fewer layers than that.
    specs[1].clip_skip = 100;
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = specs
            .into_iter()
            .take(3)
            .enumerate()
            .map(|(place, spec)| {
                let progress = Box::new(move |step, _| place != 0 || step < 3);
                let engine = &engine;
                scope.spawn(move || engine.render(vec![Wanted { spec, progress }]))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(results[0].is_err() && results[1].is_err(), "{results:?}");
    assert!(worst(&results[2].as_ref().unwrap()[0].image, &expected) <= 1);
}
