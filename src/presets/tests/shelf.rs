use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{Shelf, Watch};
use super::{ANYBODY, CHARACTER, MODEL, PROMPTS};

/// Small presets, and one checkpoint called `starter`.
fn set_up(root: &Path) -> Shelf {
    for (name, text) in [
        ("presets/models/eros.toml", MODEL),
        ("presets/characters/aya.toml", CHARACTER),
        ("presets/prompts/all.toml", PROMPTS),
        ("models/starter/model_index.json", "{}"),
    ] {
        write(root, name, text);
    }
    Shelf::open(&root.join("presets"), &root.join("models"), &root.join("loras")).unwrap()
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn names(shelf: &Shelf) -> Vec<String> {
    shelf.now().characters_for(&ANYBODY).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn a_change_is_seen_and_read() {
    let root = tempfile::tempdir().unwrap();
    let shelf = set_up(root.path());
    assert!(!shelf.has_changed());
    let before = shelf.now();
    write(root.path(), "presets/characters/bella.toml", CHARACTER);
    write(root.path(), "presets/characters/notes.txt", "not a preset");
    assert!(shelf.has_changed());
    shelf.read_again();
    assert!(!shelf.has_changed() && !shelf.is_stale());
    assert_eq!(names(&shelf), ["aya", "bella"]);
    assert!(before.character("bella", &ANYBODY).is_none(), "whoever took the old ones has them still");
    fs::remove_file(root.path().join("presets/characters/aya.toml")).unwrap();
    // Its recipe must go as well.
    write(root.path(), "presets/prompts/all.toml", "recipes = ['red hat[, blue]']");
    shelf.read_again();
    assert_eq!(names(&shelf), ["bella"]);
}

#[test]
fn a_bad_file_changes_nothing_until_it_is_mended() {
    let root = tempfile::tempdir().unwrap();
    let shelf = set_up(root.path());
    write(root.path(), "presets/characters/bella.toml", CHARACTER);
    for (file, text) in [
        ("presets/characters/broken.toml", "trigger = "),
        (
            "presets/models/zeus.toml",
            &MODEL.replace("order = 1", "order = 2").replace("starter", "elsewhere"),
        ),
    ] {
        let before = shelf.now();
        write(root.path(), file, text);
        shelf.read_again();
        assert!(shelf.is_stale() && Arc::ptr_eq(&before, &shelf.now()), "{file}");
        fs::remove_file(root.path().join(file)).unwrap();
        shelf.read_again();
        assert!(!shelf.is_stale());
    }
    assert_eq!(names(&shelf), ["aya", "bella"]);
}

#[test]
fn the_watch_reads_when_asked_without_waiting() {
    let root = tempfile::tempdir().unwrap();
    let shelf = Arc::new(set_up(root.path()));
    let watch = Watch::start(Arc::clone(&shelf), || {}).unwrap();
    let before = shelf.now();
    let begun = Instant::now();
    watch.nudge()();
    while Arc::ptr_eq(&before, &shelf.now()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "never read");
        std::thread::sleep(Duration::from_millis(5));
    }
    // The thread lets go of the presets when nobody can ask it any more.
    drop(watch);
    while Arc::strong_count(&shelf) > 1 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the thread goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
}
