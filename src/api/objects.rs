//! The object store's door: mounts the S3 service inside this process on the service's own port.
//!
//! The bucket is the first path segment, so nothing is rewritten and signatures, which cover host and path, hold.

use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, rt, web};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use http_body::Frame;
use http_body_util::StreamBody;
use s3s::Body;
use tokio::sync::mpsc;

use crate::storage::Embedded;

type Pieces = Result<Frame<Bytes>, std::io::Error>;

/// Answers `/{bucket}` and everything below it as S3: objects by signed URL, and S3 clients that hold the store's keys.
/// Errors there are S3's XML.
pub fn mount(cfg: &mut web::ServiceConfig, store: &Embedded) {
    let bucket = store.bucket();
    let store = web::Data::new(store.clone());
    cfg.service(
        web::resource([format!("/{bucket}"), format!("/{bucket}/{{key:.*}}")])
            .app_data(store)
            .default_service(web::to(answer)),
    );
}

async fn answer(request: HttpRequest, payload: web::Payload, store: web::Data<Embedded>) -> HttpResponse {
    let Some(request) = translated(&request, payload) else {
        return HttpResponse::BadRequest().finish();
    };
    let head = request.method() == http::Method::HEAD;
    let (parts, body) = store.call(request).await.into_parts();
    let status = StatusCode::from_u16(parts.status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponseBuilder::new(status);
    for (name, value) in &parts.headers {
        if name != http::header::CONTENT_LENGTH {
            response.append_header((name.as_str(), value.as_bytes()));
        }
    }
    let said = parts.headers.get(http::header::CONTENT_LENGTH);
    let length = said.and_then(|value| value.to_str().ok()?.parse().ok());
    let bytes = body.map(|piece| piece.map_err(|e| std::io::Error::other(e.to_string())));
    match length.or_else(|| (!head).then(|| http_body::Body::size_hint(bytes.get_ref()).exact()).flatten()) {
        Some(length) => response.body(SizedStream::new(length, bytes)),
        None => response.streaming(bytes),
    }
}

/// The request as s3s takes it; `None` where its target is no URL to the `http` crate.
fn translated(request: &HttpRequest, mut payload: web::Payload) -> Option<http::Request<Body>> {
    // Without a length a signed body is refused, so a request that has none must be seen to have none.
    let has_body =
        request.headers().contains_key(CONTENT_LENGTH) || request.headers().contains_key(TRANSFER_ENCODING);
    let body = if has_body && matches!(*request.method(), Method::PUT) {
        // actix-web's payload may not leave its thread; the channel's end may.
        let (pieces, inbox) = mpsc::channel::<Pieces>(8);
        rt::spawn(async move {
            while let Some(piece) = payload.next().await {
                let piece = piece.map(Frame::data).map_err(|e| std::io::Error::other(e.to_string()));
                if pieces.send(piece).await.is_err() {
                    break;
                }
            }
        });
        let frames = unfold(inbox, |mut inbox| async move { Some((inbox.recv().await?, inbox)) });
        Body::http_body_unsync(StreamBody::new(frames))
    } else {
        Body::empty()
    };
    let mut translated =
        http::Request::builder().method(request.method().as_str()).uri(request.head().uri.to_string());
    for (name, value) in request.headers() {
        translated = translated.header(name.as_str(), value.as_bytes());
    }
    translated.body(body).ok()
}
