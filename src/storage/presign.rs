//! Signs the URLs that clients fetch pictures with: a local computation, no network.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use time::OffsetDateTime;

use super::error::StorageError;
use super::key::ObjectKey;

/// A URL that anyone may fetch until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    pub url: String,
    /// When the store begins to refuse it, to the second.
    pub expires_at: OffsetDateTime,
}

/// Signs `GET` of an object by AWS Signature Version 4 in the query.
#[derive(Debug)]
pub(super) struct Presigner {
    /// Scheme, host and port that clients reach, with the bucket: what `host` and path are signed as.
    bucket_url: String,
    region: String,
    identity: Identity,
    settings: SigningSettings,
    ttl: Duration,
}

impl Presigner {
    pub(super) fn new(
        base_url: &str,
        bucket: &str,
        region: &str,
        credentials: Credentials,
        ttl_s: u32,
    ) -> Self {
        let ttl = Duration::from_secs(ttl_s.into());
        // S3's own choices among the signature's options ("Authenticating Requests: Using Query Parameters").
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(ttl);
        Self {
            bucket_url: format!("{}/{bucket}", base_url.trim_end_matches('/')),
            region: region.to_owned(),
            identity: credentials.into(),
            settings,
            ttl,
        }
    }

    pub(super) fn presign(&self, key: &ObjectKey, now: SystemTime) -> Result<Presigned, StorageError> {
        let wrong = |e: &dyn std::error::Error| StorageError::Signing { detail: e.to_string() };
        let params = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name("s3")
            .time(now)
            .settings(self.settings.clone())
            .build()
            .map_err(|e| wrong(&e))?
            .into();
        // `x-id` is what the SDK adds; with it the URL is byte for byte the SDK's.
        let url = format!("{}/{key}?x-id=GetObject", self.bucket_url);
        let request =
            SignableRequest::new("GET", url.as_str(), std::iter::empty(), SignableBody::UnsignedPayload)
                .map_err(|e| wrong(&e))?;
        let (instructions, _signature) = sign(request, &params).map_err(|e| wrong(&e))?.into_parts();
        let mut signed = http::Request::builder().uri(&url).body(()).map_err(|e| wrong(&e))?;
        instructions.apply_to_request_http1x(&mut signed);
        let signed_at = OffsetDateTime::from(now).replace_nanosecond(0).map_err(|e| wrong(&e))?;
        Ok(Presigned { url: signed.uri().to_string(), expires_at: signed_at + self.ttl })
    }
}
