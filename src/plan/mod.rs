//! The slip of paper between the two halves: what will be done, with nothing left to decide.
//!
//! A [`Plan`] is resolved at submit, stored in the job row and is all that the kitchen sees. The same plan gives
//! the same picture. No `Option` in it means "default".

pub mod samplers;

use serde::{Deserialize, Serialize};

use crate::compliance::{ApprovedPrompt, Clearance};

pub use samplers::{Algorithm, SamplerKind, Spacing};

/// Written into each stored plan; a row with another version is not run. In version 1 the approved prompts had no weights:
/// brackets and backslashes were text.
pub const PLAN_VERSION: u32 = 2;

/// A record's id as people and manifests see it: 16 lower-case hexadecimal digits.
pub fn record_name(record_id: u64) -> String {
    format!("{record_id:016x}")
}

/// What a checkpoint is called together with a VAE from elsewhere.
pub fn weights_name(checkpoint: &str, vae: Option<&str>) -> String {
    vae.map_or_else(|| checkpoint.to_owned(), |vae| format!("{checkpoint} with {vae}"))
}

/// Everything that one job needs, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub plan_version: u32,
    /// 20 characters of `[a-z0-9]`; the first part of every object name of this job.
    pub gen_id: String,
    /// When it was asked for, in seconds since 1970.
    #[serde(default)]
    pub asked_at_unix_s: i64,
    /// The prompt as the client gets it back (specification, "POST generate", response `prompt`).
    pub prompt: String,
    /// What the client sent, where `prompt` is that with a model's additions.
    #[serde(default)]
    pub original_prompt: Option<String>,
    /// What the text encoders get, byte for byte.
    pub approved: ApprovedPrompt,
    /// What its review leaves for that of the pictures.
    #[serde(default)]
    pub clearance: Clearance,
    /// The character that `@name` picked.
    pub character: Option<String>,
    /// What the register says of it.
    #[serde(default)]
    pub character_rights: Option<CharacterRights>,
    /// Key of the model preset, such as `eros`.
    pub model: String,
    /// Key of the style within that model.
    pub style: String,
    /// Folder or single file of the checkpoint, relative to the models folder.
    pub checkpoint: String,
    /// Folder or file there whose autoencoder takes the place of the checkpoint's own.
    #[serde(default)]
    pub vae: Option<String>,
    /// In the order in which they were asked for.
    #[serde(default)]
    pub loras: Vec<PlannedLora>,
    pub size: Size,
    pub sampling: Sampling,
    pub output: Output,
    pub watermark: Watermark,
    pub credentials: Credentials,
    /// Whether the prompt was added to; then `original_prompt` is there.
    pub optimized: bool,
    /// What was not as asked (specification, "Silent fallbacks").
    pub warnings: Vec<Warning>,
    /// The client's own `metadata`, echoed.
    pub metadata: Option<serde_json::Value>,
}

impl Plan {
    /// What a plan of version 1 means in this one.
    pub fn from_version_1(old: Self) -> Self {
        Self { plan_version: PLAN_VERSION, approved: old.approved.as_literal(), ..old }
    }

    /// What else the client said that may describe the picture, for compliance.
    pub fn said(&self) -> Vec<&str> {
        said(&self.credentials, &self.loras)
    }
}

/// What a client said beside its composed prompts, which hold all terms of its own, that may describe the picture; of LoRAs their
/// names, and what calls up what they show.
pub fn said<'a>(credentials: &'a Credentials, loras: &'a [PlannedLora]) -> Vec<&'a str> {
    let Credentials { author, title, description, organization, vendor } = credentials;
    let texts = [author, title, description, organization, vendor];
    let of_loras = loras.iter().flat_map(|lora| [lora.name.as_str(), lora.trigger.as_str()]);
    texts.into_iter().map(String::as_str).chain(of_loras).collect()
}

