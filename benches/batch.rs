//! What it brings to draw pictures of the same shape as one batch: pictures a second beside those drawn one by one.
//!
//! `cargo bench --bench batch [-- CHECKPOINT [SIDE [STEPS]]]`: the starter at 512x768 without arguments. Each round draws as many
//! pictures with each size of batch, one size after the other; the medians of the rounds are compared.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its table and stops at the first surprise"
)]

use std::path::{Path, PathBuf};

use imgen::compliance::{ComplianceConfig, Reviewer, Texts};
use imgen::diffusion::{Determinism, DiffusionConfig, Engine, RenderSpec, Wanted};
use imgen::plan::{Size, samplers};

const BATCHES: [usize; 3] = [1, 2, 4];
/// A multiple of each.
const PICTURES: usize = 4;
const ROUNDS: usize = 5;

fn engine(batch: usize) -> Engine {
    let config = DiffusionConfig { deterministic: Determinism::Never, batch, ..DiffusionConfig::default() };
    Engine::start(&config).expect("an engine")
}

/// Seconds for [`PICTURES`], of which the engine may begin the first alone: so they are asked behind a plug that is not counted.
fn seconds(engine: &Engine, spec: &RenderSpec) -> f64 {
    let wanted = |seed| Wanted {
        spec: RenderSpec { seed, ..spec.clone() },
        progress: Box::new(|_, _| true),
        alone: false,
    };
    let (came, begun) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let plug = RenderSpec { num_inference_steps: 2, ..spec.clone() };
        scope.spawn(|| {
            let progress = Box::new(move |step, _| {
                // Once: the others are in the line by the time this picture is decoded.
                step > 1 || came.send(()).is_ok()
            });
            engine.render(vec![Wanted { spec: plug, progress, alone: false }]).expect("a picture");
        });
        begun.recv().expect("the plug is being drawn");
        let drawn = engine.render((0..PICTURES as u32).map(wanted).collect()).expect("pictures");
        // From their own clocks: a batch shares its steps, and each is decoded by itself.
        let batch = drawn.iter().map(|drawn| drawn.batch).min().unwrap_or(1);
        let ms: f64 = drawn
            .iter()
            .map(|drawn| {
                let timings = &drawn.timings;
                (timings.encode_ms + timings.steps_ms.iter().sum::<f64>()) / drawn.batch as f64
                    + timings.decode_ms
            })
            .sum();
        assert_eq!(batch, engine.most_together(), "all waited together");
        ms / 1e3
    })
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let starter = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/starter");
    let number = |at: usize| words.get(at).map(|word| word.parse::<u32>().expect("a number"));
    let size = number(1)
        .map_or(Size { width_px: 512, height_px: 768 }, |side| Size { width_px: side, height_px: side });
    let texts =
        Texts { positive: "portrait of a woman, red hoodie, smiling", negative: "hat", ..Texts::default() };
    let spec = RenderSpec {
        model_dir: words.first().map_or(starter, PathBuf::from),
        vae: None,
        prompt: Reviewer::new(&ComplianceConfig::default())
            .expect("rules")
            .approve(&texts)
            .expect("harmless"),
        size,
        sampler: samplers::named("EulerDiscreteScheduler").expect("a sampler"),
        num_inference_steps: number(2).unwrap_or(10),
        guidance_scale: 5.0,
        guidance_rescale: 0.0,
        clip_skip: 0,
        seed: 0,
        loras: Vec::new(),
    };
    let engines = BATCHES.map(engine);
    let mut taken = BATCHES.map(|_| Vec::new());
    for round in 0..=ROUNDS {
        for (engine, taken) in engines.iter().zip(&mut taken) {
            let seconds = seconds(engine, &spec);
            // The first loads and packs the weights.
            if round > 0 {
                taken.push(seconds);
            }
        }
    }
    let medians = taken.map(|mut taken| {
        taken.sort_by(f64::total_cmp);
        taken[taken.len() / 2]
    });
    println!(
        "{} at {}x{}, {} steps",
        spec.model_dir.display(),
        size.width_px,
        size.height_px,
        spec.num_inference_steps
    );
    for (batch, median) in BATCHES.iter().zip(medians) {
        println!("batch {batch}: {:.3} s a picture, {:.2}x", median / PICTURES as f64, medians[0] / median);
    }
}
