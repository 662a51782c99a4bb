//! What goes with a prompt whatever it is about: for models that go on with a text and do not know what it says.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::words::{is_somebody, lines, stem, stems};

/// Stems that a term may end in, beside anything and where nobody is seen.
static FITTING: LazyLock<[HashSet<String>; 2]> = LazyLock::new(|| {
    let mut parts = [HashSet::new(), HashSet::new()];
    let mut part = 0;
    for word in lines(include_str!("fitting.txt")).flat_map(str::split_whitespace) {
        match word {
            "|" => part = 1,
            word => _ = parts[part].insert(stem(word)),
        }
    }
    parts
});

/// Whether what a piece is about, its last word, goes with the positive prompt.
pub(in crate::enhance) fn goes_with(piece: &str, positive: &str) -> bool {
    let stems = stems(piece);
    let Some(head) = stems.last() else { return false };
    let [anything, places] = &*FITTING;
    anything.contains(head) || places.contains(head) && !is_somebody(positive)
}
