//! Reads the three folders, and checks what no file can check by itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::fields::{Fields, KEY_RULE, is_key};
use super::grammar::{self, PromptFile};
use super::register;
use super::{Character, Model, Presets};
use crate::config::complaints::Complaints;
use crate::diffusion::Digests;

pub(super) fn load(dir: &Path, loras_dir: &Path, digests: &Digests) -> Result<Presets, Complaints> {
    let mut complaints = Complaints::default();
    let models = some_in_folder(&dir.join("models"), &mut complaints, Model::take);
    let characters = some_in_folder(&dir.join("characters"), &mut complaints, Character::take);
    let prompts_dir = dir.join("prompts");
    let prompts = some_in_folder(&prompts_dir, &mut complaints, PromptFile::take);
    let loras = register::load(loras_dir, digests, &mut complaints);
    check_order(&models, dir, &mut complaints);
    check_availability(&characters, &models, dir, &mut complaints);
    let is_character = |name: &str| characters.contains_key(name);
    let grammar = grammar::build(&prompts, &is_character, &prompts_dir, &mut complaints);
    if complaints.is_empty() { Ok(Presets { models, characters, loras, grammar }) } else { Err(complaints) }
}

/// [`folder`], which must not be empty.
fn some_in_folder<T>(
    dir: &Path,
    complaints: &mut Complaints,
    take: impl Fn(&mut Fields<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    if list(dir, &mut Complaints::default()).is_some_and(|files| files.is_empty()) {
        complaints.add(dir.display().to_string(), "there must be at least one .toml file");
    }
    folder(dir, complaints, take)
}

/// Every `KEY.toml` of a folder, read with `take`.
pub(super) fn folder<T>(
    dir: &Path,
    complaints: &mut Complaints,
    take: impl Fn(&mut Fields<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut read = BTreeMap::new();
    let Some(files) = list(dir, complaints) else { return read };
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

/// A character can only be there for models that are.
fn check_availability(
    characters: &BTreeMap<String, Character>,
    models: &BTreeMap<String, Model>,
    dir: &Path,
    complaints: &mut Complaints,
) {
    for (name, character) in characters {
        for key in character.models.iter().flatten().filter(|key| !models.contains_key(*key)) {
            let place = format!("{}: models", dir.join("characters").join(format!("{name}.toml")).display());
            complaints.add(place, format!("there is no model `{key}`"));
        }
    }
}
