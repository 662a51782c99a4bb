//! `imgen render`: one picture, no server.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use image::{ImageFormat, RgbImage};

use super::Failure;
use super::files::Staged;
use crate::compliance::{Clearance, PictureFilter, Reviewed, Reviewer, Texts};
use crate::config::Config;
use crate::diffusion::{DiffusionConfig, DtypeChoice, Engine, LoraChoice, RenderOptions};
use crate::plan::{SamplerKind, Size, samplers};

/// What `imgen render` takes.
#[derive(Debug, Clone, Args)]
pub struct RenderArgs {
    /// Checkpoint folder in diffusers' layout
    #[arg(long, value_name = "DIR", required_unless_present = "checkpoint", conflicts_with = "checkpoint")]
    pub model_dir: Option<PathBuf>,
    /// Checkpoint of one file, .safetensors in SDXL's original layout; a folder in diffusers' layout will do too
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// VAE in place of the checkpoint's own: a .safetensors file, or a folder in diffusers' layout
    #[arg(long, value_name = "FILE")]
    pub vae: Option<PathBuf>,
    /// What to draw
    #[arg(long)]
    pub prompt: String,
    /// What to keep out
    #[arg(long, default_value = "")]
    pub negative: String,
    /// Width in pixels
    #[arg(long, default_value_t = 1024)]
    pub width: u32,
    /// Height in pixels
    #[arg(long, default_value_t = 1024)]
    pub height: u32,
    /// Number of steps
    #[arg(long, default_value_t = 30)]
    pub steps: u32,
    /// Guidance scale; 1 and below turn guidance off
    #[arg(long, default_value_t = 5.0)]
    pub guidance: f64,
    /// Guidance rescale, from 0 (off) to 1; about 0.7 suits v-prediction checkpoints
    #[arg(long, default_value_t = 0.0)]
    pub guidance_rescale: f64,
    /// Sampler: Euler, Euler a, Heun, DPM++ 2M, DPM++ 2M SDE, DPM++ SDE, UniPC, DDIM or LCM, alone or with Karras,
    /// Exponential, Beta, SGM Uniform, Normal or Leading after it, as diffusers, A1111, ComfyUI or `k_` spell them
    #[arg(long, default_value = "Euler", value_parser = sampler)]
    pub sampler: SamplerKind,
    /// Layers of the text encoders to leave out; A1111's "Clip skip" less 2
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub clip_skip: u32,
    /// Seed of the initial noise
    #[arg(long, default_value_t = 0)]
    pub seed: u32,
    /// LoRA file with its strength, 1 where none is given; may be given several times
    #[arg(long = "lora", value_name = "FILE[:WEIGHT]", value_parser = lora)]
    pub loras: Vec<LoraChoice>,
    /// Number format: auto, f32, bf16 or f16 [default: the configuration's]
    #[arg(long)]
    pub dtype: Option<DtypeChoice>,
    /// Initial noise of unit variance, tensor `latents`, in place of the seed's
    #[arg(long, value_name = "IN.safetensors")]
    pub latents: Option<PathBuf>,
    /// Write the last latents, tensor `latents`, as the steps leave them
    #[arg(long, value_name = "OUT.safetensors")]
    pub dump_latents: Option<PathBuf>,
    /// Print where the time went: one line of JSON, in milliseconds
    #[arg(long)]
    pub timings: bool,
    /// The picture: .png or .jpg
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Draws one picture on this process's own engine and writes it.
///
/// # Errors
/// A sentence for the terminal: a blocked prompt or picture, a picture filter that is not there, a checkpoint that does not load, a size it cannot draw, a file that
/// cannot be written.
pub fn run(arguments: RenderArgs, config: &Config) -> Result<(), Failure> {
    let format = format_of(&arguments.out)?;
    let named = |lora: &LoraChoice| Some(lora.path.file_stem()?.to_string_lossy().into_owned());
    let loras: Vec<String> = arguments.loras.iter().filter_map(named).collect();
    let others: Vec<&str> = loras.iter().map(String::as_str).collect();
    let texts = Texts { positive: &arguments.prompt, negative: &arguments.negative, others: &others };
    let reviewer = Reviewer::new(&config.compliance)?;
    let Reviewed { verdict, clearance, .. } =
        reviewer.prompt_with(reviewer.moderator().as_deref(), &texts, Clearance::default())?;
    let prompt = verdict?;
    let filter = PictureFilter::open(&config.compliance)?;
    filter.check()?;
    let settings = DiffusionConfig {
        dtype: arguments.dtype.unwrap_or(config.diffusion.dtype),
        ..config.diffusion.clone()
    };
    let engine = Engine::start(&settings)?;
    let dumped = arguments.dump_latents.clone();
    let options = RenderOptions {
        // clap has seen to it that there is one.
        model_dir: arguments.model_dir.or(arguments.checkpoint).unwrap_or_default(),
        vae: arguments.vae,
        prompt,
        size: Size { width_px: arguments.width, height_px: arguments.height },
        sampler: arguments.sampler,
        num_inference_steps: arguments.steps,
        guidance_scale: arguments.guidance,
        clip_skip: arguments.clip_skip,
        guidance_rescale: arguments.guidance_rescale,
        seed: arguments.seed,
        loras: arguments.loras,
        initial_latents: arguments.latents,
        dump_latents: arguments.dump_latents,
    };
    let rendered = engine.draw(options, Box::new(|_, _| true))?;
    if let Some(blocked) = reviewer.picture(&filter, &rendered.image, &texts, &clearance)?.blocked {
        if let Some(latents) = &dumped {
            std::fs::remove_file(latents)?;
        }
        return Err(blocked.into());
    }
    write(&rendered.image, &arguments.out, format)?;
    if arguments.timings {
        writeln!(std::io::stdout().lock(), "{}", serde_json::to_string(&rendered.timings)?)?;
    }
    Ok(())
}

/// Before anything is drawn, so that no minute is spent on a picture that cannot be written.
fn sampler(name: &str) -> Result<SamplerKind, String> {
    let (known, spacings) = (samplers::KNOWN.join(", "), samplers::SPACINGS.join(", "));
    samplers::named(name).ok_or_else(|| {
        format!("unknown sampler; known are {known}; each may have one of {spacings} after it")
    })
}

/// What follows the last colon is the strength, if it is a number; colons may be part of a path.
fn lora(text: &str) -> Result<LoraChoice, String> {
    let (path, weight) = match text.rsplit_once(':') {
        Some((path, weight)) => weight.parse::<f64>().map_or((text, 1.0), |weight| (path, weight)),
        None => (text, 1.0),
    };
    match (path.is_empty(), weight.is_finite()) {
        (false, true) => Ok(LoraChoice::new(path, weight)),
        (true, _) => Err("no file is named".to_owned()),
        (_, false) => Err(format!("{weight} is no strength")),
    }
}

fn format_of(path: &Path) -> Result<ImageFormat, Failure> {
    match ImageFormat::from_path(path) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => Ok(format),
        _ => Err(format!("{}: pictures are written as .png or .jpg", path.display()).into()),
    }
}

fn write(image: &RgbImage, path: &Path, format: ImageFormat) -> Result<(), Failure> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).map_err(|error| format!("{}: {error}", path.display()))?;
    Staged::new(path, bytes.get_ref())?.publish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lora_is_a_file_and_perhaps_a_strength() {
        for (text, path, weight) in [
            ("a.safetensors", "a.safetensors", 1.0),
            ("a.safetensors:0.75", "a.safetensors", 0.75),
            ("a.safetensors:-1", "a.safetensors", -1.0),
            ("C:/loras/a.safetensors", "C:/loras/a.safetensors", 1.0),
            ("C:/loras/a.safetensors:.5", "C:/loras/a.safetensors", 0.5),
        ] {
            assert_eq!(lora(text).unwrap(), LoraChoice::new(path, weight), "{text}");
        }
        for text in ["", ":1", "a.safetensors:inf", "a.safetensors:NaN"] {
            assert!(lora(text).is_err(), "{text}");
        }
    }
}
