//! What review can find, with its names on the wire.

use serde::{Deserialize, Serialize};

macro_rules! categories {
    ($($variant:ident, $id:literal, $codes:expr, $name:literal;)*) => {
        /// A category; its id is OpenAI's moderation name where there is one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Category {
            $(#[serde(rename = $id)] $variant,)*
        }

        impl Category {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The id in `filter_categories`.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The codes in `compliance_codes`: hazards of MLCommons AILuminate v1.
            pub const fn codes(self) -> &'static [&'static str] {
                match self { $(Self::$variant => $codes,)* }
            }

            /// The name in `error`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

// Codes: cse child sexual exploitation, dfm defamation, hte hate, ipv intellectual property, iwp indiscriminate weapons,
// ncr non-violent crimes, prv privacy, src sex-related crimes, ssh suicide and self-harm, sxc sexual content, vcr violent
// crimes.
categories! {
    SexualMinors, "sexual/minors", &["cse"], "Sexual Content Involving Minors";
    SexualNonConsensual, "sexual/non_consensual", &["src", "prv"], "Non-Consensual Sexual Content";
    Sexual, "sexual", &["sxc"], "Sexual Content";
    Harassment, "harassment", &["dfm"], "Harassment";
    HarassmentThreatening, "harassment/threatening", &["dfm", "vcr"], "Threatening Harassment";
    Hate, "hate", &["hte"], "Hate";
    HateThreatening, "hate/threatening", &["hte", "vcr"], "Threatening Hate";
    Illicit, "illicit", &["ncr"], "Illicit Activity";
    IllicitViolent, "illicit/violent", &["vcr"], "Violent Illicit Activity";
    SelfHarm, "self-harm", &["ssh"], "Self-Harm";
    SelfHarmIntent, "self-harm/intent", &["ssh"], "Intent of Self-Harm";
    SelfHarmInstructions, "self-harm/instructions", &["ssh"], "Instructions for Self-Harm";
    Violence, "violence", &["vcr"], "Violence";
    ViolenceGraphic, "violence/graphic", &["vcr"], "Graphic Violence";
    WeaponsIndiscriminate, "weapons/indiscriminate", &["iwp"], "Indiscriminate Weapons";
    Privacy, "privacy", &["prv"], "Privacy";
    IntellectualProperty, "intellectual_property", &["ipv"], "Intellectual Property";
}

impl Category {
    /// Those that nothing turns off.
    pub const LOCKED: [Self; 2] = [Self::SexualMinors, Self::SexualNonConsensual];

    /// The codes of several, each once, in their order.
    pub fn codes_of(found: &[Self]) -> Vec<&'static str> {
        let mut codes = Vec::new();
        for code in found.iter().flat_map(|category| category.codes()) {
            if !codes.contains(code) {
                codes.push(*code);
            }
        }
        codes
    }

    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|category| category.id() == id)
    }

    pub fn is_locked(self) -> bool {
        Self::LOCKED.contains(&self)
    }

    /// A harmless text that counts as this category, so that the rules can be tried without the real thing.
    pub fn canary(self) -> String {
        format!("canary-{}", self.id().replace(['/', '_'], "-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_canaries_are_those_that_always_were() {
        for category in Category::ALL {
            let written = serde_json::to_string(category).unwrap();
            assert_eq!(written, format!("{:?}", category.id()));
            assert_eq!(serde_json::from_str::<Category>(&written).unwrap(), *category);
            assert!(!category.codes().is_empty() && !category.name().is_empty());
        }
        assert_eq!(Category::SexualMinors.canary(), "canary-sexual-minors");
        assert_eq!(Category::SexualNonConsensual.canary(), "canary-sexual-non-consensual");
    }
}
