//! The object store inside the service: one suite, by its port and by the SDK's direct way in; then what only a port
//! can show, and what a store elsewhere may do to us.

mod elsewhere;
mod port;
mod suite;
mod world;
