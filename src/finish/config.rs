//! What finishing can be told.

use std::path::PathBuf;

use bytes::Bytes;
use serde::Deserialize;

use super::visible_watermark::Artwork;
use crate::config::complaints::Complaints;

/// Settings of the steps from pixels to bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FinishConfig {
    /// A PNG, JPEG, WebP or SVG that is drawn on each picture whose request sends no `wm_image`, placed by the request's
    /// other `wm_*`; empty for none.
    pub brand_mark: PathBuf,
}

impl FinishConfig {
    /// The brand mark's bytes, read and found fit to be drawn; `None` where none is set or something is wrong with it.
    pub fn open_brand_mark(&self, complaints: &mut Complaints) -> Option<Bytes> {
        if self.brand_mark.as_os_str().is_empty() {
            return None;
        }
        let mut complain = |what: String| {
            complaints.add("finish.brand_mark", format!("`{}`: {what}", self.brand_mark.display()));
        };
        match std::fs::read(&self.brand_mark) {
            Err(error) => complain(error.to_string()),
            Ok(bytes) => match Artwork::read(&bytes) {
                Err(error) => complain(error.to_string()),
                Ok(_) => return Some(bytes.into()),
            },
        }
        None
    }
}
