//! What the model is shown before each wish. A model of this size follows examples, not instructions.

/// Read once when the model is loaded; its attention is kept.
pub(super) const EXAMPLES: &str = "\
Add visual details to image tags.

tags: woman in a red dress, on a balcony
more: evening light, city skyline, flowing fabric, gentle breeze, elegant pose

tags: sailing boat
more: calm sea, white sails, golden sunset, soft clouds, reflections on water

tags: chef in a kitchen, smiling
more: white apron, steam rising, copper pans, warm indoor light, shallow depth of field

tags: wolf in a forest
more: morning mist, tall pine trees, thick grey fur, alert eyes, dappled light

tags: blue sweater, short hair
more: studio portrait, plain backdrop, soft shadows, relaxed shoulders, knitted texture

tags:";

/// A wish in the form of the examples, up to where the model goes on.
pub(super) fn question(text: &str) -> String {
    format!(" {text}\nmore:")
}
