//! A model: which checkpoint, how it is sampled, and the styles it is offered in.

use std::collections::BTreeMap;

use super::fields::Fields;
use crate::plan::{Algorithm, SamplerKind, samplers, weights_name};

/// Steps that a preset may ask for.
const STEPS: std::ops::RangeInclusive<i64> = 1..=150;
/// Guidance that a preset may ask for.
const GUIDANCE: std::ops::RangeInclusive<f64> = 0.0..=30.0;
/// Layers that a preset may leave out.
const CLIP_SKIP: std::ops::RangeInclusive<i64> = 0..=11;

/// A diffusion model as clients choose it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Place in the list of models; the lowest is the fallback.
    pub order: i64,
    /// The name people see.
    pub label: String,
    /// Folder or single file of the checkpoint, directly below the models folder.
    pub checkpoint: String,
    /// Folder or file there whose autoencoder takes the place of the checkpoint's own.
    pub vae: Option<String>,
    /// A key of `styles`.
    pub default_style: String,
    /// Opens every negative prompt; may be empty.
    pub negative: String,
    pub sampler: SamplerKind,
    pub num_inference_steps: u32,
    pub guidance_scale: f64,
    /// How far guidance is brought back to the prediction's own contrast, 0 to 1.
    pub guidance_rescale: f64,
    /// Layers of the text encoders that are left out beside the last, as diffusers counts them.
    pub clip_skip: u32,
    pub styles: BTreeMap<String, Style>,
}

/// A look: tags that close the positive prompt, and what it keeps out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// The name people see.
    pub label: String,
    /// Quality tags; may be empty.
    pub positive: String,
    /// Terms that a prompt may be enhanced with where a language model has none; may be empty.
    pub enhance: Vec<String>,
    /// May be empty.
    pub negative: String,
}

impl Model {
    /// What its checkpoint is called, and its VAE where that is another's.
    pub fn weights(&self) -> String {
        weights_name(&self.checkpoint, self.vae.as_deref())
    }

    pub(super) fn take(fields: &mut Fields<'_>) -> Option<Self> {
        let order = fields.integer("order", 0..=1_000_000);
        let label = fields.text("label");
        let checkpoint = fields.text_as("checkpoint", PLAIN_NAME, plain_name);
        let vae = fields.optional("vae", PLAIN_NAME, |value| plain_name(value.as_str()?));
        let default_style = fields.text("default_style");
        let negative = fields.text_or_empty("negative");
        let sampler = fields.text_as("sampler", &samplers_known(), samplers::named);
        let steps = fields.integer("num_inference_steps", STEPS);
        let guidance_scale = fields.real("guidance_scale", GUIDANCE);
        let guidance_rescale = fields.real_or_none("guidance_rescale", 0.0..=1.0);
        let clip_skip = fields.integer_or_none("clip_skip", CLIP_SKIP);
        let styles = fields.tables("styles", Style::take);
        if let (Some(key), Some(styles)) = (&default_style, &styles)
            && !styles.contains_key(key)
        {
            let known = styles.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            fields.complain("default_style", format!("there is no style `{key}`; there are: {known}"));
        }
        Some(Self {
            order: order?,
            label: label?,
            checkpoint: checkpoint?,
            vae: vae?,
            default_style: default_style?,
            negative: negative?,
            sampler: sampler?,
            num_inference_steps: u32::try_from(steps?).ok()?,
            guidance_scale: guidance_scale?,
            guidance_rescale: guidance_rescale?.unwrap_or_default(),
            clip_skip: u32::try_from(clip_skip?.unwrap_or_default()).ok()?,
            styles: styles?,
        })
    }
}

impl Style {
    fn take(fields: &mut Fields<'_>) -> Option<Self> {
        let label = fields.text("label");
        let positive = fields.text_or_empty("positive");
        let negative = fields.text_or_empty("negative");
        let enhance = fields.texts_or_none("enhance");
        for term in enhance.iter().flatten().filter(|term| !is_plain(term)) {
            fields.complain(
                "enhance",
                format!("`{term}` is no plain term of letters, digits, spaces, `-` and `'`"),
            );
        }
        Some(Self { label: label?, positive: positive?, negative: negative?, enhance: enhance? })
    }
}

/// What `sampler` takes: any name that [`samplers::named`] reads.
fn samplers_known() -> String {
    let algorithms = Algorithm::ALL.map(Algorithm::name).join(", ");
    format!("one of {algorithms}, or of these with {} after it", samplers::SPACINGS.join(", "))
}

/// What may be added to any prompt without becoming part of its syntax.
fn is_plain(term: &str) -> bool {
    term.starts_with(char::is_alphanumeric)
        && term.chars().all(|c| c.is_alphanumeric() || " -'".contains(c))
        && term != "BREAK"
}

/// What [`plain_name`] accepts.
const PLAIN_NAME: &str = "a plain name of a folder or file, of letters, digits, `_`, `-` and `.`";

/// The name of one folder or file: nothing that could lead elsewhere.
fn plain_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (!name.is_empty() && !name.starts_with('.') && name.chars().all(plain)).then(|| name.to_owned())
}
