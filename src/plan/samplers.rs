//! The samplers: an algorithm and a spacing, by the names that diffusers, A1111, ComfyUI, InvokeAI and k-diffusion
//! give them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A sampler, written as one word: the diffusers class, then the spacing if it is not the checkpoint's own
/// (`DPMSolverMultistepSchedulerKarras`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SamplerKind {
    pub algorithm: Algorithm,
    pub spacing: Spacing,
}

/// How the sample moves from one noise level to the next; named as diffusers' classes are, without `Scheduler`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    EulerDiscrete,
    EulerAncestralDiscrete,
    HeunDiscrete,
    /// DPM++ 2M: `DPMSolverMultistepScheduler`, `algorithm_type="dpmsolver++"`.
    DPMSolverMultistep,
    /// DPM++ 2M SDE: the same class with `algorithm_type="sde-dpmsolver++"`.
    DPMSolverMultistepSDE,
    /// DPM++ SDE.
    DPMSolverSDE,
    UniPCMultistep,
    DDIM,
    LCM,
}

/// Which noise levels are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spacing {
    /// As the checkpoint's `scheduler_config.json` has it.
    Own,
    /// `use_karras_sigmas=True`.
    Karras,
    /// `use_exponential_sigmas=True`.
    Exponential,
    /// `use_beta_sigmas=True`.
    Beta,
    /// `timestep_spacing="trailing"`: A1111's and ComfyUI's "SGM Uniform" and "Simple"; what Lightning and Turbo want.
    Trailing,
    /// `timestep_spacing="linspace"`: ComfyUI's "normal".
    Linspace,
    /// `timestep_spacing="leading"`.
    Leading,
}

/// One spelling of each algorithm and of the commonest spacings, for messages. Each algorithm goes with each of
/// [`SPACINGS`].
pub const KNOWN: [&str; 12] = [
    "Euler",
    "Euler a",
    "Heun",
    "DPM++ 2M",
    "DPM++ 2M Karras",
    "DPM++ 2M SDE",
    "DPM++ 2M SDE Karras",
    "DPM++ SDE",
    "UniPC",
    "DDIM",
    "LCM",
    "Euler SGM Uniform",
];

/// What may stand after an algorithm's name, for messages.
pub const SPACINGS: [&str; 6] = ["Karras", "Exponential", "Beta", "SGM Uniform", "Normal", "Leading"];

impl Algorithm {
    pub const ALL: [Self; 9] = [
        Self::EulerDiscrete,
        Self::EulerAncestralDiscrete,
        Self::HeunDiscrete,
        Self::DPMSolverMultistep,
        Self::DPMSolverMultistepSDE,
        Self::DPMSolverSDE,
        Self::UniPCMultistep,
        Self::DDIM,
        Self::LCM,
    ];

    /// The diffusers class; of the two that share one, the second has `SDE` after it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EulerDiscrete => "EulerDiscreteScheduler",
            Self::EulerAncestralDiscrete => "EulerAncestralDiscreteScheduler",
            Self::HeunDiscrete => "HeunDiscreteScheduler",
            Self::DPMSolverMultistep => "DPMSolverMultistepScheduler",
            Self::DPMSolverMultistepSDE => "DPMSolverMultistepSchedulerSDE",
            Self::DPMSolverSDE => "DPMSolverSDEScheduler",
            Self::UniPCMultistep => "UniPCMultistepScheduler",
            Self::DDIM => "DDIMScheduler",
            Self::LCM => "LCMScheduler",
        }
    }

    /// Its names, [plain](plain).
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::EulerDiscrete => &["euler", "eulerdiscrete", "eulerdiscretescheduler"],
            Self::EulerAncestralDiscrete => {
                &["eulera", "eulerancestral", "eulerancestraldiscrete", "eulerancestraldiscretescheduler"]
            }
            Self::HeunDiscrete => &["heun", "heundiscrete", "heundiscretescheduler"],
            Self::DPMSolverMultistep => &[
                "dpmpp2m",
                "dpmsolverpp",
                "dpmsolverpp2m",
                "dpmsolvermultistep",
                "dpmsolvermultistepscheduler",
            ],
            Self::DPMSolverMultistepSDE => &[
                "dpmpp2msde",
                "dpmpp2msdegpu",
                "sdedpmsolverpp",
                "dpmsolvermultistepsde",
                "dpmsolvermultistepschedulersde",
            ],
            Self::DPMSolverSDE => &["dpmppsde", "dpmppsdegpu", "dpmsolversde", "dpmsolversdescheduler"],
            Self::UniPCMultistep => &["unipc", "unipcbh2", "unipcmultistep", "unipcmultistepscheduler"],
            Self::DDIM => &["ddim", "ddimscheduler"],
            Self::LCM => &["lcm", "lcmscheduler"],
        }
    }
}

