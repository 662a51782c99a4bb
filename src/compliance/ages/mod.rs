//! Ages below 18, in digits or words. `tests/fixtures/compliance/ages.txt` is the table of cases, `words.txt` has the words.
//!
//! An age is told by what stands beside a number:
//!
//! ```text
//! age    = number unit                   15 year old, 15yo, 15 лет
//!        | number range number unit      12-20 year old, 5 to 25 years old
//!        | number baby-unit              7 months old
//!        | ordinal ordinal-unit          sixth grade
//!        | sign link* number             aged 15, age of about 15
//!        | bound link* number            under 16, where no measure and no small count follows
//! hint   = somebody link* number         girl, 14; she is 13; woman of 14
//!        | number young | number "f"     14 girl, 14f
//!        | number                        where it stands alone: Emma, 14, smiling; Emma is 14
//! ```
//!
//! A hint may be something else, a count above all, and so counts only beside what makes it matter.

mod numerals;

use std::sync::LazyLock;

use super::cuts::{Gap, Reading};
use super::phrases::{Phrases, sections};
use super::readings::Readings;
use numerals::{Kind, Numeral, numerals};

pub(super) const TEXT: &str = include_str!("words.txt");

/// From here on a person is an adult.
const ADULT_YEARS: u32 = 18;
/// From here on a bare number beside somebody may be an age: `girl 1` and `girl 2` are the first and the second.
const LEAST_BARE_YEARS: u32 = 3;
/// From here on it is rarely a count.
const LEAST_RARE_YEARS: u32 = 10;
/// Links that may stand between a number and what is before it.
const MOST_LINKS: usize = 4;
/// Words of the longest phrase of those that stand before a number.
const MOST_BEFORE: usize = 3;

/// Whether a reading tells an age below 18.
pub(super) fn below_18(readings: &Readings) -> bool {
    any(readings, |place| place.is_age())
}

/// Whether a bare number below 18 stands where an age would. It may be something else, so it counts beside what makes it matter.
pub(super) fn hinted(readings: &Readings) -> bool {
    any(readings, |place| place.is_hint())
}

fn any(readings: &Readings, holds: impl Fn(&Place<'_>) -> bool) -> bool {
    let words = Words::embedded();
    readings.with_numbers().map(Reading::with_digits_apart).any(|said| {
        let found = numerals(&said, &words.measure);
        let next = found.iter().skip(1).map(Some).chain([None]);
        found
            .iter()
            .zip(next)
            .any(|(number, following)| holds(&Place { said: &said, number, following, words }))
    })
}

/// The lists of `words.txt`, a section each.
struct Words {
    unit: Phrases,
    baby_unit: Phrases,
    ordinal_unit: Phrases,
    year: Phrases,
    sign: Phrases,
    bound: Phrases,
    range: Phrases,
    between: Phrases,
    being: Phrases,
    link: Phrases,
    pronoun: Phrases,
    young: Phrases,
    adult_or_not: Phrases,
    goes_on: Phrases,
    measure: Phrases,
    time: Phrases,
    product: Phrases,
    setting: Phrases,
}

impl Words {
    fn embedded() -> &'static Self {
        static WORDS: LazyLock<Words> = LazyLock::new(|| {
            let mut lists = sections(TEXT);
            let mut list = |name| lists.remove(name).unwrap_or_default();
            let (mut measure, mut setting, months) = (list("measure"), list("setting"), list("month"));
            setting.extend(months.clone());
            measure.extend(months);
            measure.extend(measure.clone().iter().map(|one| format!("{one}s")));
            let mut phrases = |name| Phrases::of(&list(name));
            Words {
                unit: phrases("unit"),
                baby_unit: phrases("baby unit"),
                ordinal_unit: phrases("ordinal unit"),
                year: phrases("year"),
                sign: phrases("sign"),
                bound: phrases("bound"),
                range: phrases("range"),
                between: phrases("between"),
                being: phrases("being"),
                link: phrases("link"),
                pronoun: phrases("pronoun"),
                young: phrases("young"),
                adult_or_not: phrases("adult or not"),
                goes_on: phrases("goes on"),
                time: phrases("time"),
                product: phrases("product"),
                setting: Phrases::of(&setting),
                measure: Phrases::of(&measure),
            }
        });
        &WORDS
    }
}

