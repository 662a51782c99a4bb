//! The same order gives the same picture, whatever was drawn before it.

use image::RgbImage;
use imgen::diffusion::{
    Determinism, DeviceChoice, DiffusionConfig, DtypeChoice, Engine, LoraChoice, RenderOptions, RenderSpec,
    Rendered, Wanted,
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
    let wanted = |spec| Wanted { spec, progress: Box::new(|_, _| true), alone: false };
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
        let sizes: Vec<_> = batches.iter().map(|(_, batch)| *batch).collect();
        assert_eq!(sizes, [3, 3, 3, 1], "three at a time, and the longer one never with them");
    }
}

#[test]
fn what_is_to_be_drawn_alone_is() {
    let specs = alike(5.0, "EulerDiscreteScheduler").into_iter().take(3);
    let wanted = specs.zip([false, true, false]);
    let wanted = wanted.map(|(spec, alone)| Wanted { spec, progress: Box::new(|_, _| true), alone });
    let drawn = hasty().render(wanted.collect()).unwrap();
    assert_eq!(drawn.iter().map(|rendered| rendered.batch).collect::<Vec<_>>(), [2, 1, 2]);
}

fn batches(engine: &Engine, specs: Vec<RenderSpec>) -> Vec<(RgbImage, usize)> {
    render(engine, specs).into_iter().map(|rendered| (rendered.image, rendered.batch)).collect()
}

/// All in one batch; `place` is told of no step beyond the third.
fn render_but(engine: &Engine, specs: Vec<RenderSpec>, place: usize) -> Vec<Result<Rendered, String>> {
    // The owner thread is kept busy until all wait.
    let (came, begun) = std::sync::mpsc::channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let plug = alike(5.0, "EulerDiscreteScheduler").remove(0);
        scope.spawn(move || {
            let progress = Box::new(move |step, _| {
                if step == 1 {
                    came.send(()).unwrap();
                    wait.recv().unwrap();
                }
                true
            });
            engine.render(vec![Wanted { spec: plug, progress, alone: false }]).unwrap();
        });
        begun.recv().unwrap();
        let asked: Vec<_> = specs
            .into_iter()
            .enumerate()
            .map(|(at, spec)| {
                let progress = Box::new(move |step, _| at != place || step < 3);
                let wanted = vec![Wanted { spec, progress, alone: false }];
                scope.spawn(move || engine.render(wanted).map(|mut drawn| drawn.remove(0)))
            })
            .collect();
        // Each has sent its order by then.
        std::thread::sleep(std::time::Duration::from_millis(200));
        go.send(()).unwrap();
        asked.into_iter().map(|asked| asked.join().unwrap().map_err(|error| error.to_string())).collect()
    })
}

#[test]
fn a_picture_that_is_cancelled_or_cannot_be_drawn_takes_no_other_with_it() {
    let engine = hasty();
    let mut specs = alike(5.0, "EulerDiscreteScheduler");
    let expected = render(&engine, vec![specs[2].clone()]).remove(0).image;
    specs[1].prompt = approved(&["a word"; 6_000].join(" "), "");
    let results = render_but(&engine, specs[..3].to_vec(), 0);
    assert!(results[0].as_ref().unwrap_err().contains("cancelled after step 3"), "{results:?}");
    assert!(results[1].as_ref().unwrap_err().contains("windows"), "{results:?}");
    let drawn = results[2].as_ref().unwrap();
    assert_eq!(drawn.batch, 2, "with the one that was cancelled");
    assert!(worst(&drawn.image, &expected) <= 1);
}

#[test]
fn what_no_batch_can_be_drawn_for_is_said_of_each() {
    let engine = hasty();
    let mut specs = alike(5.0, "EulerDiscreteScheduler");
    specs.truncate(3);
    for spec in &mut specs {
        spec.loras = vec![LoraChoice {
            path: "/nowhere/else.safetensors".into(),
            weight: 1.0,
            te_weight: 1.0,
            sha256: None,
        }];
    }
    let results = render_but(&engine, specs, usize::MAX);
    assert!(results.iter().all(|result| result.as_ref().unwrap_err().contains("/nowhere")), "{results:?}");
    let after = render(&engine, alike(5.0, "EulerDiscreteScheduler"));
    assert_eq!(after[0].batch, 3, "it was no lack of memory");
}

#[test]
fn of_one_call_nothing_more_is_drawn_once_a_picture_failed() {
    let engine = hasty();
    let mut specs = alike(5.0, "EulerDiscreteScheduler");
    specs[0].prompt = approved(&["a word"; 6_000].join(" "), "");
    let steps = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let wanted = specs.into_iter().map(|spec| {
        let steps = steps.clone();
        let progress = Box::new(move |step, _| {
            steps.fetch_max(step, std::sync::atomic::Ordering::SeqCst);
            true
        });
        Wanted { spec: RenderSpec { num_inference_steps: 60, ..spec }, progress, alone: false }
    });
    let error = engine.render(wanted.collect()).unwrap_err();
    assert!(error.to_string().contains("windows"), "{error}");
    assert!(steps.load(std::sync::atomic::Ordering::SeqCst) < 60);
}
