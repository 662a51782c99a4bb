//! The listener: who may stay connected, and for how long.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};

use super::{Services, guard, routes};

/// Starts to serve on `listener`; the answer is a future to await and has a `handle()` to stop it with.
///
/// `more` mounts what else lives on the same port, such as the embedded object store. Signals are left to the
/// caller: `handle().stop(true)` refuses new connections and lets answers under way end within
/// [`ApiConfig::shutdown_timeout_s`](super::ApiConfig).
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    services: Data<Services>,
    more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> std::io::Result<Server> {
    let config = services.config.clone();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = if config.workers == 0 { cores } else { config.workers };
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::clone(&services))
            .wrap(from_fn(guard))
            .configure(more.clone())
            .configure(routes)
    })
    .workers(workers)
    // The framework counts by thread.
    .max_connections((config.max_connections / workers).max(1))
    .keep_alive(Duration::from_secs(config.keep_alive_s))
    .client_request_timeout(Duration::from_secs(config.head_timeout_s))
    .client_disconnect_timeout(Duration::from_secs(5))
    .shutdown_timeout(config.shutdown_timeout_s)
    .tcp_nodelay(true)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}
