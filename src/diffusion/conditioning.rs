//! Prompts to what the UNet is conditioned on (`pipeline_stable_diffusion_xl.py`, `encode_prompt` and
//! `_get_add_time_ids`, diffusers 0.42.1).
//!
//! Where diffusers cuts a prompt at 77 tokens, here it is read in windows of 75, each with its own begin and end,
//! and their embeddings follow each other; the pooled one is the first window's. Weights move a token's embedding away
//! from that of its window's last position, or towards it (`get_weighted_text_embeddings_sdxl` of diffusers'
//! `examples/community/lpw_stable_diffusion_xl.py`). A prompt of one window without weights gives exactly diffusers'
//! embeddings.

use tch::{Kind, Tensor};

use super::error::DiffusionError;
use super::text_encoders::CLIPTextModel;
use super::tokenizer::{CLIPTokenizer, MOST_WINDOWS, Window};
use super::unets::AddedCondKwargs;
use crate::plan::Size;

/// A tokenizer and the network over its ids.
#[derive(Debug)]
pub(super) struct Encoder {
    pub(super) tokenizer: CLIPTokenizer,
    pub(super) text_encoder: CLIPTextModel,
}

/// What the UNet gets beside the latents. With guidance the negative prompts are the first half of the batch.
#[derive(Debug)]
pub(super) struct Conditioning {
    /// `encoder_hidden_states`: `[batch, 77 * windows, both hidden sizes]`
    pub(super) prompt_embeds: Tensor,
    pub(super) added_cond_kwargs: AddedCondKwargs,
}

impl Conditioning {
    /// That of several pictures as one, in their order within each half. All have as many windows and all are guided, or none.
    pub(super) fn together(all: &[Self]) -> Self {
        let join = |part: fn(&Self) -> &Tensor| {
            let parts: Vec<_> = all.iter().map(part).collect();
            Tensor::stack(&parts, 1).flatten(0, 1)
        };
        Self {
            prompt_embeds: join(|one| &one.prompt_embeds),
            added_cond_kwargs: AddedCondKwargs {
                text_embeds: join(|one| &one.added_cond_kwargs.text_embeds),
                time_ids: join(|one| &one.added_cond_kwargs.time_ids),
            },
        }
    }
}

/// The texts of one picture, for either encoder (diffusers' `prompt` and `prompt_2`), and how they are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prompts<'a> {
    pub(super) positive: [&'a str; 2],
    /// Not encoded without guidance. Empty is the same as none.
    pub(super) negative: Option<[&'a str; 2]>,
    /// Layers of both encoders that are left out before the one that SDXL takes, of the positive prompt only, as in
    /// diffusers.
    pub(super) clip_skip: u32,
    /// An empty negative prompt is zeros in place of the embedding of an empty text.
    pub(super) force_zeros_for_empty_prompt: bool,
}

impl Prompts<'_> {
    /// Whether the negative prompt is not encoded, but zeros.
    fn zeros(&self) -> bool {
        self.force_zeros_for_empty_prompt
            && self.negative.is_some_and(|texts| texts.iter().all(|text| text.is_empty()))
    }

    /// The texts for either encoder in windows, the positive prompt last.
    fn read(&self, encoders: [&Encoder; 2]) -> Result<[Vec<Vec<Window>>; 2], DiffusionError> {
        let negative = self.negative.filter(|_| !self.zeros());
        let texts = |which: usize| {
            let texts = negative.map(|texts| texts[which]).into_iter().chain([self.positive[which]]);
            texts.map(|text| encoders[which].windows(text)).collect::<Result<Vec<_>, _>>()
        };
        Ok([texts(0)?, texts(1)?])
    }
}

/// How many windows the longest of the texts fills; all are read in as many.
pub(super) fn windows(encoders: [&Encoder; 2], prompts: &Prompts<'_>) -> Result<usize, DiffusionError> {
    Ok(prompts.read(encoders)?.iter().flatten().map(Vec::len).max().unwrap_or(1))
}

