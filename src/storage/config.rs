//! Where pictures are kept, as the operator says it.

use std::fmt;

use http::Uri;
use serde::Deserialize;

use crate::config::complaints::Complaints;

/// Longest life of a signature, in seconds (AWS, "Signature Version 4", `X-Amz-Expires`: seven days).
const MAX_PRESIGN_TTL_S: u32 = 604_800;

/// First path segments that are not the embedded store's to answer.
const OUR_PATHS: [&str; 8] =
    ["api", "healthz", "readyz", "metrics", "openapi.json", "docs", "admin", "verify"];

/// Where pictures are kept and how they are reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageConfig {
    /// Base URL of an S3 service, `http://` or `https://`. None: the store inside this process.
    pub endpoint: Option<String>,
    /// Bucket. With the store inside this process it is also the first path segment of every object's URL.
    pub bucket: String,
    /// Region, as it goes into signatures.
    pub region: String,
    /// Access key id. With the store inside this process both keys are minted at first start; leave them empty.
    pub access_key: String,
    /// Secret access key; never printed.
    pub secret_key: Secret,
    /// Base URL that clients can reach, which pre-signed URLs begin with: scheme, host and port, no path.
    /// None: the endpoint, or the service's own address.
    pub public_url: Option<String>,
    /// Life of a pre-signed URL, in seconds, 1 to 604800.
    pub presign_ttl_s: u32,
    /// One attempt at a request, in seconds, 1 to 600.
    pub attempt_timeout_s: u32,
    /// A request with all its attempts and the pauses between them, in seconds; not under `attempt_timeout_s`.
    pub operation_timeout_s: u32,
    /// Attempts at a request, 1 to 10; the pauses between them grow and are drawn by chance.
    pub max_attempts: u32,
    /// Largest object that the store inside this process takes, in bytes.
    pub max_object_bytes: u64,
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self {
            endpoint: None,
            bucket: "objects".to_owned(),
            region: "us-east-1".to_owned(),
            access_key: String::new(),
            secret_key: Secret::default(),
            public_url: None,
            presign_ttl_s: 3600,
            attempt_timeout_s: 20,
            operation_timeout_s: 60,
            max_attempts: 4,
            max_object_bytes: 64 << 20,
        }
    }
}

impl StorageConfig {
    /// Adds all that is wrong to `complaints`.
    pub fn validate(&self, complaints: &mut Complaints) {
        let mut complain = |field: &str, message: String| complaints.add(format!("storage.{field}"), message);
        if !s3s::path::check_bucket_name(&self.bucket) {
            complain("bucket", format!("{:?} is no bucket name (3 to 63 of a-z 0-9 . -)", self.bucket));
        }
        if self.region.is_empty() || !self.region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            complain("region", format!("{:?} is no region (a-z 0-9 -)", self.region));
        }
        for (field, url) in [("endpoint", &self.endpoint), ("public_url", &self.public_url)] {
            if let Some(url) = url
                && let Err(message) = check_base_url(url)
            {
                complain(field, message);
            }
        }
        if self.endpoint.is_none() && OUR_PATHS.contains(&self.bucket.as_str()) {
            complain("bucket", format!("`{}` is a path of the service's own", self.bucket));
        }
        match (&self.endpoint, self.access_key.is_empty(), self.secret_key.is_empty()) {
            (Some(_), true, _) => complain("access_key", "is needed with an endpoint".to_owned()),
            (Some(_), _, true) => complain("secret_key", "is needed with an endpoint".to_owned()),
            (None, false, _) | (None, _, false) => complain(
                "access_key",
                "without an endpoint the keys are minted by the service: leave access_key and secret_key empty"
                    .to_owned(),
            ),
            _ => {}
        }
        let mut bounds = |field: &str, value: u64, low: u64, high: u64| {
            if !(low..=high).contains(&value) {
                complain(field, format!("{value} is not within {low} to {high}"));
            }
        };
        bounds("presign_ttl_s", self.presign_ttl_s.into(), 1, MAX_PRESIGN_TTL_S.into());
        bounds("attempt_timeout_s", self.attempt_timeout_s.into(), 1, 600);
        bounds("operation_timeout_s", self.operation_timeout_s.into(), self.attempt_timeout_s.into(), 3600);
        bounds("max_attempts", self.max_attempts.into(), 1, 10);
        bounds("max_object_bytes", self.max_object_bytes, 1 << 20, 1 << 30);
    }
}

/// A base URL names scheme, host and perhaps port; a path would be signed here and rewritten by whoever owns it.
pub(crate) fn check_base_url(url: &str) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|e| format!("{url:?} is no URL: {e}"))?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        _ => return Err(format!("{url:?} must begin with http:// or https://")),
    }
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            return Err("must not hold a user or password".to_owned());
        }
        Some(authority) if !authority.host().is_empty() => {}
        _ => return Err(format!("{url:?} has no host")),
    }
    if uri.path() != "/" || uri.query().is_some() {
        return Err(format!("{url:?} must not have a path: signatures cover it"));
    }
    Ok(())
}

/// A secret that does not show itself.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for a signer only.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(none)" } else { "(set)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(config: &StorageConfig) -> Vec<String> {
        let mut complaints = Complaints::default();
        config.validate(&mut complaints);
        complaints.0.into_iter().map(|c| c.place).collect()
    }

    #[test]
    fn the_default_is_valid_and_means_the_store_inside() {
        assert_eq!(places(&StorageConfig::default()), Vec::<String>::new());
        assert_eq!(StorageConfig::default().endpoint, None);
    }

    #[test]
    fn all_complaints_come_at_once() {
        let config = StorageConfig {
            endpoint: Some("s3.example.org".to_owned()),
            bucket: "No Bucket".to_owned(),
            region: "x y".to_owned(),
            public_url: Some("https://cdn.example.org/pictures".to_owned()),
            presign_ttl_s: 0,
            attempt_timeout_s: 90,
            operation_timeout_s: 30,
            max_attempts: 11,
            max_object_bytes: 5,
            ..StorageConfig::default()
        };
        let expected = [
            "bucket",
            "region",
            "endpoint",
            "public_url",
            "access_key",
            "presign_ttl_s",
            "operation_timeout_s",
            "max_attempts",
            "max_object_bytes",
        ];
        assert_eq!(places(&config), expected.map(|f| format!("storage.{f}")));
    }

    #[test]
    fn seven_days_is_the_longest_signature() {
        let ttl = |presign_ttl_s| places(&StorageConfig { presign_ttl_s, ..StorageConfig::default() }).len();
        assert_eq!([ttl(1), ttl(604_800), ttl(604_801)], [0, 0, 1]);
    }

    #[test]
    fn a_base_url_has_no_path_user_or_other_scheme() {
        for bad in ["ftp://a", "http://", "http://a/b", "http://u:p@a", "http://a?x=1", "//a", "a b"] {
            assert!(check_base_url(bad).is_err(), "{bad}");
        }
        for good in ["http://127.0.0.1:8080", "https://img.example.org", "http://[::1]:80/"] {
            assert_eq!(check_base_url(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn the_secret_is_never_printed() {
        let config = StorageConfig { secret_key: Secret::new("hunter2hunter2"), ..StorageConfig::default() };
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn an_unknown_field_is_refused() {
        assert!(toml::from_str::<StorageConfig>("buckett = 'x'").is_err());
        assert_eq!(toml::from_str::<StorageConfig>("bucket = 'xyz'").unwrap().bucket, "xyz");
    }
}
