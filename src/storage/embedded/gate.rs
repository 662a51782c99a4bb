//! What is turned away before any signature is looked at, and what every answer carries.

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use s3s::{Body, S3Error, S3Result, s3_error};

/// The error for a request that this store never answers, if it is one.
///
/// Form uploads (`POST`) are buffered by s3s before access is checked; Signature Version 2 is weaker than what is
/// promised here. Neither is needed.
pub(super) fn refusal(request: &Request<Body>) -> Option<S3Error> {
    if ![Method::GET, Method::HEAD, Method::PUT, Method::DELETE].contains(request.method()) {
        return Some(s3_error!(MethodNotAllowed));
    }
    let version_4 = match request.headers().get(header::AUTHORIZATION) {
        Some(value) => value.as_bytes().starts_with(b"AWS4-HMAC-SHA256"),
        None => request.uri().query().is_some_and(|query| parameter(query, "X-Amz-Signature")),
    };
    let version_2 = request.uri().query().is_some_and(|query| parameter(query, "Signature"));
    if !version_4 || version_2 {
        return Some(s3_error!(AccessDenied, "a signature (AWS Signature Version 4) is required"));
    }
    None
}

fn parameter(query: &str, name: &str) -> bool {
    query.split('&').any(|pair| pair.split('=').next() == Some(name))
}

/// The answer with its guard: browsers must not guess another type than the one that is said.
pub(super) fn guarded(answer: S3Result<Response<Body>>) -> Response<Body> {
    let mut response = answer.unwrap_or_else(|error| {
        tracing::error!(?error, "an answer of the object store could not be written");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    });
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &str, uri: &str, authorization: Option<&str>) -> Option<u16> {
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        let error = refusal(&request.body(Body::empty()).unwrap())?;
        error.status_code().map(|status| status.as_u16())
    }

    #[test]
    fn only_signature_version_4_and_four_methods_pass() {
        assert_eq!(status("GET", "/objects/a?X-Amz-Signature=00", None), None);
        assert_eq!(status("PUT", "/objects/a", Some("AWS4-HMAC-SHA256 Credential=…")), None);
        assert_eq!(status("GET", "/objects/a", None), Some(403));
        assert_eq!(status("GET", "/objects/a", Some("AWS key:signature")), Some(403));
        assert_eq!(status("GET", "/objects/a?AWSAccessKeyId=k&Signature=s&Expires=9", None), Some(403));
        assert_eq!(status("GET", "/objects/a?X-Amz-Signature=00&Signature=s", None), Some(403));
        assert_eq!(status("POST", "/objects?X-Amz-Signature=00", None), Some(405));
    }
}
