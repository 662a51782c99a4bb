//! An object comes in: spooled and hashed off the event loop, checked, and only then visible.

use std::io::ErrorKind;

use bytes::Bytes;
use futures_util::StreamExt;
use s3s::dto::{ETagCondition, PutObjectInput};
use s3s::{S3Error, S3Result, TrailingHeaders, s3_error};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use super::digests::{Claims, Digested};
use super::draft::Draft;
use super::errors::{body_error, failed, too_large};
use super::folder::Folder;
use super::footer::Footer;

/// A piece of a body. Without an `End` the client went away, and nothing is published.
enum Piece {
    Data(Bytes),
    End(Box<Claims>),
}

/// Stores the body of a put; `trailers` are what follows it.
///
/// # Errors
/// Whatever it is, nothing of the object is visible then, and an older one of that name is still there.
pub(super) async fn receive(
    folder: &Folder,
    mut input: PutObjectInput,
    trailers: Option<TrailingHeaders>,
) -> S3Result<Footer> {
    if input.key.is_empty() || input.key.len() > 1024 {
        return Err(s3_error!(KeyTooLongError, "a name has 1 to 1024 bytes"));
    }
    let only_new = match (&input.if_match, &input.if_none_match) {
        (None, None) => false,
        (None, Some(ETagCondition::Any)) => true,
        _ => return Err(s3_error!(NotImplemented, "a put takes no condition but If-None-Match: *")),
    };
    if input
        .content_length
        .is_some_and(|length| u64::try_from(length).map_or(true, |length| length > folder.max_object_bytes()))
    {
        return Err(too_large());
    }
    let mut claims = Claims::of(&input, trailers.is_some());
    let mut digests = claims.digests();
    let body = input.body.take();
    let (pieces, mut inbox) = mpsc::channel::<Piece>(8);
    let folder = folder.clone();
    let written = tokio::task::spawn_blocking(move || {
        if !folder.has_bucket(&input.bucket) {
            return Err(s3_error!(NoSuchBucket));
        }
        let mut draft = folder.begin().map_err(failed)?;
        loop {
            match inbox.blocking_recv() {
                Some(Piece::Data(bytes)) => {
                    digests.update(&bytes);
                    draft.write(&bytes).map_err(failed)?;
                }
                Some(Piece::End(claims)) => {
                    let found = digests.finish();
                    claims.check(&found)?;
                    return publish(&folder, draft, input, &found, only_new);
                }
                None => return Err(s3_error!(IncompleteBody)),
            }
        }
    });
    let sent = async move {
        if let Some(mut body) = body {
            while let Some(bytes) = body.next().await {
                let bytes = bytes.map_err(|e| body_error(&*e))?;
                if pieces.send(Piece::Data(bytes)).await.is_err() {
                    // The writer gave up; its own error is the one to tell.
                    return Ok(());
                }
            }
        }
        if let Some(trailers) = &trailers {
            claims.add_trailing(trailers);
        }
        let _ = pieces.send(Piece::End(Box::new(claims))).await;
        Ok::<(), S3Error>(())
    };
    let (written, sent) = tokio::join!(written, sent);
    sent?;
    written.map_err(S3Error::internal_error)?
}

fn publish(
    folder: &Folder,
    draft: Draft,
    input: PutObjectInput,
    found: &Digested,
    only_new: bool,
) -> S3Result<Footer> {
    let now = OffsetDateTime::now_utc();
    let footer = Footer {
        key: input.key,
        length_bytes: draft.length_bytes(),
        md5: found.md5.clone(),
        sha256: found.sha256.clone(),
        stored_at_ms: i64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX),
        content_type: input.content_type,
        cache_control: input.cache_control,
        content_disposition: input.content_disposition,
        // How the bytes came is no part of the object.
        content_encoding: input.content_encoding.filter(|encoding| encoding != "aws-chunked"),
        metadata: input.metadata.unwrap_or_default().into_iter().collect(),
    };
    folder.publish(draft, &input.bucket, &footer, only_new).map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => s3_error!(PreconditionFailed, "there is such an object"),
        _ => failed(e),
    })?;
    Ok(footer)
}
