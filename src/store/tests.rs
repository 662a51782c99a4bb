//! The store, tried.
