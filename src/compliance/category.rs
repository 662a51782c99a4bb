//! What review can find, with its names on the wire.

/// Categories that are never configurable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    SexualMinors,
    SexualNonConsensual,
}

impl Category {
    pub const ALL: [Self; 2] = [Self::SexualMinors, Self::SexualNonConsensual];

    /// The id in `filter_categories`: OpenAI's moderation names where there is one.
    pub const fn id(self) -> &'static str {
        match self {
            Self::SexualMinors => "sexual/minors",
            Self::SexualNonConsensual => "sexual/non_consensual",
        }
    }

    /// The codes in `compliance_codes`: hazards of MLCommons AILuminate v1, which are `cse` (child sexual exploitation),
    /// `src` (sex-related crimes) and `prv` (privacy).
    pub const fn codes(self) -> &'static [&'static str] {
        match self {
            Self::SexualMinors => &["cse"],
            Self::SexualNonConsensual => &["src", "prv"],
        }
    }

    /// The name in `error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SexualMinors => "Sexual Content Involving Minors",
            Self::SexualNonConsensual => "Non-Consensual Sexual Content",
        }
    }

    /// A harmless text that counts as this category, so that the rules can be tried without the real thing.
    pub const fn canary(self) -> &'static str {
        match self {
            Self::SexualMinors => "canary-sexual-minors",
            Self::SexualNonConsensual => "canary-sexual-non-consensual",
        }
    }
}