impl Spacing {
    pub const ALL: [Self; 7] = [
        Self::Own,
        Self::Karras,
        Self::Exponential,
        Self::Beta,
        Self::Trailing,
        Self::Linspace,
        Self::Leading,
    ];

    /// What stands after the algorithm's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Own => "",
            Self::Karras => "Karras",
            Self::Exponential => "Exponential",
            Self::Beta => "Beta",
            Self::Trailing => "Trailing",
            Self::Linspace => "Linspace",
            Self::Leading => "Leading",
        }
    }

    /// Its names, [plain](plain). InvokeAI writes `_k` for Karras.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Own => &[],
            Self::Karras => &["karras", "k"],
            Self::Exponential => &["exponential"],
            Self::Beta => &["beta"],
            Self::Trailing => &["trailing", "sgmuniform", "simple"],
            Self::Linspace => &["linspace", "normal"],
            Self::Leading => &["leading"],
        }
    }
}

impl From<Algorithm> for SamplerKind {
    /// With the checkpoint's own spacing.
    fn from(algorithm: Algorithm) -> Self {
        Self { algorithm, spacing: Spacing::Own }
    }
}

impl fmt::Display for SamplerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.algorithm.name(), self.spacing.suffix())
    }
}

impl Serialize for SamplerKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SamplerKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        named(&name).ok_or_else(|| serde::de::Error::custom(format!("there is no sampler {name:?}")))
    }
}

/// Reads a sampler's name: an algorithm, and a spacing after it or none. Case, spaces, `_` and `-` do not count, `++`
/// is `pp`, a leading `k_` or `sample_` is dropped.
pub fn named(name: &str) -> Option<SamplerKind> {
    let plain = plain(name);
    let plain = plain.strip_prefix("sample").unwrap_or(&plain);
    let plain = plain.strip_prefix('k').unwrap_or(plain);
    if let Some(algorithm) = algorithm(plain) {
        return Some(algorithm.into());
    }
    let spacings =
        Spacing::ALL.into_iter().flat_map(|spacing| spacing.names().iter().map(move |name| (spacing, name)));
    spacings.into_iter().find_map(|(spacing, name)| {
        let algorithm = algorithm(plain.strip_suffix(name)?)?;
        Some(SamplerKind { algorithm, spacing })
    })
}

fn algorithm(plain: &str) -> Option<Algorithm> {
    Algorithm::ALL.into_iter().find(|algorithm| algorithm.names().contains(&plain))
}

/// Lower case, without spaces, `_` and `-`, `pp` for `++`.
fn plain(name: &str) -> String {
    name.to_lowercase().replace("++", "pp").chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect()
}

#[cfg(test)]
mod tests {
    use super::Algorithm::*;
    use super::Spacing::*;
    use super::*;

