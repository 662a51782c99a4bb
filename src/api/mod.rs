//! The front door: one POST, one file an action.
