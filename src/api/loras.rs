//! Which LoRAs a picture is drawn with: the character's, and those that a request adds.

use serde::{Deserialize, Serialize};

use super::notes::Notes;
use super::resolve::quote;
use crate::error::ApiError;
use crate::plan::PlannedLora;
use crate::presets::{self, Presets, RegisteredLora, Viewer};

/// LoRAs that one request may add.
const MOST: usize = 8;
/// How strongly one may be applied.
const WEIGHTS: std::ops::RangeInclusive<f64> = -2.0..=2.0;

/// One of `loras` of a request: a registered name, never a path.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LoraRequest {
    pub name: String,
    #[serde(default = "whole")]
    pub weight: f64,
    /// Of the text encoders, where it is another.
    #[serde(default)]
    pub te_weight: Option<f64>,
}

fn whole() -> f64 {
    1.0
}

/// Where names are looked up, and for whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) presets: &'a Presets,
    pub(super) viewer: &'a Viewer<'a>,
    /// That they are merged into.
    pub(super) checkpoint: &'a str,
}

/// The character's own LoRA first, then those asked for in their order. One that is the character's too has the weight that was
/// asked for. What a character cannot be given is left out and said; what a request names must be there.
///
/// # Errors
/// 400: a name that is not registered for the viewer, is that of another character, does not fit the checkpoint, cannot be used or is there twice; too many.
pub(super) fn pick(
    asked: &[LoraRequest],
    brought: Option<(&str, &presets::Lora)>,
    place: Place<'_>,
    notes: &mut Notes,
) -> Result<Vec<PlannedLora>, ApiError> {
    if asked.len() > MOST {
        return Err(ApiError::invalid_field("loras", format!("at most {MOST} are allowed")));
    }
    let mut picked = Vec::new();
    if let Some((character, lora)) = brought
        && !asked.iter().any(|one| one.name == lora.name)
    {
        match find(&lora.name, place) {
            Ok(file) => picked.push(planned(&lora.name, file, lora.weight, None)),
            Err(why) => {
                let message = format!("{why}; @{character} is drawn from its words alone");
                notes.say("prompt", "LORA_SKIPPED", message);
            }
        }
    }
    for (index, one) in asked.iter().enumerate() {
        let field = format!("loras[{index}].name");
        if asked[..index].iter().any(|other| other.name == one.name) {
            return Err(ApiError::invalid_field(field, format!("{} is there twice", quote(&one.name))));
        }
        let refuse = |why: String| {
            let known: Vec<&str> = place.presets.loras_for(place.viewer).map(|(name, _)| name).collect();
            ApiError::invalid_field(field.clone(), why).with("known", known)
        };
        let file = find(&one.name, place).map_err(refuse)?;
        let own = brought.is_some_and(|(_, lora)| lora.name == one.name);
        if !own && place.presets.belongs_to_a_character(&one.name) {
            let why = format!("the LoRA {} is a character's; it is drawn with its @name", quote(&one.name));
            return Err(refuse(why));
        }
        let mut clamped = |weight| notes.clamp_real("loras", Some(weight), WEIGHTS, weight);
        let weight = clamped(one.weight);
        let te_weight = one.te_weight.map(clamped);
        picked.push(planned(&one.name, file, weight, te_weight));
    }
    Ok(picked)
}

fn find<'a>(name: &str, place: Place<'a>) -> Result<&'a RegisteredLora, String> {
    let named = || format!("the LoRA {}", quote(name));
    let Some(file) = place.presets.lora(name, place.viewer) else {
        return Err(format!("there is no registered LoRA {}", quote(name)));
    };
    if !file.fits(place.checkpoint) {
        return Err(format!("{} does not fit this model", named()));
    }
    match &file.fault {
        Some(fault) => Err(format!("{} cannot be used: {fault}", named())),
        None => Ok(file),
    }
}

