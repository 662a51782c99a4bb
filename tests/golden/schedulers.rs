//! Timesteps, sigmas and whole loops of diffusers' samplers.

use std::collections::HashMap;

use imgen::diffusion::noise::{Noise, randn};
use imgen::diffusion::schedulers::{Scheduler, SchedulerConfig, scheduler};
use imgen::plan::{Algorithm, SamplerKind, Spacing};
use serde::Deserialize;
use tch::Tensor;

use crate::fixtures;

#[derive(Deserialize)]
struct File {
    configs: HashMap<String, serde_json::Value>,
    tables: Vec<Table>,
    loops: Vec<Loop>,
    counts: Vec<Count>,
}

#[derive(Deserialize)]
struct Run {
    config: String,
    kind: SamplerKind,
    steps: usize,
}

#[derive(Deserialize)]
struct Table {
    #[serde(flatten)]
    run: Run,
    timesteps: Vec<f64>,
    sigmas: Vec<f64>,
    init_noise_sigma: f64,
}

#[derive(Deserialize)]
struct Loop {
    #[serde(flatten)]
    run: Run,
    sample: Vec<f64>,
}

#[derive(Deserialize)]
struct Count {
    #[serde(flatten)]
    run: Run,
    timesteps: Vec<f64>,
}

impl File {
    fn read() -> Self {
        fixtures::json("schedulers.json")
    }

    fn scheduler(&self, run: &Run) -> Box<dyn Scheduler> {
        let config = SchedulerConfig::from_json(&self.configs[&run.config].to_string()).unwrap();
        scheduler(run.kind, &config, run.steps).unwrap()
    }
}

impl Run {
    fn name(&self) -> String {
        format!("{} {:?} {} steps", self.config, self.kind, self.steps)
    }
}

/// `tests/fixtures/reference_numbers.py`, `dummy_network`.
pub(crate) fn dummy_network(sample: &Tensor, timestep: f64) -> Tensor {
    (sample * 1.3 + timestep / 1000.0).sin() * 0.8 + sample * 0.1
}

fn worst(ours: impl IntoIterator<Item = f64>, theirs: &[f64], relative: bool) -> f64 {
    let pairs = ours.into_iter().zip(theirs);
    pairs.map(|(a, b)| (a - b).abs() / if relative { b.abs().max(1e-3) } else { 1.0 }).fold(0.0, f64::max)
}

#[test]
fn tables_are_diffusers() {
    let file = File::read();
    assert!(file.tables.len() >= 200);
    let (mut of_sigmas, mut of_timesteps) = (0.0_f64, 0.0_f64);
    for table in &file.tables {
        let (scheduler, name) = (file.scheduler(&table.run), table.run.name());
        assert_eq!(scheduler.timesteps().len(), table.timesteps.len(), "{name}");
        assert_eq!(scheduler.sigmas().len(), table.sigmas.len(), "{name}");
        let timesteps = worst(scheduler.timesteps().iter().copied(), &table.timesteps, false);
        let sigmas = worst(scheduler.sigmas().iter().map(|sigma| f64::from(*sigma)), &table.sigmas, true);
        assert!(sigmas <= 1e-6, "{name}: sigmas differ by {sigmas}");
        // Whole timesteps are equal; Euler's Karras timesteps lie between, 999 wide in float32.
        let allowed = if table.timesteps.iter().all(|t| t.fract() == 0.0) { 0.0 } else { 2e-3 };
        assert!(timesteps <= allowed, "{name}: timesteps differ by {timesteps}");
        let init = worst([scheduler.init_noise_sigma()], &[table.init_noise_sigma], true);
        assert!(init <= 1e-6, "{name}: init_noise_sigma differs by {init}");
        (of_sigmas, of_timesteps) = (of_sigmas.max(sigmas), of_timesteps.max(timesteps));
    }
    println!("worst: sigmas {of_sigmas:e} relative, timesteps {of_timesteps:e}");
}

#[test]
fn timesteps_are_diffusers_for_every_count() {
    let file = File::read();
    for count in &file.counts {
        let (ours, name) = (file.scheduler(&count.run), count.run.name());
        let whole: Vec<f64> = ours.timesteps().iter().map(|t| t.trunc()).collect();
        assert_eq!(whole, count.timesteps, "{name}");
    }
}

