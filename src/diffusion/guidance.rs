//! Classifier-free guidance (`pipeline_stable_diffusion_xl.py`, "perform guidance", diffusers 0.42.1).

use tch::Tensor;

/// Whether a scale asks for guidance at all (`do_classifier_free_guidance`).
pub(super) fn is_on(guidance_scale: f64) -> bool {
    guidance_scale > 1.0
}

/// `noise_pred` is `[2, channels, height, width]`, the prediction without the prompt first. What the prompt adds is
/// multiplied by `guidance_scale`; then [`rescale_noise_cfg`] by `guidance_rescale`, unless that is 0.
pub(super) fn guide(noise_pred: &Tensor, guidance_scale: f64, guidance_rescale: f64) -> Tensor {
    let halves = noise_pred.chunk(2, 0);
    let (noise_pred_uncond, noise_pred_text) = (&halves[0], &halves[1]);
    let noise_cfg = noise_pred_uncond + (noise_pred_text - noise_pred_uncond) * guidance_scale;
    if guidance_rescale > 0.0 {
        rescale_noise_cfg(&noise_cfg, noise_pred_text, guidance_rescale)
    } else {
        noise_cfg
    }
}

/// `rescale_noise_cfg` of the same file: the guided prediction with the deviation of the one with the prompt, mixed with
/// itself ("Common Diffusion Noise Schedules and Sample Steps are Flawed", section 3.4). Each picture has its own deviation.
fn rescale_noise_cfg(noise_cfg: &Tensor, noise_pred_text: &Tensor, guidance_rescale: f64) -> Tensor {
    let std = |tensor: &Tensor| tensor.std_dim([1_i64, 2, 3].as_slice(), true, true);
    let rescaled = noise_cfg * (std(noise_pred_text) / std(noise_cfg));
    rescaled * guidance_rescale + noise_cfg * (1.0 - guidance_rescale)
}