fn planned(name: &str, file: &RegisteredLora, weight: f64, te_weight: Option<f64>) -> PlannedLora {
    let te_weight = te_weight.unwrap_or(weight);
    let (sha256, trigger) = (file.sha256.clone(), file.trigger.clone());
    PlannedLora { name: name.to_owned(), sha256, weight, te_weight, trigger }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;
    use time::macros::date;

    use super::*;

    const SHOP: Viewer<'static> = Viewer { key_id: 7, key_name: "shop", today: date!(2026 - 06 - 15) };
    const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// `ink` fits the starter, `wide` another checkpoint, `gone` has no file, and `secret` is a character's of another key.
    fn presets() -> Presets {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (name, base) in [("ink", "starter"), ("wide", "sdxl"), ("gone", "starter"), ("secret", "starter")]
        {
            let entry = format!("sha256 = '{EMPTY_SHA256}'\nlicence = 'x'\nsource = 'x'\nbase = ['{base}']");
            write(&format!("loras/{name}.toml"), &entry);
            if name != "gone" {
                write(&format!("loras/{name}.safetensors"), "");
            }
        }
        write(
            "presets/models/eros.toml",
            "order = 1\nlabel = 'Eros'\ncheckpoint = 'starter'\ndefault_style = 'plain'\nsampler = 'Euler'\n\
             num_inference_steps = 4\nguidance_scale = 5\n[styles.plain]\nlabel = 'Plain'",
        );
        let character =
            "trigger = 'x'\nrights = 'x'\nlicence = 'x'\nlora = 'secret'\nallowed_keys = ['press']";
        write("presets/characters/aya.toml", character);
        write("presets/prompts/all.toml", "recipes = ['red {hat}']\n[slots]\nhat = ['beanie', 'knit cap']");
        Presets::load(&root.path().join("presets"), &root.path().join("loras")).unwrap()
    }

    type Picked = (Result<Vec<PlannedLora>, ApiError>, Vec<String>);

    fn picked(asked: serde_json::Value, brought: Option<&presets::Lora>) -> Picked {
        let presets = presets();
        let asked: Vec<LoraRequest> = serde_json::from_value(asked).unwrap();
        let place = Place { presets: &presets, viewer: &SHOP, checkpoint: "starter" };
        let mut notes = Notes::default();
        let picked = pick(&asked, brought.map(|lora| ("aya", lora)), place, &mut notes);
        let codes = notes.finish(false).unwrap().into_iter().map(|warning| warning.code).collect();
        (picked, codes)
    }

    fn lora(name: &str, weight: f64, te_weight: f64) -> PlannedLora {
        let (name, sha256) = (name.to_owned(), EMPTY_SHA256.to_owned());
        PlannedLora { name, sha256, weight, te_weight, trigger: String::new() }
    }

    #[test]
    fn what_a_character_brings_comes_first_and_its_weight_can_be_asked_for() {
        let ink = presets::Lora { name: "ink".to_owned(), weight: 0.8 };
        let (loras, codes) = picked(json!([]), Some(&ink));
        assert_eq!((loras.unwrap(), codes), (vec![lora("ink", 0.8, 0.8)], vec![]));
        let (loras, codes) = picked(json!([{ "name": "ink", "weight": 0.5, "te_weight": 0 }]), Some(&ink));
        assert_eq!((loras.unwrap(), codes), (vec![lora("ink", 0.5, 0.0)], vec![]));
    }

    #[test]
    fn what_a_character_cannot_be_given_is_said() {
        for name in ["wide", "gone"] {
            let brought = presets::Lora { name: name.to_owned(), weight: 1.0 };
            let (loras, codes) = picked(json!([]), Some(&brought));
            assert_eq!((loras.unwrap(), codes), (vec![], vec!["LORA_SKIPPED".to_owned()]));
        }
    }

    #[test]
    fn weights_are_clamped_and_said() {
        let (loras, codes) = picked(json!([{ "name": "ink", "weight": 9, "te_weight": -3 }]), None);
        assert_eq!(loras.unwrap(), [lora("ink", 2.0, -2.0)]);
        assert_eq!(codes, ["LORAS_CLAMPED", "LORAS_CLAMPED"]);
        assert_eq!(picked(json!([{ "name": "ink" }]), None).0.unwrap(), [lora("ink", 1.0, 1.0)]);
    }

    #[test]
    fn a_request_names_what_is_there_for_it() {
        let many: Vec<_> = (0..9).map(|_| json!({ "name": "ink" })).collect();
        for (asked, field) in [
            (json!([{ "name": "ink" }, { "name": "nobody" }]), "loras[1].name"),
            (json!([{ "name": "../ink" }]), "loras[0].name"),
            (json!([{ "name": "" }]), "loras[0].name"),
            (json!([{ "name": "wide" }]), "loras[0].name"),
            (json!([{ "name": "gone" }]), "loras[0].name"),
            (json!([{ "name": "secret" }]), "loras[0].name"),
            (json!([{ "name": "ink" }, { "name": "ink" }]), "loras[1].name"),
            (json!(many), "loras"),
        ] {
            let error = picked(asked.clone(), None).0.unwrap_err();
            assert_eq!(error.details()["field"], field, "{asked}");
            let known = error.details().get("known").map(ToString::to_string).unwrap_or_default();
            assert!(!known.contains("secret"), "what only another key may use is not listed: {known}");
        }
    }
}
