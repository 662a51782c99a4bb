//! Which networks, and where they are.

use std::path::PathBuf;

use serde::Deserialize;

use crate::config::complaints::Complaints;

/// Settings of the mark `trustmark`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustMarkConfig {
    pub variant: Variant,
    /// ONNX file: picture 1x3x256x256 from -1 to 1 and secret 1x100 of 0 and 1, in this order.
    pub encoder: PathBuf,
    /// Its SHA-256, 64 hexadecimal digits.
    pub encoder_sha256: String,
    /// What comes first out of it.
    pub encoder_gives: EncoderGives,
    /// ONNX file: picture 1x3xNxN from -1 to 1 to 1x100 numbers, positive for 1; N is 245, and 224 for `P`.
    pub decoder: PathBuf,
    /// Its SHA-256, 64 hexadecimal digits.
    pub decoder_sha256: String,
}

/// The reference's models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Variant {
    /// Quality and robustness in balance.
    #[default]
    Q,
    /// A little sturdier.
    B,
    /// Small.
    C,
    /// The least visible.
    P,
}

/// What an encoder gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncoderGives {
    /// The marked picture.
    #[default]
    Picture,
    /// What is to be added to the picture.
    Residual,
}

impl Variant {
    pub(super) fn alg(self) -> &'static str {
        match self {
            Self::Q => "com.adobe.trustmark.Q",
            Self::B => "com.adobe.trustmark.B",
            Self::C => "com.adobe.trustmark.C",
            Self::P => "com.adobe.trustmark.P",
        }
    }

    /// Side, in pixels, that the decoder wants (`model_resolution_dec` of the reference).
    pub(super) fn decoder_px(self) -> usize {
        if self == Self::P { 224 } else { 245 }
    }

    /// What the reference multiplies the strength by.
    pub(super) fn strength(self) -> f32 {
        if self == Self::P { 1.25 } else { 1.0 }
    }

    /// Longest side in parts of the shortest up to which the whole picture is marked; beyond, the square in its middle.
    pub(super) fn longest_aspect(self) -> f64 {
        if self == Self::P { 0.0 } else { 2.0 }
    }
}

impl TrustMarkConfig {
    /// Everything that is wrong, said at once; the files themselves are opened later.
    pub fn validate(&self, place: &str, complaints: &mut Complaints) {
        for (field, path) in [("encoder", &self.encoder), ("decoder", &self.decoder)] {
            if path.as_os_str().is_empty() {
                complaints.add(format!("{place}.{field}"), "names no file");
            }
        }
        for (field, sha256) in
            [("encoder_sha256", &self.encoder_sha256), ("decoder_sha256", &self.decoder_sha256)]
        {
            if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                complaints.add(format!("{place}.{field}"), "needs 64 hexadecimal digits");
            }
        }
    }
}
