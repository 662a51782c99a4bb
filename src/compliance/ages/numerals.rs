//! The numbers of a reading.

use super::super::cuts::{Gap, Reading};
use super::super::phrases::Phrases;
use super::{ADULT_YEARS, LEAST_RARE_YEARS};

const NAMES: [&str; 20] = [
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
const ORDINALS: [&str; 20] = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];
/// What a digit's name goes on behind: `twenty-one`.
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const LARGE: [&str; 3] = ["hundred", "thousand", "million"];

/// How a number is meant, as far as its own words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Cardinal,
    /// Of letters: `sixth`. In digits it is a number with `th` behind.
    Ordinal,
    /// A part of what makes one thing of numbers, as in `16:9` and `15%`.
    Ratio,
}

/// A number, the words `from..to` of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numeral {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Without its fraction. What is too large to count is [`u32::MAX`].
    pub(super) value: u32,
    pub(super) kind: Kind,
}

/// All of them, the longest at each place: `1,200`, `14.5`, `twenty-one`, `one hundred and one`, and `13/14`, which is an age of two
/// years. Of `14,100 mm` the 100 belongs to what is measured.
pub(super) fn numerals(said: &Reading, measures: &Phrases) -> Vec<Numeral> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < said.words.len() {
        let numeral = ratio(said, at).or_else(|| digits(said, at, measures)).or_else(|| named(said, at));
        at = numeral.map_or(at + 1, |numeral| numeral.to);
        found.extend(numeral);
    }
    found
}

fn word(said: &Reading, at: usize) -> &str {
    said.words.get(at).map_or("", String::as_str)
}

fn gap(said: &Reading, at: usize) -> Option<Gap> {
    said.gaps.get(at).copied()
}

fn is_ratio(said: &Reading, at: usize) -> bool {
    gap(said, at) == Some(Gap::Ratio)
}

/// A number of `16:9`, or the two of `13/14`.
fn ratio(said: &Reading, from: usize) -> Option<Numeral> {
    let value = parse(word(said, from)).filter(|_| is_ratio(said, from) || is_ratio(said, from + 1))?;
    let years = !is_ratio(said, from)
        && !is_ratio(said, from + 2)
        && (LEAST_RARE_YEARS..ADULT_YEARS).contains(&value)
        && parse(word(said, from + 1)) == Some(value + 1);
    let (to, kind) = if years { (from + 2, Kind::Cardinal) } else { (from + 1, Kind::Ratio) };
    Some(Numeral { from, to, value, kind })
}

/// Any other number in digits.
fn digits(said: &Reading, from: usize, measures: &Phrases) -> Option<Numeral> {
    let value = parse(word(said, from))?;
    let groups = (from + 1..).take_while(|&at| gap(said, at) == Some(Gap::Thousands)).count();
    let measured = groups == 1
        && (LEAST_RARE_YEARS..ADULT_YEARS).contains(&value)
        && !word(said, from + 1).starts_with('0')
        && measures.length_at(&said.words, from + 2) > 0;
    let (mut to, mut value) = if measured {
        (from + 1, value)
    } else {
        let whole =
            |whole: u32, at| whole.saturating_mul(1000).saturating_add(parse(word(said, at)).unwrap_or(0));
        (from + 1 + groups, (from + 1..=from + groups).fold(value, whole))
    };
    let points = (to..).take_while(|&at| gap(said, at) == Some(Gap::Decimal)).count();
    to += points;
    // `25 1/2`
    if parse(word(said, to)).is_some()
        && gap(said, to) == Some(Gap::Together)
        && is_ratio(said, to + 1)
        && !is_ratio(said, to + 2)
    {
        to += 2;
    }
    if let Some(end) = large(said, to) {
        (to, value) = (end, u32::MAX);
    }
    // `11.12.2020` and `10.15.7` are other things.
    let kind = if points > 1 { Kind::Ratio } else { Kind::Cardinal };
    Some(Numeral { from, to, value, kind })
}

fn parse(word: &str) -> Option<u32> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().unwrap_or(u32::MAX))
}

fn named(said: &Reading, from: usize) -> Option<Numeral> {
    let (to, value, kind) = below_100(said, from).unwrap_or((from, 0, Kind::Cardinal));
    match large(said, to) {
        Some(to) => Some(Numeral { from, to, value: u32::MAX, kind }),
        None => (to > from).then_some(Numeral { from, to, value, kind }),
    }
}

/// The end of `hundred`, `thousand and one` and the like. Only behind `and` the rest is surely of the same number.
fn large(said: &Reading, from: usize) -> Option<usize> {
    let goes_on = |at| gap(said, at) == Some(Gap::Together);
    let count =
        (from..).take_while(|&at| LARGE.contains(&word(said, at)) && (at == from || goes_on(at))).count();
    let to = from + count;
    let rest =
        || below_100(said, to + 1).filter(|_| word(said, to) == "and" && goes_on(to) && goes_on(to + 1));
    (count > 0).then(|| rest().map_or(to, |(end, ..)| end))
}

/// Where the name of a number ends, and which.
fn below_100(said: &Reading, from: usize) -> Option<(usize, u32, Kind)> {
    let place =
        |names: &[&str], at| (0..).zip(names).find(|(_, name)| **name == word(said, at)).map(|(at, _)| at);
    let one = |at| {
        let cardinal = || place(&NAMES, at).map(|value: u32| (value, Kind::Cardinal));
        cardinal().or_else(|| place(&ORDINALS, at).map(|value| (value, Kind::Ordinal)))
    };
    let Some(tens) = place(&TENS, from) else {
        return one(from).map(|(value, kind)| (from + 1, value, kind));
    };
    let tens = 10 * (tens + 2);
    let behind = one(from + 1).filter(|(value, _)| (1..10).contains(value));
    Some(match behind.filter(|_| gap(said, from + 1) == Some(Gap::Together)) {
        Some((value, kind)) => (from + 2, tens + value, kind),
        None => (from + 1, tens, Kind::Cardinal),
    })
}
