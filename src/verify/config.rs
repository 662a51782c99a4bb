//! What verification can be told.

use serde::Deserialize;

use crate::config::complaints::Complaints;
use crate::finish::decode::DecodeLimits;

/// Who may ask, how often, and for how large a picture.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerifyConfig {
    /// Whether the page and the soft-binding routes answer those who bring no API key. They are told what any copy of a
    /// picture tells, and nothing of prompts, jobs or keys.
    pub public: bool,
    /// Most bytes of a picture. The action `verify` is bounded by `api.body_limit_bytes` too.
    pub max_bytes: usize,
    /// Most pixels of a picture; one takes up to 16 bytes a pixel while it is examined.
    pub max_pixels: u64,
    /// Longest side of a picture, in pixels.
    pub max_side_px: u32,
    /// Pictures examined at the same time.
    pub at_once: usize,
    /// Pictures that may wait for their turn; one more is refused with 503.
    pub waiting: usize,
    /// Questions a minute for one API key, which is also the burst.
    pub per_minute: u32,
    /// Questions a minute for one address that brings no key, which is also the burst.
    pub public_per_minute: u32,
}

impl Default for VerifyConfig {
    fn default() -> Self {
        Self {
            public: true,
            max_bytes: 20 << 20,
            max_pixels: 25_000_000,
            max_side_px: 16_384,
            at_once: 1,
            waiting: 16,
            per_minute: 60,
            public_per_minute: 20,
        }
    }
}

impl VerifyConfig {
    /// Everything that is wrong, said at once.
    pub fn validate(&self, complaints: &mut Complaints) {
        if !(1 << 10..=1 << 30).contains(&self.max_bytes) {
            complaints.add("verify.max_bytes", "must lie between 1 kB and 1 GB");
        }
        if !(1..=1_000_000_000).contains(&self.max_pixels) {
            complaints.add("verify.max_pixels", "must be 1 to 1000000000 pixels");
        }
        if self.max_side_px == 0 {
            complaints.add("verify.max_side_px", "must be at least 1 pixel");
        }
        if !(1..=64).contains(&self.at_once) {
            complaints.add("verify.at_once", "must be 1 to 64 pictures");
        }
        if self.waiting > 10_000 {
            complaints.add("verify.waiting", "must be at most 10000 pictures");
        }
        for (place, count) in
            [("verify.per_minute", self.per_minute), ("verify.public_per_minute", self.public_per_minute)]
        {
            if count == 0 {
                complaints.add(place, "must be at least 1");
            }
        }
    }

    /// What a picture may be.
    pub fn limits(&self) -> DecodeLimits {
        DecodeLimits { max_bytes: self.max_bytes, max_pixels: self.max_pixels, max_side_px: self.max_side_px }
    }
}
