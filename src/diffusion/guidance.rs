//! Classifier-free guidance (`pipeline_stable_diffusion_xl.py`, "perform guidance", diffusers 0.42.1).

use tch::Tensor;

/// Whether a scale asks for guidance at all (`do_classifier_free_guidance`).
pub(super) fn is_on(guidance_scale: f64) -> bool {
    guidance_scale > 1.0
}

/// `noise_pred` is `[2, channels, height, width]`, the prediction without the prompt first. What the prompt adds is
/// multiplied by `guidance_scale`.
pub(super) fn guide(noise_pred: &Tensor, guidance_scale: f64) -> Tensor {
    let halves = noise_pred.chunk(2, 0);
    let (noise_pred_uncond, noise_pred_text) = (&halves[0], &halves[1]);
    noise_pred_uncond + (noise_pred_text - noise_pred_uncond) * guidance_scale
}
