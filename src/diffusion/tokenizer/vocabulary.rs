//! The words and merges of a byte-pair encoding, from either layout of a tokenizer's folder.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::{TokenizerError, read_json, read_text};

/// Pieces with their ids, and the pairs that are joined, most frequent first.
#[derive(Debug)]
pub(super) struct Vocabulary {
    pub(super) vocab: HashMap<String, u32>,
    pub(super) merges: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct TokenizerJson {
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    vocab: HashMap<String, u32>,
    merges: Vec<Merge>,
}

/// Older files join a pair with a space.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Joined(String),
}

impl Vocabulary {
    /// `vocab.json` and `merges.txt` where they are, else the model of `tokenizer.json`.
    pub(super) fn read(folder: &Path) -> Result<Self, TokenizerError> {
        let (vocab, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
        if vocab.exists() && merges.exists() {
            let text = read_text(&merges)?;
            // The first line is `#version: 0.2`; a later line may begin with the piece `#`.
            let lines = text.lines().filter(|line| !line.starts_with("#version") && !line.is_empty());
            let merges = lines.map(|line| pair(line, &merges)).collect::<Result<_, _>>()?;
            return Ok(Self { vocab: read_json(&vocab)?, merges });
        }
        let path = folder.join("tokenizer.json");
        let TokenizerJson { model } = read_json(&path)?;
        let merges = model.merges.into_iter().map(|merge| match merge {
            Merge::Pair(left, right) => Ok((left, right)),
            Merge::Joined(line) => pair(&line, &path),
        });
        Ok(Self { merges: merges.collect::<Result<_, _>>()?, vocab: model.vocab })
    }
}

fn pair(line: &str, path: &Path) -> Result<(String, String), TokenizerError> {
    let halves = line.split_once(' ').filter(|(_, right)| !right.contains(' '));
    let (left, right) = halves
        .ok_or_else(|| TokenizerError::Merge { path: path.display().to_string(), line: line.to_owned() })?;
    Ok((left.to_owned(), right.to_owned()))
}