    #[test]
    fn every_family_of_names_is_read() {
        for (name, algorithm, spacing) in [
            ("EulerDiscreteScheduler", EulerDiscrete, Own),
            ("Euler", EulerDiscrete, Own),
            ("k_euler", EulerDiscrete, Own),
            ("sample_euler", EulerDiscrete, Own),
            ("euler_k", EulerDiscrete, Karras),
            ("Euler SGM Uniform", EulerDiscrete, Trailing),
            ("euler_sgm_uniform", EulerDiscrete, Trailing),
            ("euler simple", EulerDiscrete, Trailing),
            ("euler_normal", EulerDiscrete, Linspace),
            ("EulerDiscreteSchedulerLeading", EulerDiscrete, Leading),
            ("Euler a", EulerAncestralDiscrete, Own),
            ("k_euler_a", EulerAncestralDiscrete, Own),
            ("euler_ancestral", EulerAncestralDiscrete, Own),
            ("EulerAncestralDiscreteScheduler", EulerAncestralDiscrete, Own),
            ("Euler a Karras", EulerAncestralDiscrete, Karras),
            ("Heun", HeunDiscrete, Own),
            ("k_heun", HeunDiscrete, Own),
            ("heun_k", HeunDiscrete, Karras),
            ("DPMSolverMultistepScheduler", DPMSolverMultistep, Own),
            ("DPM++ 2M", DPMSolverMultistep, Own),
            ("dpmpp_2m", DPMSolverMultistep, Own),
            ("k_dpmpp_2m", DPMSolverMultistep, Own),
            ("DPM++ 2M Karras", DPMSolverMultistep, Karras),
            ("dpmpp_2m_karras", DPMSolverMultistep, Karras),
            ("dpmpp_2m_k", DPMSolverMultistep, Karras),
            ("DPMSolverMultistepSchedulerKarras", DPMSolverMultistep, Karras),
            ("DPM++ 2M Exponential", DPMSolverMultistep, Exponential),
            ("DPM++ 2M SDE", DPMSolverMultistepSDE, Own),
            ("DPM++ 2M SDE Karras", DPMSolverMultistepSDE, Karras),
            ("DPM++ 2M SDE Exponential", DPMSolverMultistepSDE, Exponential),
            ("dpmpp_2m_sde_gpu", DPMSolverMultistepSDE, Own),
            ("sde-dpmsolver++", DPMSolverMultistepSDE, Own),
            ("DPM++ SDE", DPMSolverSDE, Own),
            ("DPM++ SDE Karras", DPMSolverSDE, Karras),
            ("dpmpp_sde", DPMSolverSDE, Own),
            ("k_dpmpp_sde", DPMSolverSDE, Own),
            ("DPMSolverSDEScheduler", DPMSolverSDE, Own),
            ("UniPC", UniPCMultistep, Own),
            ("uni_pc", UniPCMultistep, Own),
            ("uni_pc_bh2", UniPCMultistep, Own),
            ("unipc_beta", UniPCMultistep, Beta),
            ("DDIM", DDIM, Own),
            ("ddim_trailing", DDIM, Trailing),
            ("LCM", LCM, Own),
            ("lcm sgm_uniform", LCM, Trailing),
            ("LCMScheduler", LCM, Own),
        ] {
            assert_eq!(named(name), Some(SamplerKind { algorithm, spacing }), "{name}");
        }
        for name in KNOWN {
            assert!(named(name).is_some(), "{name}");
        }
        for name in
            ["", "k", "karras", "DPM++ 3M SDE", "dpm_2", "euler b", "Euler Karras Karras", "sgm_uniform"]
        {
            assert_eq!(named(name), None, "{name}");
        }
    }

    #[test]
    fn every_algorithm_goes_with_every_spacing_and_is_read_back() {
        let mut seen = std::collections::BTreeSet::new();
        for algorithm in Algorithm::ALL {
            for spacing in Spacing::ALL {
                let kind = SamplerKind { algorithm, spacing };
                let written = serde_json::to_value(kind).unwrap();
                assert_eq!(named(written.as_str().unwrap()), Some(kind), "{written}");
                assert_eq!(serde_json::from_value::<SamplerKind>(written.clone()).unwrap(), kind);
                assert!(seen.insert(written.to_string()), "{written} is two samplers");
            }
        }
        for spacing in SPACINGS {
            assert!(named(&format!("Heun {spacing}")).is_some(), "{spacing}");
        }
    }

    #[test]
    fn names_of_stored_plans_stay() {
        for (name, kind) in [
            ("EulerDiscreteScheduler", EulerDiscrete.into()),
            ("DPMSolverMultistepScheduler", DPMSolverMultistep.into()),
            (
                "DPMSolverMultistepSchedulerKarras",
                SamplerKind { algorithm: DPMSolverMultistep, spacing: Karras },
            ),
        ] {
            assert_eq!(serde_json::from_value::<SamplerKind>(name.into()).unwrap(), kind);
            assert_eq!(kind.to_string(), name);
        }
        assert!(serde_json::from_value::<SamplerKind>("Nothing".into()).is_err());
    }
}
