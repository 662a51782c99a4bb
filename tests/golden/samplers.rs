//! Every sampler with every spacing, beside diffusers: tables, whole loops, and latents of whole pictures.

use std::collections::{BTreeSet, HashMap};

use imgen::diffusion::DtypeChoice;
use imgen::diffusion::noise::{Noise, randn};
use imgen::diffusion::schedulers::{Scheduler, SchedulerConfig, scheduler};
use imgen::plan::{Algorithm, SamplerKind, Spacing};
use serde::Deserialize;
use tch::Tensor;

use crate::fixtures;
use crate::pictures::{FOLDERS, Reference, engine};
use crate::schedulers::dummy_network;

/// `tests/fixtures/reference_samplers.py`, `run`.
const SHAPE: [i64; 4] = [1, 2, 2, 4];

#[derive(Deserialize)]
struct File {
    configs: HashMap<String, serde_json::Value>,
    cases: Vec<Case>,
    refused: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    config: String,
    kind: SamplerKind,
    steps: usize,
}

#[derive(Deserialize)]
struct Case {
    #[serde(flatten)]
    run: Run,
    timesteps: Vec<f64>,
    sigmas: Option<Vec<f64>>,
    init_noise_sigma: f64,
    sample: Vec<f64>,
}

impl File {
    fn read() -> Self {
        fixtures::json("samplers.json")
    }

    fn config(&self, run: &Run) -> SchedulerConfig {
        SchedulerConfig::from_json(&self.configs[&run.config].to_string()).unwrap()
    }

    fn scheduler(&self, run: &Run) -> Box<dyn Scheduler> {
        scheduler(run.kind, &self.config(run), run.steps).unwrap()
    }
}

impl Run {
    fn name(&self) -> String {
        format!("{} {} {} steps", self.config, self.kind, self.steps)
    }
}

/// A whole run over the dummy network, for the seeds of a batch.
fn walk(mut scheduler: Box<dyn Scheduler>, seeds: &[u64]) -> Tensor {
    let mut noise = Noise::new(seeds).unwrap();
    let mut sample = noise.draw(&SHAPE).unwrap() * scheduler.init_noise_sigma();
    for (i, timestep) in scheduler.timesteps().to_vec().into_iter().enumerate() {
        let output = dummy_network(&scheduler.scale_model_input(&sample, i), timestep);
        sample = scheduler.step(&output, i, &sample, &mut noise).unwrap();
    }
    sample
}

/// The largest difference, as a part of their number or of `least`.
fn worst(ours: impl IntoIterator<Item = f64>, theirs: &[f64], least: f64) -> f64 {
    let pairs = ours.into_iter().zip(theirs);
    pairs.map(|(a, b)| (a - b).abs() / b.abs().max(least)).fold(0.0, f64::max)
}

#[test]
fn tables_are_diffusers() {
    let file = File::read();
    let (mut of_sigmas, mut of_timesteps) = (0.0_f64, 0.0_f64);
    for case in &file.cases {
        let (scheduler, name) = (file.scheduler(&case.run), case.run.name());
        assert_eq!(scheduler.timesteps().len(), case.timesteps.len(), "{name}");
        let timesteps = worst(scheduler.timesteps().iter().copied(), &case.timesteps, 1.0);
        assert!(timesteps <= 1e-5, "{name}: timesteps differ by {timesteps:e}");
        let init = worst([scheduler.init_noise_sigma()], &[case.init_noise_sigma], 1e-3);
        assert!(init <= 1e-6, "{name}: init_noise_sigma differs by {init:e}");
        of_timesteps = of_timesteps.max(timesteps);
        if let Some(theirs) = &case.sigmas {
            assert_eq!(scheduler.sigmas().len(), theirs.len(), "{name}");
            let sigmas = worst(scheduler.sigmas().iter().map(|sigma| f64::from(*sigma)), theirs, 1e-3);
            assert!(sigmas <= 1e-5, "{name}: sigmas differ by {sigmas:e}");
            of_sigmas = of_sigmas.max(sigmas);
        }
        assert_eq!(case.timesteps.len().div_ceil(scheduler.order()), case.run.steps, "{name}");
    }
    println!("{} tables, worst: sigmas {of_sigmas:e}, timesteps {of_timesteps:e} relative", file.cases.len());
}

#[test]
fn loops_end_where_diffusers_do() {
    let file = File::read();
    let mut of_all = 0.0_f64;
    let mut seen = BTreeSet::new();
    for case in &file.cases {
        let sample = walk(file.scheduler(&case.run), &[case.run.steps as u64]);
        let largest = case.sample.iter().fold(1.0_f64, |largest, number| largest.max(number.abs()));
        let ours = fixtures::numbers(&sample).into_iter().map(f64::from);
        let difference = worst(ours, &case.sample, largest);
        assert!(difference <= 1e-5, "{}: {difference:e} of {largest}", case.run.name());
        of_all = of_all.max(difference);
        seen.insert(case.run.kind.to_string());
    }
    assert_eq!(seen.len(), Algorithm::ALL.len() * Spacing::ALL.len());
    println!("{} loops, worst: {of_all:e} of the largest number", file.cases.len());
}

