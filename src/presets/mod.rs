//! Models, styles, characters and random prompts, as data checked at start.
