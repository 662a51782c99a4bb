//! What words say of the categories that can be set; `rules.toml` holds them.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Category;
use super::phrases::Phrases;
use super::readings::Readings;
use super::verdict::Sign;

/// A category, and the words that speak for it.
#[derive(Debug)]
struct Rule {
    category: Category,
    score: f32,
    any: Phrases,
    /// Where there are any, one must stand beside one of `any`.
    with: Phrases,
    /// Said of things: taken out before the rest is looked for.
    harmless: Phrases,
}

/// All rules, in the order of their file.
#[derive(Debug)]
pub(super) struct Rules(Vec<Rule>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rule: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    category: Category,
    score: f32,
    any: Vec<String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    harmless: Vec<String>,
}

impl Rules {
    pub(super) const TEXT: &str = include_str!("rules.toml");

    /// The rules that ship; `None` if their file cannot be read, which a test and every start rule out.
    pub(super) fn embedded() -> Option<&'static Self> {
        static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| Rules::parse(Rules::TEXT).ok());
        RULES.as_ref()
    }

    pub(super) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let table: Table = toml::from_str(text)?;
        let rule = |written: Written| Rule {
            category: written.category,
            score: written.score,
            any: Phrases::of(&written.any),
            with: Phrases::of(&written.with),
            harmless: Phrases::of(&written.harmless),
        };
        Ok(Self(table.rule.into_iter().map(rule).collect()))
    }

    /// A sign for every rule that fires.
    pub(super) fn find(&self, shown: &Readings) -> Vec<Sign> {
        let sign = |rule: &Rule| Sign { category: rule.category, score: rule.score, by: "rules".to_owned() };
        self.0.iter().filter(|rule| rule.fires(shown)).map(sign).collect()
    }
}

impl Rule {
    fn fires(&self, shown: &Readings) -> bool {
        if !self.any.occurs(shown) || !self.with.is_empty() && !self.with.occurs(shown) {
            return false;
        }
        let mut rest = shown.clone();
        rest.remove(&self.harmless);
        self.any.occurs(&rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"
        [[rule]]
        category = "hate"
        score = 0.7
        any = ["turnip", "two beets"]
        with = ["garden"]
        harmless = ["turnip soup"]
        [[rule]]
        category = "hate"
        score = 0.9
        any = ["radish"]
    "#;

    fn scores(text: &str) -> Vec<f32> {
        let rules = Rules::parse(TABLE).unwrap();
        rules.find(&Readings::of(text)).into_iter().map(|sign| sign.score).collect()
    }

    #[test]
    fn a_rule_wants_its_context() {
        assert_eq!(scores("a turnip in the garden"), [0.7]);
        assert_eq!(scores("garden, two   Beets"), [0.7]);
        assert_eq!(scores("a turnip"), [0.0; 0]);
        assert_eq!(scores("turnip soup in the garden"), [0.0; 0]);
        assert_eq!(scores("turnip soup, a turnip, in the garden"), [0.7]);
        assert_eq!(scores("turnips in the garden"), [0.0; 0]);
        assert_eq!(scores("a r4dish, a turnip, a garden"), [0.7, 0.9]);
    }

    #[test]
    fn a_table_that_is_wrong_is_refused() {
        assert!(Rules::parse("[[rule]]\ncategory = \"fun\"\nscore = 1\nany = []").is_err());
        assert!(Rules::parse(&TABLE.replace("harmless", "but")).is_err());
    }

    #[test]
    fn the_rules_that_ship_can_be_read_and_leave_the_locked_categories_to_the_floor() {
        let rules = Rules::embedded().unwrap();
        assert!(
            rules.0.iter().all(|rule| !rule.category.is_locked() && rule.score > 0.0 && rule.score <= 1.0)
        );
        let named = |category: &Category| rules.0.iter().any(|rule| rule.category == *category);
        let open = Category::ALL.iter().filter(|c| !c.is_locked() && **c != Category::Sexual);
        assert_eq!(open.filter(|category| !named(category)).count(), 0);
    }
}
