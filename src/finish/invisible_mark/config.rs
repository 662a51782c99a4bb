//! Which mark is hidden in each picture.

use std::sync::Arc;

use serde::Deserialize;

use super::{InvisibleMark, TileSpread, TrustMark, TrustMarkConfig};
use crate::config::complaints::Complaints;
use crate::onnx::OnnxError;

/// The `[mark]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarkConfig {
    /// `tile-spread`, our own, or `trustmark` with the networks below.
    pub kind: MarkKind,
    /// The `[mark.trustmark]` section.
    pub trustmark: TrustMarkConfig,
}

/// The schemes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    #[default]
    TileSpread,
    Trustmark,
}

/// Every scheme that may be in a picture of this service's: the one in use, and our own, which was perhaps in use before.
pub fn readers(mark: Arc<dyn InvisibleMark>) -> Vec<Arc<dyn InvisibleMark>> {
    let ours: Arc<dyn InvisibleMark> = Arc::new(TileSpread::new());
    if mark.alg() == ours.alg() { vec![mark] } else { vec![mark, ours] }
}

impl MarkConfig {
    /// Everything that is wrong, said at once.
    pub fn validate(&self, complaints: &mut Complaints) {
        if self.kind == MarkKind::Trustmark {
            self.trustmark.validate("mark.trustmark", complaints);
        }
    }

    /// The scheme, ready to be used.
    ///
    /// # Errors
    /// What is wrong with an operator's networks.
    pub fn open(&self) -> Result<Arc<dyn InvisibleMark>, OnnxError> {
        Ok(match self.kind {
            MarkKind::TileSpread => Arc::new(TileSpread::new()),
            MarkKind::Trustmark => Arc::new(TrustMark::open(&self.trustmark)?),
        })
    }
}
