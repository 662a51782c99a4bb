//! Joins presets and prompt in the order of the specification, "Prompt Construction".

/// The pieces, each possibly empty.
///
/// Positive: `[trigger], [character_positive], {user prompt}[, style quality tags]`.
/// Negative: `{base negatives}[, style negatives][, character negatives][, parsed -terms][, explicit negative]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts<'a> {
    pub trigger: &'a str,
    pub character_positive: &'a str,
    /// [`super::ParsedPrompt::positive`].
    pub prompt: &'a str,
    pub style_positive: &'a str,
    pub base_negative: &'a str,
    pub style_negative: &'a str,
    pub character_negative: &'a str,
    /// [`super::ParsedPrompt::negative`].
    pub prompt_negative: &'a str,
    /// The request's own `negative`.
    pub explicit_negative: &'a str,
}

/// What goes to review and, once approved, to the text encoders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    pub positive: String,
    pub negative: String,
}

/// Joins with `, `; an empty piece leaves no comma behind, and neither does one that brings its own.
pub fn compose(parts: &Parts<'_>) -> Composed {
    let Parts { trigger, character_positive, prompt, style_positive, .. } = *parts;
    let Parts {
        base_negative, style_negative, character_negative, prompt_negative, explicit_negative, ..
    } = *parts;
    Composed {
        positive: join(&[trigger, character_positive, prompt, style_positive]),
        negative: join(&[
            base_negative,
            style_negative,
            character_negative,
            prompt_negative,
            explicit_negative,
        ]),
    }
}

fn join(pieces: &[&str]) -> String {
    let kept: Vec<&str> = pieces
        .iter()
        .map(|piece| piece.trim_matches(|c: char| c == ',' || c.is_whitespace()))
        .filter(|piece| !piece.is_empty())
        .collect();
    kept.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_stands_where_the_specification_puts_it() {
        let all = Parts {
            trigger: "photo of aya",
            character_positive: "long black hair",
            prompt: "enhanced prompt",
            style_positive: "quality tags",
            base_negative: "base negatives",
            style_negative: "style negatives",
            character_negative: "character negatives",
            prompt_negative: "red dress",
            explicit_negative: "blurry",
        };
        let composed = compose(&all);
        assert_eq!(composed.positive, "photo of aya, long black hair, enhanced prompt, quality tags");
        assert_eq!(
            composed.negative,
            "base negatives, style negatives, character negatives, red dress, blurry"
        );
    }

    #[test]
    fn the_example_of_a_completed_job() {
        let composed = compose(&Parts {
            trigger: "photo of aya",
            prompt: "enhanced prompt",
            style_positive: "quality tags",
            base_negative: "base negatives",
            style_negative: "style negatives",
            prompt_negative: "red dress",
            ..Parts::default()
        });
        assert_eq!(composed.positive, "photo of aya, enhanced prompt, quality tags");
        assert_eq!(composed.negative, "base negatives, style negatives, red dress");
    }

    /// Each of the 2^9 ways to leave pieces out.
    #[test]
    fn no_choice_of_empty_pieces_leaves_a_stray_comma() {
        let pick = |mask: u32, bit: u32, text: &'static str| {
            if mask >> bit & 1 == 1 { text } else { " , " }
        };
        for mask in 0..512 {
            let composed = compose(&Parts {
                trigger: pick(mask, 0, "t"),
                character_positive: pick(mask, 1, "c,"),
                prompt: pick(mask, 2, " p "),
                style_positive: pick(mask, 3, "s"),
                base_negative: pick(mask, 4, "b"),
                style_negative: pick(mask, 5, ",s"),
                character_negative: pick(mask, 6, "c"),
                prompt_negative: pick(mask, 7, "p"),
                explicit_negative: pick(mask, 8, "e, "),
            });
            for (text, bits) in [(&composed.positive, mask & 0xf), (&composed.negative, mask >> 4)] {
                let letters = text.split(", ").filter(|piece| piece.len() == 1).count();
                assert_eq!(letters, bits.count_ones() as usize, "{text:?}");
                assert!(bits == 0 && text.is_empty() || text.split(", ").all(|p| p.len() == 1), "{text:?}");
            }
        }
    }
}
