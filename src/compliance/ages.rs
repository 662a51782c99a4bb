//! Ages below 18, in digits or words.

use super::cuts::{Gap, Reading};
use super::readings::Readings;

/// From here on a person is an adult.
const ADULT_YEARS: u32 = 18;
/// From here on a bare number beside somebody is rarely a count.
const LEAST_BARE_YEARS: u32 = 10;

const NUMBERS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

/// What a digit's name goes on behind: `twenty-one`.
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
/// What a number's name stands before or goes on behind: `one hundred and one`.
const LARGE: [&str; 3] = ["hundred", "thousand", "million"];

/// What makes the number before it an age.
const BEHIND: &[&[&str]] = &[
    &["year", "old"],
    &["years", "old"],
    &["year", "girl"],
    &["year", "boy"],
    &["yr", "old"],
    &["yrs", "old"],
    &["y", "old"],
    &["y", "o"],
    &["yo"],
    &["yearold"],
    &["yearsold"],
    &["yrold"],
    &["years", "of", "age"],
    &["years", "young"],
    &["yrs"],
    &["th", "birthday"],
    &["th", "grade"],
    &["th", "grader"],
    &["jahre", "alt"],
    &["jahrige"],
    &["jahriges"],
    &["jahriger"],
    &["anos"],
    &["ans"],
    &["anni"],
    &["jaar"],
    &["lat"],
    &["latka"],
    &["letnia"],
    &["letni"],
    // As it is read: two of its letters look like Latin ones.
    &["лet"],
];

/// What makes an age of a baby.
const BEHIND_YOUNGER: &[&[&str]] =
    &[&["month", "old"], &["months", "old"], &["week", "old"], &["weeks", "old"]];

/// What makes the number behind it an age.
const BEFORE: &[&[&str]] = &[
    &["age"],
    &["aged"],
    &["ages"],
    &["aged", "between"],
    &["ages", "between"],
    &["age", "of"],
    &["turned"],
    &["turning"],
];

/// What makes the number behind it an upper bound.
const BEFORE_BOUND: &[&[&str]] = &[&["under"], &["below"], &["younger", "than"], &["less", "than"]];

/// Of whom one is spoken; behind them a bare number is an age rather than a count.
const ADULT_OR_NOT: &[&str] = &["woman", "man", "female", "male", "lady"];
const YOUNG: &[&str] = &["girl", "boy", "daughter", "son", "student", "pupil"];
const PRONOUN: &[&str] = &["she", "he"];
/// What may stand between them and their age, and how much of it.
const BETWEEN: &[&str] = &["is", "s", "just", "only", "about", "now", "maybe"];
const MOST_BETWEEN: usize = 3;
/// What makes the number before it something else than an age.
const MEASURES: &[&str] = &[
    "k", "mm", "cm", "m", "d", "x", "p", "px", "am", "pm", "th", "st", "nd", "rd", "century", "inch", "foot",
    "feet", "ft", "meter", "metre", "mile", "kg", "lb", "percent", "degree", "dollar", "euro", "pound",
    "minute", "hour", "day", "second", "week", "month", "time", "pack", "denier", "people", "men", "women",
    "children", "mp", "gb", "hp",
];
/// What makes the number behind it a product's.
const PRODUCTS: &[&str] = &["iphone", "galaxy", "mig", "windows", "android", "ios", "boeing", "airbus"];

/// What goes on behind an upper bound that is an age.
const GOES_ON: &[&str] =
    &["and", "in", "on", "at", "with", "who", "is", "wearing", "sitting", "standing", "lying", "posing"];

/// Whether a reading names an age below 18: `15 year old`, `15yo`, `fifteen-year-old`, `aged 15`, `under 16`.
pub(super) fn below_18(readings: &Readings) -> bool {
    readings.iter().map(Said::of).any(|said| (0..said.words.len()).any(|at| said.is_age(at)))
}

/// Whether a bare number below 18 stands where an age would, as in `girl, 14`, `she is 13` and `14 girl`. It may be something
/// else, so it counts beside what makes it matter.
pub(super) fn beside_person(readings: &Readings) -> bool {
    readings.iter().map(Said::of).any(|said| (0..said.words.len()).any(|at| said.is_bare_age(at)))
}

/// A reading whose digits are words of their own: `15yo` is `15` and `yo`.
struct Said<'a> {
    words: Vec<&'a str>,
    gaps: Vec<Gap>,
}

impl<'a> Said<'a> {
    fn of(reading: &'a Reading) -> Self {
        let mut said = Self { words: Vec::new(), gaps: Vec::new() };
        for (word, gap) in reading.words.iter().zip(&reading.gaps) {
            // Where a phrase was taken out a gap stays.
            let pieces = split_digits(word).chain(word.is_empty().then_some(""));
            for (place, piece) in pieces.enumerate() {
                said.words.push(piece);
                said.gaps.push(if place == 0 { *gap } else { Gap::Together });
            }
        }
        said
    }

