//! What a request means, before its prompt is approved.

use serde_json::Value;

use super::notes::Notes;
use crate::compliance::{ApprovedPrompt, Clearance, Texts};
use crate::error::ApiError;
use crate::plan::{
    self, CharacterRights, Credentials, Output, PLAN_VERSION, Plan, PlannedLora, Sampling, Size, Warning,
    Watermark,
};
use crate::prompt::Composed;
use crate::store::Receipt;

/// Code of the warning that a prompt was not enhanced.
const ENHANCE_SKIPPED: &str = "ENHANCE_SKIPPED";

/// Why it stays as it is where the model gave nothing that could be used.
pub(super) const NOTHING_TO_ADD: &str = "there was nothing to add, or no room for it";
/// Why it stays as it is where anything longer would be blocked.
pub(super) const BY_RULING: &str = "it passes by an operator's ruling alone";

/// A plan that lacks only the approval of its prompt.
#[derive(Debug)]
pub struct Draft {
    /// What goes to compliance, and from there untouched to the text encoders.
    pub composed: Composed,
    pub(super) gen_id: String,
    pub(super) asked_at_unix_s: i64,
    pub(super) prompt: String,
    pub(super) original_prompt: Option<String>,
    pub(super) character: Option<String>,
    pub(super) character_rights: Option<CharacterRights>,
    pub(super) model: String,
    pub(super) style: String,
    pub(super) checkpoint: String,
    pub(super) vae: Option<String>,
    pub(super) loras: Vec<PlannedLora>,
    pub(super) size: Size,
    pub(super) sampling: Sampling,
    pub(super) output: Output,
    pub(super) watermark: Watermark,
    pub(super) credentials: Credentials,
    pub(super) warnings: Vec<Warning>,
    pub(super) metadata: Option<Value>,
}

impl Draft {
    pub fn into_plan(self, approved: ApprovedPrompt, clearance: Clearance) -> Plan {
        Plan {
            plan_version: PLAN_VERSION,
            gen_id: self.gen_id,
            asked_at_unix_s: self.asked_at_unix_s,
            prompt: self.prompt,
            optimized: self.original_prompt.is_some(),
            original_prompt: self.original_prompt,
            approved,
            clearance,
            character: self.character,
            character_rights: self.character_rights,
            model: self.model,
            style: self.style,
            checkpoint: self.checkpoint,
            vae: self.vae,
            loras: self.loras,
            size: self.size,
            sampling: self.sampling,
            output: self.output,
            watermark: self.watermark,
            credentials: self.credentials,
            warnings: self.warnings,
            metadata: self.metadata,
        }
    }

    /// The mark that is drawn, by its name in the store.
    pub fn marked(mut self, name: Option<String>) -> Self {
        self.watermark.image_sha256 = name;
        self
    }

    /// It is made of an enhanced prompt; this is what the client sent.
    pub(super) fn enhanced_from(mut self, original_prompt: String) -> Self {
        self.original_prompt = Some(original_prompt);
        self
    }

    /// The prompt was to be enhanced and is used as it is.
    ///
    /// # Errors
    /// With `strict`, as for every warning.
    pub(super) fn not_enhanced(mut self, why: &str, strict: bool) -> Result<Self, ApiError> {
        let mut notes = Notes::default();
        notes.say("optimize", ENHANCE_SKIPPED, format!("{why}; the prompt was used as it is"));
        self.warnings.extend(notes.finish(strict)?);
        Ok(self)
    }

    /// It was to be enhanced. One that only an operator's ruling lets pass was not, since it would have been blocked.
    ///
    /// # Errors
    /// As [`not_enhanced`](Self::not_enhanced).
    pub(super) fn said_if_not_enhanced(self, strict: bool) -> Result<Self, ApiError> {
        let said = self.warnings.iter().any(|warning| warning.code == ENHANCE_SKIPPED);
        if self.original_prompt.is_some() || said {
            return Ok(self);
        }
        self.not_enhanced(BY_RULING, strict)
    }

    /// What else the client said that may describe the picture, for compliance.
    pub fn said(&self) -> Vec<&str> {
        plan::said(&self.credentials, &self.loras)
    }

    /// All that compliance is to look at; `said` is what [`said`](Self::said) gives.
    pub fn texts<'a>(&'a self, said: &'a [&'a str]) -> Texts<'a> {
        Texts { positive: &self.composed.positive, negative: &self.composed.negative, others: said }
    }

    /// What its checkpoint is called, and its VAE where that is another's.
    pub(super) fn weights(&self) -> String {
        plan::weights_name(&self.checkpoint, self.vae.as_deref())
    }

    /// As it was asked for, or drawn.
    pub(super) fn seed(&self) -> u32 {
        self.sampling.seed
    }

    /// What `generate` answers, also where no plan may be made.
    pub fn receipt(&self) -> Receipt {
        Receipt {
            gen_id: self.gen_id.clone(),
            prompt: self.prompt.clone(),
            model: self.model.clone(),
            format: self.output.format,
            seed: self.sampling.seed,
            warnings: self.warnings.clone(),
        }
    }
}
