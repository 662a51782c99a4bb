//! What is claimed of a picture, and what comes of it.

use std::fmt;

use time::OffsetDateTime;

use super::source_type::DigitalSourceType;
use crate::plan;

/// What is known of how a picture came to be; picture and thumbnail share it.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// A request's `cs_*`. Empty texts take the configured defaults; those that are empty too are not said.
    pub credentials: plan::Credentials,
    pub source_type: DigitalSourceType,
    /// Name of the model that drew it; empty where none did.
    pub model: String,
    /// SHA-256 of the model's weights, 64 hexadecimal digits.
    pub model_sha256: Option<String>,
    /// SHA-256 of each LoRA that was merged into them, 64 hexadecimal digits.
    pub loras_sha256: Vec<String>,
    /// SHA-256 of a salt that is kept to the record and of everything that decides the picture, 64 hexadecimal digits.
    pub recipe_sha256: Option<String>,
    pub seed: Option<u32>,
    /// With what right a character is shown, where the prompt names one.
    pub character_rights: Option<plan::CharacterRights>,
    /// The prompt. It goes into the manifest only where `c2pa.include_prompt` is set.
    pub prompt: Option<String>,
    /// When it was asked for; UTC, whole seconds.
    pub when: OffsetDateTime,
    /// What sets this picture apart from every other: manifest and instance ids are made of it.
    pub name: String,
    /// The signed file that it came in as, where it did: its history goes on in the new manifest.
    pub opened: Option<Opened>,
}

/// A file that was signed already, whatever its signature is worth.
#[derive(Clone)]
pub struct Opened {
    pub bytes: Vec<u8>,
    pub content_type: &'static str,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl Provenance {
    /// That a model made it, and when; the rest is filled in by struct update.
    pub fn new(name: impl Into<String>, when: OffsetDateTime) -> Self {
        Self {
            credentials: plan::Credentials::default(),
            source_type: DigitalSourceType::TRAINED_ALGORITHMIC_MEDIA,
            model: String::new(),
            model_sha256: None,
            loras_sha256: Vec::new(),
            recipe_sha256: None,
            seed: None,
            character_rights: None,
            prompt: None,
            when,
            name: name.into(),
            opened: None,
        }
    }
}

/// What is to be said of one picture.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    pub provenance: &'a Provenance,
    /// The invisible mark that these pixels carry.
    pub soft_binding: Option<SoftBinding>,
    /// Whether a visible watermark was drawn over the picture.
    pub visible_watermark: bool,
    pub ingredient: Option<Ingredient<'a>>,
}

/// What a picture was made from.
#[derive(Debug, Clone, Copy)]
pub enum Ingredient<'a> {
    /// Of a thumbnail: the full picture.
    FullPicture(&'a Signed),
    /// Of a picture that was not drawn here.
    Opened(&'a Opened),
}

impl<'a> Claim<'a> {
    /// Of a picture to which nothing was done.
    pub fn new(provenance: &'a Provenance) -> Self {
        Self { provenance, soft_binding: None, visible_watermark: false, ingredient: None }
    }
}

/// An invisible mark that leads from the pixels to the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoftBinding {
    /// Name of the algorithm, as in C2PA's list or in reverse-domain form.
    pub alg: String,
    /// The mark's payload, 16 lower-case hexadecimal digits.
    pub value_hex: String,
}

/// A signed picture.
#[derive(Clone)]
pub struct Signed {
    pub bytes: Vec<u8>,
    /// The manifest store alone: JUMBF, `application/c2pa`.
    pub manifest: Vec<u8>,
    /// Label of the active manifest, `urn:c2pa:…`.
    pub manifest_id: String,
    /// Content type of `bytes`.
    pub content_type: &'static str,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("bytes", &self.bytes.len())
            .field("manifest", &self.manifest.len())
            .field("manifest_id", &self.manifest_id)
            .finish_non_exhaustive()
    }
}
