//! A checkpoint in memory: its networks, that they fit each other, and the LoRAs that are part of them.
//!
//! - `draw`: what is drawn with it

mod draw;

use super::autoencoders::AutoencoderKL;
use super::checkpoint::{
    Checkpoint, CheckpointError, Digests, ModelFiles, ModelIndex, tokenizer, with_weights_sha256,
};
use super::conditioning::Encoder;
use super::device::Placement;
use super::error::DiffusionError;
use super::layers::weights_changed;
use super::lora::{ChosenLora, LoraStack};
use super::schedulers::SchedulerConfig;
use super::text_encoders::CLIPTextModel;
use super::unets::UNet2DConditionModel;

/// A checkpoint, loaded.
#[derive(Debug)]
pub(super) struct StableDiffusionXLPipeline {
    placement: Placement,
    model_index: ModelIndex,
    first: Encoder,
    second: Encoder,
    unet: UNet2DConditionModel,
    vae: AutoencoderKL,
    scheduler_config: SchedulerConfig,
    loras: LoraStack,
    /// As [`Self::weights_sha256`] says.
    weights_sha256: String,
    /// Whether weights may be kept twice.
    packs: bool,
}

impl StableDiffusionXLPipeline {
    /// Loads every network of the model, checks that they fit each other, and takes the hash of the weights meanwhile.
    /// `packs`: whether weights may be kept twice, to be faster.
    pub(super) fn load(
        files: &ModelFiles,
        digests: &Digests,
        placement: Placement,
        packs: bool,
    ) -> Result<Self, CheckpointError> {
        // What no checkpoint is, is not hashed.
        let checkpoint = Checkpoint::open(files)?;
        let load = || Self::load_networks(files, &checkpoint, placement);
        let (loaded, weights_sha256) = with_weights_sha256(files, digests, load)?;
        Ok(Self { weights_sha256, packs, ..loaded })
    }

    fn load_networks(
        files: &ModelFiles,
        checkpoint: &Checkpoint,
        placement: Placement,
    ) -> Result<Self, CheckpointError> {
        let Placement { device, kind } = placement;
        let model_index = checkpoint.model_index()?;
        let scheduler_config = checkpoint.scheduler_config()?;
        let encoder = |name: &str, tokenizer_name: &str, with_projection: bool| {
            let path = &files.checkpoint;
            let tokenizer =
                tokenizer(path, tokenizer_name).map_err(|error| CheckpointError::file(path, error))?;
            let text_encoder = CLIPTextModel::load(checkpoint, name, with_projection, device, kind)?;
            Ok::<_, CheckpointError>(Encoder { tokenizer, text_encoder })
        };
        let first = encoder("text_encoder", "tokenizer", false)?;
        let second = encoder("text_encoder_2", "tokenizer_2", true)?;
        let unet = UNet2DConditionModel::load(checkpoint, device, kind)?;
        let loras = LoraStack::new(unet.live(), first.text_encoder.live(), second.text_encoder.live());
        let loaded = Self {
            placement,
            model_index,
            first,
            second,
            unet,
            vae: AutoencoderKL::load(checkpoint, device, |upcast| placement.decoder_kind(upcast))?,
            scheduler_config,
            loras,
            weights_sha256: String::new(),
            packs: false,
        };
        loaded.check_fit().map_err(|reason| CheckpointError::file(&files.checkpoint, reason))?;
        Ok(loaded)
    }

    /// Widths on both sides of every seam between two networks.
    fn check_fit(&self) -> Result<(), String> {
        let (first, second) = (&self.first.text_encoder, &self.second.text_encoder);
        for (encoder, name) in [(&self.first, "tokenizer"), (&self.second, "tokenizer_2")] {
            let (asked, taken) =
                (encoder.tokenizer.model_max_length(), encoder.text_encoder.max_position_embeddings());
            if asked < 3 || i64::try_from(asked).map_or(true, |asked| asked > taken) {
                return Err(format!("{name}: model_max_length {asked} does not suit an encoder of {taken}"));
            }
        }
        let (tokens, tokens_2) =
            (self.first.tokenizer.model_max_length(), self.second.tokenizer.model_max_length());
        if tokens != tokens_2 {
            return Err(format!("the tokenizers give {tokens} and {tokens_2} tokens"));
        }
        let config = &self.unet.config;
        let text = first.hidden_size() + second.hidden_size();
        if let Some(other) = config.cross_attention_dims().find(|&dim| dim != text) {
            return Err(format!("unet: cross_attention_dim is {other}, the text encoders give {text}"));
        }
        let (wanted, given) =
            (config.projection_class_embeddings_input_dim, config.time_ids_dim() + second.projection_dim());
        if wanted != given {
            let field = "projection_class_embeddings_input_dim";
            return Err(format!("unet: {field} is {wanted}, time ids and pooled text give {given}"));
        }
        let latent = self.vae.config.latent_channels;
        if config.in_channels != latent || config.out_channels != latent {
            let (from, to) = (config.in_channels, config.out_channels);
            return Err(format!("unet: {from} channels to {to}, the autoencoder has {latent}"));
        }
        Ok(())
    }

    /// Of the files that it was loaded from.
    pub(super) fn weights_sha256(&self) -> &str {
        &self.weights_sha256
    }

    /// Pixels along one side of a latent cell.
    pub(super) fn vae_scale_factor(&self) -> u32 {
        self.vae.config.vae_scale_factor()
    }

    pub(super) fn parameters(&self) -> u64 {
        let encoders = self.first.text_encoder.parameters() + self.second.text_encoder.parameters();
        encoders + self.unet.parameters() + self.vae.parameters()
    }

    /// Makes these, and no others, part of the networks until the next call. It comes before [`Self::draw`]: prompts are
    /// encoded with what LoRAs make of the text encoders.
    pub(super) fn set_loras(&mut self, loras: &[ChosenLora]) -> Result<(), DiffusionError> {
        if self.loras.holds(loras) {
            return Ok(());
        }
        // Before the first weight changes, so that a panic among them leaves nothing packed of what they were.
        weights_changed();
        Ok(self.loras.set(loras)?)
    }
}