/// A number in its reading.
struct Place<'a> {
    said: &'a Reading,
    number: &'a Numeral,
    /// The number that follows, near or far.
    following: Option<&'a Numeral>,
    words: &'a Words,
}

impl Place<'_> {
    fn is_age(&self) -> bool {
        let Numeral { to, value, kind, .. } = *self.number;
        if kind == Kind::Ordinal {
            return value < ADULT_YEARS && self.behind(to, &self.words.ordinal_unit) > 0;
        }
        let is_unit = |to| self.behind(to, &self.words.unit) > self.measure_words(to);
        let united = || is_unit(to) || self.range().is_some_and(is_unit);
        let young = value < ADULT_YEARS && (united() || self.is_signed(&self.words.sign));
        young || self.behind(to, &self.words.baby_unit) > 0 || self.is_bounded()
    }

    /// Where a range that the number begins ends: `12-20`, `5 to 25` and `between 13 and 25`.
    fn range(&self) -> Option<usize> {
        let Numeral { from, to, kind, .. } = *self.number;
        let next = self.following.filter(|_| kind == Kind::Cardinal)?;
        let and = || self.word(to) == "and" && self.before(from, &self.words.between);
        let joined = next.from == to + 1 && (self.near(to, &self.words.range) || and());
        let at_once = next.from == to && self.said.gaps[to] == Gap::Range;
        (joined || at_once).then_some(next.to)
    }

    /// Whether a phrase of the list says what the number is. Over a sign it says so of a number that stands there by itself.
    fn is_signed(&self, list: &Phrases) -> bool {
        let Numeral { from, to, value, kind } = *self.number;
        let by_itself = || kind == Kind::Cardinal && self.ends(to);
        let gap = self.said.gaps[from];
        // `(middle aged:1.2)` and `age 8k`
        let weight = gap == Gap::Value
            && value < LEAST_RARE_YEARS
            && self.said.gaps.get(from + 1) == Some(&Gap::Decimal);
        let measured = value < LEAST_RARE_YEARS
            && self.said.gaps.get(to) == Some(&Gap::Glued)
            && self.measure_words(to) > 0;
        self.before(self.links_from(from), list) && !weight && !measured && (gap != Gap::Apart || by_itself())
    }

    fn is_bounded(&self) -> bool {
        let Numeral { from, to, value, kind } = *self.number;
        (1..=ADULT_YEARS).contains(&value)
            && kind == Kind::Cardinal
            && self.said.gaps[from] != Gap::Money
            && (value >= LEAST_RARE_YEARS || self.ends(to))
            && !self.is_measured()
            && self.is_signed(&self.words.bound)
    }

    fn is_hint(&self) -> bool {
        let Numeral { value, kind, .. } = *self.number;
        let other = kind != Kind::Cardinal || self.is_measured();
        if other || !(LEAST_BARE_YEARS..ADULT_YEARS).contains(&value) {
            return false;
        }
        self.is_somebodys() || value >= LEAST_RARE_YEARS && (self.is_of_young() || self.is_alone())
    }

    /// `14 girl` and `14f`.
    fn is_of_young(&self) -> bool {
        let Numeral { from, to, .. } = *self.number;
        let product = self.said.gaps[from] != Gap::Apart && self.before(from, &self.words.product);
        let sex = self.word(to) == "f" && self.said.gaps[to] == Gap::Glued;
        !product && (sex || self.near(to, &self.words.young))
    }

    /// `Emma, 14, smiling` and `Emma is 14`.
    fn is_alone(&self) -> bool {
        let Numeral { from, to, .. } = *self.number;
        let begins = from == 0 || self.said.gaps[from] == Gap::Apart || self.before_links(&self.words.being);
        begins && self.ends(to) && !self.before_links(&self.words.setting)
    }

    /// `girl, 14` and `she is 13`.
    fn is_somebodys(&self) -> bool {
        let Numeral { from, to, value, .. } = *self.number;
        let (ends, told, rare) = (self.ends(to), self.links_from(from) < from, value >= LEAST_RARE_YEARS);
        // Letters behind digits are a name or a measure: `2b`, `12V`.
        if self.said.gaps.get(to) == Some(&Gap::Glued) && !ends {
            return false;
        }
        let near = matches!(self.said.gaps[from], Gap::Together | Gap::Glued);
        // `12 candles` are no age; behind a girl without a comma they would be an odd way to say so.
        let counted = self.next(to).ends_with('s') && !ends || self.near(to, &self.words.young);
        let somebody = self.before_links(&self.words.pronoun) && (ends || told || rare);
        let young = self.before_links(&self.words.young);
        let anybody = young || self.before_links(&self.words.adult_or_not);
        let likely = ends || told && !counted || rare && (!counted || near && !told);
        somebody || anybody && likely || young && near && !counted
    }

    fn word(&self, at: usize) -> &str {
        self.said.words.get(at).map_or("", String::as_str)
    }

    /// Number of words of the list's phrase behind a number, also over a sign: `15 y/o`.
    fn behind(&self, to: usize, list: &Phrases) -> usize {
        list.length_at(&self.said.words, to)
    }

    /// The word behind, where no sign parts it off; empty where the term ends.
    fn next(&self, to: usize) -> &str {
        if self.said.is_apart(to) { "" } else { self.word(to) }
    }

    /// Whether a phrase of the list stands behind, where no sign parts it off.
    fn near(&self, to: usize, list: &Phrases) -> bool {
        !self.said.is_apart(to) && self.behind(to, list) > 0
    }

    /// Words of the longest measure there, `years later` among them.
    fn measure_words(&self, to: usize) -> usize {
        let year = self.behind(to, &self.words.year);
        let time = year > 0 && self.near(to + year, &self.words.time);
        self.behind(to, &self.words.measure).max(if time { year + 1 } else { 0 })
    }

    /// Whether a measure stands behind the number, where no sign parts it off.
    fn is_measured(&self) -> bool {
        !self.said.is_apart(self.number.to) && self.measure_words(self.number.to) > 0
    }

    /// Whether nothing follows that the number could be of.
    fn ends(&self, to: usize) -> bool {
        let goes_on = || self.near(to, &self.words.goes_on) && self.said.gaps[to] != Gap::Glued;
        self.next(to).is_empty() || goes_on() || self.near(to, &self.words.year)
    }

    /// Whether a phrase of the list ends there.
    fn before(&self, at: usize, list: &Phrases) -> bool {
        let words = &self.said.words[..at];
        (0..at).rev().take(MOST_BEFORE).any(|start| list.length_at(words, start) == at - start)
    }

    /// Whether a phrase of the list stands before the number, or links that may stand between.
    fn before_links(&self, list: &Phrases) -> bool {
        let from = self.number.from;
        (self.links_from(from)..=from).any(|at| self.before(at, list))
    }

    /// Where the links before a number begin.
    fn links_from(&self, from: usize) -> usize {
        let words = self.said.words[..from].iter().rev().take(MOST_LINKS);
        from - words.take_while(|word| self.words.being.has(word) || self.words.link.has(word)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::super::readings::words;
    use super::*;

    #[test]
    fn every_list_is_read_and_none_is_longer_than_is_looked_for() {
        let table = sections(TEXT);
        let all = [
            "unit",
            "baby unit",
            "ordinal unit",
            "year",
            "sign",
            "bound",
            "range",
            "between",
            "being",
            "link",
            "pronoun",
            "young",
            "adult or not",
            "goes on",
            "measure",
            "time",
            "product",
            "setting",
            "month",
        ];
        assert_eq!(table.len(), all.len());
        assert!(all.iter().all(|name| table.contains_key(name)), "{:?}", table.keys());
        for before in [
            "sign",
            "bound",
            "between",
            "pronoun",
            "young",
            "adult or not",
            "product",
            "setting",
            "being",
            "month",
        ] {
            let longest = table[before].iter().map(|phrase| words(phrase).len()).max();
            assert!(longest <= Some(MOST_BEFORE), "{before}");
        }
        for single in ["link", "being"] {
            assert!(table[single].iter().all(|phrase| words(phrase).len() == 1), "{single}");
        }
    }
}
