//! What an SVG costs to draw, told before it is drawn.

use resvg::usvg::{Group, Node, Paint, Rect, Tree};

use super::ArtworkError;

/// How often, in sum, shapes may cover the whole mark.
const MAX_COVERED: f64 = 150.0;
/// The same for groups that are drawn aside first (opacity, clipping, blending).
const MAX_LAYERED: f64 = 24.0;
/// Lines and curves of all paths.
const MAX_SEGMENTS: usize = 100_000;
/// Longest side for each unit of the shortest.
const MAX_ASPECT: f32 = 1_000.0;

#[derive(Default)]
struct Cost {
    /// In areas of the mark.
    covered: f64,
    layered: f64,
    segments: usize,
}

/// # Errors
/// What is not drawn, or too much of it.
pub(super) fn check(tree: &Tree) -> Result<(), ArtworkError> {
    let (width, height) = (tree.size().width(), tree.size().height());
    if !(width / height <= MAX_ASPECT && height / width <= MAX_ASPECT) {
        return Err(ArtworkError::svg("it is far too long and thin"));
    }
    if !tree.filters().is_empty() || !tree.masks().is_empty() || !tree.patterns().is_empty() {
        return Err(ArtworkError::svg("filters, masks and patterns are not drawn"));
    }
    let mut cost = Cost::default();
    add(tree.root(), &tree.size(), &mut cost)?;
    if cost.covered == 0.0 {
        return Err(ArtworkError::svg("there is nothing to see in it"));
    }
    Ok(())
}

fn add(group: &Group, size: &resvg::usvg::Size, cost: &mut Cost) -> Result<(), ArtworkError> {
    if group.should_isolate() {
        cost.layered += share(group.abs_layer_bounding_box().to_rect(), size, 2.0);
    }
    if let Some(clip) = group.clip_path() {
        add(clip.root(), size, cost)?;
    }
    for child in group.children() {
        match child {
            Node::Group(child) => add(child, size, cost)?,
            Node::Path(path) => {
                let paints =
                    [path.fill().map(|fill| fill.paint()), path.stroke().map(|stroke| stroke.paint())];
                if paints.iter().flatten().any(|paint| matches!(paint, Paint::Pattern(_))) {
                    return Err(ArtworkError::svg("patterns are not drawn"));
                }
                if path.stroke().is_some_and(|stroke| stroke.dasharray().is_some()) {
                    return Err(ArtworkError::svg("dashed lines are not drawn"));
                }
                cost.segments = cost.segments.saturating_add(path.data().len());
                cost.covered += share(path.abs_stroke_bounding_box(), size, 0.0).max(1e-6);
            }
            Node::Image(_) | Node::Text(_) => {
                return Err(ArtworkError::svg("text and pictures within it are not drawn"));
            }
        }
        if cost.covered > MAX_COVERED || cost.layered > MAX_LAYERED || cost.segments > MAX_SEGMENTS {
            return Err(ArtworkError::svg("it takes too long to draw"));
        }
    }
    Ok(())
}

/// Area of a box in areas of the mark, cut off `margin` marks beyond its edges, which is where the renderer stops.
fn share(area: Rect, size: &resvg::usvg::Size, margin: f64) -> f64 {
    let along = |from: f32, to: f32, whole: f32| {
        let unit = |px: f32| (f64::from(px) / f64::from(whole)).clamp(-margin, 1.0 + margin);
        (unit(to) - unit(from)).max(0.0)
    };
    along(area.left(), area.right(), size.width()) * along(area.top(), area.bottom(), size.height())
}
