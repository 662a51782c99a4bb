//! What is done about each category: data, which an operator writes and a key or a request can only tighten.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Category;
use crate::config::complaints::Complaints;

/// What follows when a category is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing.
    Off,
    /// It is written down, and named in `compliance_codes`.
    Flag,
    /// No picture.
    Block,
}

impl Mode {
    fn named(name: &str) -> Option<Self> {
        match name {
            "off" => Some(Self::Off),
            "flag" => Some(Self::Flag),
            "block" => Some(Self::Block),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Flag => "flag",
            Self::Block => "block",
        }
    }
}

/// One category's share of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Rule {
    pub(super) mode: Mode,
    /// Score of a prompt from which on the category counts as found, above 0 to 1.
    pub(super) prompt: f32,
    /// Score of a picture, likewise.
    pub(super) picture: f32,
}

/// What an operator writes of a category; what is not written stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenRule {
    pub mode: Option<Mode>,
    pub prompt: Option<f32>,
    pub picture: Option<f32>,
}

/// A rule for every category.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Policy(BTreeMap<Category, Rule>);

/// Score of a picture from which on words for minors and for real people in its prompt count with it. Below the threshold of
/// the picture alone: two signs need less each.
const JOINT_SCORE: f32 = 0.5;

/// Blocked unless an operator says otherwise; what is not named is flagged.
const BLOCKED: [Category; 9] = [
    Category::SexualMinors,
    Category::SexualNonConsensual,
    Category::HarassmentThreatening,
    Category::Hate,
    Category::HateThreatening,
    Category::IllicitViolent,
    Category::SelfHarmIntent,
    Category::SelfHarmInstructions,
    Category::WeaponsIndiscriminate,
];

impl Default for Policy {
    fn default() -> Self {
        let rule = |category: &Category| {
            let mode = if BLOCKED.contains(category) { Mode::Block } else { Mode::Flag };
            (*category, Rule { mode, prompt: 0.5, picture: 0.8 })
        };
        Self(Category::ALL.iter().map(rule).collect())
    }
}

impl Policy {
    /// The usual, with what an operator wrote in its place. Nothing can be written of the locked categories.
    pub(super) fn with(written: &BTreeMap<Category, WrittenRule>) -> Self {
        let mut policy = Self::default();
        for (category, written) in written.iter().filter(|(category, _)| !category.is_locked()) {
            if let Some(rule) = policy.0.get_mut(category) {
                rule.mode = written.mode.unwrap_or(rule.mode);
                rule.prompt = written.prompt.unwrap_or(rule.prompt);
                rule.picture = written.picture.unwrap_or(rule.picture);
            }
        }
        policy
    }

    pub(super) fn rule(&self, category: Category) -> Rule {
        let strictest = Rule { mode: Mode::Block, prompt: 0.0, picture: 0.0 };
        self.0.get(&category).copied().unwrap_or(strictest)
    }

    pub(super) fn joint_score(&self) -> f32 {
        JOINT_SCORE.min(self.rule(Category::Sexual).picture)
    }
}

/// What a key or a request wants to be stricter than the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tightened(BTreeMap<Category, Mode>);

impl Tightened {
    /// One category and its mode, as people write them.
    ///
    /// # Errors
    /// What is known, for whoever wrote something else.
    pub fn one(category: &str, mode: &str) -> Result<(Category, Mode), String> {
        let known = || Category::ALL.iter().map(|category| category.id()).collect::<Vec<_>>().join(", ");
        let category =
            Category::named(category).ok_or_else(|| format!("unknown category; known are {}", known()))?;
        Ok((category, Mode::named(mode).ok_or("must be flag or block")?))
    }

    /// The stricter of both, for every category.
    pub fn and(mut self, other: &Self) -> Self {
        for (category, mode) in &other.0 {
            let own = self.0.entry(*category).or_insert(*mode);
            *own = (*own).max(*mode);
        }
        self
    }

    /// Never less strict than `mode`.
    pub(super) fn mode(&self, category: Category, mode: Mode) -> Mode {
        self.0.get(&category).map_or(mode, |wanted| mode.max(*wanted))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// As people write it: `hate=block violence=flag`.
impl std::fmt::Display for Tightened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let written = self.0.iter().map(|(category, mode)| format!("{}={}", category.id(), mode.name()));
        f.write_str(&written.collect::<Vec<_>>().join(" "))
    }
}

impl FromIterator<(Category, Mode)> for Tightened {
    fn from_iter<I: IntoIterator<Item = (Category, Mode)>>(modes: I) -> Self {
        Self(modes.into_iter().collect())
    }
}

/// Says what an operator's rules must not be.
pub(super) fn validate(written: &BTreeMap<Category, WrittenRule>, complaints: &mut Complaints) {
    for (category, rule) in written {
        let place = format!("compliance.categories.\"{}\"", category.id());
        if category.is_locked() {
            complaints.add(place.clone(), "this category is blocked always and takes no setting");
        }
        for (name, threshold) in [("prompt", rule.prompt), ("picture", rule.picture)] {
            if threshold.is_some_and(|threshold| !(threshold > 0.0 && threshold <= 1.0)) {
                complaints.add(format!("{place}.{name}"), "must be above 0 and at most 1");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(mode: Mode) -> WrittenRule {
        WrittenRule { mode: Some(mode), ..WrittenRule::default() }
    }

    #[test]
    fn the_locked_categories_stay_blocked_whatever_is_written() {
        let off = Category::ALL.iter().map(|category| (*category, written(Mode::Off))).collect();
        let policy = Policy::with(&off);
        for category in Category::ALL {
            let wanted = if category.is_locked() { Mode::Block } else { Mode::Off };
            assert_eq!(policy.rule(*category).mode, wanted, "{category:?}");
        }
        let mut complaints = Complaints::default();
        validate(&off, &mut complaints);
        assert_eq!(complaints.0.len(), Category::LOCKED.len());
    }

    #[test]
    fn what_is_not_written_stays() {
        let rule = WrittenRule { picture: Some(0.3), ..WrittenRule::default() };
        let policy = Policy::with(&[(Category::Hate, rule)].into());
        assert_eq!(policy.rule(Category::Hate), Rule { mode: Mode::Block, prompt: 0.5, picture: 0.3 });
        assert_eq!(policy.rule(Category::Sexual).mode, Mode::Flag);
    }

    #[test]
    fn a_policy_can_only_be_tightened() {
        let key: Tightened =
            [(Category::Hate, Mode::Off), (Category::Sexual, Mode::Block)].into_iter().collect();
        let request =
            [(Category::Sexual, Mode::Flag), (Category::Violence, Mode::Flag)].into_iter().collect();
        let both = key.and(&request);
        assert_eq!(both.mode(Category::Hate, Mode::Block), Mode::Block);
        assert_eq!(both.mode(Category::Sexual, Mode::Off), Mode::Block);
        assert_eq!(both.mode(Category::Violence, Mode::Off), Mode::Flag);
        assert_eq!(both.mode(Category::Privacy, Mode::Off), Mode::Off);
    }

    #[test]
    fn thresholds_are_shares() {
        let rule = WrittenRule { mode: None, prompt: Some(0.0), picture: Some(f32::NAN) };
        let mut complaints = Complaints::default();
        validate(&[(Category::Sexual, rule)].into(), &mut complaints);
        assert_eq!(complaints.0.len(), 2);
    }
}