/// A LoRA that is merged into the checkpoint for this plan's pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedLora {
    /// As it was registered; a file of the folder of LoRAs.
    pub name: String,
    /// Of that file when the plan was made, 64 hexadecimal digits; with another one nothing is drawn.
    pub sha256: String,
    /// Of the UNet's part.
    pub weight: f64,
    /// Of the text encoders' part.
    pub te_weight: f64,
    /// Words that call up what it shows, as registered when the plan was made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trigger: String,
}

/// Width and height of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    pub width_px: u32,
    pub height_px: u32,
}

/// The seven sizes of the specification, "Valid Dimensions", in its order.
pub const SIZES: [Size; 7] = [
    Size { width_px: 1024, height_px: 1024 },
    Size { width_px: 1344, height_px: 768 },
    Size { width_px: 768, height_px: 1344 },
    Size { width_px: 1216, height_px: 832 },
    Size { width_px: 832, height_px: 1216 },
    Size { width_px: 1152, height_px: 896 },
    Size { width_px: 896, height_px: 1152 },
];

/// What an invalid pair falls back to (specification, "Valid Dimensions").
pub const DEFAULT_SIZE: Size = SIZES[1];

/// How the pixels are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    pub sampler: SamplerKind,
    pub num_inference_steps: u32,
    pub guidance_scale: f64,
    /// 0 to 1: how far guidance is brought back to the prediction's own contrast.
    #[serde(default)]
    pub guidance_rescale: f64,
    /// Layers of the text encoders that are left out beside the last.
    #[serde(default)]
    pub clip_skip: u32,
    /// 0 to 2^32-1. Picture `i` of a job is drawn from `seed + i`, wrapping.
    pub seed: u32,
    pub num_images: u32,
}

/// How the bytes are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    pub format: Format,
    /// 1 to 100.
    pub quality: u8,
    pub lossless: bool,
}

/// Encodings of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Jpeg,
    Png,
    Webp,
    Avif,
}

impl Format {
    /// In the specification's order.
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Webp, Self::Avif];

    /// File extension without the dot, as in the specification's file names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Avif => "avif",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
        }
    }

    /// The name in requests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Avif => "avif",
        }
    }
}

/// The `wm_*` parameters as clamped (specification, "POST generate"); echoed in `meta`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// SHA-256 of the mark's file in hexadecimal, which the store keeps under that name; `None` where nothing is drawn.
    #[serde(default)]
    pub image_sha256: Option<String>,
    pub position: Anchor,
    pub scale_percent: u8,
    pub opacity_percent: u8,
    pub rotation_degrees: i16,
    pub padding_x_px: u16,
    pub padding_y_px: u16,
}

/// The nine places of a watermark (specification, `wm_position`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    TopLeft,
    TopCenter,
    TopRight,
    CenterLeft,
    Center,
    CenterRight,
    BottomLeft,
    BottomCenter,
    BottomRight,
}

impl Anchor {
    /// Row by row from the top left.
    pub const ALL: [Self; 9] = [
        Self::TopLeft,
        Self::TopCenter,
        Self::TopRight,
        Self::CenterLeft,
        Self::Center,
        Self::CenterRight,
        Self::BottomLeft,
        Self::BottomCenter,
        Self::BottomRight,
    ];

    /// The name in requests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::TopLeft => "top-left",
            Self::TopCenter => "top-center",
            Self::TopRight => "top-right",
            Self::CenterLeft => "center-left",
            Self::Center => "center",
            Self::CenterRight => "center-right",
            Self::BottomLeft => "bottom-left",
            Self::BottomCenter => "bottom-center",
            Self::BottomRight => "bottom-right",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|anchor| anchor.name() == name)
    }
}

/// The `cs_*` parameters; empty means not given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub author: String,
    pub title: String,
    pub description: String,
    pub organization: String,
    pub vendor: String,
}

/// With what right a character is shown, as its register stood when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CharacterRights {
    /// Who is shown, and with what right and consent.
    pub rights: String,
    pub licence: String,
}

/// Something that was not done as asked, said aloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// UPPER_SNAKE and stable, such as `SIZE_FALLBACK`.
    pub code: String,
    pub message: String,
}
