//! The tokens that are no text: what the files beside a vocabulary say of them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
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
    pub(super) bos: String,
    pub(super) eos: String,
    pub(super) unk: String,
    pub(super) pad: String,
    /// These and any other that the files list, each once, with how it is looked for in a text.
    pub(super) added: Vec<AddedToken>,
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
    /// By id, how each token is looked for in a text.
    added_tokens_decoder: Option<BTreeMap<String, Token>>,
}

/// What `tokenizer.json` says of them.
#[derive(Debug, Default, Deserialize)]
struct List {
    #[serde(default)]
    added_tokens: Vec<Token>,
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
    /// What the files beside SDXL's own tokenizers say: they differ in what they pad with.
    pub(super) fn sdxl(pad: &str) -> Self {
        let token = |content: &str| {
            let content = content.to_owned();
            Token::Added { content, lstrip: false, rstrip: false, single_word: false, normalized: true }
        };
        let map = File {
            bos_token: Some(token("<|startoftext|>")),
            eos_token: Some(token("<|endoftext|>")),
            unk_token: Some(token("<|endoftext|>")),
            pad_token: Some(Token::Word(pad.to_owned())),
            ..File::default()
        };
        Self::of(File::default(), map, Vec::new())
    }

    /// Reads what is there in `folder`; both files may be missing.
    pub(super) fn read(folder: &Path) -> Result<Self, TokenizerError> {
        let mut config = read::<File>(&folder.join("tokenizer_config.json"))?;
        // transformers reads the other files only where this one does not list its tokens, and the map wins there.
        let (map, listed) = match config.added_tokens_decoder.take() {
            Some(listed) => (File::default(), listed.into_values().collect()),
            None => (
                read::<File>(&folder.join("special_tokens_map.json"))?,
                read::<List>(&folder.join("tokenizer.json"))?.added_tokens,
            ),
        };
        Ok(Self::of(config, map, listed))
    }

    fn of(config: File, map: File, listed: Vec<Token>) -> Self {
        let token = |map: Option<Token>, config: Option<Token>, default: &str| {
            map.or(config).unwrap_or_else(|| Token::Word(default.to_owned())).added()
        };
        let bos = token(map.bos_token, config.bos_token, "<|startoftext|>");
        let eos = token(map.eos_token, config.eos_token, "<|endoftext|>");
        let unk = token(map.unk_token, config.unk_token, "<|endoftext|>");
        let pad = token(map.pad_token, config.pad_token, "<|endoftext|>");
        // One text may have two roles; how it is looked for is what was said last, and the list above all.
        let mut added = BTreeMap::new();
        let listed = listed.into_iter().map(Token::added);
        for token in [&bos, &eos, &unk, &pad].into_iter().cloned().chain(listed) {
            added.insert(token.content.clone(), token);
        }
        let length = config.model_max_length.filter(|length| (3.0..NO_LIMIT).contains(length));
        Self {
            bos: bos.content,
            eos: eos.content,
            unk: unk.content,
            pad: pad.content,
            added: added.into_values().collect(),
            model_max_length: length.map_or(CLIP_MODEL_MAX_LENGTH, |length| length as usize),
        }
    }
}

/// A file that is missing says nothing.
fn read<T: Default + DeserializeOwned>(path: &Path) -> Result<T, TokenizerError> {
    if path.exists() { super::read_json(path) } else { Ok(T::default()) }
}
