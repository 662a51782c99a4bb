//! Ages below 18, in digits or words.

use super::cuts::Reading;
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

/// What a number goes on behind: `twenty-one`, `a hundred and one`.
const LARGER: [&str; 10] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand"];

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
const PERSON: &[&str] = &[
    "girl", "boy", "woman", "man", "female", "male", "lady", "she", "he", "daughter", "son", "student",
    "pupil",
];
/// Before whom a bare number is one.
const YOUNG_PERSON: &[&str] = &["girl", "boy", "daughter", "son", "student", "pupil"];
/// What may stand between somebody and an age, and how much of it.
const BETWEEN: &[&str] = &["is", "s", "just", "only", "about", "now", "maybe"];
const MOST_BETWEEN: usize = 3;
/// What makes the number before it something else than an age.
const MEASURES: &[&str] = &[
    "k", "mm", "cm", "m", "d", "x", "p", "px", "am", "pm", "th", "st", "nd", "rd", "century", "inch", "foot",
    "feet", "meter", "metre", "mile", "kg", "lb", "percent", "degree", "dollar", "euro", "pound", "minute",
    "hour", "day", "second", "people", "men", "women", "children",
];

/// Whether a reading names an age below 18: `15 year old`, `15yo`, `fifteen-year-old`, `aged 15`, `under 16`.
pub(super) fn below_18(readings: &Readings) -> bool {
    readings.iter().any(|reading| {
        let (mut words, mut apart) = (Vec::new(), Vec::new());
        for (word, parted) in reading.words.iter().zip(&reading.apart) {
            for (at, piece) in split_digits(word).enumerate() {
                words.push(piece);
                apart.push(at == 0 && *parted);
            }
        }
        (0..words.len()).any(|at| goes_on(&words, &apart, at).is_none() && is_age(&words, at))
    })
}

/// Whether a bare number below 18 stands where an age would, as in `girl, 14`, `she is 13` and `14 girl`. It may be something
/// else, so it counts beside what makes it matter.
pub(super) fn beside_person(readings: &Readings) -> bool {
    readings.iter().any(|reading| {
        let words: Vec<&str> = reading.words.iter().map(String::as_str).collect();
        (0..words.len())
            .any(|at| goes_on(&words, &reading.apart, at).is_none() && is_bare_age(reading, &words, at))
    })
}

fn is_bare_age(reading: &Reading, words: &[&str], at: usize) -> bool {
    let Some(age) = number(words[at]).filter(|age| (1..ADULT_YEARS).contains(age)) else {
        return false;
    };
    let (ends, rare) = (reading.ends_term(at), age >= LEAST_BARE_YEARS);
    let next = words.get(at + 1).copied().unwrap_or_default();
    let counts = !(is_measure(next) || number(next).is_some());
    if rare && !ends && YOUNG_PERSON.contains(&next) {
        return true;
    }
    let before = without_filler(&words[..at]);
    let told = before.len() < at;
    let years = next.starts_with("year");
    // A comma may stand before the number where it is all that its term says.
    let near = ends || years || !reading.apart[at];
    near && before.last().is_some_and(|word| PERSON.contains(word))
        && (ends || counts && (told || rare) && (!is_plural(next) || years))
}

/// What the words say of a number behind them, less `is just` and the like.
fn without_filler<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    let filler = words.iter().rev().take(MOST_BETWEEN).take_while(|word| BETWEEN.contains(word)).count();
    &words[..words.len() - filler]
}

fn is_measure(word: &str) -> bool {
    MEASURES.contains(&word)
        || word.strip_suffix('s').is_some_and(|one| one.len() > 1 && MEASURES.contains(&one))
}

fn is_plural(word: &str) -> bool {
    word.ends_with('s')
}

/// What a number goes on behind, if it is but the end of a larger one.
fn goes_on<'a>(words: &[&'a str], apart: &[bool], at: usize) -> Option<&'a str> {
    let before = |back: usize| {
        let from = at.checked_sub(back)?;
        (!apart[from + 1..=at].contains(&true)).then(|| words[from])
    };
    let larger = |word: &&str| LARGER.contains(word);
    let large = |word: &&str| matches!(*word, "hundred" | "thousand");
    number(words[at])?;
    // `1,000`: the comma parts nothing here.
    let thousands =
        || words[..at].last().copied().filter(|word| words[at] == "000" && number(word).is_some());
    before(1)
        .filter(larger)
        .or_else(|| before(2).filter(large).filter(|_| words[at - 1] == "and"))
        .or_else(thousands)
}

fn is_age(words: &[&str], at: usize) -> bool {
    let Some(number) = number(words[at]) else { return false };
    let (before, behind) = (without_filler(&words[..at]), &words[at + 1..]);
    let follows = |signs: &[&[&str]]| signs.iter().any(|sign| behind.starts_with(sign));
    let leads = |signs: &[&[&str]]| signs.iter().any(|sign| before.ends_with(sign));
    let bounds = leads(BEFORE_BOUND) && !behind.first().is_some_and(|next| is_measure(next));
    let bounded = (1..=ADULT_YEARS).contains(&number) && bounds;
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
