//! How much of the text encoders' windows a text fills: numbers, for whoever has no business with the ids.

use std::path::Path;

use super::{CLIPTokenizer, TokenizerError};
use crate::diffusion::checkpoint::tokenizer;

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
            let ids = tokenizer.encode(text)?;
            let tokens = tokenizer.windows(&ids).into_iter().map(<[i64]>::len).collect();
            Ok(Windows { encoder, tokens, room: tokenizer.room() })
        };
        self.tokenizers.iter().map(count).collect()
    }
}

impl CLIPTokenizer {
    /// The ids of a text as windows take them, each less its begin and end. An empty text is one window.
    pub fn windows<'a>(&self, ids: &'a [i64]) -> Vec<&'a [i64]> {
        if ids.is_empty() { vec![ids] } else { ids.chunks(self.room()).collect() }
    }

    /// Ids of a text that one window takes.
    fn room(&self) -> usize {
        self.model_max_length().saturating_sub(2).max(1)
    }
}
