//! The S3 operations, over files.

use std::io::{Error, ErrorKind};
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use s3s::dto::*;
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};
use time::OffsetDateTime;

use super::conditions::Conditions;
use super::errors::failed;
use super::folder::{Folder, Object};
use super::footer::Footer;
use super::listing::{self, Entry, Query};
use super::upload;

/// Types that may be said of an object; anything else goes out as plain bytes, so that no page of a stranger's making
/// ever runs under this service's name.
const CONTENT_TYPES: [&str; 5] =
    ["image/jpeg", "image/png", "image/webp", "image/avif", "application/octet-stream"];
const PLAIN_BYTES: &str = "application/octet-stream";
/// How much of an object is read at a time.
const READ_BYTES: usize = 256 << 10;
/// S3's own largest page (`ListObjectsV2`, `max-keys`).
const MAX_KEYS: i32 = 1000;

/// S3's operations on a [`Folder`].
#[derive(Debug, Clone)]
pub(super) struct Service {
    folder: Folder,
}

impl Service {
    pub(super) fn new(folder: Folder) -> Self {
        Self { folder }
    }

    /// Runs `work` where blocking is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || work(&folder)).await.map_err(S3Error::internal_error)?
    }

    async fn object(&self, bucket: String, key: String, conditions: Conditions) -> S3Result<Object> {
        self.blocking(move |folder| {
            let object = folder.object(&bucket, &key).map_err(|e| match e.kind() {
                ErrorKind::NotFound if folder.has_bucket(&bucket) => s3_error!(NoSuchKey),
                ErrorKind::NotFound => s3_error!(NoSuchBucket),
                _ => failed(e),
            })?;
            conditions.check(&etag(&object.footer), stored_at(&object.footer))?;
            Ok(object)
        })
        .await
    }
}

