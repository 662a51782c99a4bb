//! The only file that calls the AWS SDK: each call that is compiled here is not compiled elsewhere.

use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedHttpClient,
};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::Bytes;

use super::config::StorageConfig;
use super::error::StorageError;

/// How long a TCP connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// An S3 client for one bucket.
#[derive(Debug)]
pub(super) struct Sdk {
    client: Client,
    bucket: String,
}

/// The network, with TLS by rustls and the system's certificates when the endpoint asks for it.
pub(super) fn network(endpoint: &str) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new();
    if endpoint.starts_with("https:") {
        builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
    } else {
        builder.build_http()
    }
}

impl Sdk {
    pub(super) fn new(
        config: &StorageConfig,
        endpoint: &str,
        credentials: Credentials,
        http_client: SharedHttpClient,
    ) -> Self {
        let seconds = |s: u32| Duration::from_secs(s.into());
        let settings = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(config.region.clone()))
            .credentials_provider(credentials)
            .endpoint_url(endpoint)
            .force_path_style(true)
            .http_client(http_client)
            // Trailing checksums are unknown to several S3 services; the signature covers the body's SHA-256.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .retry_config(RetryConfig::standard().with_max_attempts(config.max_attempts))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(seconds(config.attempt_timeout_s))
                    .operation_timeout(seconds(config.operation_timeout_s))
                    .build(),
            )
            .build();
        Self { client: Client::from_conf(settings), bucket: config.bucket.clone() }
    }

    pub(super) async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<(), StorageError> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            // The name never stands for other bytes; `private` because the URL is a capability.
            .cache_control("private, max-age=3600, immutable")
            .body(ByteStream::from(body))
            .send()
            .await
            .map_err(|e| self.named(key, &e))?;
        Ok(())
    }

    pub(super) async fn get(&self, key: &str) -> Result<Bytes, StorageError> {
        let object = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|e| self.named(key, &e))?;
        let body = object.body.collect().await;
        Ok(body.map_err(|e| StorageError::from_no_answer(DisplayErrorContext(e).to_string()))?.into_bytes())
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), StorageError> {
        self.client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(|e| self.named(key, &e))?;
        Ok(())
    }

    fn named<E>(&self, key: &str, error: &SdkError<E, HttpResponse>) -> StorageError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match error {
            SdkError::ServiceError(answer) => {
                let meta = answer.err().meta();
                let code = meta.code().unwrap_or("(no code)");
                let detail = meta.message().unwrap_or("no message").to_owned();
                StorageError::from_answer(answer.raw().status().as_u16(), code, detail, &self.bucket, key)
            }
            SdkError::TimeoutError(_) => {
                StorageError::Timeout { detail: DisplayErrorContext(error).to_string() }
            }
            SdkError::ResponseError(_) => {
                StorageError::Unreadable { detail: DisplayErrorContext(error).to_string() }
            }
            _ => StorageError::from_no_answer(DisplayErrorContext(error).to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use aws_sdk_s3::presigning::PresigningConfig;

    use super::*;
    use crate::storage::ObjectKey;
    use crate::storage::presign::Presigner;

    #[tokio::test]
    async fn our_signed_url_is_byte_for_byte_the_sdks() {
        let credentials =
            || Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCY", None, None, "t");
        for (base_url, region, ttl_s) in
            [("http://127.0.0.1:8080", "us-east-1", 3600), ("https://s3.example.org", "eu-west-3", 604_800)]
        {
            let config = StorageConfig { region: region.to_owned(), ..StorageConfig::default() };
            let sdk = Sdk::new(&config, base_url, credentials(), network("http:"));
            let ours = Presigner::new(base_url, "objects", region, credentials(), ttl_s);
            let key: ObjectKey = "k3v9_00ff_00001_thumb.jpg".parse().unwrap();
            let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_743_278_570_900);
            let settings =
                PresigningConfig::builder().start_time(now).expires_in(Duration::from_secs(ttl_s.into()));
            let theirs = sdk.client.get_object().bucket("objects").key(key.as_str());
            let theirs = theirs.presigned(settings.build().unwrap()).await.unwrap();
            let signed = ours.presign(&key, now).unwrap();
            assert_eq!(signed.url, theirs.uri());
            assert_eq!(signed.expires_at.unix_timestamp(), 1_743_278_570 + i64::from(ttl_s));
        }
    }
}
