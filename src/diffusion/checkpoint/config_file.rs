//! A `config.json` whose fields are taken one by one, so that none is overlooked.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::CheckpointError;

/// No `config.json` of any published network is near this, in bytes.
const LONGEST_BYTES: u64 = 1 << 20;

/// The fields that nobody has taken yet.
#[derive(Debug)]
pub(in crate::diffusion) struct ConfigFile {
    path: String,
    fields: Map<String, Value>,
}

impl ConfigFile {
    /// Reads a JSON object. Fields that begin with `_` are notes of the writing library and are left out.
    pub(in crate::diffusion) fn open(path: &Path) -> Result<Self, CheckpointError> {
        let length = fs::metadata(path).map_err(|error| CheckpointError::file(path, error))?.len();
        if length > LONGEST_BYTES {
            return Err(CheckpointError::file(path, format!("{length} bytes is no configuration")));
        }
        let text = fs::read_to_string(path).map_err(|error| CheckpointError::file(path, error))?;
        let fields = serde_json::from_str(&text).map_err(|error| CheckpointError::file(path, error))?;
        Ok(Self::of(path.display().to_string(), fields))
    }

    /// What a file without configurations would have as the one of `component`: an object.
    pub(super) fn derived(path: &Path, component: &str, config: &Value) -> Self {
        let fields = config.as_object().cloned().unwrap_or_default();
        Self::of(format!("{} ({component}, as its shapes say)", path.display()), fields)
    }

    fn of(path: String, mut fields: Map<String, Value>) -> Self {
        fields.retain(|name, _| !name.starts_with('_'));
        Self { path, fields }
    }

    /// The field's value; `default` where it is absent or null, as diffusers' constructors have it.
    pub(in crate::diffusion) fn take<T: DeserializeOwned>(
        &mut self,
        field: &str,
        default: T,
    ) -> Result<T, CheckpointError> {
        Ok(self.take_optional(field)?.unwrap_or(default))
    }

    /// The field's value, if it has one.
    pub(in crate::diffusion) fn take_optional<T: DeserializeOwned>(
        &mut self,
        field: &str,
    ) -> Result<Option<T>, CheckpointError> {
        match self.fields.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                serde_json::from_value(value).map(Some).map_err(|error| self.refuse(field, error.to_string()))
            }
        }
    }

    /// The field's value, which must be there.
    pub(in crate::diffusion) fn require<T: DeserializeOwned>(
        &mut self,
        field: &str,
    ) -> Result<T, CheckpointError> {
        self.take_optional(field)?.ok_or_else(|| self.refuse(field, "is missing"))
    }

    /// Refuses any value of `field` but `supported`; absent or null is taken to mean the first of them.
    pub(in crate::diffusion) fn only(
        &mut self,
        field: &str,
        supported: &[Value],
    ) -> Result<(), CheckpointError> {
        match self.fields.remove(field) {
            None | Some(Value::Null) => Ok(()),
            Some(value) if supported.iter().any(|one| same(one, &value)) => Ok(()),
            Some(value) => Err(self.refuse(field, format!("{value} is not supported"))),
        }
    }

    /// Drops fields that do not change what the network computes.
    pub(in crate::diffusion) fn ignore(&mut self, fields: &[&str]) {
        self.fields.retain(|name, _| !fields.contains(&name.as_str()));
    }

    /// Fails on the first field that nobody took, unless it is null.
    pub(in crate::diffusion) fn finish(self) -> Result<(), CheckpointError> {
        let left = self.fields.iter().find(|(_, value)| !value.is_null());
        left.map_or(Ok(()), |(name, value)| Err(self.refuse(name, format!("{value} is not supported"))))
    }

    /// An error that names this file and the field.
    pub(in crate::diffusion) fn refuse(&self, field: &str, reason: impl Into<String>) -> CheckpointError {
        CheckpointError::Config { path: self.path.clone(), field: field.into(), reason: reason.into() }
    }
}

/// Equality that takes 1 and 1.0 as one.
fn same(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => left == right,
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(value: Value) -> ConfigFile {
        let Value::Object(fields) = value else { panic!("an object") };
        ConfigFile::of("unet/config.json".into(), fields)
    }

    #[test]
    fn a_field_that_nobody_took_is_named() {
        let mut file = config(json!({ "_class_name": "UNet", "known": 3, "mystery": "x", "absent": null }));
        assert_eq!(file.take("known", 0).unwrap(), 3);
        let said = file.finish().unwrap_err().to_string();
        assert!(said.contains("mystery") && said.contains("unet/config.json"), "{said}");
    }

    #[test]
    fn a_value_of_another_type_or_meaning_is_named() {
        let mut file = config(json!({ "norm_eps": "small", "scale": 2, "fine": 1 }));
        assert!(file.take("norm_eps", 1e-5).unwrap_err().to_string().contains("norm_eps"));
        assert!(file.only("scale", &[json!(1.0)]).unwrap_err().to_string().contains("scale"));
        file.only("fine", &[json!(1.0)]).unwrap();
    }
}
