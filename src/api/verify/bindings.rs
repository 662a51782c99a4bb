//! The C2PA Soft Binding Resolution API: from a mark, a fingerprint or a picture to the manifests it belongs to.
//!
//! Paths, parameters and answers are those of the specification's OpenAPI document (C2PA, "Decoupled Content Credentials",
//! soft binding resolution), below `/c2pa`. Errors are this service's JSON.

use std::collections::HashMap;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{ApiConfig, Services, body, fields, strict_json};
use super::{asker::asker, complaint};
use crate::error::{ApiError, Code};
use crate::finish::decode::DecodeError;
use crate::store::StoreError;
use crate::verify::soft_binding::{self, Binding, PDQ_ALG};
use crate::verify::{ExamineError, Match, VerifyError};

/// A binding is a name and at most 88 characters.
const MAX_BINDING_BYTES: usize = 4096;
/// What `maxResults` is when nobody says (specification), and the most that is answered.
const USUAL_RESULTS: usize = 10;
const MOST_RESULTS: usize = 100;

/// `c2pa.softBindingQuery`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BindingQuery {
    alg: String,
    value: String,
}

pub(super) fn routes(app: &mut ServiceConfig) {
    let resource = |path: &str| web::resource(format!("/c2pa{path}"));
    app.service(
        resource("/matches/byBinding")
            .route(web::get().to(by_binding))
            .route(web::post().to(by_large_binding))
            .default_service(web::to(|| refuse("GET, POST"))),
    )
    .service(
        resource("/matches/byContent")
            .route(web::post().to(by_content))
            .default_service(web::to(|| refuse("POST"))),
    )
    .service(
        resource("/manifests/{manifest_id}")
            .route(web::get().to(manifest))
            .default_service(web::to(|| refuse("GET"))),
    )
    .service(
        resource("/services/supportedAlgorithms")
            .route(web::get().to(supported_algorithms))
            .default_service(web::to(|| refuse("GET"))),
    );
}

async fn refuse(allow: &'static str) -> Result<HttpResponse, ApiError> {
    Err(ApiError::new(Code::MethodNotAllowed).with("allow", allow))
}

async fn by_binding(request: HttpRequest, services: Data<Services>) -> Result<HttpResponse, ApiError> {
    asker(&request, &services).await?;
    let query = query(&request)?;
    let text = |name: &str| query.get(name).cloned().ok_or_else(|| missing(name));
    let asked = BindingQuery { alg: text("alg")?, value: text("value")? };
    matches_of(&services, &asked, most(&query)?).await
}

async fn by_large_binding(
    request: HttpRequest,
    mut payload: Payload,
    services: Data<Services>,
) -> Result<HttpResponse, ApiError> {
    asker(&request, &services).await?;
    let most = most(&query(&request)?)?;
    let config = ApiConfig { body_limit_bytes: MAX_BINDING_BYTES, ..services.config.clone() };
    let bytes = match body::read(request.headers(), &mut payload, &config).await {
        Ok(bytes) => bytes,
        Err(refused) => {
            body::drain(&mut payload).await;
            return Err(refused);
        }
    };
    let asked: BindingQuery = fields::read(strict_json::object(&bytes)?, &[])?;
    for (name, value) in [("alg", &asked.alg), ("value", &asked.value)] {
        if value.is_empty() {
            return Err(missing(name));
        }
    }
    matches_of(&services, &asked, most).await
}

async fn matches_of(
    services: &Services,
    asked: &BindingQuery,
    most: usize,
) -> Result<HttpResponse, ApiError> {
    let desk = &services.verify;
    let binding = binding("alg", &asked.alg, "value", &asked.value, services)?;
    let verifier = desk.verifier.clone();
    let matches = look_up(move || verifier.by_binding(binding, most)).await?;
    Ok(answer(&matches))
}

async fn by_content(
    request: HttpRequest,
    mut payload: Payload,
    services: Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let answer = find_by_content(&request, &mut payload, &services).await;
    if answer.is_err() {
        body::drain(&mut payload).await;
    }
    answer
}

