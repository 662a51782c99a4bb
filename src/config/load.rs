//! File and environment into a [`Config`], or every complaint at once.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::Config;
use super::complaints::Complaints;
use super::env_vars::{CONFIG_FILE, ENV_VARS, Kind};

/// The file that is read when it is there and none is named.
pub const DEFAULT_FILE: &str = "imgen.toml";

/// Whether a container platform put it beside a service that is called `imgen`: `IMGEN_SERVICE_HOST`, `IMGEN_PORT` with an
/// address in it, `IMGEN_PORT_8080_TCP` and its like.
fn is_foreign(name: &str, value: &str) -> bool {
    name.starts_with("IMGEN_SERVICE_")
        || name.starts_with("IMGEN_PORT_")
        || name == "IMGEN_PORT" && value.contains("://")
}

/// Name and value of each variable; handed in, so that tests need not touch the process.
pub type Vars = Vec<(String, String)>;

/// This process's variables. Those that are not Unicode cannot be ours and are left out.
pub fn process_vars() -> Vars {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Reads `named` or `IMGEN_CONFIG` or `imgen.toml`, lays the variables over it and checks all of it.
///
/// # Errors
/// Everything that is wrong: syntax, unknown sections, fields and `IMGEN_` variables, wrong types, bad values.
pub fn load(named: Option<&Path>, vars: &Vars) -> Result<Config, Complaints> {
    let mut complaints = Complaints::default();
    let mut tables = read_file(named, vars, &mut complaints);
    lay_over(&mut tables, vars, &mut complaints);
    let config = Config {
        service: section(&mut tables, "service", &mut complaints),
        api: section(&mut tables, "api", &mut complaints),
        storage: section(&mut tables, "storage", &mut complaints),
        diffusion: section(&mut tables, "diffusion", &mut complaints),
        finish: section(&mut tables, "finish", &mut complaints),
        mark: section(&mut tables, "mark", &mut complaints),
        jobs: section(&mut tables, "jobs", &mut complaints),
        store: section(&mut tables, "store", &mut complaints),
        c2pa: section(&mut tables, "c2pa", &mut complaints),
        verify: section(&mut tables, "verify", &mut complaints),
        compliance: section(&mut tables, "compliance", &mut complaints),
        enhance: section(&mut tables, "enhance", &mut complaints),
    };
    for unknown in tables.keys() {
        complaints.add(
            unknown,
            "unknown section; known are service, api, storage, diffusion, finish, mark, jobs, store, c2pa, verify, compliance and enhance",
        );
    }
    config.validate(&mut complaints);
    if complaints.is_empty() { Ok(config) } else { Err(complaints) }
}

fn read_file(named: Option<&Path>, vars: &Vars, complaints: &mut Complaints) -> toml::Table {
    let from_env = vars.iter().find(|(name, value)| name == CONFIG_FILE && !value.is_empty());
    let path = named.or(from_env.map(|(_, value)| Path::new(value)));
    let text = match path {
        None if !Path::new(DEFAULT_FILE).exists() => return toml::Table::new(),
        _ => std::fs::read_to_string(path.unwrap_or(Path::new(DEFAULT_FILE))),
    };
    let place = path.unwrap_or(Path::new(DEFAULT_FILE)).display().to_string();
    match text {
        Err(error) => complaints.add(place, error.to_string()),
        Ok(text) => match text.parse() {
            Ok(table) => return table,
            Err(error) => complaints.add(place, error.to_string()),
        },
    }
    toml::Table::new()
}

/// A variable that is set but empty counts as not set, as container files and shells leave them.
fn lay_over(tables: &mut toml::Table, vars: &Vars, complaints: &mut Complaints) {
    for (name, value) in vars.iter().filter(|(name, value)| name.starts_with("IMGEN_") && !value.is_empty()) {
        if name == CONFIG_FILE || is_foreign(name, value) {
            continue;
        }
        let Some(var) = ENV_VARS.iter().find(|var| var.name == name) else {
            complaints.add(name, "unknown variable; `docs/configuration.md` lists them");
            continue;
        };
        let value = match var.kind {
            Kind::Text => toml::Value::String(value.clone()),
            Kind::Flag => match value.parse() {
                Ok(flag) => toml::Value::Boolean(flag),
                Err(_) => {
                    complaints.add(name, format!("`{value}` is neither `true` nor `false`"));
                    continue;
                }
            },
            Kind::Integer => match value.parse() {
                Ok(number) => toml::Value::Integer(number),
                Err(_) => {
                    complaints.add(name, format!("`{value}` is not a whole number"));
                    continue;
                }
            },
        };
        let table = tables.entry(var.section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let Some(table) = table.as_table_mut() {
            table.insert(var.field.to_owned(), value);
        }
    }
}

/// Takes one section out; what cannot be read is complained about, under the variable's name where one is behind it.
fn section<T: DeserializeOwned + Default>(
    tables: &mut toml::Table,
    name: &str,
    complaints: &mut Complaints,
) -> T {
    let Some(table) = tables.remove(name) else { return T::default() };
    serde_path_to_error::deserialize(table).unwrap_or_else(|error| {
        let field = error.path().to_string();
        let message = error.into_inner().to_string().trim().to_owned();
        let place = if field == "." { name.to_owned() } else { format!("{name}.{field}") };
        complaints.add(place, message);
        T::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Vars {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn write(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = write("[storage]\npresign_ttl_s = 60\nregion = 'eu-1'\n");
        let config =
            load(Some(file.path()), &vars(&[("IMGEN_PRESIGN_TTL_S", "90"), ("HOME", "/x")])).unwrap();
        assert_eq!(config.storage.presign_ttl_s, 90);
        assert_eq!(config.storage.region, "eu-1");
    }

    #[test]
    fn every_complaint_comes_at_once() {
        let file = write("[storage]\npresign_ttl_s = 0\n[nonsense]\nx = 1\n[api]\nlisten = 'nowhere'\n");
        let found = load(
            Some(file.path()),
            &vars(&[
                ("IMGEN_THREADS", "many"),
                ("IMGEN_PORT", "9000"),
                ("IMGEN_TYPO", "1"),
                ("IMGEN_API_KEY", "short"),
            ]),
        )
        .unwrap_err();
        let places: Vec<_> = found.0.iter().map(|complaint| complaint.place.as_str()).collect();
        for place in [
            "IMGEN_THREADS",
            "IMGEN_PORT",
            "IMGEN_TYPO",
            "api.listen",
            "nonsense",
            "service.api_key",
            "storage.presign_ttl_s",
        ] {
            assert!(places.contains(&place), "{place} is missing in {places:?}");
        }
    }

    #[test]
    fn a_named_file_must_be_there_and_an_empty_variable_is_none() {
        assert!(load(Some(Path::new("/nowhere/imgen.toml")), &vars(&[])).is_err());
        assert!(load(None, &vars(&[("IMGEN_THREADS", ""), ("IMGEN_PORT", "tcp://10.0.0.1:8080")])).is_ok());
    }

    #[test]
    fn every_variable_lands_in_a_field_that_exists() {
        for var in ENV_VARS {
            let text = match var.kind {
                Kind::Integer | Kind::Flag => format!("[{}]\n{} = \"x\"\n", var.section, var.field),
                Kind::Text => format!("[{}]\n{} = 1\n", var.section, var.field),
            };
            let file = write(&text);
            let found = load(Some(file.path()), &vars(&[])).unwrap_err();
            let place = format!("{}.{}", var.section, var.field);
            assert!(
                found.0.iter().any(|c| c.place == place && !c.message.contains("unknown field")),
                "{}: {:?}",
                var.name,
                found.0
            );
        }
    }
}
