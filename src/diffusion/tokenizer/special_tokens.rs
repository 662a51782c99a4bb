//! The tokens that are no text: what the files beside a vocabulary say of them.

use std::path::Path;

use serde::Deserialize;
use tokenizers::AddedToken;

use super::TokenizerError;

/// SDXL's text encoders have 77 positions (`max_position_embeddings`).
const CLIP_MODEL_MAX_LENGTH: usize = 77;

/// A file without a limit has `VERY_LARGE_INTEGER` (1e30) in it; anything of this size is no limit either.
const NO_LIMIT: f64 = 1e6;

/// What `tokenizer_config.json` and, in older folders, `special_tokens_map.json` say, with the defaults of
/// transformers' `CLIPTokenizer`.
#[derive(Debug)]
pub(super) struct SpecialTokens {
    pub(super) bos: AddedToken,
    pub(super) eos: AddedToken,
    pub(super) unk: AddedToken,
    pub(super) pad: AddedToken,
    /// Tokens a text is cut or filled to, begin and end included.
    pub(super) model_max_length: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    bos_token: Option<Token>,
    eos_token: Option<Token>,
    unk_token: Option<Token>,
    pad_token: Option<Token>,
    model_max_length: Option<f64>,
    added_tokens_decoder: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A token is a word, or a word with how it is looked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Token {
    Word(String),
    Added {
        content: String,
        #[serde(default)]
        lstrip: bool,
        #[serde(default)]
        rstrip: bool,
        #[serde(default)]
        single_word: bool,
        #[serde(default = "yes")]
        normalized: bool,
    },
}

fn yes() -> bool {
    true
}

impl Token {
    fn added(self) -> AddedToken {
        match self {
            Self::Word(content) => AddedToken::from(content, true),
            Self::Added { content, lstrip, rstrip, single_word, normalized } => {
                AddedToken::from(content, true)
                    .lstrip(lstrip)
                    .rstrip(rstrip)
                    .single_word(single_word)
                    .normalized(normalized)
            }
        }
    }
}

impl SpecialTokens {
    /// Reads what is there in `folder`; both files may be missing.
    pub(super) fn read(folder: &Path) -> Result<Self, TokenizerError> {
        let config = File::read(&folder.join("tokenizer_config.json"))?;
        // transformers reads the older file only where the newer does not list its tokens, and it wins there.
        let map = match config.added_tokens_decoder {
            Some(_) => File::default(),
            None => File::read(&folder.join("special_tokens_map.json"))?,
        };
        let token = |map: Option<Token>, config: Option<Token>, default: &str| {
            map.or(config).unwrap_or_else(|| Token::Word(default.to_owned())).added()
        };
        let length = config.model_max_length.filter(|length| (3.0..NO_LIMIT).contains(length));
        Ok(Self {
            bos: token(map.bos_token, config.bos_token, "<|startoftext|>"),
            eos: token(map.eos_token, config.eos_token, "<|endoftext|>"),
            unk: token(map.unk_token, config.unk_token, "<|endoftext|>"),
            pad: token(map.pad_token, config.pad_token, "<|endoftext|>"),
            model_max_length: length.map_or(CLIP_MODEL_MAX_LENGTH, |length| length as usize),
        })
    }
}

impl File {
    fn read(path: &Path) -> Result<Self, TokenizerError> {
        if !path.exists() {
            return Ok(Self::default());
        }
        super::read_json(path)
    }
}
