//! Everything that decides a picture, and the hash by which its credentials name it.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::plan::Plan;

/// What decides one picture. The hash is public and prompts can be guessed, so it is salted; the record keeps the salt, and
/// with it whoever may see the record can show that the picture was made from this recipe.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    /// JSON, as it is hashed.
    pub(super) text: String,
    /// Drawn by chance for each picture.
    pub(super) salt: [u8; 32],
}

impl Recipe {
    /// Of picture `index` (from 0), which was drawn in a batch of `batch`. Whoever has all of this draws the same pixels; in a
    /// batch of more than one, to rounding.
    pub(super) fn new(plan: &Plan, index: u32, weights_sha256: &str, batch: usize, salt: [u8; 32]) -> Self {
        let recipe = json!({
            "positive": plan.approved.positive(),
            "negative": plan.approved.negative(),
            "weights_sha256": weights_sha256,
            "loras": plan.loras,
            "width": plan.size.width_px,
            "height": plan.size.height_px,
            "sampler": plan.sampling.sampler,
            "steps": plan.sampling.num_inference_steps,
            "guidance": plan.sampling.guidance_scale,
            "guidance_rescale": plan.sampling.guidance_rescale,
            "clip_skip": plan.sampling.clip_skip,
            "seed": plan.sampling.seed.wrapping_add(index),
            "batch": batch,
        });
        Self { text: recipe.to_string(), salt }
    }

    /// SHA-256 of the salt's bytes and the text's, 64 hexadecimal digits.
    pub(super) fn sha256(&self) -> String {
        hex::encode(Sha256::new().chain_update(self.salt).chain_update(&self.text).finalize())
    }
}
