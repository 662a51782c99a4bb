//! The weights, and a text gone on with: candle's quantized llama.

use std::io::{BufReader, Cursor};
use std::path::Path;
use std::time::Instant;

use candle_core::quantized::tokenizer::TokenizerFromGguf;
use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use tokenizers::Tokenizer;

use super::examples::{EXAMPLES, question};
use super::sampling::choose;
use crate::enhance::enhancer::Wish;
use crate::enhance::random::Random;

/// Tokens of one answer: six to ten terms.
const MOST_TOKENS: usize = 40;
/// Tokens of one wish that are read, its end: enough to know what it is about, and read in time on a busy machine.
const MOST_WISH_TOKENS: usize = 160;

/// Whatever is wrong with a file: one sentence for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum ModelError {
    #[error("{0}")]
    Read(#[from] std::io::Error),
    #[error("{0}")]
    Candle(#[from] candle_core::Error),
    #[error("tokenizer: {0}")]
    Tokenizer(#[from] tokenizers::Error),
    #[error("the examples are no tokens")]
    NoExamples,
}

/// A loaded model that has read the examples.
#[derive(Debug)]
pub(super) struct Model {
    /// With the examples' keys and values; cloned for each wish, which shares them.
    read: ModelWeights,
    tokenizer: Tokenizer,
    examples: usize,
    commas: Vec<u32>,
}

impl Model {
    pub(super) fn load(file: &Path) -> Result<Self, ModelError> {
        let mut reader = BufReader::with_capacity(1 << 20, std::fs::File::open(file)?);
        let content = gguf_file::Content::read(&mut reader)?;
        let tokenizer = Tokenizer::from_gguf(&content)?;
        let mut weights = Cursor::new(in_q8(&content, &mut reader)?);
        let content = gguf_file::Content::read(&mut weights)?;
        let mut read = ModelWeights::from_gguf(content, &mut weights, &Device::Cpu)?;
        let examples = tokenizer.encode(EXAMPLES, false)?.get_ids().to_vec();
        if examples.is_empty() {
            return Err(ModelError::NoExamples);
        }
        read.forward(&Tensor::new(examples.as_slice(), &Device::Cpu)?.unsqueeze(0)?, 0)?;
        let commas = tokenizer.encode(",", false)?.get_ids().to_vec();
        Ok(Self { read, tokenizer, examples: examples.len(), commas })
    }

    /// What comes after the wish, up to the end of its line; `None` where `until` came first.
    pub(super) fn complete(&self, wish: &Wish, until: Instant) -> Result<Option<String>, ModelError> {
        let mut model = self.read.clone();
        let mut random = Random::new(wish.seed, &wish.text);
        let asked = self.tokenizer.encode(question(&wish.text), false)?;
        let asked = asked.get_ids();
        let asked = &asked[asked.len().saturating_sub(MOST_WISH_TOKENS)..];
        let mut position = self.examples + asked.len();
        let mut logits = model.forward(&Tensor::new(asked, &Device::Cpu)?.unsqueeze(0)?, self.examples)?;
        let mut said = Vec::new();
        while said.len() < MOST_TOKENS {
            if Instant::now() >= until {
                return Ok(None);
            }
            let Some(next) = choose(logits.squeeze(0)?.to_vec1()?, &said, &self.commas, &mut random) else {
                break;
            };
            // Special tokens have no text: the end of an answer is one.
            let text = self.tokenizer.decode(&[next], true)?;
            if text.is_empty() || text.contains('\n') {
                break;
            }
            said.push(next);
            logits = model.forward(&Tensor::new(&[next], &Device::Cpu)?.unsqueeze(0)?, position)?;
            position += 1;
        }
        // The last term may be half a one where the line has not ended.
        let text = self.tokenizer.decode(&said, true)?;
        let whole = if said.len() < MOST_TOKENS { text.len() } else { text.rfind(',').unwrap_or_default() };
        Ok(Some(text[..whole].to_owned()))
    }
}

/// The file's weights with all of Q4_1 as Q8_0, which candle multiplies twenty times faster on a CPU: it has no vector
/// code for the first. Eight bits hold four without loss that matters.
fn in_q8(content: &gguf_file::Content, reader: &mut BufReader<std::fs::File>) -> Result<Vec<u8>, ModelError> {
    let cpu = Device::Cpu;
    let mut tensors = Vec::with_capacity(content.tensor_infos.len());
    for name in content.tensor_infos.keys() {
        let tensor = content.tensor(reader, name, &cpu)?;
        let tensor = match tensor.dtype() {
            GgmlDType::Q4_1 => QTensor::quantize(&tensor.dequantize(&cpu)?, GgmlDType::Q8_0)?,
            _ => tensor,
        };
        tensors.push((name.as_str(), tensor));
    }
    // The tokenizer's part is the larger one, and has been read.
    let kept = content.metadata.iter().filter(|(key, _)| !key.starts_with("tokenizer."));
    let metadata: Vec<(&str, &gguf_file::Value)> = kept.map(|(key, value)| (key.as_str(), value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let mut file = Cursor::new(Vec::new());
    gguf_file::write(&mut file, &metadata, &tensors)?;
    Ok(file.into_inner())
}
