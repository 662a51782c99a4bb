//! Ages below 18, in digits or words.

use super::readings::Readings;

/// From here on a person is an adult.
const ADULT_YEARS: u32 = 18;

const NUMBERS: [&str; 19] = [
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
];

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
    &["age", "is"],
    &["turned"],
    &["turning"],
];

/// What makes the number behind it an upper bound.
const BEFORE_BOUND: &[&[&str]] = &[&["under"], &["below"], &["younger", "than"], &["less", "than"]];

/// Whether a reading names an age below 18: `15 year old`, `15yo`, `fifteen-year-old`, `aged 15`, `under 16`.
pub(super) fn below_18(readings: &Readings) -> bool {
    readings.iter().any(|words| {
        let words: Vec<&str> = words.iter().flat_map(|word| split_digits(word)).collect();
        (0..words.len()).any(|at| is_age(&words, at))
    })
}

/// Of whom one is spoken; behind them a bare number is an age rather than a count.
const PERSON: &[&str] = &[
    "girl", "boy", "woman", "man", "female", "male", "lady", "she", "he", "daughter", "son", "student",
    "pupil",
];
/// What may stand between them and their age, and how much of it.
const BETWEEN: &[&str] = &["is", "s", "just", "only", "about", "now", "maybe"];
const MOST_BETWEEN: usize = 3;
/// What makes the number before it something else than an age.
const MEASURES: &[&str] =
    &["k", "mm", "cm", "m", "d", "x", "p", "px", "am", "pm", "th", "st", "nd", "rd", "century"];

/// Whether a bare number below 18 stands where an age would, as in `girl, 14` and `she is 13`. It may be something else, so
/// it counts beside what makes it matter.
pub(super) fn beside_person(readings: &Readings) -> bool {
    readings.iter().any(|words| {
        (1..words.len()).any(|at| {
            let said = words[..at].iter().map(String::as_str).rev();
            let before = said.take(MOST_BETWEEN + 1).find(|word| !BETWEEN.contains(word));
            let measured = words
                .get(at + 1)
                .is_some_and(|next| MEASURES.contains(&next.as_str()) || number(next).is_some());
            before.is_some_and(|word| PERSON.contains(&word))
                && !measured
                && number(&words[at]).is_some_and(|years| (1..ADULT_YEARS).contains(&years))
        })
    })
}

fn is_age(words: &[&str], at: usize) -> bool {
    let Some(number) = number(words[at]) else { return false };
    let (before, behind) = (&words[..at], &words[at + 1..]);
    let follows = |signs: &[&[&str]]| signs.iter().any(|sign| behind.starts_with(sign));
    let leads = |signs: &[&[&str]]| signs.iter().any(|sign| before.ends_with(sign));
    let bounded = (1..=ADULT_YEARS).contains(&number) && leads(BEFORE_BOUND);
    bounded || number < ADULT_YEARS && (follows(BEHIND) || leads(BEFORE)) || follows(BEHIND_YOUNGER)
}

fn number(word: &str) -> Option<u32> {
    let named = || NUMBERS.iter().zip(0..).find(|(name, _)| **name == word).map(|(_, number)| number);
    word.parse().ok().or_else(named)
}

/// `15yo` as `15` and `yo`.
fn split_digits(word: &str) -> impl Iterator<Item = &str> {
    word.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).scan(0, move |from, run| {
        let start = *from;
        *from += run.len();
        word.get(start..*from)
    })
}
