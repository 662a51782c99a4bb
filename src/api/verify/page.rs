//! A page to drop a picture on, and the POST behind it.

use std::sync::LazyLock;
use std::time::Duration;

use actix_multipart::{Field, Multipart};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, BytesMut, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::super::strict_json::shorten;
use super::super::{Services, body};
use super::asker::asker;
use crate::error::{ApiError, Code};

/// The form's one field, and what complaints about the picture name.
const IMAGE: &str = "image";

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The page but for its limit. It needs nothing from anywhere.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    include_str!("page/page.html").replace("{{style}}", STYLE).replace("{{script}}", SCRIPT)
});

/// Nothing runs but this page's own script, nothing is shown but what was dropped, nothing is asked but this service.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src blob: data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

pub(super) fn routes(app: &mut ServiceConfig) {
    app.service(
        web::resource("/verify").route(web::get().to(show)).route(web::post().to(examine)).default_service(
            web::to(|| async {
                Err::<HttpResponse, _>(ApiError::new(Code::MethodNotAllowed).with("allow", "GET, POST"))
            }),
        ),
    );
}

/// Holds nothing of any picture, so everybody may see it; what it asks is answered by [`examine`].
async fn show(services: Data<Services>) -> HttpResponse {
    let config = &services.verify.config;
    let page = PAGE
        .replace("{{max_bytes}}", &config.max_bytes.to_string())
        .replace("{{max_mb}}", &(config.max_bytes >> 20).max(1).to_string())
        .replace("{{key_open}}", if config.public { "" } else { "open" });
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("Content-Security-Policy", POLICY.as_str()))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("X-Frame-Options", "DENY"))
        .insert_header(("Cache-Control", "no-cache"))
        .body(page)
}

/// `POST /verify`: a form with the one field `image`. Answers what the action `verify` does.
async fn examine(
    request: HttpRequest,
    mut payload: Payload,
    services: Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let desk = &services.verify;
    let admitted = match asker(&request, &services).await {
        Ok(asker) => desk.line.upload().map(|upload| (asker, upload)),
        Err(refused) => Err(refused),
    };
    let (asker, upload) = match admitted {
        Ok(admitted) => admitted,
        Err(refused) => {
            body::drain(&mut payload).await;
            return Err(refused);
        }
    };
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        body::drain(&mut payload).await;
        return Err(ApiError::new(Code::UnsupportedMediaType).with("expected", "multipart/form-data"));
    }
    let mut form = Multipart::new(request.headers(), payload);
    let time = Duration::from_secs(services.config.body_timeout_s);
    let bytes = match actix_web::rt::time::timeout(time, picture(&mut form, desk.config.max_bytes)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(refused)) => {
            drain(&mut form).await;
            return Err(refused);
        }
        Err(_) => return Err(broken("the form came too slowly")),
    };
    let answer = desk.answer(IMAGE, asker, move || Ok(bytes)).await;
    drop(upload);
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(answer?))
}

/// The bytes of the form's picture; what name it has and of what kind it says to be does not matter.
async fn picture(form: &mut Multipart, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut found = None;
    while let Some(field) = form.next().await {
        let mut field = field.map_err(|_| broken("the form ended early, or is none"))?;
        match (field.name(), &found) {
            (Some(IMAGE), None) => found = Some(bytes_of(&mut field, limit).await?),
            (Some(IMAGE), Some(_)) => {
                return Err(ApiError::invalid_field(IMAGE, "send one picture at a time"));
            }
            (other, _) => {
                let named = shorten(other.unwrap_or_default());
                return Err(ApiError::new(Code::UnknownField)
                    .with("field", named)
                    .with("known", vec![IMAGE]));
            }
        }
    }
    found.ok_or_else(|| ApiError::invalid_field(IMAGE, "is required"))
}

async fn bytes_of(field: &mut Field, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = field.next().await {
        let piece = piece.map_err(|_| broken("the picture ended early"))?;
        if bytes.len() + piece.len() > limit {
            return Err(ApiError::new(Code::PayloadTooLarge)
                .with("field", IMAGE)
                .with("limit_bytes", limit as u64));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.into())
}

/// As [`body::drain`]: takes a little of what is left off the wire, so that the refusal is heard.
async fn drain(form: &mut Multipart) {
    let rest = async {
        while let Some(Ok(mut field)) = form.next().await {
            while let Some(Ok(_)) = field.next().await {}
        }
    };
    // Past the second the connection is closed with the answer; nothing more is owed.
    let _ = actix_web::rt::time::timeout(Duration::from_secs(1), rest).await;
}

fn broken(message: &str) -> ApiError {
    ApiError::invalid_field("body", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_asks_nobody_else() {
        let page = PAGE.replace("http://www.w3.org/2000/svg", "");
        for left in
            ["{{style}}", "{{script}}", "http:", "https:", "url(", "@import", " src=", "eval(", "innerHTML"]
        {
            assert!(!page.contains(left), "{left}");
        }
        // The hashes are of the very text between the tags.
        assert!(PAGE.contains(&format!("<style>{STYLE}</style>")));
        assert!(PAGE.contains(&format!("<script>{SCRIPT}</script>")));
        assert!(!POLICY.contains("unsafe"));
    }
}
