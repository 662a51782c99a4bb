//! What finishing can be told.

use std::path::PathBuf;

use bytes::Bytes;
use serde::Deserialize;

use super::encode::AvifEncoder;
use super::visible_watermark::Artwork;
use crate::config::complaints::Complaints;

/// Settings of the steps from pixels to bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FinishConfig {
    /// A PNG, JPEG, WebP or SVG that is drawn on each picture whose request sends no `wm_image`, placed by the request's
    /// other `wm_*`; empty for none.
    pub brand_mark: PathBuf,
    /// What writes lossy AVIF: `aom`, or `rav1e`, which is memory-safe and takes two to four times as long.
    pub avif_encoder: AvifEncoder,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(brand_mark: PathBuf) -> (Option<Bytes>, Vec<String>) {
        let mut complaints = Complaints::default();
        let bytes = FinishConfig { brand_mark, ..FinishConfig::default() }.open_brand_mark(&mut complaints);
        (
            bytes,
            complaints
                .0
                .iter()
                .map(|complaint| format!("{}: {}", complaint.place, complaint.message))
                .collect(),
        )
    }

    #[test]
    fn a_brand_mark_is_looked_at_when_the_house_opens() {
        let pictures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures");
        assert_eq!(opened(PathBuf::new()), (None, Vec::new()));
        let (bytes, complaints) = opened(pictures.join("rgba.png"));
        assert_eq!(bytes.unwrap(), std::fs::read(pictures.join("rgba.png")).unwrap());
        assert!(complaints.is_empty(), "{complaints:?}");
        for (name, words) in
            [("other.tiff", "it is a TIFF"), ("animated.webp", "animated"), ("none.png", "No such file")]
        {
            let (bytes, complaints) = opened(pictures.join(name));
            assert_eq!((bytes, complaints.len()), (None, 1));
            assert!(
                complaints[0].starts_with("finish.brand_mark: ") && complaints[0].contains(words),
                "{complaints:?}"
            );
        }
    }
}
