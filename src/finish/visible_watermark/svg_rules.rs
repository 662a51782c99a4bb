//! What an SVG may hold. Logos need shapes and gradients; what could be slow, endless or lead outside is refused by name.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, NodeId};

use super::ArtworkError;
use super::svg_styles::Styles;

const SVG: &str = "http://www.w3.org/2000/svg";

const KNOWN: &[&str] = &[
    "svg",
    "g",
    "a",
    "defs",
    "symbol",
    "use",
    "switch",
    "title",
    "desc",
    "metadata",
    "style",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "linearGradient",
    "radialGradient",
    "stop",
    "clipPath",
];

/// Elements within elements, `use` followed.
const MAX_DEPTH: usize = 64;
/// Elements after every `use` is replaced by what it names.
const MAX_EXPANDED: usize = 20_000;

/// What an element is with all that is in it and all that it names.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    elements: usize,
    depth: usize,
    clips: bool,
}

/// # Errors
/// The first thing that may not be in it.
pub(super) fn check(document: &Document<'_>) -> Result<(), ArtworkError> {
    let root = document.root_element();
    if !root.has_tag_name((SVG, "svg")) {
        return Err(ArtworkError::svg("its root is not `svg` of the namespace http://www.w3.org/2000/svg"));
    }
    let elements = || root.descendants().filter(|node| node.tag_name().namespace() == Some(SVG));
    for element in elements() {
        let name = element.tag_name().name();
        if !KNOWN.contains(&name) {
            return Err(ArtworkError::svg(refusal(name)));
        }
    }
    // usvg takes a style sheet in any name space for one.
    let styles = Styles::read(root.descendants().filter(|element| element.tag_name().name() == "style"))?;
    let mut named = HashMap::new();
    for element in elements() {
        if let Some(id) = element.attribute("id") {
            named.entry(id).or_insert(element);
        }
    }
    let mut measured = Measure { named, styles, known: HashMap::new() };
    let whole = measured.extent(root, 0)?;
    measured.styles.check(whole.elements, whole.depth)?;
    for clip in elements().filter(|element| element.tag_name().name() == "clipPath") {
        if measured.extent(clip, 0)?.clips {
            return Err(ArtworkError::svg("clip paths within clip paths are not drawn"));
        }
    }
    Ok(())
}

fn refusal(name: &str) -> String {
    match name {
        "text" | "tspan" | "textPath" | "tref" => "text is not drawn; convert it to paths".to_owned(),
        "image" | "feImage" => "pictures within it are not drawn".to_owned(),
        _ => {
            let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
            format!("`{name}` is not drawn")
        }
    }
}

struct Measure<'a, 'input> {
    named: HashMap<&'a str, Node<'a, 'input>>,
    styles: Styles,
    known: HashMap<NodeId, Extent>,
}

impl<'a, 'input> Measure<'a, 'input> {
    fn extent(&mut self, node: Node<'a, 'input>, above: usize) -> Result<Extent, ArtworkError> {
        let deep = || ArtworkError::svg(format!("it is nested more than {MAX_DEPTH} deep"));
        if let Some(known) = self.known.get(&node.id()) {
            return if above + known.depth > MAX_DEPTH { Err(deep()) } else { Ok(*known) };
        }
        if above >= MAX_DEPTH {
            return Err(deep());
        }
        let mut whole = Extent { elements: 1, depth: 1, clips: self.styles.clips(node) };
        let target = if node.has_tag_name((SVG, "use")) { self.target(node)? } else { None };
        for part in node.children().filter(Node::is_element).chain(target) {
            let part = self.extent(part, above + 1)?;
            whole.elements = whole.elements.saturating_add(part.elements);
            whole.depth = whole.depth.max(part.depth + 1);
            whole.clips |= part.clips;
        }
        if whole.elements > MAX_EXPANDED {
            return Err(ArtworkError::svg(format!("it has more than {MAX_EXPANDED} elements")));
        }
        self.known.insert(node.id(), whole);
        Ok(whole)
    }

    /// What a `use` names; nothing where it names what is not there.
    fn target(&self, node: Node<'a, 'input>) -> Result<Option<Node<'a, 'input>>, ArtworkError> {
        let mut found = None;
        for href in node.attributes().filter(|attribute| attribute.name() == "href") {
            let id = href
                .value()
                .trim()
                .strip_prefix('#')
                .ok_or_else(|| ArtworkError::svg("`use` of something outside of it is not followed"))?;
            found = found.or(self.named.get(id).copied());
        }
        Ok(found)
    }
}
