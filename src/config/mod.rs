//! What the house was told: file and environment, checked all at once.

pub mod complaints;
