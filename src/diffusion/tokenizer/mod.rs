//! Text to token ids, as CLIP's text encoders were trained.
//!
//! - `vocabulary`: pieces and merges, from either layout of a folder; `clip`: CLIP's own, in the binary
//! - `special_tokens`: begin, end, padding, length
//! - `windows`: a prompt in the encoders' windows, and how much of them it fills

mod clip;
mod special_tokens;
mod vocabulary;
mod windows;

use std::path::Path;

use serde::de::DeserializeOwned;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Lowercase, NFC, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizers;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

use special_tokens::SpecialTokens;
use vocabulary::Vocabulary;

pub use windows::{MOST_WINDOWS, Window, WindowCounter, Windows};

/// What one word is: transformers 5.23.0, `models/clip/tokenization_clip.py`.
const WORDS: &str =
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

/// Byte-level byte-pair encoding over lower-cased words, equal to transformers' `CLIPTokenizer`.
///
/// A special token that stands in a text is that token, as there: `!` is id 0 for SDXL's second tokenizer, whose
/// padding it is.
#[derive(Debug)]
pub struct CLIPTokenizer {
    tokenizer: Tokenizer,
    bos_token_id: i64,
    eos_token_id: i64,
    pad_token_id: i64,
    model_max_length: usize,
}

/// Why a folder is no tokenizer, or a text no tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    #[error("{path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("{path}: {source}")]
    Json { path: String, source: serde_json::Error },
    #[error("{path}: not a pair of pieces: {line:?}")]
    Merge { path: String, line: String },
    #[error("the vocabulary lacks the special token {0:?}")]
    NoSuchToken(String),
    #[error("tokenizer: {0}")]
    Tokenizers(#[from] tokenizers::Error),
}

impl CLIPTokenizer {
    /// Reads a folder such as SDXL's `tokenizer` and `tokenizer_2`: `vocab.json` and `merges.txt`, or
    /// `tokenizer.json`; `tokenizer_config.json`, and `special_tokens_map.json` in older ones.
    ///
    /// # Errors
    /// Files that are missing or malformed, merges of unknown pieces, special tokens outside the vocabulary.
    pub fn load(folder: &Path) -> Result<Self, TokenizerError> {
        Self::build(Vocabulary::read(folder)?, SpecialTokens::read(folder)?)
    }

    /// SDXL's own, for checkpoints that carry none: CLIP's whole vocabulary, which is part of the binary. The second
    /// encoder's pads with `!`.
    ///
    /// # Errors
    /// None that is known; the vocabulary is tested.
    pub fn clip(of_second_encoder: bool) -> Result<Self, TokenizerError> {
        let pad = if of_second_encoder { "!" } else { "<|endoftext|>" };
        Self::build(Vocabulary::clip(), SpecialTokens::sdxl(pad))
    }

    fn build(vocabulary: Vocabulary, special: SpecialTokens) -> Result<Self, TokenizerError> {
        let Vocabulary { vocab, merges } = vocabulary;
        let id = |token: &String| {
            let id = vocab.get(token).copied();
            id.map(i64::from).ok_or_else(|| TokenizerError::NoSuchToken(token.clone()))
        };
        let (bos_token_id, eos_token_id, pad_token_id) =
            (id(&special.bos)?, id(&special.eos)?, id(&special.pad)?);
        let bpe = BPE::builder()
            .vocab_and_merges(vocab.into_iter().collect::<Vocab>(), merges)
            .unk_token(special.unk)
            .continuing_subword_prefix(String::new())
            .end_of_word_suffix("</w>".to_owned())
            .build()?;
        let mut tokenizer = Tokenizer::new(bpe);
        let spaces = Replace::new(ReplacePattern::Regex(r"\s+".to_owned()), " ")?;
        tokenizer.with_normalizer(Some(Normalizers::new(vec![
            NFC.into(),
            spaces.into(),
            Lowercase.into(),
        ])))?;
        let words = Split::new(SplitPattern::Regex(WORDS.to_owned()), SplitDelimiterBehavior::Removed, true)?;
        let bytes = ByteLevel::default().add_prefix_space(false);
        tokenizer.with_pre_tokenizer(Some(PreTokenizers::new(vec![words.into(), bytes.into()])));
        tokenizer.add_special_tokens(special.added)?;
        Ok(Self {
            tokenizer,
            bos_token_id,
            eos_token_id,
            pad_token_id,
            model_max_length: special.model_max_length,
        })
    }

    /// The ids of a text alone: no begin, no end, no limit.
    ///
    /// # Errors
    /// When the tokenizer refuses; no text is known that it does.
    pub fn encode(&self, text: &str) -> Result<Vec<i64>, TokenizerError> {
        let encoding = self.tokenizer.encode_fast(text, false)?;
        Ok(encoding.get_ids().iter().copied().map(i64::from).collect())
    }

    /// The words that a text is cut into.
    #[cfg(test)]
    pub(crate) fn cut(&self, text: &str) -> Vec<String> {
        use tokenizers::{Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};
        let words =
            Split::new(SplitPattern::Regex(WORDS.to_owned()), SplitDelimiterBehavior::Removed, true).unwrap();
        let mut normal = tokenizers::NormalizedString::from(text);
        self.tokenizer.get_normalizer().unwrap().normalize(&mut normal).unwrap();
        let mut cut = PreTokenizedString::from(normal);
        words.pre_tokenize(&mut cut).unwrap();
        let splits = cut.get_splits(OffsetReferential::Original, OffsetType::Byte);
        splits.into_iter().map(|(word, ..)| word.to_owned()).collect()
    }

    /// Begin, as much of the text as fits, end, padding: [`Self::model_max_length`] ids, which is
    /// `tokenizer(text, padding="max_length", truncation=True)`.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_padded(&self, text: &str) -> Result<Vec<i64>, TokenizerError> {
        let mut ids = Vec::with_capacity(self.model_max_length);
        ids.push(self.bos_token_id);
        ids.extend(self.encode(text)?.into_iter().take(self.model_max_length - 2));
        ids.push(self.eos_token_id);
        ids.resize(self.model_max_length, self.pad_token_id);
        Ok(ids)
    }

    pub fn bos_token_id(&self) -> i64 {
        self.bos_token_id
    }

    pub fn eos_token_id(&self) -> i64 {
        self.eos_token_id
    }

    pub fn pad_token_id(&self) -> i64 {
        self.pad_token_id
    }

    /// Ids in a padded text: 77.
    pub fn model_max_length(&self) -> usize {
        self.model_max_length
    }
}

fn read_text(path: &Path) -> Result<String, TokenizerError> {
    let named = |source| TokenizerError::Read { path: path.display().to_string(), source };
    std::fs::read_to_string(path).map_err(named)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, TokenizerError> {
    let named = |source| TokenizerError::Json { path: path.display().to_string(), source };
    serde_json::from_str(&read_text(path)?).map_err(named)
}
