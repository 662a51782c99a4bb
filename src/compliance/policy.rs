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

/// One category's share of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    pub mode: Mode,
    /// Score of a prompt from which on the category counts as found, above 0 to 1.
    pub prompt: f32,
    /// Score of a picture, likewise.
    pub picture: f32,
}

impl Default for Rule {
    fn default() -> Self {
        Self { mode: Mode::Flag, prompt: 0.5, picture: 0.8 }
    }
}

/// A rule for every category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policy(BTreeMap<Category, Rule>);

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
            (*category, Rule { mode, ..Rule::default() })
        };
        Self(Category::ALL.iter().map(rule).collect())
    }
}

impl Policy {
    /// The usual, with what an operator wrote in its place.
    pub fn with(written: &BTreeMap<Category, Rule>) -> Self {
        let mut policy = Self::default();
        policy.0.extend(written.iter().filter(|(category, _)| !category.is_locked()).map(|(c, r)| (*c, *r)));
        policy
    }

    pub fn rule(&self, category: Category) -> Rule {
        self.0.get(&category).copied().unwrap_or_default()
    }

    /// This policy with every rule at least as strict as `modes` says.
    pub fn tightened(mut self, modes: &BTreeMap<Category, Mode>) -> Self {
        for (category, mode) in modes {
            if let Some(rule) = self.0.get_mut(category) {
                rule.mode = rule.mode.max(*mode);
            }
        }
        self
    }
}

/// Says what an operator's rules must not be.
pub(super) fn validate(written: &BTreeMap<Category, Rule>, complaints: &mut Complaints) {
    for (category, rule) in written {
        let place = format!("compliance.categories.\"{}\"", category.id());
        if category.is_locked() {
            complaints.add(place.clone(), "this category is blocked always and takes no setting");
        }
        for (name, threshold) in [("prompt", rule.prompt), ("picture", rule.picture)] {
            if !(threshold > 0.0 && threshold <= 1.0) {
                complaints.add(format!("{place}.{name}"), "must be above 0 and at most 1");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_categories_stay_blocked_whatever_is_written() {
        let off = Rule { mode: Mode::Off, ..Rule::default() };
        let written = Category::ALL.iter().map(|category| (*category, off)).collect();
        let policy = Policy::with(&written);
        for category in Category::ALL {
            let wanted = if category.is_locked() { Mode::Block } else { Mode::Off };
            assert_eq!(policy.rule(*category).mode, wanted, "{category:?}");
        }
        let mut complaints = Complaints::default();
        validate(&written, &mut complaints);
        assert_eq!(complaints.0.len(), Category::LOCKED.len());
    }

    #[test]
    fn a_policy_can_only_be_tightened() {
        let asked = [(Category::Hate, Mode::Off), (Category::Sexual, Mode::Block)].into();
        let policy = Policy::default().tightened(&asked);
        assert_eq!(policy.rule(Category::Hate).mode, Mode::Block);
        assert_eq!(policy.rule(Category::Sexual).mode, Mode::Block);
        assert_eq!(policy.rule(Category::Violence).mode, Mode::Flag);
    }

    #[test]
    fn thresholds_are_shares() {
        let written = [(Category::Sexual, Rule { prompt: 0.0, picture: f32::NAN, ..Rule::default() })].into();
        let mut complaints = Complaints::default();
        validate(&written, &mut complaints);
        assert_eq!(complaints.0.len(), 2);
    }
}
