//! The rules that no setting turns off.
//!
//! Sexual content involving minors: sexual words with a word for a minor, with an age below 18 or a bare number that may be one, or with adults named
//! in the negative prompt; clothing named in the negative prompt with a word for a minor, or beside adults. Sexual images of
//! real people: sexual words with a sign that a real person is meant. Words may stand anywhere in what describes the
//! picture. Words in the negative prompt otherwise keep things out, so `-child` is fine.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::phrases::{Phrases, sections};
use super::readings::Readings;
use super::unweighted::forms;
use super::verdict::Sign;
use super::{Category, ages};

/// The word lists of `floor.txt`, a section each.
#[derive(Debug, Default)]
pub(super) struct Floor {
    pub(super) sexual: Phrases,
    /// Sexual beside a minor or a real person, and harmless elsewhere.
    pub(super) intimate: Phrases,
    pub(super) minor: Phrases,
    /// Needs nothing beside it.
    pub(super) always_minor: Phrases,
    pub(super) real_person: Phrases,
    /// Said of things: taken out before the rest is looked for.
    pub(super) harmless: Phrases,
    /// The same, and not where what is left speaks of what they could hide.
    pub(super) ambiguous: Phrases,
    /// Anywhere in a negative term.
    pub(super) negated_adult: Phrases,
    /// What is called adult and is nobody.
    pub(super) adult_things: Phrases,
    /// As a whole negative term.
    pub(super) negated_age: Phrases,
    /// As a whole negative term.
    pub(super) negated_clothing: Phrases,
}

/// What a term of a negative prompt ends at: commas, and what weighs and groups.
const NEGATIVE_ENDS: [char; 17] =
    [',', ';', '|', '\n', '(', ')', '[', ']', '{', '}', '<', '>', ':', '/', '&', '+', '.'];

/// Of sexual words alone, which an operator may allow.
const SEXUAL_SCORE: f32 = 0.6;

impl Floor {
    pub(super) const TEXT: &str = include_str!("floor.txt");

    /// The lists that ship.
    pub(super) fn embedded() -> &'static Self {
        static FLOOR: LazyLock<Floor> = LazyLock::new(|| Floor::parse(Floor::TEXT));
        &FLOOR
    }

    /// A table of [`sections`]; a list that it lacks is empty.
    pub(super) fn parse(table: &str) -> Self {
        let mut lists = sections(table);
        let mut list = |name| Phrases::of(&lists.remove(name).unwrap_or_default());
        Self {
            sexual: list("sexual"),
            intimate: list("intimate"),
            minor: list("minor"),
            always_minor: list("always minor"),
            real_person: list("real person"),
            harmless: list("harmless"),
            ambiguous: list("ambiguous"),
            negated_adult: list("negated adult"),
            adult_things: list("adult things"),
            negated_age: list("negated age"),
            negated_clothing: list("negated clothing"),
        }
    }

    /// What is said in texts that show, beside a negative prompt: signs for the locked categories, and for sexual words alone.
    pub(super) fn find(&self, shown: &Readings, negative: &str) -> Vec<Sign> {
        let shown = self.without_things(shown);
        let kept_out = Self::kept_out(negative);
        let whole = |list: &Phrases| kept_out.iter().any(|term| list.equals(term));
        let no_adults = self.keeps_adults_out(&kept_out);

        let alone = self.sexual.occurs(&shown);
        let sexual = alone || self.intimate.occurs(&shown);
        let minor = self.is_minor(&shown) || sexual && ages::hinted(&shown);
        let minors = self.always_minor.occurs(&shown)
            || self.is_glued(&shown)
            || sexual && (minor || no_adults)
            || alone && whole(&self.negated_age)
            || (minor || no_adults) && whole(&self.negated_clothing);
        let sign = |category, score| Sign { category, score, by: "floor".to_owned() };
        let found = [
            (minors, sign(Category::SexualMinors, 1.0)),
            (sexual && self.real_person.occurs(&shown), sign(Category::SexualNonConsensual, 1.0)),
            (alone, sign(Category::Sexual, SEXUAL_SCORE)),
        ];
        found.into_iter().filter(|(holds, _)| *holds).map(|(_, sign)| sign).collect()
    }

    /// The terms of a negative prompt.
    fn kept_out(negative: &str) -> Vec<Readings> {
        let terms = |form: String| -> Vec<Readings> {
            form.replace("BREAK", ",").split(NEGATIVE_ENDS).map(Readings::of).collect()
        };
        forms(negative).into_iter().flat_map(terms).collect()
    }

    fn keeps_adults_out(&self, kept_out: &[Readings]) -> bool {
        kept_out.iter().any(|term| {
            let mut term = term.clone();
            term.remove(&self.adult_things);
            self.negated_adult.occurs(&term)
        })
    }

    /// Whether a minor is spoken of, or nobody else than a minor may be shown.
    pub(super) fn speaks_of_minors(&self, shown: &Readings, negative: &str) -> bool {
        let shown = self.without_things(shown);
        self.is_minor(&shown) || ages::hinted(&shown) || self.keeps_adults_out(&Self::kept_out(negative))
    }

    /// Whether somebody who exists is meant.
    pub(super) fn speaks_of_real_people(&self, shown: &Readings) -> bool {
        self.real_person.occurs(&self.without_things(shown))
    }

    /// Without what is said of things. A colour that could be a body stays where the rest speaks of minors, and one that could be
    /// a minor where the rest is sexual.
    fn without_things(&self, shown: &Readings) -> Readings {
        let mut kept = shown.clone();
        kept.remove(&self.harmless);
        let mut without = kept.clone();
        without.remove(&self.ambiguous);
        let hides = self.sexual.occurs(&without) || self.intimate.occurs(&without) || self.is_minor(&without);
        if hides { kept } else { without }
    }

    /// Whether a word for a minor and a sexual one are written as one word, which a text encoder takes apart. What `son` ends may be
    /// a name.
    fn is_glued(&self, shown: &Readings) -> bool {
        let sexual = |word: &str| self.sexual.has(word) || self.intimate.has(word);
        let minor = |word: &str| self.minor.has(word) && !matches!(word, "son" | "sons");
        let both = |(one, other): (&str, &str)| sexual(one) && minor(other) || minor(one) && sexual(other);
        let cuts = |word: &str| word.char_indices().skip(1).any(|(at, _)| both(word.split_at(at)));
        let longest =
            self.minor.longest_word() + self.sexual.longest_word().max(self.intimate.longest_word());
        let words = shown.iter().flat_map(|reading| &reading.words).filter(|word| word.len() <= longest);
        words.collect::<HashSet<_>>().into_iter().any(|word| cuts(word))
    }

    fn is_minor(&self, shown: &Readings) -> bool {
        self.minor.occurs(shown) || ages::below_18(shown)
    }
}
