//! The one way in and out of the object store, whichever it is.

use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_s3::config::{Credentials, SharedHttpClient};
use bytes::Bytes;

use super::config::StorageConfig;
use super::embedded::Embedded;
use super::error::{ProbeStep, StorageError};
use super::key::ObjectKey;
use super::presign::{Presigned, Presigner};
use super::sdk::{self, Sdk};

/// A handle to the object store; clones share one client and its connections.
#[derive(Debug, Clone)]
pub struct Storage {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    sdk: Sdk,
    presigner: Presigner,
}

impl Storage {
    /// A client of the S3 service at `config.endpoint`. Connects at the first call, not here.
    ///
    /// `config.endpoint` must be set ([`StorageConfig::validate`] sees to the rest); without one use
    /// [`Storage::inside`].
    pub fn connect(config: &StorageConfig) -> Result<Self, StorageError> {
        let endpoint = config.endpoint.as_deref().ok_or_else(|| StorageError::Connect {
            detail: "no endpoint is set, and the store inside this process is not open".to_owned(),
        })?;
        let credentials = credentials(&config.access_key, config.secret_key.reveal());
        let public_url = config.public_url.as_deref().unwrap_or(endpoint);
        Ok(Self::with(config, endpoint, public_url, credentials, sdk::network(endpoint)))
    }

    /// A client of the store inside this process: the same S3 client, without a socket in between.
    ///
    /// `public_url` is what clients reach this service by when `config.public_url` is not set, such as
    /// `http://127.0.0.1:8080`.
    pub fn inside(config: &StorageConfig, store: &Embedded, public_url: &str) -> Self {
        let keys = store.keys();
        let credentials = credentials(&keys.access_key, keys.secret_key.reveal());
        let public_url = config.public_url.as_deref().unwrap_or(public_url);
        Self::with(config, public_url, public_url, credentials, store.http_client())
    }

    fn with(
        config: &StorageConfig,
        endpoint: &str,
        public_url: &str,
        credentials: Credentials,
        http_client: SharedHttpClient,
    ) -> Self {
        let presigner = Presigner::new(
            public_url,
            &config.bucket,
            &config.region,
            credentials.clone(),
            config.presign_ttl_s,
        );
        let sdk = Sdk::new(config, endpoint, credentials, http_client);
        Self { inner: Arc::new(Inner { sdk, presigner }) }
    }

    /// Stores `bytes`; when it returns they are durable as far as the store promises. Putting twice is harmless.
    pub async fn put(
        &self,
        key: &ObjectKey,
        bytes: impl Into<Bytes>,
        content_type: &str,
    ) -> Result<(), StorageError> {
        self.inner.sdk.put(key.as_str(), bytes.into(), content_type).await
    }

    pub async fn get(&self, key: &ObjectKey) -> Result<Bytes, StorageError> {
        self.inner.sdk.get(key.as_str()).await
    }

    /// Removes the object; that it was not there is no error.
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), StorageError> {
        self.inner.sdk.delete(key.as_str()).await
    }

    /// A URL that fetches the object until it expires. Signed afresh at each call; never store it.
    ///
    /// Microseconds of arithmetic: fit for an event loop. Whether the object exists is not asked.
    pub fn presign(&self, key: &ObjectKey) -> Result<Presigned, StorageError> {
        self.presign_at(key, SystemTime::now())
    }

    /// [`Storage::presign`] as of `now`.
    pub fn presign_at(&self, key: &ObjectKey, now: SystemTime) -> Result<Presigned, StorageError> {
        self.inner.presigner.presign(key, now)
    }

    /// Puts, gets, compares and deletes an object of chance name and content.
    ///
    /// # Errors
    /// [`StorageError::Probe`] says which step failed, and why.
    pub async fn probe(&self) -> Result<(), StorageError> {
        let mut token = [0; 16];
        getrandom::fill(&mut token).map_err(StorageError::Chance)?;
        let token = hex::encode(token);
        let key = ObjectKey::probe(&token)?;
        let at = |step| move |source| StorageError::Probe { step, source: Box::new(source) };
        self.put(&key, token.clone(), "application/octet-stream").await.map_err(at(ProbeStep::Put))?;
        let found = self.get(&key).await.map_err(at(ProbeStep::Get))?;
        let same = if found == token.as_bytes() {
            Ok(())
        } else {
            let detail = format!("{} bytes were put, {} came back", token.len(), found.len());
            Err(at(ProbeStep::Compare)(StorageError::Different { detail }))
        };
        let deleted = self.delete(&key).await.map_err(at(ProbeStep::Delete));
        same.and(deleted)
    }
}

fn credentials(access_key: &str, secret_key: &str) -> Credentials {
    Credentials::new(access_key, secret_key, None, None, "imgen")
}
