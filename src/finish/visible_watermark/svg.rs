//! Marks made of shapes.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::roxmltree::{Document, ParsingOptions};
use resvg::usvg::{ImageHrefResolver, Options, Tree};

use super::layer::{Layer, premultiplied};
use super::placement::Place;
use super::{ArtworkError, svg_cost, svg_rules};

/// Elements, texts and comments of a document.
const MAX_NODES: u32 = 50_000;

/// Reads shapes. Nothing outside of the text is ever opened: no files, no network, no fonts, no pictures.
pub(super) fn read(bytes: &[u8]) -> Result<Tree, ArtworkError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ArtworkError::svg("it is not UTF-8"))?;
    // Entities can only be made where they are declared; without any, nothing can swell or point outside.
    if text.contains("<!ENTITY") {
        return Err(ArtworkError::svg("entities are not read"));
    }
    let options = ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| ArtworkError::svg(format!("not well-formed ({error})")))?;
    svg_rules::check(&document)?;
    let options = Options {
        resources_dir: None,
        image_href_resolver: ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        ..Options::default()
    };
    let tree = Tree::from_xmltree(&document, &options)
        .map_err(|error| ArtworkError::svg(format!("it cannot be read ({error})")))?;
    svg_cost::check(&tree)?;
    Ok(tree)
}

/// Draws shapes straight at their size and angle.
pub(super) fn draw(tree: &Tree, place: &Place) -> Result<Layer, ArtworkError> {
    let mut canvas = Pixmap::new(place.width_px, place.height_px)
        .ok_or_else(|| ArtworkError::svg("there is no room to draw it"))?;
    let half = |px: u32| px as f32 / 2.0;
    let scale = |px: u32, units: f32| px as f32 / units;
    let transform = Transform::from_translate(-half(place.mark_width_px), -half(place.mark_height_px))
        .pre_scale(
            scale(place.mark_width_px, tree.size().width()),
            scale(place.mark_height_px, tree.size().height()),
        );
    let transform = transform
        .post_rotate(place.degrees.into())
        .post_translate(half(place.width_px), half(place.height_px));
    resvg::render(tree, transform, &mut canvas.as_mut());
    let pixels = canvas.pixels().iter().map(|pixel| {
        let color = pixel.demultiply();
        premultiplied([color.red(), color.green(), color.blue(), color.alpha()])
    });
    Ok(Layer { width: place.width_px as usize, height: place.height_px as usize, pixels: pixels.collect() })
}
