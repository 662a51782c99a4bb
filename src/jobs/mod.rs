//! When: states, worker, and the kitchen's half of the story.
