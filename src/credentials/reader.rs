//! Reading without signing: for whoever only wants to know what pictures say of themselves.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use c2pa::Context;

use super::config::CredentialsConfig;
use super::error::CredentialsError;
use super::read::{self, C2paReport};
use super::trust;
use crate::plan::Format;

/// Trusts the root that this service has made, where it has, and the configured anchors. Needs no key and makes nothing.
#[derive(Clone)]
pub struct Reader {
    context: Arc<Context>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Reader {
    /// # Errors
    /// Certificates that are there and cannot be read.
    pub fn open(config: &CredentialsConfig, data_dir: &Path) -> Result<Self, CredentialsError> {
        let context = trust::context(&trust::anchors(config, None, data_dir)?)?;
        Ok(Self { context })
    }

    /// As [`Credentials::read`](super::Credentials::read).
    pub fn read(&self, bytes: &[u8], format: Format) -> C2paReport {
        read::picture(&self.context, bytes, format.content_type())
    }

    /// As [`Credentials::read_manifest`](super::Credentials::read_manifest).
    pub fn read_manifest(&self, manifest: &[u8]) -> C2paReport {
        read::store(&self.context, manifest)
    }
}
