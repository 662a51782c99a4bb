//! No enhancement at all.

use super::enhancer::{EnhanceError, Enhancer, Wish};

/// Proposes nothing, and says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disabled;

impl Enhancer for Disabled {
    fn propose(&self, _: &Wish) -> Result<String, EnhanceError> {
        Err(EnhanceError::Disabled)
    }

    fn check(&self) -> Result<String, EnhanceError> {
        Err(EnhanceError::Disabled)
    }
}
