//! What the client said about the bytes, checked before anything is visible.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{Checksum, PutObjectInput};
use s3s::{S3Result, TrailingHeaders, s3_error};

/// Hashes of the bytes so far.
pub(super) struct Digests {
    md5: Md5,
    sha256: Sha256,
    others: ChecksumHasher,
}

/// Hashes of all bytes.
pub(super) struct Digested {
    /// Hexadecimal.
    pub(super) md5: String,
    /// Hexadecimal.
    pub(super) sha256: String,
    md5_base64: String,
    checksums: Checksum,
}

/// What the client said, base64 each.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    md5: Option<String>,
    crc32: Option<String>,
    crc32c: Option<String>,
    crc64nvme: Option<String>,
    sha1: Option<String>,
    sha256: Option<String>,
    /// More claims follow the body.
    trailing: bool,
}

impl Claims {
    /// Those in the headers; `trailing` says that more come after the body.
    pub(super) fn of(input: &PutObjectInput, trailing: bool) -> Self {
        Self {
            md5: input.content_md5.clone(),
            crc32: input.checksum_crc32.clone(),
            crc32c: input.checksum_crc32c.clone(),
            crc64nvme: input.checksum_crc64nvme.clone(),
            sha1: input.checksum_sha1.clone(),
            sha256: input.checksum_sha256.clone(),
            trailing,
        }
    }

    /// Adds those that followed the body.
    pub(super) fn add_trailing(&mut self, headers: &TrailingHeaders) {
        let text = |name: &str| headers.read(|map| Some(map.get(name)?.to_str().ok()?.to_owned())).flatten();
        let fields = [
            (&mut self.crc32, "x-amz-checksum-crc32"),
            (&mut self.crc32c, "x-amz-checksum-crc32c"),
            (&mut self.crc64nvme, "x-amz-checksum-crc64nvme"),
            (&mut self.sha1, "x-amz-checksum-sha1"),
            (&mut self.sha256, "x-amz-checksum-sha256"),
        ];
        for (field, name) in fields {
            if let Some(value) = text(name) {
                *field = Some(value);
            }
        }
    }

    /// Hashers for all that is claimed; which trailing claims come is not known beforehand, so then for all.
    pub(super) fn digests(&self) -> Digests {
        let wanted = |claim: &Option<String>| claim.is_some() || self.trailing;
        Digests {
            md5: Md5::new(),
            sha256: Sha256::new(),
            others: ChecksumHasher {
                crc32: wanted(&self.crc32).then(Crc32::new),
                crc32c: wanted(&self.crc32c).then(Crc32c::new),
                crc64nvme: wanted(&self.crc64nvme).then(Crc64Nvme::new),
                sha1: wanted(&self.sha1).then(Sha1::new),
                sha256: None,
            },
        }
    }

    /// # Errors
    /// `BadDigest` for the first claim that the bytes do not bear out.
    pub(super) fn check(&self, found: &Digested) -> S3Result<()> {
        let sums = &found.checksums;
        let pairs = [
            ("Content-MD5", &self.md5, Some(&found.md5_base64)),
            ("x-amz-checksum-crc32", &self.crc32, sums.checksum_crc32.as_ref()),
            ("x-amz-checksum-crc32c", &self.crc32c, sums.checksum_crc32c.as_ref()),
            ("x-amz-checksum-crc64nvme", &self.crc64nvme, sums.checksum_crc64nvme.as_ref()),
            ("x-amz-checksum-sha1", &self.sha1, sums.checksum_sha1.as_ref()),
            ("x-amz-checksum-sha256", &self.sha256, sums.checksum_sha256.as_ref()),
        ];
        for (name, claim, found) in pairs {
            if let Some(claim) = claim
                && Some(claim) != found
            {
                return Err(s3_error!(BadDigest, "{} does not match the bytes", name));
            }
        }
        Ok(())
    }
}

impl Digests {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha256.update(bytes);
        self.others.update(bytes);
    }

    pub(super) fn finish(self) -> Digested {
        let (md5, sha256) = (self.md5.finalize(), self.sha256.finalize());
        let mut checksums = self.others.finalize();
        checksums.checksum_sha256 = Some(BASE64_STANDARD.encode(sha256));
        Digested {
            md5: hex::encode(md5),
            sha256: hex::encode(sha256),
            md5_base64: BASE64_STANDARD.encode(md5),
            checksums,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(claims: &Claims) -> Digested {
        let mut digests = claims.digests();
        digests.update(b"hel");
        digests.update(b"lo");
        digests.finish()
    }

    #[test]
    fn each_claim_is_held_against_the_bytes() {
        // Of "hello": MD5 and SHA-1 (RFC 1321, RFC 3174 tools), CRC-32 3610a686, CRC-32C 9a71bb4c.
        let right = Claims {
            md5: Some("XUFAKrxLKna5cZ2REBfFkg==".to_owned()),
            crc32: Some("NhCmhg==".to_owned()),
            crc32c: Some("mnG7TA==".to_owned()),
            sha1: Some("qvTGHdzF6KLavt4PO0gs2a6pQ00=".to_owned()),
            sha256: Some("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=".to_owned()),
            ..Claims::default()
        };
        assert!(right.check(&found(&right)).is_ok());
        let wrong = || Some("AAAAAAAAAAAAAAAAAAAAAA==".to_owned());
        for claims in [
            Claims { md5: wrong(), ..Claims::default() },
            Claims { crc32: wrong(), ..Claims::default() },
            Claims { crc32c: wrong(), ..Claims::default() },
            Claims { crc64nvme: wrong(), ..Claims::default() },
            Claims { sha1: wrong(), ..Claims::default() },
            Claims { sha256: wrong(), ..Claims::default() },
            Claims { md5: Some("no base64".to_owned()), ..Claims::default() },
        ] {
            assert!(claims.check(&found(&claims)).is_err(), "{claims:?}");
        }
    }
}