async fn find_by_content(
    request: &HttpRequest,
    payload: &mut Payload,
    services: &Services,
) -> Result<HttpResponse, ApiError> {
    asker(request, services).await?;
    let desk = &services.verify;
    let query = query(request)?;
    let most = most(&query)?;
    let alg = query.get("alg").cloned();
    if let Some(alg) = &alg
        && alg != PDQ_ALG
        && !desk.verifier.mark_algs().contains(&alg.as_str())
    {
        return Err(ApiError::invalid_field("alg", soft_binding::BadBinding::Alg.to_string()));
    }
    let hint = match (query.get("hintAlg"), query.get("hintValue")) {
        (Some(alg), Some(value)) => Some(binding("hintAlg", alg, "hintValue", value, services)?),
        (None, None) => None,
        (Some(_), None) => return Err(missing("hintValue")),
        (None, Some(_)) => return Err(missing("hintAlg")),
    };
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.trim_start().to_ascii_lowercase().starts_with("image/") {
        return Err(not_a_picture());
    }
    let upload = desk.line.upload()?;
    let bytes =
        body::whole(request.headers(), payload, desk.config.max_bytes, services.config.body_timeout_s)
            .await?;
    let verifier = desk.verifier.clone();
    let found = desk.line.run(move || verifier.by_content(&bytes, alg.as_deref(), hint, most)).await?;
    drop(upload);
    match found {
        Ok(matches) => Ok(answer(&matches)),
        Err(VerifyError::Picture(ExamineError::Picture(DecodeError::Kind { .. }))) => Err(not_a_picture()),
        Err(error) => Err(complaint("body", error)),
    }
}

/// The whole manifest store. Those of this service hold one manifest, the active one, so `returnActiveManifest` changes
/// nothing.
async fn manifest(
    request: HttpRequest,
    manifest_id: Path<String>,
    services: Data<Services>,
) -> Result<HttpResponse, ApiError> {
    asker(&request, &services).await?;
    if let Some(flag) = query(&request)?.get("returnActiveManifest")
        && !matches!(flag.as_str(), "true" | "false")
    {
        return Err(ApiError::invalid_field("returnActiveManifest", "expected true or false"));
    }
    let id = manifest_id.into_inner();
    if !is_manifest_id(&id) {
        return Err(ApiError::invalid_field("manifestId", "expected `urn:c2pa:` and what follows it"));
    }
    let desk = &services.verify;
    let verifier = desk.verifier.clone();
    let stored = look_up(move || verifier.manifest(&id)).await?;
    let jumbf = stored.ok_or(Code::NotFound)?;
    Ok(HttpResponse::Ok()
        .content_type("application/c2pa")
        .insert_header(("Cache-Control", "no-store"))
        .insert_header(("Content-Disposition", "attachment; filename=\"manifest.c2pa\""))
        .body(jumbf))
}

/// Asks the records, off the event loop; it takes a millisecond, so nobody has to stand in line for it.
async fn look_up<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let answer = web::block(ask).await.map_err(|error| {
        tracing::error!(%error, "a look at the records ended badly");
        Code::Internal
    })?;
    Ok(answer?)
}

/// Names what can be asked for; says nothing of any picture, so it needs no key and costs nothing.
async fn supported_algorithms(services: Data<Services>) -> HttpResponse {
    let watermarks: Vec<_> =
        services.verify.verifier.mark_algs().iter().map(|alg| json!({"alg": alg})).collect();
    HttpResponse::Ok().json(json!({"watermarks": watermarks, "fingerprints": [{"alg": PDQ_ALG}]}))
}

fn answer(matches: &[Match]) -> HttpResponse {
    let matches: Vec<Value> = matches
        .iter()
        .map(|found| json!({"manifestId": found.manifest_id, "similarityScore": found.score}))
        .collect();
    HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(json!({"matches": matches}))
}

fn query(request: &HttpRequest) -> Result<HashMap<String, String>, ApiError> {
    web::Query::<HashMap<String, String>>::from_query(request.query_string())
        .map(web::Query::into_inner)
        .map_err(|_| ApiError::invalid_field("query", "it cannot be read"))
}

fn most(query: &HashMap<String, String>) -> Result<usize, ApiError> {
    let Some(asked) = query.get("maxResults") else { return Ok(USUAL_RESULTS) };
    match asked.parse::<usize>() {
        Ok(most @ 1..) => Ok(most.min(MOST_RESULTS)),
        _ => Err(ApiError::invalid_field("maxResults", "expected an integer from 1")),
    }
}

fn binding(
    alg_field: &str,
    alg: &str,
    value_field: &str,
    value: &str,
    services: &Services,
) -> Result<Binding, ApiError> {
    soft_binding::parse(alg, value, &services.verify.verifier.mark_algs()).map_err(|bad| {
        let field = if bad == soft_binding::BadBinding::Alg { alg_field } else { value_field };
        ApiError::invalid_field(field, bad.to_string())
    })
}

fn missing(name: &str) -> ApiError {
    ApiError::invalid_field(name, "is required")
}

fn not_a_picture() -> ApiError {
    ApiError::new(Code::UnsupportedMediaType)
        .with("expected", "image/jpeg, image/png, image/webp or image/avif")
}

/// The URN of C2PA's form: printable, and no longer than any that exists.
fn is_manifest_id(id: &str) -> bool {
    id.len() <= 256
        && (id.starts_with("urn:c2pa:") || id.starts_with("urn:uuid:"))
        && id.bytes().all(|byte| byte.is_ascii_graphic())
}
