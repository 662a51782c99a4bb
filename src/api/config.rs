//! What the front door can be told.

use std::net::SocketAddr;

use serde::Deserialize;

use crate::config::complaints::Complaints;

/// Settings of the listener and of what one caller may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Event-loop threads; 0 takes one per core.
    pub workers: usize,
    /// Most bytes of one request body.
    pub body_limit_bytes: usize,
    /// Seconds a client has to send a whole body.
    pub body_timeout_s: u64,
    /// Seconds a client has to send a request's head.
    pub head_timeout_s: u64,
    /// Seconds an idle connection is kept.
    pub keep_alive_s: u64,
    /// Most open connections, all threads together; more wait in the listener's backlog.
    pub max_connections: usize,
    /// `generate` requests a minute for one key, which is also the burst.
    pub generate_per_minute: u32,
    /// Wrong keys a minute from one address before its refusals are slowed down.
    pub free_auth_failures_per_minute: u32,
    /// Seconds for which an answer of the object store's probe holds in `/readyz`.
    pub ready_cache_s: u64,
    /// Seconds that answers under way have at shutdown.
    pub shutdown_timeout_s: u64,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            workers: 0,
            body_limit_bytes: 16 << 20,
            body_timeout_s: 30,
            head_timeout_s: 10,
            keep_alive_s: 30,
            max_connections: 20_000,
            generate_per_minute: 120,
            free_auth_failures_per_minute: 20,
            ready_cache_s: 5,
            shutdown_timeout_s: 20,
        }
    }
}

impl ApiConfig {
    /// Everything that is wrong, said at once.
    pub fn validate(&self, complaints: &mut Complaints) {
        if !(1 << 10..=1 << 30).contains(&self.body_limit_bytes) {
            complaints.add("api.body_limit_bytes", "must lie between 1 kB and 1 GB");
        }
        for (place, seconds) in [
            ("api.body_timeout_s", self.body_timeout_s),
            ("api.head_timeout_s", self.head_timeout_s),
            ("api.keep_alive_s", self.keep_alive_s),
        ] {
            if !(1..=3600).contains(&seconds) {
                complaints.add(place, "must lie between 1 and 3600 seconds");
            }
        }
        if self.max_connections == 0 {
            complaints.add("api.max_connections", "must be at least 1");
        }
        if self.generate_per_minute == 0 {
            complaints.add("api.generate_per_minute", "must be at least 1");
        }
    }
}
