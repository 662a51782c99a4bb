#![doc = include_str!("README.md")]

mod actions;
mod auth;
mod body;
mod chance;
mod config;
mod door;
mod draft;
mod enhancing;
mod fields;
mod guard;
mod health;
mod idempotency;
mod limits;
mod line;
mod loras;
mod notes;
pub mod objects;
mod request_id;
mod resolve;
mod reviewing;
mod server;
mod services;
mod strict_json;
mod tightened;
mod tokenizers;
mod verify;
mod watermark;

pub use actions::GenerateRequest;
pub use chance::Chance;
pub use config::ApiConfig;
pub use draft::Draft;
pub use enhancing::EnhanceDesk;
pub use guard::guard;
pub use health::Readiness;
pub use resolve::resolve;
pub use reviewing::ReviewDesk;
pub use server::serve;
pub use services::{Desks, Services};
pub use verify::VerifyDesk;

use actix_web::web::{self, ServiceConfig};

use crate::error::{ApiError, Code};

/// Mounts the door, the two health pages, what concerns provenance and the answer to everything else.
///
/// Wants [`Services`] as `app_data` and [`guard`] around the application.
pub fn routes(app: &mut ServiceConfig) {
    app.service(resource("/api/v2", "POST", web::post().to(door::enter)))
        .service(resource("/healthz", "GET", web::get().to(health::alive)))
        .service(resource("/readyz", "GET", web::get().to(health::ready)))
        .configure(verify::routes)
        .default_service(web::to(|| async { Err::<&str, _>(ApiError::from(Code::NotFound)) }));
}

fn resource(path: &str, allow: &'static str, route: actix_web::Route) -> actix_web::Resource {
    web::resource(path).route(route).default_service(web::to(move || async move {
        Err::<&str, _>(ApiError::new(Code::MethodNotAllowed).with("allow", allow))
    }))
}
