//! Prompts to what the UNet is conditioned on (`pipeline_stable_diffusion_xl.py`, `encode_prompt` and
//! `_get_add_time_ids`, diffusers 0.42.1).
//!
//! Where diffusers cuts a prompt at 77 tokens, here it is read in windows of 75, each with its own begin and end,
//! and their embeddings follow each other. A prompt of one window gives exactly diffusers' embeddings.

use tch::{Kind, Tensor};

use super::error::DiffusionError;
use super::text_encoders::{CLIPTextModel, TextEmbeds};
use super::tokenizer::{CLIPTokenizer, MOST_WINDOWS};
use super::unets::AddedCondKwargs;
use crate::plan::Size;

/// A tokenizer and the network over its ids.
#[derive(Debug)]
pub(super) struct Encoder {
    pub(super) tokenizer: CLIPTokenizer,
    pub(super) text_encoder: CLIPTextModel,
}

/// What the UNet gets beside the latents. With guidance the negative prompt is the first of a batch of two.
#[derive(Debug)]
pub(super) struct Conditioning {
    /// `encoder_hidden_states`: `[batch, 77 * windows, both hidden sizes]`
    pub(super) prompt_embeds: Tensor,
    pub(super) added_cond_kwargs: AddedCondKwargs,
}

/// The texts of one picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prompts<'a> {
    pub(super) positive: &'a str,
    /// Not encoded without guidance. Empty is the same as none.
    pub(super) negative: Option<&'a str>,
    /// An empty negative prompt is zeros in place of the embedding of an empty text.
    pub(super) force_zeros_for_empty_prompt: bool,
}

/// Encodes with SDXL's two encoders, of which the second gives the pooled embedding.
pub(super) fn encode(
    encoders: [&Encoder; 2],
    prompts: Prompts<'_>,
    size: Size,
) -> Result<Conditioning, DiffusionError> {
    let zeros = prompts.force_zeros_for_empty_prompt && prompts.negative.is_some_and(str::is_empty);
    let encoded = prompts.negative.filter(|_| !zeros);
    let texts: Vec<&str> = encoded.into_iter().chain([prompts.positive]).collect();
    let ids = [
        texts.iter().map(|text| encoders[0].windows(text)).collect::<Result<Vec<_>, _>>()?,
        texts.iter().map(|text| encoders[1].windows(text)).collect::<Result<Vec<_>, _>>()?,
    ];
    let windows = ids.iter().flatten().map(Vec::len).max().unwrap_or(1);
    let [first, second] = ids;
    let first = encoders[0].embed(first, windows);
    let second = encoders[1].embed(second, windows);

    let mut prompt_embeds = Tensor::cat(&[first.penultimate, second.penultimate], -1);
    let pooled = second.pooled.unwrap_or_else(|| prompt_embeds.select(1, 0));
    let mut text_embeds = pooled;
    if zeros {
        prompt_embeds = Tensor::cat(&[prompt_embeds.zeros_like(), prompt_embeds], 0);
        text_embeds = Tensor::cat(&[text_embeds.zeros_like(), text_embeds], 0);
    }
    let batch = prompt_embeds.size()[0];
    Ok(Conditioning {
        prompt_embeds,
        added_cond_kwargs: AddedCondKwargs { text_embeds, time_ids: add_time_ids(size).repeat([batch, 1]) },
    })
}

/// `[1, 6]`: the original size, a crop at the top left corner, the target size.
fn add_time_ids(size: Size) -> Tensor {
    let (height, width) = (f64::from(size.height_px), f64::from(size.width_px));
    Tensor::from_slice(&[height, width, 0.0, 0.0, height, width]).to_kind(Kind::Float).unsqueeze(0)
}

impl Encoder {
    /// The ids of a text in windows as long as the network takes, each with begin, end and padding. An empty text
    /// is one window.
    fn windows(&self, text: &str) -> Result<Vec<Vec<i64>>, DiffusionError> {
        let failed = |error| DiffusionError::Unsuitable(format!("the prompt has no tokens: {error}"));
        let ids = self.tokenizer.encode(text).map_err(failed)?;
        let vocab_size = self.text_encoder.vocab_size();
        if let Some(id) = ids.iter().find(|&&id| id >= vocab_size) {
            let reason = format!("token {id} is beyond the text encoder's {vocab_size}");
            return Err(DiffusionError::Unsuitable(reason));
        }
        let pieces = self.tokenizer.windows(&ids);
        if pieces.len() > MOST_WINDOWS {
            let reason =
                format!("the prompt fills {} windows; at most {MOST_WINDOWS} are read", pieces.len());
            return Err(DiffusionError::Unsuitable(reason));
        }
        Ok(pieces.into_iter().map(|piece| self.window(piece)).collect())
    }

    fn window(&self, piece: &[i64]) -> Vec<i64> {
        let mut ids = vec![self.tokenizer.bos_token_id()];
        ids.extend(piece);
        ids.push(self.tokenizer.eos_token_id());
        ids.resize(self.tokenizer.model_max_length().max(ids.len()), self.tokenizer.pad_token_id());
        ids
    }

    /// Embeds each text in `windows` windows: `[texts, 77 * windows, hidden_size]`, pooled from the first window.
    fn embed(&self, mut texts: Vec<Vec<Vec<i64>>>, windows: usize) -> TextEmbeds {
        let empty = self.window(&[]);
        for text in &mut texts {
            text.resize(windows, empty.clone());
        }
        let count = texts.len() as i64;
        let rows = count * windows as i64;
        let ids = Tensor::from_slice(&texts.into_iter().flatten().flatten().collect::<Vec<i64>>());
        let embeds = self.text_encoder.forward(&ids.view([rows, -1]));
        let hidden_size = self.text_encoder.hidden_size();
        TextEmbeds {
            penultimate: embeds.penultimate.reshape([count, -1, hidden_size]),
            pooled: embeds.pooled.map(|pooled| pooled.slice(0, None, None, windows as i64)),
        }
    }
}
