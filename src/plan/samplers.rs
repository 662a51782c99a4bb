//! The samplers by the names that diffusers, A1111 and k-diffusion give them.

use super::SamplerKind;

const EULER: &[&str] = &["euler", "eulerdiscrete", "eulerdiscretescheduler"];
const DPMPP_2M: &[&str] =
    &["dpmpp2m", "dpmsolverpp", "dpmsolverpp2m", "dpmsolvermultistep", "dpmsolvermultistepscheduler"];

/// One spelling of each, for messages.
pub const KNOWN: [&str; 3] = ["Euler", "DPM++ 2M", "DPM++ 2M Karras"];

/// Reads a sampler's name: case, spaces, `_` and `-` do not count, `++` is `pp`, a leading `k_` is dropped.
pub fn named(name: &str) -> Option<SamplerKind> {
    let plain: String =
        name.to_lowercase().replace("++", "pp").chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect();
    let plain = plain.strip_prefix("sample").unwrap_or(&plain);
    let plain = plain.strip_prefix('k').unwrap_or(plain);
    if EULER.contains(&plain) {
        return Some(SamplerKind::EulerDiscreteScheduler);
    }
    let (plain, karras) = match plain.strip_suffix("karras") {
        Some(plain) => (plain, true),
        None => (plain, false),
    };
    DPMPP_2M.contains(&plain).then_some(if karras {
        SamplerKind::DPMSolverMultistepSchedulerKarras
    } else {
        SamplerKind::DPMSolverMultistepScheduler
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::SamplerKind::{
        DPMSolverMultistepScheduler as Dpm, DPMSolverMultistepSchedulerKarras as Karras,
        EulerDiscreteScheduler as Euler,
    };

    #[test]
    fn the_three_families_of_names_are_read() {
        for (name, kind) in [
            ("EulerDiscreteScheduler", Euler),
            ("Euler", Euler),
            ("k_euler", Euler),
            ("sample_euler", Euler),
            ("DPMSolverMultistepScheduler", Dpm),
            ("DPM++ 2M", Dpm),
            ("dpmpp_2m", Dpm),
            ("k_dpmpp_2m", Dpm),
            ("DPM++ 2M Karras", Karras),
            ("dpmpp_2m_karras", Karras),
            ("DPMSolverMultistepSchedulerKarras", Karras),
        ] {
            assert_eq!(named(name), Some(kind), "{name}");
        }
        for name in KNOWN {
            assert!(named(name).is_some(), "{name}");
        }
        for name in ["", "k", "Euler a", "euler_ancestral", "DDIM", "karras", "dpm++ 2m sde"] {
            assert_eq!(named(name), None, "{name}");
        }
    }

    #[test]
    fn the_name_in_answers_is_read_back() {
        for kind in [Euler, Dpm, Karras] {
            let name = serde_json::to_value(kind).unwrap();
            assert_eq!(named(name.as_str().unwrap()), Some(kind));
        }
    }
}
