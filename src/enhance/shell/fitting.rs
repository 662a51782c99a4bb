//! What goes with a prompt whatever it is about: for models that go on with a text and do not know what it says.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::words::{is_somebody, lines, stem, stems};

/// Stems that a term may end in: beside anything, where somebody is seen, and where nobody is.
static FITTING: LazyLock<[HashSet<String>; 3]> = LazyLock::new(|| {
    let mut parts = [HashSet::new(), HashSet::new(), HashSet::new()];
    let mut part = 0;
    for word in lines(include_str!("fitting.txt")).flat_map(str::split_whitespace) {
        match word {
            "|" => part += 1,
            word => _ = parts[part].insert(stem(word)),
        }
    }
    parts
});

/// Whether what a piece is about, its last word, goes with the positive prompt.
pub(in crate::enhance) fn goes_with(piece: &str, positive: &str) -> bool {
    let stems = stems(piece);
    let Some(head) = stems.last() else { return false };
    let [anything, bodies, places] = &*FITTING;
    anything.contains(head) || if is_somebody(positive) { bodies } else { places }.contains(head)
}

/// Whether a piece is about somebody's body where the positive prompt shows nobody.
pub(in crate::enhance) fn lacks_somebody(piece: &str, positive: &str) -> bool {
    let [_, bodies, _] = &*FITTING;
    stems(piece).last().is_some_and(|head| bodies.contains(head)) && !is_somebody(positive)
}
