//! How a picture lies, seen from the picture that was marked.

/// Stretched by `sx` and `sy`, mirrored left to right or not, then turned; tile coordinates follow from the inverse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pose {
    pub(super) sx: f32,
    pub(super) sy: f32,
    /// In radians, from the x axis to the y axis.
    pub(super) turn: f32,
    pub(super) mirrored: bool,
}

impl Pose {
    /// The matrix from frequencies of the marked picture to those of this one: its stretches' inverse, its mirror and its
    /// turn, which is what a transformation of points does to frequencies.
    pub(super) fn frequencies(&self) -> [[f32; 2]; 2] {
        let (sin, cos) = self.turn.sin_cos();
        let (ax, ay) = (if self.mirrored { -1.0 } else { 1.0 } / self.sx, 1.0 / self.sy);
        [[cos * ax, -sin * ay], [sin * ax, cos * ay]]
    }

    /// Rows of the matrix from points of this picture to points of the marked one.
    pub(super) fn inverse(&self) -> [[f64; 2]; 2] {
        let (sin, cos) = f64::from(self.turn).sin_cos();
        let (sx, sy) = (f64::from(if self.mirrored { -self.sx } else { self.sx }), f64::from(self.sy));
        [[cos / sx, sin / sx], [-sin / sy, cos / sy]]
    }

    /// Geometric mean of both stretches.
    pub(super) fn scale(&self) -> f32 {
        (self.sx * self.sy).sqrt()
    }
}
