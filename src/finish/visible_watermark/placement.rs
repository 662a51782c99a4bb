//! How large a mark is drawn, and where.

use crate::plan::{Anchor, Watermark};

/// A length that is a whole number of pixels but for rounding.
const SLACK_PX: f64 = 1e-6;

/// Where a mark goes, in pixels of the picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// The mark before it is turned.
    pub(super) mark_width_px: u32,
    pub(super) mark_height_px: u32,
    /// Clockwise.
    pub(super) degrees: i16,
    /// The upright box around the turned mark. It lies within the picture.
    pub(super) left_px: u32,
    pub(super) top_px: u32,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
}

impl Place {
    /// How many quarter turns the angle is, where it is a whole number of them.
    pub(super) fn quarter_turns(&self) -> Option<u8> {
        let degrees = self.degrees.rem_euclid(360);
        (degrees % 90 == 0).then_some((degrees / 90) as u8)
    }
}

/// The mark is as wide, before it is turned, as `scale_percent` of the picture. Where the box around the turned mark would
/// not fit into the picture, the mark becomes smaller until it does; where padding would push the box out, it stops at
/// the picture's edge. Along an axis on which the anchor is in the middle there is no padding.
pub(super) fn place(picture: (u32, u32), mark: (f64, f64), watermark: &Watermark) -> Place {
    let (picture_width, picture_height) = (f64::from(picture.0), f64::from(picture.1));
    let wide = picture_width * f64::from(watermark.scale_percent) / 100.0;
    let high = wide * mark.1 / mark.0;
    let degrees = watermark.rotation_degrees;
    let (box_width, box_height) = around(wide, high, degrees);
    let fit = (picture_width / box_width).min(picture_height / box_height);
    let whole = |px: f64| {
        let px = if fit < 1.0 - SLACK_PX { (px * fit + SLACK_PX).floor() } else { px.round() };
        px.clamp(1.0, 65_535.0)
    };
    let (wide, high) = (whole(wide), whole(high));
    let (box_width, box_height) = around(wide, high, degrees);
    let side = |px: f64, of: u32| ((px - SLACK_PX).ceil() as u32).clamp(1, of);
    let (width_px, height_px) = (side(box_width, picture.0), side(box_height, picture.1));
    let (column, row) = thirds(watermark.position);
    Place {
        mark_width_px: wide as u32,
        mark_height_px: high as u32,
        degrees,
        left_px: along(column, picture.0 - width_px, watermark.padding_x_px.into()),
        top_px: along(row, picture.1 - height_px, watermark.padding_y_px.into()),
        width_px,
        height_px,
    }
}

/// Sides of the upright box around a turned rectangle.
fn around(width: f64, height: f64, degrees: i16) -> (f64, f64) {
    let (sin, cos) = sin_cos(degrees);
    ((width * cos).abs() + (height * sin).abs(), (width * sin).abs() + (height * cos).abs())
}

/// Exact for quarter turns.
pub(super) fn sin_cos(degrees: i16) -> (f64, f64) {
    match degrees.rem_euclid(360) {
        0 => (0.0, 1.0),
        90 => (1.0, 0.0),
        180 => (0.0, -1.0),
        270 => (-1.0, 0.0),
        degrees => f64::from(degrees).to_radians().sin_cos(),
    }
}

#[derive(Clone, Copy)]
enum Third {
    Start,
    Middle,
    End,
}

/// Column and row of an anchor.
fn thirds(anchor: Anchor) -> (Third, Third) {
    use Third::{End, Middle, Start};
    match anchor {
        Anchor::TopLeft => (Start, Start),
        Anchor::TopCenter => (Middle, Start),
        Anchor::TopRight => (End, Start),
        Anchor::CenterLeft => (Start, Middle),
        Anchor::Center => (Middle, Middle),
        Anchor::CenterRight => (End, Middle),
        Anchor::BottomLeft => (Start, End),
        Anchor::BottomCenter => (Middle, End),
        Anchor::BottomRight => (End, End),
    }
}

/// Where a box starts on an axis that has `room` left beside it.
fn along(third: Third, room: u32, padding: u32) -> u32 {
    match third {
        Third::Start => padding.min(room),
        Third::Middle => room / 2,
        Third::End => room - padding.min(room),
    }
}
