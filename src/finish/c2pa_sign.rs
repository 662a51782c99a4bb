//! What is claimed of a picture and of its thumbnail. Signing is the last step: its hard binding covers the bytes.

use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::credentials::{Claim, Signed, SoftBinding};
use crate::plan;
use crate::store::record_name;

/// What is known of how a picture came to be.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// A request's `cs_*`.
    pub credentials: plan::Credentials,
    /// Name of the model that drew it; empty where none did.
    pub model: String,
    /// SHA-256 of the model's weights, 64 hexadecimal digits.
    pub model_sha256: Option<String>,
    /// SHA-256 of everything that decides the picture, 64 hexadecimal digits.
    pub recipe_sha256: Option<String>,
    pub seed: Option<u32>,
    pub prompt: Option<String>,
    /// When it was asked for.
    pub when: OffsetDateTime,
    /// What sets this picture apart from every other; its ids are made of it.
    pub name: String,
}

impl Provenance {
    /// Of the picture itself; `alg` names the invisible mark that it carries.
    pub(super) fn picture(&self, payload: u64, alg: Option<&str>, visible_watermark: bool) -> Claim<'static> {
        let soft_binding =
            alg.map(|alg| SoftBinding { alg: alg.to_owned(), value_hex: record_name(payload) });
        Claim { soft_binding, ..self.claim("picture", visible_watermark) }
    }

    /// Of the small copy of `full`.
    pub(super) fn thumbnail<'a>(&self, full: &'a Signed, visible_watermark: bool) -> Claim<'a> {
        // Unsigned pictures have no manifest to refer to.
        let ingredient = (!full.manifest.is_empty()).then_some(full);
        Claim { ingredient, ..self.claim("thumbnail", visible_watermark) }
    }

    fn claim<'a>(&self, which: &str, visible_watermark: bool) -> Claim<'a> {
        let ids = Sha256::new().chain_update("imgen.ids.1").chain_update(&self.name).chain_update(which);
        let plan::Credentials { author, title, description, organization, vendor } = self.credentials.clone();
        Claim {
            title,
            author,
            description,
            organization,
            vendor,
            model: self.model.clone(),
            model_sha256: self.model_sha256.clone(),
            recipe_sha256: self.recipe_sha256.clone(),
            seed: self.seed,
            prompt: self.prompt.clone(),
            visible_watermark,
            ..Claim::new(self.when, ids.finalize().into())
        }
    }
}
