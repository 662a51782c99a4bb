//! The SDK's way in, without a socket: what it would send over the network is handed to the store as it is, signature
//! and all. So the service stores pictures before it listens, and `imgen check` without listening at all.

use aws_sdk_s3::config::SharedHttpClient;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderValue, Uri};
use s3s::Body;

use super::Embedded;

/// A transport that calls `store`.
pub(super) fn http_client(store: Embedded) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(InProcess(store));
    http_client_fn(move |_settings, _components| connector.clone())
}

#[derive(Debug)]
struct InProcess(Embedded);

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let store = self.0.clone();
        HttpConnectorFuture::new(async move {
            let mut request = request.try_into_http1x().map_err(|e| ConnectorError::user(e.into()))?;
            let host = request.uri().authority().map(|authority| authority.as_str().to_owned());
            // An HTTP/1.1 client writes the authority as a header, and the rest as the target.
            if let Some(host) = host {
                let host = HeaderValue::try_from(host).map_err(|e| ConnectorError::user(e.into()))?;
                request.headers_mut().insert(HOST, host);
            }
            let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
            *request.uri_mut() = Uri::try_from(target).map_err(|e| ConnectorError::user(e.into()))?;
            let bodiless = !request.headers().contains_key(CONTENT_LENGTH);
            let request =
                request.map(|body| if bodiless { Body::empty() } else { Body::http_body_unsync(body) });
            let response = store.call(request).await.map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response).map_err(|e| ConnectorError::other(e.into(), None))
        })
    }
}
