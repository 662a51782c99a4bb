//! Reads the three folders, and checks what no file can check by itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::fields::{Fields, KEY_RULE, is_key};
use super::random::Entry;
use super::{Character, Model, Presets};
use crate::config::complaints::Complaints;
use crate::prompt;

pub(super) fn load(dir: &Path) -> Result<Presets, Complaints> {
    let mut complaints = Complaints::default();
    let models = folder(&dir.join("models"), &mut complaints, Model::take);
    let characters = folder(&dir.join("characters"), &mut complaints, Character::take);
    let texts = folder(&dir.join("prompts"), &mut complaints, |fields| fields.texts("prompts"));
    check_order(&models, dir, &mut complaints);
    let prompts = entries(&texts, &characters, dir, &mut complaints);
    if complaints.is_empty() { Ok(Presets { models, characters, prompts }) } else { Err(complaints) }
}

/// Every `KEY.toml` of a folder, read with `take`.
fn folder<T>(
    dir: &Path,
    complaints: &mut Complaints,
    take: impl Fn(&mut Fields<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut read = BTreeMap::new();
    let Some(files) = list(dir, complaints) else { return read };
    if files.is_empty() {
        complaints.add(dir.display().to_string(), "there must be at least one .toml file");
    }
    for path in &files {
        let place = path.display().to_string();
        let key = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !is_key(&key) {
            complaints.add(&place, format!("the file's name is its key: {KEY_RULE}"));
        }
        let item = match fs::read_to_string(path) {
            Ok(text) => Fields::read(&text, &place, complaints, &take),
            Err(error) => {
                complaints.add(&place, error.to_string());
                None
            }
        };
        if let Some(item) = item {
            read.insert(key, item);
        }
    }
    read
}

/// The `.toml` files of a folder, sorted.
fn list(dir: &Path, complaints: &mut Complaints) -> Option<Vec<PathBuf>> {
    let paths = fs::read_dir(dir).and_then(|entries| {
        let paths = entries.map(|entry| Ok(entry?.path()));
        paths.collect::<Result<Vec<PathBuf>, std::io::Error>>()
    });
    match paths {
        Ok(mut paths) => {
            paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
            paths.sort();
            Some(paths)
        }
        Err(error) => {
            complaints.add(dir.display().to_string(), error.to_string());
            None
        }
    }
}

/// Two models in one place would leave the fallback to chance.
fn check_order(models: &BTreeMap<String, Model>, dir: &Path, complaints: &mut Complaints) {
    let mut taken = BTreeMap::new();
    for (key, model) in models {
        if let Some(other) = taken.insert(model.order, key) {
            let place = format!("{}: order", dir.join("models").join(format!("{key}.toml")).display());
            complaints.add(place, format!("{} is the order of `{other}` as well", model.order));
        }
    }
}

/// Takes the `@name` off each random prompt. What a client gets must be a prompt that this service accepts.
fn entries(
    texts: &BTreeMap<String, Vec<String>>,
    characters: &BTreeMap<String, Character>,
    dir: &Path,
    complaints: &mut Complaints,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (key, prompts) in texts {
        for (at, text) in prompts.iter().enumerate() {
            let place =
                || format!("{}: prompts[{at}]", dir.join("prompts").join(format!("{key}.toml")).display());
            let parsed = match prompt::parse(text, &|name| characters.contains_key(name)) {
                Ok(parsed) => parsed,
                Err(error) => {
                    complaints.add(place(), error.to_string());
                    continue;
                }
            };
            let entry = match parsed.character {
                None => Entry { text: text.trim().to_owned(), character: None },
                Some(name) => match strip_name(text, &name) {
                    Some(text) => Entry { text: text.to_owned(), character: Some(name) },
                    None => {
                        complaints.add(place(), format!("@{name} must stand once, at the start"));
                        continue;
                    }
                },
            };
            if entries.contains(&entry) {
                complaints.add(place(), "the same prompt is there already");
            } else {
                entries.push(entry);
            }
        }
    }
    if entries.iter().filter(|entry| entry.character.is_none()).count() < 2 {
        complaints
            .add(dir.join("prompts").display().to_string(), "at least two prompts must be without @name");
    }
    entries
}

/// The text behind an `@name` that opens it and does not come again.
fn strip_name<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let rest = text.trim().strip_prefix('@')?;
    let (head, rest) = rest.split_at_checked(name.len())?;
    let alone = !rest.contains('@') && rest.starts_with(char::is_whitespace) && !rest.trim().is_empty();
    (head.eq_ignore_ascii_case(name) && alone).then(|| rest.trim())
}