    /// The word behind, where no sign parts it off; empty where the term ends.
    fn next(&self, at: usize) -> &'a str {
        match self.gaps.get(at + 1) {
            Some(Gap::Apart | Gap::Money) | None => "",
            Some(_) => self.words[at + 1],
        }
    }

    /// The word before, where no sign parts it off.
    fn last(&self, at: usize) -> &'a str {
        if at > 0 && self.gaps[at] == Gap::Together { self.words[at - 1] } else { "" }
    }

    /// Whether a number is a part of a larger one.
    fn is_part(&self, at: usize) -> bool {
        let word = self.words[at];
        let written = word.starts_with(|c: char| c.is_ascii_digit());
        let three = |at: usize| self.words[at].len() == 3;
        let before = match self.gaps[at] {
            Gap::Thousands => three(at),
            Gap::Ratio | Gap::Money | Gap::Together | Gap::Apart => false,
        };
        let behind = self.gaps.get(at + 1) == Some(&Gap::Thousands) && three(at + 1);
        let digit = || NUMBERS[1..10].contains(&word);
        let last = self.last(at);
        let large = || last == "and" && LARGE.contains(&self.last(at - 1)) || LARGE.contains(&last);
        before
            || behind
            || !written && (LARGE.contains(&self.next(at)) || large() || TENS.contains(&last) && digit())
    }

    /// Whether two numbers are one thing there.
    fn is_ratio(&self, at: usize) -> bool {
        [at, at + 1].into_iter().any(|gap| self.gaps.get(gap) == Some(&Gap::Ratio))
    }

    /// What stands before a number, less `is just` and the like.
    fn before(&self, at: usize) -> &[&'a str] {
        let words = &self.words[..at];
        let filler = words.iter().rev().take(MOST_BETWEEN).take_while(|word| BETWEEN.contains(word)).count();
        &words[..words.len() - filler]
    }

    fn is_age(&self, at: usize) -> bool {
        let Some(number) = number(self.words[at]).filter(|_| !self.is_part(at)) else { return false };
        let (before, behind, next) = (self.before(at), &self.words[at + 1..], self.next(at));
        let follows = |signs: &[&[&str]]| signs.iter().any(|sign| behind.starts_with(sign));
        let leads = |signs: &[&[&str]]| signs.iter().any(|sign| before.ends_with(sign));
        let of_somebody = next.is_empty()
            || ["year", "yr", "yo"].iter().any(|year| next.starts_with(year))
            || YOUNG.contains(&next)
            || GOES_ON.contains(&next);
        let bounded = (1..=ADULT_YEARS).contains(&number)
            && leads(BEFORE_BOUND)
            && self.gaps[at] != Gap::Money
            && (of_somebody || number >= LEAST_BARE_YEARS && !is_measure(next));
        bounded || number < ADULT_YEARS && (follows(BEHIND) || leads(BEFORE)) || follows(BEHIND_YOUNGER)
    }

    fn is_bare_age(&self, at: usize) -> bool {
        let Some(age) = number(self.words[at]).filter(|age| (1..ADULT_YEARS).contains(age)) else {
            return false;
        };
        let next = self.next(at);
        if self.is_part(at) || self.is_ratio(at) || is_measure(next) || next == "bit" && matches!(age, 8 | 16)
        {
            return false;
        }
        let (ends, rare) = (next.is_empty(), age >= LEAST_BARE_YEARS);
        let last = self.last(at);
        if rare && YOUNG.contains(&next) && !(PRODUCTS.contains(&last) || last == "f") {
            return true;
        }
        let before = self.before(at);
        let told = before.len() < at;
        let who = |people: &[&str]| before.last().is_some_and(|word| people.contains(word));
        let near = self.gaps[at] == Gap::Together;
        // `12 candles` are no age; behind a girl's name without a comma they would be an odd way to say so.
        let counted = next.ends_with('s') && !next.starts_with("year");
        who(PRONOUN) && (ends || told || rare)
            || who(YOUNG) && (ends || rare && !(counted && (told || !near)))
            || who(YOUNG) && near && !counted && !YOUNG.contains(&next)
            || who(ADULT_OR_NOT) && (ends || (told || rare) && !counted)
    }
}

fn is_measure(word: &str) -> bool {
    let one = word.strip_suffix('s').filter(|one| one.len() > 1);
    MEASURES.contains(&word) || one.is_some_and(|one| MEASURES.contains(&one))
}

fn number(word: &str) -> Option<u32> {
    let named = || NUMBERS.iter().zip(0..).find(|(name, _)| **name == word).map(|(_, number)| number);
    word.parse().ok().or_else(named)
}

fn split_digits(word: &str) -> impl Iterator<Item = &str> {
    word.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).scan(0, move |from, run| {
        let start = *from;
        *from += run.len();
        word.get(start..*from)
    })
}
