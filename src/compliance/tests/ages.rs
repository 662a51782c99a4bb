//! Ages: the table of cases, and every adult's.

use std::collections::HashMap;

use super::super::ages::{below_18, hinted};
use super::super::phrases::sections;
use super::super::readings::Readings;
use super::*;

fn table() -> HashMap<&'static str, Vec<String>> {
    sections(include_str!("../../../tests/fixtures/compliance/ages.txt"))
}

#[test]
fn each_case_of_the_table_is_what_it_is() {
    let mut table = table();
    for (section, told, hint) in
        [("told", true, None), ("hinted", false, Some(true)), ("neither", false, Some(false))]
    {
        for case in table.remove(section).unwrap() {
            let readings = Readings::of(&case);
            assert_eq!(below_18(&readings), told, "{section}: {case}");
            assert!(hint.is_none_or(|hint| hinted(&readings) == hint), "{section}: {case}");
        }
    }
    assert!(table.is_empty(), "{table:?}");
}

#[test]
fn an_age_counts_beside_what_makes_it_matter() {
    let mut table = table();
    for case in table.remove("told").unwrap().into_iter().chain(table.remove("hinted").unwrap()) {
        assert_eq!(positive(&format!("{case}, marrow")), MINORS, "{case}");
        assert_eq!(positive(&case), NOTHING, "{case} alone");
    }
    for case in table.remove("neither").unwrap() {
        assert_eq!(positive(&format!("{case}, marrow")), NOTHING, "{case}");
    }
}

/// What is weighed is read without its weight too.
#[test]
fn a_weight_hides_no_age() {
    for age in ["(girl, 12:1.2)", "(girl 12:1.3)", "(she is 14:.9)", "girl, (14:1.2)", "(15 year old:1.2)"] {
        assert_eq!(positive(&format!("{age}, marrow")), MINORS, "{age}");
    }
}

#[test]
fn no_adult_is_too_young() {
    let tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let digits = ["", "-one", " two", "-three", " four", "-five", " six", "-seven", " eight", "-nine"];
    let named = tens.iter().flat_map(|ten| digits.iter().map(move |digit| format!("{ten}{digit}")));
    let ages: Vec<String> = (18..=120).map(|age: u32| age.to_string()).chain(named).collect();
    let forms = [
        "# year old",
        "#-year-old woman",
        "#yo",
        "# y/o",
        "aged #",
        "turned #",
        "girl, #",
        "girl # smiling",
        "she is #",
        "woman of #",
        "Emma, #, smiling",
        "# girl",
        "# лет",
    ];
    for said in each(&ages, &forms) {
        let readings = Readings::of(&said);
        assert!(!below_18(&readings) && !hinted(&readings), "{said}");
    }
}

/// Every age in every form.
fn each(ages: &[String], forms: &[&str]) -> Vec<String> {
    ages.iter().flat_map(|age| forms.iter().map(|form| form.replace('#', age))).collect()
}

#[test]
fn every_age_below_is() {
    let names = [
        "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen",
    ];
    let ages: Vec<String> = (1..18).map(|age: u32| age.to_string()).chain(names.map(str::to_owned)).collect();
    for said in each(&ages, &["# year old", "#-yo", "aged #", "# years old, smiling"]) {
        assert!(below_18(&Readings::of(&said)), "{said}");
    }
    let bare: Vec<String> = (3..18).map(|age: u32| age.to_string()).collect();
    for said in each(&bare, &["girl, #", "she is #", "woman (#)"]) {
        assert!(hinted(&Readings::of(&said)), "{said}");
    }
}
