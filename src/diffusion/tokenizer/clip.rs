//! CLIP's vocabulary, for checkpoints that come without one: 49,408 pieces (OpenAI, MIT licence).

use super::vocabulary::Vocabulary;

/// The merges in their order, each two little-endian `u16`: the ids of the pieces that are joined. Every merge is itself a
/// piece, and only joins pieces before it. Made by `tests/fixtures/make_single_file.py`.
const MERGES: &[u8] = include_bytes!("clip_merges.bin");

/// The last two of the vocabulary.
const ENDS: [&str; 2] = ["<|startoftext|>", "<|endoftext|>"];

impl Vocabulary {
    /// The same as `vocab.json` and `merges.txt` of `openai/clip-vit-large-patch14`.
    pub(super) fn clip() -> Self {
        let bytes = bytes();
        let mut pieces: Vec<String> = bytes.iter().map(char::to_string).collect();
        pieces.extend(bytes.iter().map(|byte| format!("{byte}</w>")));
        let mut merges = Vec::with_capacity(MERGES.len() / 4);
        for pair in MERGES.chunks_exact(4) {
            let piece = |at: usize| usize::from(u16::from_le_bytes([pair[at], pair[at + 1]]));
            let (left, right) = (pieces[piece(0)].clone(), pieces[piece(2)].clone());
            pieces.push(format!("{left}{right}"));
            merges.push((left, right));
        }
        pieces.extend(ENDS.map(str::to_owned));
        Self { vocab: pieces.into_iter().zip(0..).collect(), merges }
    }
}

/// GPT-2's printable stand-ins for the 256 bytes, in CLIP's order: those that print as themselves, then the others.
fn bytes() -> Vec<char> {
    let prints = |byte: &u8| matches!(byte, 33..=126 | 161..=172 | 174..);
    let others = (0..=u8::MAX).filter(|byte| !prints(byte)).count() as u32;
    let stand_ins = (256..256 + others).filter_map(char::from_u32);
    (0..=u8::MAX).filter(prints).map(char::from).chain(stand_ins).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sha256 of `merges.txt` of `openai/clip-vit-large-patch14`.
    const MERGES_TXT: &str = "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a";

    #[test]
    fn the_merges_are_clips() {
        use sha2::{Digest, Sha256};
        let Vocabulary { vocab, merges } = Vocabulary::clip();
        assert_eq!(vocab.len(), 49408);
        let lines: Vec<String> = merges.iter().map(|(left, right)| format!("{left} {right}\n")).collect();
        let text = format!("#version: 0.2\n{}", lines.concat());
        assert_eq!(hex::encode(Sha256::digest(text)), MERGES_TXT);
    }
}
