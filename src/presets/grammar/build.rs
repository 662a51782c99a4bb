//! All prompt files together, checked: what is drawn from them is a prompt that this service accepts, and reads back as
//! what it says.
//!
//! That cannot be tried on every prompt there could be, so it is made sure of in two parts. A slot's text is one plain term:
//! it begins with a letter or digit, and has a letter and no comma. So for whoever reads a prompt it is as good as any
//! other word, and every shape of a recipe is tried with one word in all its slots.

use std::collections::BTreeMap;
use std::path::Path;

use super::reach::Reaches;
use super::template::{self, Piece};
use super::{Grammar, PromptFile, Recipe, Slot, Whom};
use crate::config::complaints::Complaints;
use crate::prompt;

/// Ways in which the brackets of a recipe may be there or not: six brackets.
const MOST_SHAPES: usize = 64;
/// Bytes of the longest prompt that a recipe may make.
const LONGEST_BYTES: usize = 1_000;
/// What stands in for the text of a slot.
const WORD: &str = "word";

/// Puts the files of the folder `dir` together. With complaints it may give less than the files hold.
pub(in crate::presets) fn build(
    files: &BTreeMap<String, PromptFile>,
    is_character: &dyn Fn(&str) -> bool,
    dir: &Path,
    complaints: &mut Complaints,
) -> Grammar {
    let place = |key: &str, field: &str| format!("{}: {field}", dir.join(format!("{key}.toml")).display());
    let mut slots: BTreeMap<String, Slot> = BTreeMap::new();
    let mut homes: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, file) in files {
        for (name, texts) in &file.slots {
            let field = format!("slots.{name}");
            if let Some(other) = homes.insert(name, key) {
                complaints.add(place(key, &field), format!("is in {other}.toml as well"));
            }
            let mut slot = Slot::new();
            for (text, weight) in texts {
                match choice(text) {
                    Ok(pieces) => slot.push((pieces, *weight)),
                    Err(message) => complaints.add(place(key, &field), format!("`{text}`: {message}")),
                }
            }
            slots.insert(name.clone(), slot);
        }
    }
    for (name, slot) in &slots {
        let home = place(homes.get(name.as_str()).copied().unwrap_or_default(), &format!("slots.{name}"));
        for (pieces, _) in slot {
            for unknown in unknown(pieces, &slots) {
                complaints.add(&home, format!("there is no slot `{unknown}`"));
            }
        }
    }
    let mut reaches = Reaches::new(&slots);
    for name in slots.keys() {
        reaches.of_slot(name);
    }
    for (name, message) in std::mem::take(&mut reaches.complaints) {
        let home = homes.get(name.as_str()).copied().unwrap_or_default();
        complaints.add(place(home, &format!("slots.{name}")), message);
    }
    let mut recipes: Vec<Recipe> = Vec::new();
    for (key, file) in files {
        for (at, text) in file.recipes.iter().enumerate() {
            let mut complain =
                |message: String| complaints.add(place(key, &format!("recipes[{at}]")), message);
            let (pieces, whom) = match recipe(text, file.without_character, is_character) {
                Ok(read) => read,
                Err(message) => {
                    complain(message);
                    continue;
                }
            };
            if recipes.iter().any(|other| other.pieces == pieces && other.whom == whom) {
                complain("the same recipe is there already".to_owned());
            }
            unknown(&pieces, &slots).iter().for_each(|name| complain(format!("there is no slot `{name}`")));
            let Some(reach) = reaches.of_pieces(&pieces) else { continue };
            if reach.longest > LONGEST_BYTES {
                complain(format!("it can become {} bytes long; {LONGEST_BYTES} are allowed", reach.longest));
            }
            match <[String; 2]>::try_from(reach.texts) {
                Ok(two) => recipes.push(Recipe { pieces, whom, two }),
                Err(_) => complain("it makes fewer than two prompts".to_owned()),
            }
        }
    }
    let open =
        |file: &PromptFile| !file.without_character && file.recipes.iter().any(|text| !text.starts_with('@'));
    if !files.values().any(open) {
        let message = "at least one recipe must be without @name, in a file that lets characters in";
        complaints.add(dir.display().to_string(), message);
    }
    Grammar { slots, recipes }
}

/// The slots that are named and not there.
fn unknown<'a>(pieces: &'a [Piece], slots: &BTreeMap<String, Slot>) -> Vec<&'a str> {
    let mut names = template::slots(pieces);
    names.retain(|name| !slots.contains_key(*name));
    names
}

/// A text of a slot.
fn choice(text: &str) -> Result<Vec<Piece>, String> {
    let pieces = template::parse(text)?;
    let plain = |shape: &String| {
        shape.starts_with(char::is_alphanumeric)
            && shape.chars().any(|c| c.is_alphabetic() && !c.is_numeric())
            && !shape.contains(',')
            && is_tidy(shape)
    };
    let shapes = template::shapes(&pieces, WORD, MOST_SHAPES).ok_or_else(too_many)?;
    if shapes.iter().all(plain) {
        Ok(pieces)
    } else {
        Err("a slot's text begins with a letter or digit, has a letter, no comma, and single spaces only inside".to_owned())
    }
}

/// A recipe, with its `@name` taken off.
fn recipe(
    text: &str,
    without_character: bool,
    is_character: &dyn Fn(&str) -> bool,
) -> Result<(Vec<Piece>, Whom), String> {
    let (template, whom) = match text.strip_prefix('@') {
        None if without_character => (text, Whom::Nobody),
        None => (text, Whom::Everybody),
        Some(_) if without_character => {
            return Err("no character goes with the recipes of this file".to_owned());
        }
        Some(rest) => {
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let name = name.to_lowercase();
            if !is_character(&name) {
                return Err(format!("@{name} is not a character"));
            }
            (rest, Whom::Only(name))
        }
    };
    let pieces = template::parse(template)?;
    for shape in template::shapes(&pieces, WORD, MOST_SHAPES).ok_or_else(too_many)? {
        reads_back(&shape)?;
    }
    Ok((pieces, whom))
}

fn too_many() -> String {
    format!("its brackets can come in more than {MOST_SHAPES} ways")
}

/// Whether a shape is terms with `, ` between them, of which those that begin with `-` are negative.
fn reads_back(shape: &str) -> Result<(), String> {
    let (negative, positive): (Vec<&str>, Vec<&str>) =
        shape.split(", ").partition(|term| term.starts_with('-'));
    let negative: Vec<&str> = negative.iter().filter_map(|term| term.strip_prefix('-')).collect();
    let tidy = positive.iter().chain(&negative).all(|term| is_tidy(term) && !term.contains(','));
    let parsed = prompt::parse(shape, &|_| false).ok();
    let same = parsed.is_some_and(|parsed| {
        parsed.positive == positive.join(", ") && parsed.negative == negative.join(", ")
    });
    if tidy && same {
        Ok(())
    } else {
        Err(format!("it can become `{shape}`, which is not terms with `, ` between them"))
    }
}

/// Not empty, and no space at its ends or beside another.
fn is_tidy(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.contains("  ")
}
