//! An S3 service inside this process, over a folder.
//!
//! | file | what it holds |
//! |---|---|
//! | `mod.rs` | [`Embedded`]: open it, send it requests |
//! | `gate.rs` | what is turned away before any signature is looked at |
//! | `service.rs` | the S3 operations |
//! | `upload.rs` | an object comes in |
//! | `errors.rs` | what went wrong below, as S3 says it |
//! | `listing.rs` | pages of names |
//! | `conditions.rs` | `If-Match` and its kin |
//! | `digests.rs` | what the client said about the bytes, checked before anything is visible |
//! | `folder.rs` | the files: where an object lies, reading and removing it |
//! | `draft.rs` | an object being written: spool, sync, rename |
//! | `footer.rs` | what is known of an object, at the end of its own file |
//! | `keys.rs` | access key and secret, minted once |
//! | `connector.rs` | the SDK's way in, without a socket |

mod conditions;
mod connector;
mod digests;
mod draft;
mod errors;
mod folder;
mod footer;
mod gate;
mod keys;
mod listing;
mod service;
mod upload;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_sdk_s3::config::SharedHttpClient;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

pub use keys::Keys;

use super::config::StorageConfig;
use folder::Folder;

/// Why the store inside this process does not open.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error("{doing} {path}: {source}")]
    File { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{path} does not hold an access key and a secret: {detail}")]
    Keys { path: PathBuf, detail: String },
    #[error("no random bytes from the system: {0}")]
    Chance(getrandom::Error),
}

/// The object store inside this process; clones share it.
#[derive(Clone)]
pub struct Embedded {
    inner: Arc<Inner>,
}

struct Inner {
    service: S3Service,
    keys: Keys,
    bucket: String,
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("bucket", &self.inner.bucket).finish_non_exhaustive()
    }
}

impl Embedded {
    /// Opens the store in `folder`, making it, its keys and `config.bucket` where they are not yet there, and
    /// removes what a crash left half-written. Blocking; several processes may have one folder open.
    pub fn open(folder: &Path, config: &StorageConfig) -> Result<Self, EmbeddedError> {
        let files = Folder::open(folder, config.max_object_bytes)?;
        let keys = keys::read_or_mint(folder)?;
        files.create_bucket(&config.bucket).map_err(|source| EmbeddedError::File {
            doing: "making the bucket in",
            path: folder.to_owned(),
            source,
        })?;
        let mut builder = S3ServiceBuilder::new(service::Service::new(files));
        builder.set_auth(SimpleAuth::from_single(keys.access_key.clone(), keys.secret_key.reveal()));
        let inner = Inner { service: builder.build(), keys, bucket: config.bucket.clone() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The bucket, which is the first path segment of every request.
    pub fn bucket(&self) -> &str {
        &self.inner.bucket
    }

    /// The one pair of keys that this store knows.
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// Answers one S3 request. Only requests signed with [`Embedded::keys`] by Signature Version 4, in a header or in
    /// the query, get further than a 403. Errors are S3's XML.
    pub async fn call(&self, request: http::Request<s3s::Body>) -> http::Response<s3s::Body> {
        let answer = match gate::refusal(&request) {
            Some(error) => error.to_http_response(),
            // s3s logs each refusal as an error, and requests, signatures and all, at debug: a stranger's knocking must
            // not fill the log, nor a debugging session write down URLs that still open. Files log for themselves.
            None => match self.inner.service.call(request).with_subscriber(Dispatch::none()).await {
                Ok(response) => Ok(response),
                Err(error) => {
                    tracing::error!(?error, "the object store could not answer");
                    s3s::s3_error!(InternalError).to_http_response()
                }
            },
        };
        gate::guarded(answer)
    }

    /// A transport for the AWS SDK that hands requests to this store directly.
    pub fn http_client(&self) -> SharedHttpClient {
        connector::http_client(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_refusal_writes_neither_signature_nor_error_to_the_log() {
        let (log, folder) = (Log::default(), tempfile::tempdir().unwrap());
        let store = Embedded::open(folder.path(), &StorageConfig::default()).unwrap();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let signed = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20250329%2Fus-east-1%2Fs3%2Faws4_request\
                      &X-Amz-Date=20250329T200250Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=5ec7e7";
        let signed = format!("{signed}{}", "0".repeat(58));
        let request = http::Request::builder().uri(format!("/objects/a?{signed}")).header("host", "a");
        let answer = store.call(request.body(s3s::Body::empty()).unwrap()).await;
        assert!(answer.status().is_client_error());
        tracing::info!("heard");
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("heard") && !log.contains("5ec7e7") && !log.contains("ERROR"), "{log}");
    }
}
