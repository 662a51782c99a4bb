//! From pixels to bytes, one step a file.
