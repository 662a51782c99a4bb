//! A character: what `@name` adds to a prompt, whose it is, and who may use it.

use time::{Date, Month};
use toml::Value;

use super::fields::{Fields, is_key};
use super::viewer::{KEYS, KeyRef, Viewer, read_keys};

/// How strongly a LoRA may be applied.
const LORA_WEIGHTS: std::ops::RangeInclusive<f64> = -2.0..=2.0;
/// How strongly it is, where the file does not say.
const LORA_WEIGHT: f64 = 1.0;

/// Texts that join the prompts (specification, "Prompt Construction"), and the entry in the register of characters.
#[derive(Debug, Clone, PartialEq)]
pub struct Character {
    /// Opens the positive prompt, such as `portrait of aya`.
    pub trigger: String,
    /// Follows the trigger; may be empty.
    pub positive: String,
    /// May be empty.
    pub negative: String,
    /// Who is shown, and with what right and consent.
    pub rights: String,
    /// Under which the character may be used, such as `CC0-1.0`.
    pub licence: String,
    /// The only keys that may use it; `None` for all.
    pub allowed_keys: Option<Vec<KeyRef>>,
    /// The last day, in UTC, on which it is there; `None` for no end.
    pub expires: Option<Date>,
    /// Keys of the only models that it is there for; `None` for all.
    pub models: Option<Vec<String>>,
    pub lora: Option<Lora>,
}

/// Weights that belong to a character.
#[derive(Debug, Clone, PartialEq)]
pub struct Lora {
    /// A registered name, never a path.
    pub name: String,
    pub weight: f64,
}

impl Character {
    pub(super) fn take(fields: &mut Fields<'_>) -> Option<Self> {
        let trigger = fields.text("trigger");
        let positive = fields.text_or_empty("positive");
        let negative = fields.text_or_empty("negative");
        let rights = fields.text("rights");
        let licence = fields.text("licence");
        let allowed_keys = fields.optional("allowed_keys", KEYS, read_keys);
        let expires = fields.optional("expires", "a date such as 2027-01-31", date);
        let models = fields.optional("models", "a list of models' keys", |value| {
            let key = |item: &Value| item.as_str().map(str::to_owned);
            value.as_array()?.iter().map(key).collect::<Option<Vec<_>>>()
        });
        let lora = fields.optional("lora", "a registered name", |value| {
            value.as_str().filter(|name| is_key(name)).map(str::to_owned)
        });
        let weight = fields.real_or_none("weight", LORA_WEIGHTS);
        if let (Some(None), Some(Some(_))) = (&lora, &weight) {
            fields.complain("weight", "is of no use without `lora`");
        }
        Some(Self {
            trigger: trigger?,
            positive: positive?,
            negative: negative?,
            rights: rights?,
            licence: licence?,
            allowed_keys: allowed_keys?,
            expires: expires?,
            models: models?,
            lora: lora?.map(|name| Lora { name, weight: weight.flatten().unwrap_or(LORA_WEIGHT) }),
        })
    }

    /// Whether it is there for whoever looks, on whatever model.
    pub fn is_for(&self, viewer: &Viewer<'_>) -> bool {
        let allowed = self.allowed_keys.as_ref().is_none_or(|keys| keys.iter().any(|key| key.is(viewer)));
        allowed && self.expires.is_none_or(|last| viewer.today <= last)
    }

    /// Whether it is there for a model.
    pub fn is_on(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.iter().any(|key| key == model))
    }
}

fn date(value: &Value) -> Option<Date> {
    let written = value.as_datetime().filter(|written| written.time.is_none())?.date?;
    let month = Month::try_from(written.month).ok()?;
    Date::from_calendar_date(written.year.into(), month, written.day).ok()
}
