//! The rules that no setting turns off.
//!
//! Sexual content involving minors: sexual words with a word for a minor, with an age below 18, or with adults named
//! in the negative prompt; or a word for a minor with clothing named in the negative prompt. Sexual images of real
//! people: sexual words with a sign that a real person is meant. Words may stand anywhere in what describes the
//! picture. Words in the negative prompt otherwise keep things out, so `-child` is fine.

use std::sync::LazyLock;

use super::phrases::Phrases;
use super::readings::Readings;
use super::{Category, Texts, ages};

/// The word lists of `floor.txt`, a section each.
#[derive(Debug, Default)]
pub(super) struct Floor {
    pub(super) sexual: Phrases,
    pub(super) minor: Phrases,
    pub(super) real_person: Phrases,
    /// Said of things: taken out before the rest is looked for.
    pub(super) harmless: Phrases,
    /// As a whole negative term.
    pub(super) negated_adult: Phrases,
    /// As a whole negative term.
    pub(super) negated_clothing: Phrases,
}

impl Floor {
    /// The lists that ship.
    pub(super) fn embedded() -> &'static Self {
        static FLOOR: LazyLock<Floor> = LazyLock::new(|| Floor::parse(include_str!("floor.txt")));
        &FLOOR
    }

    /// Reads `[section]` lines and one phrase a line; `#` begins a remark.
    pub(super) fn parse(table: &str) -> Self {
        let mut floor = Self::default();
        let mut section = None;
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line {
                "[sexual]" => section = Some(&mut floor.sexual),
                "[minor]" => section = Some(&mut floor.minor),
                "[real person]" => section = Some(&mut floor.real_person),
                "[harmless]" => section = Some(&mut floor.harmless),
                "[negated adult]" => section = Some(&mut floor.negated_adult),
                "[negated clothing]" => section = Some(&mut floor.negated_clothing),
                phrase => {
                    if let Some(list) = &mut section {
                        list.insert(phrase);
                    }
                }
            }
        }
        floor
    }

    /// Every category that these texts fall under.
    pub(super) fn find(&self, texts: &Texts<'_>) -> Vec<Category> {
        let mut shown = Readings::of(texts.positive);
        texts.others.iter().for_each(|text| shown.extend(&Readings::of(text)));
        shown.remove(&self.harmless);
        let negative_terms: Vec<Readings> = texts.negative.split(',').map(Readings::of).collect();
        let negated = |list: &Phrases| negative_terms.iter().any(|term| list.equals(term));

        let sexual = self.sexual.occurs(&shown);
        let minor = self.minor.occurs(&shown) || ages::below_18(&shown);
        let kept = |category: &Category| match category {
            Category::SexualMinors => {
                sexual && (minor || negated(&self.negated_adult)) || minor && negated(&self.negated_clothing)
            }
            Category::SexualNonConsensual => sexual && self.real_person.occurs(&shown),
        };
        let canary = |category: &Category| {
            let texts = [texts.positive, texts.negative].into_iter().chain(texts.others.iter().copied());
            texts.into_iter().any(|text| text.contains(category.canary()))
        };
        Category::ALL.into_iter().filter(|category| kept(category) || canary(category)).collect()
    }
}
