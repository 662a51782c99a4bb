//! A prompt as the text encoders' windows take it, and how much of them it fills, for whoever has no business with the
//! ids.
//!
//! Each stretch of one weight is made tokens by itself, and windows are cut after 75 tokens wherever that is, as
//! diffusers' community pipeline `lpw_stable_diffusion_xl` and A1111 do (A1111 may go back to a comma; whoever wants a
//! place of his own writes `BREAK`).

use std::path::Path;

use super::{CLIPTokenizer, TokenizerError};
use crate::diffusion::checkpoint::tokenizer;
use crate::prompt::weighted;

/// Windows of a text encoder that one prompt may fill. The keys and values of every cross-attention are held for all of
/// them: at SDXL's full size about 50 MB a window.
pub const MOST_WINDOWS: usize = 16;

/// SDXL's text encoders, by the names of their folders, with those of their tokenizers.
const ENCODERS: [(&str, &str); 2] = [("text_encoder", "tokenizer"), ("text_encoder_2", "tokenizer_2")];

/// What a text is for one text encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    /// Folder of the text encoder: `text_encoder` or `text_encoder_2`.
    pub encoder: &'static str,
    /// Tokens in each window, without its begin and end; one window of none for an empty text.
    pub tokens: Vec<usize>,
    /// Tokens that one window has room for, likewise: 75.
    pub room: usize,
}

impl Windows {
    /// Whether the text is longer than any that is drawn.
    pub fn are_too_many(&self) -> bool {
        self.tokens.len() > MOST_WINDOWS
    }
}

/// The tokenizers of one checkpoint.
#[derive(Debug)]
pub struct WindowCounter {
    tokenizers: Vec<(&'static str, CLIPTokenizer)>,
}

impl WindowCounter {
    /// Reads both of a checkpoint: a folder in diffusers' layout, or a single file.
    ///
    /// # Errors
    /// As [`CLIPTokenizer::load`].
    pub fn load(model_dir: &Path) -> Result<Self, TokenizerError> {
        let load = |(encoder, folder)| Ok((encoder, tokenizer(model_dir, folder)?));
        Ok(Self { tokenizers: ENCODERS.into_iter().map(load).collect::<Result<_, TokenizerError>>()? })
    }

    /// What a text fills, in the order of the encoders.
    ///
    /// # Errors
    /// As [`CLIPTokenizer::encode`].
    pub fn count(&self, text: &str) -> Result<Vec<Windows>, TokenizerError> {
        let count = |(encoder, tokenizer): &(&'static str, CLIPTokenizer)| {
            let tokens = tokenizer.windows(text)?.iter().map(|window| window.ids.len()).collect();
            Ok(Windows { encoder, tokens, room: tokenizer.room() })
        };
        self.tokenizers.iter().map(count).collect()
    }
}

/// What one window takes of a prompt, less its begin and end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Window {
    pub ids: Vec<i64>,
    /// What each of them counts.
    pub weights: Vec<f64>,
}

impl CLIPTokenizer {
    /// The windows of a prompt, at least one: a section that begins at a `BREAK` begins a window, and goes on in the
    /// next one when that is full. A section without tokens fills none.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn windows(&self, prompt: &str) -> Result<Vec<Window>, TokenizerError> {
        let mut windows = Vec::new();
        for section in weighted(prompt) {
            let mut all = Window::default();
            for stretch in section {
                all.ids.extend(self.encode(&stretch.text)?);
                all.weights.resize(all.ids.len(), stretch.weight);
            }
            let pieces = all.ids.chunks(self.room()).zip(all.weights.chunks(self.room()));
            windows.extend(
                pieces.map(|(ids, weights)| Window { ids: ids.to_owned(), weights: weights.to_owned() }),
            );
        }
        if windows.is_empty() {
            windows.push(Window::default());
        }
        Ok(windows)
    }

    /// Ids of a text that one window takes.
    fn room(&self) -> usize {
        self.model_max_length().saturating_sub(2).max(1)
    }
}