#[async_trait::async_trait]
impl S3 for Service {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let footer = upload::receive(&self.folder, request.input, request.trailing_headers).await?;
        let output = PutObjectOutput { e_tag: Some(etag(&footer)), ..PutObjectOutput::default() };
        Ok(S3Response::new(output))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        if input.response_content_type.as_deref().is_some_and(|asked| content_type(Some(asked)) != asked) {
            return Err(s3_error!(InvalidArgument, "response-content-type is not one that is served"));
        }
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        let Object { file, footer } = self.object(input.bucket, input.key, conditions).await?;
        let span = match &input.range {
            Some(range) => range.check(footer.length_bytes)?,
            None => 0..footer.length_bytes,
        };
        let content_range =
            input.range.map(|_| format!("bytes {}-{}/{}", span.start, span.end - 1, footer.length_bytes));
        let length = span.end - span.start;
        let bytes = futures_util::stream::try_unfold((file, span), |(file, span)| async move {
            if span.is_empty() {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || {
                let length = usize::try_from(span.end - span.start).unwrap_or(READ_BYTES).min(READ_BYTES);
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, span.start)?;
                Ok::<_, Error>((Bytes::from(bytes), (file, span.start + length as u64..span.end)))
            });
            read.await.map_err(Error::other)?.map(Some)
        });
        let output = GetObjectOutput {
            body: Some(StreamingBlob::wrap(bytes)),
            content_length: Some(signed(length)),
            content_range,
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(etag(&footer)),
            last_modified: Some(stored_at(&footer).into()),
            content_type: Some(content_type(footer.content_type.as_deref()).to_owned()),
            cache_control: footer.cache_control,
            content_disposition: footer.content_disposition,
            content_encoding: footer.content_encoding,
            metadata: Some(footer.metadata.into_iter().collect()),
            ..GetObjectOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let conditions = Conditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        let Object { footer, .. } = self.object(input.bucket, input.key, conditions).await?;
        let output = HeadObjectOutput {
            content_length: Some(signed(footer.length_bytes)),
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(etag(&footer)),
            last_modified: Some(stored_at(&footer).into()),
            content_type: Some(content_type(footer.content_type.as_deref()).to_owned()),
            cache_control: footer.cache_control,
            content_disposition: footer.content_disposition,
            content_encoding: footer.content_encoding,
            metadata: Some(footer.metadata.into_iter().collect()),
            ..HeadObjectOutput::default()
        };
        Ok(S3Response::new(output))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = request.input;
        if input.if_match.is_some()
            || input.if_match_size.is_some()
            || input.if_match_last_modified_time.is_some()
        {
            return Err(s3_error!(NotImplemented, "a delete takes no condition"));
        }
        self.blocking(move |folder| {
            if !folder.has_bucket(&input.bucket) {
                return Err(s3_error!(NoSuchBucket));
            }
            folder.delete(&input.bucket, &input.key).map_err(failed)
        })
        .await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let max_keys = input.max_keys.unwrap_or(MAX_KEYS).clamp(0, MAX_KEYS);
        let token = match &input.continuation_token {
            Some(token) => {
                let name = hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                Some(name.ok_or_else(|| s3_error!(InvalidArgument, "continuation-token is not one of ours"))?)
            }
            None => input.start_after.clone(),
        };
        let query = Query {
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            after: token,
            max_keys: usize::try_from(max_keys).unwrap_or(0),
        };
        let bucket = input.bucket.clone();
        let (entries, truncated) = self
            .blocking(move |folder| {
                if !folder.has_bucket(&bucket) {
                    return Err(s3_error!(NoSuchBucket));
                }
                listing::page(folder, &bucket, &query).map_err(failed)
            })
            .await?;
        // A page of none has no last name to go on from.
        let is_truncated = truncated && max_keys > 0;
        let next = entries.keys().last().filter(|_| is_truncated).map(hex::encode);
        let key_count = i32::try_from(entries.len()).unwrap_or(MAX_KEYS);
        let (mut contents, mut common_prefixes) = (Vec::new(), Vec::new());
        for (name, entry) in entries {
            match entry {
                Entry::CommonPrefix => common_prefixes.push(CommonPrefix { prefix: Some(name) }),
                Entry::Object(footer) => contents.push(s3s::dto::Object {
                    key: Some(name),
                    size: Some(signed(footer.length_bytes)),
                    e_tag: Some(etag(&footer)),
                    last_modified: Some(stored_at(&footer).into()),
                    ..s3s::dto::Object::default()
                }),
            }
        }
        let output = ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            start_after: input.start_after,
            continuation_token: input.continuation_token,
            max_keys: Some(max_keys),
            key_count: Some(key_count),
            is_truncated: Some(is_truncated),
            next_continuation_token: next,
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            ..ListObjectsV2Output::default()
        };
        Ok(S3Response::new(output))
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let bucket = request.input.bucket;
        let location = Some(format!("/{bucket}"));
        let new = self.blocking(move |folder| folder.create_bucket(&bucket).map_err(failed)).await?;
        if !new {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        let bucket = request.input.bucket;
        if !self.blocking(move |folder| Ok(folder.has_bucket(&bucket))).await? {
            return Err(s3_error!(NoSuchBucket));
        }
        Ok(S3Response::new(HeadBucketOutput::default()))
    }
}

fn etag(footer: &Footer) -> ETag {
    ETag::Strong(footer.md5.clone())
}

fn stored_at(footer: &Footer) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(footer.stored_at_ms) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// What is said of bytes that were stored as `stored`.
fn content_type(stored: Option<&str>) -> &'static str {
    CONTENT_TYPES.into_iter().find(|known| Some(*known) == stored).unwrap_or(PLAIN_BYTES)
}

/// S3 counts in `i64`; nothing here is over the cap, which is far below.
fn signed(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_pictures_and_plain_bytes_is_said_of_an_object() {
        assert_eq!(content_type(Some("image/jpeg")), "image/jpeg");
        for other in ["text/html", "image/svg+xml", "application/xhtml+xml", "image/jpeg; x", "text/xml", ""]
        {
            assert_eq!(content_type(Some(other)), PLAIN_BYTES, "{other}");
        }
        assert_eq!(content_type(None), PLAIN_BYTES);
    }
}
