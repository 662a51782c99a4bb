//! What was not done as asked, gathered while a request is resolved.

use std::ops::RangeInclusive;

use serde_json::json;

use super::fields::Int;
use crate::error::{ApiError, Code};
use crate::plan::Warning;

/// Warnings, each with the field it is about.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<(&'static str, Warning)>);

impl Notes {
    pub(super) fn say(&mut self, field: &'static str, code: impl Into<String>, message: impl Into<String>) {
        self.0.push((field, Warning { code: code.into(), message: message.into() }));
    }

    /// The integer that was asked for, or the nearest that is allowed, or `default` when none was asked for.
    /// Says `{FIELD}_CLAMPED` in the second case.
    pub(super) fn clamp(
        &mut self,
        field: &'static str,
        asked: Option<Int>,
        allowed: RangeInclusive<i64>,
        default: i64,
    ) -> i64 {
        let Some(Int(asked)) = asked else { return default };
        let kept = asked.clamp(*allowed.start(), *allowed.end());
        if kept != asked {
            self.clamped(field, &asked, &kept, (allowed.start(), allowed.end()));
        }
        kept
    }

    /// [`Notes::clamp`] for numbers with a fraction. JSON has no NaN, so neither has `asked`.
    pub(super) fn clamp_real(
        &mut self,
        field: &'static str,
        asked: Option<f64>,
        allowed: RangeInclusive<f64>,
        default: f64,
    ) -> f64 {
        let Some(asked) = asked else { return default };
        let kept = asked.clamp(*allowed.start(), *allowed.end());
        if kept.to_bits() != asked.to_bits() && kept != asked {
            self.clamped(field, &asked, &kept, (allowed.start(), allowed.end()));
        }
        kept
    }

    fn clamped<T: std::fmt::Display>(
        &mut self,
        field: &'static str,
        asked: &T,
        kept: &T,
        (low, high): (&T, &T),
    ) {
        self.say(
            field,
            format!("{}_CLAMPED", field.to_ascii_uppercase()),
            format!("{field} {asked} is outside {low} to {high}; {kept} was used"),
        );
    }

    /// The warnings, or with `strict` the refusal that they amount to.
    ///
    /// # Errors
    /// 400 `NOT_ACCEPTED` with all warnings and the first one's field.
    pub(super) fn finish(self, strict: bool) -> Result<Vec<Warning>, ApiError> {
        let first = self.0.first().map(|(field, _)| *field);
        let warnings: Vec<Warning> = self.0.into_iter().map(|(_, warning)| warning).collect();
        match first {
            Some(field) if strict => {
                Err(ApiError::new(Code::NotAccepted).with("field", field).with("warnings", json!(warnings)))
            }
            _ => Ok(warnings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_are_moved_and_said() {
        let mut notes = Notes::default();
        assert_eq!(notes.clamp("quality", Some(Int(0)), 1..=100, 95), 1);
        assert_eq!(notes.clamp("wm_scale", Some(Int(i64::MAX)), 1..=100, 5), 100);
        assert_eq!(notes.clamp("steps", None, 1..=150, 30), 30);
        assert_eq!(notes.clamp("steps", Some(Int(150)), 1..=150, 30), 150);
        assert_eq!(notes.clamp_real("guidance", Some(1e9), 0.0..=30.0, 5.0), 30.0);
        assert_eq!(notes.clamp_real("guidance", Some(-0.0), 0.0..=30.0, 5.0), 0.0);
        let warnings = notes.finish(false).unwrap();
        let codes: Vec<&str> = warnings.iter().map(|warning| warning.code.as_str()).collect();
        assert_eq!(codes, ["QUALITY_CLAMPED", "WM_SCALE_CLAMPED", "GUIDANCE_CLAMPED"]);
        assert_eq!(warnings[0].message, "quality 0 is outside 1 to 100; 1 was used");
    }

    #[test]
    fn strict_makes_the_first_warning_the_fault() {
        let mut notes = Notes::default();
        assert_eq!(Notes::default().finish(true).unwrap(), []);
        notes.say("style", "STYLE_FALLBACK", "…");
        notes.say("format", "FORMAT_FALLBACK", "…");
        let error = notes.finish(true).unwrap_err();
        assert_eq!(error.code(), Code::NotAccepted);
        assert_eq!(error.details()["field"], "style");
        assert_eq!(error.details()["warnings"][1]["code"], "FORMAT_FALLBACK");
    }
}
