//! May we: the only room that can make an [`ApprovedPrompt`].

mod approved;

pub use approved::ApprovedPrompt;
