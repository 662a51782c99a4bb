//! What of a picture may be the mark.

use super::super::plane::Plane;

/// Radius of the mean, taken twice, that is taken away: what changes slowly is the picture's.
const SLOW_PX: usize = 2;
/// Radius within which a place is judged busy or calm.
const BUSY_PX: usize = 3;
/// Contrast that no mark has: edges count no more than this, in levels.
const LOUDEST: f32 = 12.0;
/// Variance that even a calm place is taken to have, in levels squared.
const CALM: f32 = 4.0;

/// The fine part of a picture, divided by its local variance: for a mark under noise of that variance this is the best
/// weight (a matched filter), and calm places speak louder than busy ones.
pub(super) fn whiten(luma: &Plane) -> Plane {
    let slow = luma.box_mean(SLOW_PX).box_mean(SLOW_PX);
    let fine = luma.zip(&slow, |all, slow| all - slow);
    let variance = fine.zip(&fine, |a, b| a * b).box_mean(BUSY_PX);
    fine.zip(&variance, |fine, variance| fine.clamp(-LOUDEST, LOUDEST) / (variance.max(0.0) + CALM))
}