#[test]
fn loops_end_where_diffusers_do() {
    let file = File::read();
    assert!(file.loops.len() >= 100);
    let mut of_all = 0.0_f64;
    for case in &file.loops {
        let mut scheduler = file.scheduler(&case.run);
        let mut noise = Noise::new(&[case.run.steps as u64]).unwrap();
        let mut sample = noise.draw(&[1, 2, 3, 3]).unwrap() * scheduler.init_noise_sigma();
        for (i, timestep) in scheduler.timesteps().to_vec().into_iter().enumerate() {
            let output = dummy_network(&scheduler.scale_model_input(&sample, i), timestep);
            sample = scheduler.step(&output, i, &sample, &mut noise).unwrap();
        }
        let ours = fixtures::numbers(&sample).into_iter().map(f64::from);
        let largest = case.sample.iter().fold(1.0_f64, |largest, number| largest.max(number.abs()));
        let difference = worst(ours, &case.sample, false) / largest;
        assert!(difference <= 1e-5, "{}: {difference} of {largest}", case.run.name());
        of_all = of_all.max(difference);
    }
    println!("worst: {of_all:e} of the largest number");
}

#[test]
fn a_batch_is_many_single_samples() {
    let file = File::read();
    let kind = SamplerKind { algorithm: Algorithm::DPMSolverMultistep, spacing: Spacing::Karras };
    let run = Run { config: "sdxl".to_owned(), kind, steps: 10 };
    let walk = |start: Tensor| {
        let mut scheduler = file.scheduler(&run);
        let mut noise = Noise::new(&[]).unwrap();
        (0..10).fold(start, |sample, i| {
            let output = dummy_network(&scheduler.scale_model_input(&sample, i), scheduler.timesteps()[i]);
            scheduler.step(&output, i, &sample, &mut noise).unwrap()
        })
    };
    let (one, two) = (randn(1, &[1, 4, 3, 3]).unwrap(), randn(2, &[1, 4, 3, 3]).unwrap());
    let batch = walk(Tensor::cat(&[&one, &two], 0));
    assert_eq!(batch, Tensor::cat(&[walk(one), walk(two)], 0));
}

#[test]
fn what_is_not_done_is_refused_by_name() {
    let refused = |text: &str| {
        let read = SchedulerConfig::from_json(text);
        let made = read.and_then(|c| scheduler(Algorithm::DPMSolverMultistep.into(), &c, 10));
        made.map(|_| ()).unwrap_err().to_string()
    };
    assert!(refused(r#"{"_class_name": "FlowMatchEulerDiscreteScheduler"}"#).contains("FlowMatch"));
    let unknown = refused(r#"{"shift": 3.0, "sigma_data": 0.5}"#);
    assert!(unknown.contains("shift") && unknown.contains("sigma_data"), "{unknown}");
    for key in ["use_lu_lambdas", "use_dynamic_shifting", "use_flow_sigmas", "thresholding"] {
        assert!(refused(&format!(r#"{{"{key}": true}}"#)).contains(key));
    }
    assert!(refused(r#"{"use_beta_sigmas": true, "use_karras_sigmas": true}"#).contains("beside another"));
    assert!(refused(r#"{"algorithm_type": "sde-dpmsolver"}"#).contains("sde-dpmsolver"));
    assert!(refused(r#"{"solver_order": 3}"#).contains("solver_order = 3"));
    assert!(refused(r#"{"interpolation_type": "log_linear"}"#).contains("log_linear"));
    assert!(refused(r#"{"beta_schedule": "sigmoid"}"#).contains("sigmoid"));
    let config = SchedulerConfig::default();
    for steps in [0, 1001] {
        assert!(scheduler(Algorithm::EulerDiscrete.into(), &config, steps).is_err());
    }
}

#[test]
fn pythons_infinity_is_read() {
    let text = r#"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "sigma_max": null}"#;
    assert_eq!(SchedulerConfig::from_json(text).unwrap().lambda_min_clipped, None);
}