#[test]
fn what_diffusers_refuses_is_refused() {
    let file = File::read();
    assert!(!file.refused.is_empty());
    for run in &file.refused {
        let error = scheduler(run.kind, &file.config(run), run.steps).unwrap_err().to_string();
        assert!(error.contains("prediction_type = sample"), "{}: {error}", run.name());
    }
}

#[test]
fn latents_are_diffusers() {
    let engine = engine(DtypeChoice::F32);
    let folder = tempfile::tempdir().unwrap();
    for name in FOLDERS {
        let reference = Reference::read_from(name, "samplers");
        let mut worst = 0.0_f64;
        let mut seen = BTreeSet::new();
        for case in &reference.cases {
            let dump = folder.path().join("latents.safetensors");
            let mut options = case.options(reference.folder.clone());
            options.dump_latents = Some(dump.clone());
            let rendered = engine.draw(options, Box::new(|_, _| true)).unwrap();
            let theirs = &reference.tensors[&case.latents];
            let difference = (fixtures::latents(&dump) - theirs).abs().max().double_value(&[]);
            assert!(difference <= 1e-4, "{name}: {difference:e} in {case:?}");
            assert_eq!(rendered.timings.steps_ms.len(), case.num_inference_steps as usize, "{case:?}");
            worst = worst.max(difference);
            seen.insert(case.sampler.algorithm.name());
        }
        assert_eq!(seen.len(), Algorithm::ALL.len());
        println!("{name}: {} pictures, worst difference of latents {worst:e}", reference.cases.len());
    }
}

/// Whatever shares a batch with it, and wherever in it.
#[test]
fn a_batch_is_many_single_pictures() {
    let config = SchedulerConfig::default();
    for algorithm in Algorithm::ALL {
        let make = || scheduler(algorithm.into(), &config, 6).unwrap();
        let batch = walk(make(), &[5, 9, 7]);
        let singles = Tensor::cat(&[5, 9, 7].map(|seed| walk(make(), &[seed])), 0);
        assert_eq!(batch, singles, "{algorithm:?}");
        let [first, second, third] = [0, 1, 2].map(|place| batch.get(place));
        assert!(first != second && second != third, "{algorithm:?}");
    }
}

#[test]
fn noise_goes_on_where_the_initial_latents_ended() {
    let shape = [1, 4, 5, 7];
    let mut noise = Noise::new(&[11, 12]).unwrap();
    assert_eq!(noise.draw(&shape).unwrap().get(0), randn(11, &shape).unwrap().get(0));
    let second = noise.like(&Tensor::zeros([2, 4, 5, 7], (tch::Kind::Float, tch::Device::Cpu))).unwrap();
    assert_eq!(second.size(), [2, 4, 5, 7]);
    assert_ne!(second.get(1), randn(12, &shape).unwrap().get(0));
    let mut alone = Noise::new(&[12]).unwrap();
    let _ = alone.draw(&shape).unwrap();
    assert_eq!(alone.draw(&shape).unwrap().get(0), second.get(1));
}

#[test]
fn progress_counts_steps_not_evaluations() {
    let engine = engine(DtypeChoice::F32);
    let reference = Reference::read_from(FOLDERS[0], "samplers");
    for algorithm in [Algorithm::HeunDiscrete, Algorithm::DPMSolverSDE, Algorithm::EulerDiscrete] {
        let mut options = reference.cases[0].options(reference.folder.clone());
        (options.sampler, options.num_inference_steps) = (algorithm.into(), 3);
        let (told, heard) = std::sync::mpsc::channel();
        let progress = move |step, steps| told.send((step, steps)).is_ok();
        engine.draw(options, Box::new(progress)).unwrap();
        let told: Vec<_> = heard.iter().collect();
        assert_eq!(told, [(0, 3), (1, 3), (2, 3), (3, 3)], "{algorithm:?}");
    }
}

#[test]
fn lcm_has_no_more_steps_than_its_training() {
    let kind = SamplerKind::from(Algorithm::LCM);
    let config = SchedulerConfig::default();
    assert!(scheduler(kind, &config, 50).is_ok());
    assert!(scheduler(kind, &config, 51).unwrap_err().to_string().contains("from 1 to 50"));
    assert!(scheduler(SamplerKind { spacing: Spacing::Trailing, ..kind }, &config, 51).is_ok());
}
