//! What style sheets of an SVG cost, and which elements are clipped, by attribute or by style sheet.

use std::collections::HashSet;

use resvg::usvg::roxmltree::Node;

use super::ArtworkError;

const PROPERTY: &str = "clip-path";
/// Rules of all style sheets, one for each selector; each is tried on each element.
const MAX_RULES: usize = 500;
/// Bytes of all declarations, which are copied for each selector.
const MAX_DECLARED_BYTES: usize = 1 << 20;

/// Looks at elements that all selectors may take. Each is tried on each element; one that speaks of elements within
/// elements goes up to the root again for every word of it.
const MAX_LOOKS: usize = 10_000_000;

/// The classes that clip, and what the selectors cost.
#[derive(Debug, Default)]
pub(super) struct Styles {
    classes: HashSet<String>,
    /// Of each selector, how many elements it names beside the one that it styles.
    ancestors: Vec<u32>,
}

impl Styles {
    /// # Errors
    /// A sheet with `@` rules, quotes or escapes, selectors of attributes or neighbours, too many rules, or one that clips by
    /// more than a class.
    pub(super) fn read<'a, 'input: 'a>(
        sheets: impl Iterator<Item = Node<'a, 'input>>,
    ) -> Result<Self, ArtworkError> {
        let mut styles = Self::default();
        let (mut rules, mut declared) = (0, 0);
        for sheet in sheets {
            let text: String = sheet.children().filter_map(|child| child.text()).collect();
            let more = || ArtworkError::svg("its style sheet has more than plain rules");
            // Quotes could hide comments, braces and selectors from what is counted here.
            if text.contains(['@', '\\', '"', '\'']) {
                return Err(more());
            }
            for rule in without_comments(&text).split('}') {
                let (selectors, block) = rule.split_once('{').unwrap_or((rule, ""));
                if block.contains('{') {
                    return Err(more());
                }
                // Neighbours are looked for however far away they are; attributes need quotes.
                if !selectors
                    .chars()
                    .all(|c| c.is_alphanumeric() || c.is_whitespace() || "-_.#*,>".contains(c))
                {
                    return Err(ArtworkError::svg(
                        "its style sheet selects by more than names, classes and ids",
                    ));
                }
                styles.ancestors.extend(selectors.split(',').map(ancestors));
                let count = selectors.split(',').count();
                rules += count;
                declared += count * block.len();
                if block.to_ascii_lowercase().contains(PROPERTY) {
                    for selector in selectors.split(',') {
                        styles.classes.insert(class(selector.trim())?.to_owned());
                    }
                }
            }
        }
        if declared > MAX_DECLARED_BYTES {
            return Err(ArtworkError::svg("its style sheets declare too much"));
        }
        if rules > MAX_RULES {
            return Err(ArtworkError::svg(format!("its style sheets have more than {MAX_RULES} rules")));
        }
        Ok(styles)
    }

    /// Whether a document of so many elements, so deep, is styled in a moment.
    pub(super) fn check(&self, elements: usize, depth: usize) -> Result<(), ArtworkError> {
        let looks = self.ancestors.iter().map(|count| depth.max(1).saturating_pow(*count));
        let looks = looks.fold(0, usize::saturating_add).saturating_mul(elements);
        if looks > MAX_LOOKS {
            return Err(ArtworkError::svg("its style sheet takes too long to apply"));
        }
        Ok(())
    }

    /// Whether an element itself is clipped.
    pub(super) fn clips(&self, node: Node<'_, '_>) -> bool {
        node.has_attribute(PROPERTY)
            || node.attribute("style").is_some_and(|style| style.to_ascii_lowercase().contains(PROPERTY))
            || node
                .attribute("class")
                .is_some_and(|classes| classes.split_whitespace().any(|class| self.classes.contains(class)))
    }
}

/// Words of a selector before its last.
fn ancestors(selector: &str) -> u32 {
    let words = selector.split([' ', '\t', '\r', '\n', '\x0c', '>']).filter(|word| !word.is_empty()).count();
    u32::try_from(words.saturating_sub(1)).unwrap_or(u32::MAX)
}

fn class(selector: &str) -> Result<&str, ArtworkError> {
    selector
        .strip_prefix('.')
        .filter(|class| class.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_'))
        .ok_or_else(|| ArtworkError::svg("its style sheet clips by something else than a class"))
}

fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        kept.push(' ');
        rest = after.split_once("*/").map_or("", |(_, rest)| rest);
    }
    kept.push_str(rest);
    kept
}
