//! Pixels; the only room that names tch.