/// Encodes with SDXL's two encoders, of which the second gives the pooled embedding.
pub(super) fn encode(
    encoders: [&Encoder; 2],
    prompts: Prompts<'_>,
    size: Size,
) -> Result<Conditioning, DiffusionError> {
    let zeros = prompts.zeros();
    let [first, second] = prompts.read(encoders)?;
    let windows = first.iter().chain(&second).map(Vec::len).max().unwrap_or(1);
    let clip_skip = prompts.clip_skip;
    let first = encoders[0].embed(first, windows, clip_skip)?;
    let second = encoders[1].embed(second, windows, clip_skip)?;

    let mut prompt_embeds = Tensor::cat(&[first.hidden_states, second.hidden_states], -1);
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

/// What an encoder makes of some texts.
#[derive(Debug)]
struct Embedded {
    /// `[texts, 77 * windows, hidden_size]`
    hidden_states: Tensor,
    /// `[texts, projection_dim]`, of the first windows.
    pooled: Option<Tensor>,
}

impl Encoder {
    /// A text in windows, whose ids the network knows.
    fn windows(&self, text: &str) -> Result<Vec<Window>, DiffusionError> {
        let failed = |error| DiffusionError::Unsuitable(format!("the prompt has no tokens: {error}"));
        let windows = self.tokenizer.windows(text).map_err(failed)?;
        let vocab_size = self.text_encoder.vocab_size();
        if let Some(id) = windows.iter().flat_map(|window| &window.ids).find(|&&id| id >= vocab_size) {
            let reason = format!("token {id} is beyond the text encoder's {vocab_size}");
            return Err(DiffusionError::Unsuitable(reason));
        }
        if windows.len() > MOST_WINDOWS {
            let reason =
                format!("the prompt fills {} windows; at most {MOST_WINDOWS} are read", windows.len());
            return Err(DiffusionError::Unsuitable(reason));
        }
        Ok(windows)
    }

    /// Adds begin, end and padding, which weigh 1.
    fn whole(&self, Window { ids, weights }: Window) -> Window {
        let mut all = vec![self.tokenizer.bos_token_id()];
        all.extend(ids);
        all.push(self.tokenizer.eos_token_id());
        all.resize(self.tokenizer.model_max_length().max(all.len()), self.tokenizer.pad_token_id());
        let mut all_weights = vec![1.0];
        all_weights.extend(weights);
        all_weights.resize(all.len(), 1.0);
        Window { ids: all, weights: all_weights }
    }

    /// Embeds each text in `windows` windows. `clip_skip` is for the last of them, the positive prompt.
    fn embed(
        &self,
        mut texts: Vec<Vec<Window>>,
        windows: usize,
        clip_skip: u32,
    ) -> Result<Embedded, DiffusionError> {
        let (clip_skip, most) = (clip_skip as usize, self.text_encoder.most_clip_skip());
        if clip_skip > most {
            let reason =
                format!("clip skip {clip_skip}: at most {most} of this text encoder's layers can be");
            return Err(DiffusionError::Unsuitable(reason));
        }
        for text in &mut texts {
            text.resize(windows, Window::default());
        }
        let (count, windows) = (texts.len() as i64, windows as i64);
        let all: Vec<Window> = texts.into_iter().flatten().map(|window| self.whole(window)).collect();
        let ids: Vec<i64> = all.iter().flat_map(|window| &window.ids).copied().collect();
        let weights: Vec<f64> = all.iter().flat_map(|window| &window.weights).copied().collect();
        let embeds =
            self.text_encoder.forward(&Tensor::from_slice(&ids).view([count * windows, -1]), clip_skip);
        let before = (count - 1) * windows;
        let hidden_states = Tensor::cat(
            &[embeds.penultimate.narrow(0, 0, before), embeds.skipped.narrow(0, before, windows)],
            0,
        );
        let hidden_size = self.text_encoder.hidden_size();
        Ok(Embedded {
            hidden_states: weigh(hidden_states, &weights).reshape([count, -1, hidden_size]),
            pooled: embeds.pooled.map(|pooled| pooled.slice(0, None, None, windows)),
        })
    }
}

/// Moves each embedding of `[windows, 77, hidden_size]` to `weight` times its distance from that of its window's last
/// position. Where the weight is 1 it stays, bit by bit.
fn weigh(hidden_states: Tensor, weights: &[f64]) -> Tensor {
    if weights.iter().all(|&weight| weight == 1.0) {
        return hidden_states;
    }
    let size = hidden_states.size();
    let weights = Tensor::from_slice(weights)
        .to_kind(Kind::Float)
        .to_device(hidden_states.device())
        .view([size[0], size[1], 1]);
    let exact = hidden_states.to_kind(Kind::Float);
    let last = exact.narrow(1, size[1] - 1, 1);
    let moved = (&last + (&exact - &last) * &weights).to_kind(hidden_states.kind());
    hidden_states.where_self(&weights.eq(1.0), &moved)
}
