//! A model: which checkpoint, how it is sampled, and the styles it is offered in.

use std::collections::BTreeMap;

use super::fields::Fields;
use crate::plan::{Algorithm, SamplerKind, samplers};

/// Steps that a preset may ask for.
const STEPS: std::ops::RangeInclusive<i64> = 1..=150;
/// Guidance that a preset may ask for.
const GUIDANCE: std::ops::RangeInclusive<f64> = 0.0..=30.0;

/// A diffusion model as clients choose it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Place in the list of models; the lowest is the fallback.
    pub order: i64,
    /// The name people see.
    pub label: String,
    /// Folder of the checkpoint, directly below the models folder.
    pub checkpoint: String,
    /// A key of `styles`.
    pub default_style: String,
    /// Opens every negative prompt; may be empty.
    pub negative: String,
    pub sampler: SamplerKind,
    pub num_inference_steps: u32,
    pub guidance_scale: f64,
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
    pub(super) fn take(fields: &mut Fields<'_>) -> Option<Self> {
        let order = fields.integer("order", 0..=1_000_000);
        let label = fields.text("label");
        let checkpoint = fields.key_of(
            "checkpoint",
            "a folder's plain name, of letters, digits, `_`, `-` and `.`",
            is_folder,
        );
        let default_style = fields.text("default_style");
        let negative = fields.text_or_empty("negative");
        let sampler = fields.name("sampler", &samplers_known(), samplers::named);
        let steps = fields.integer("num_inference_steps", STEPS);
        let guidance_scale = fields.real("guidance_scale", GUIDANCE);
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
            default_style: default_style?,
            negative: negative?,
            sampler: sampler?,
            num_inference_steps: u32::try_from(steps?).ok()?,
            guidance_scale: guidance_scale?,
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

/// One folder's name: nothing that could lead elsewhere.
fn is_folder(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}
