#![doc = include_str!("README.md")]
//!
//! | file | what it holds |
//! |---|---|
//! | `key.rs` | [`ObjectKey`], the only way to make an object's path |
//! | `config.rs` | [`StorageConfig`], where pictures are kept, as the operator says it |
//! | `s3.rs` | [`Storage`]: put, get, delete, presign, probe |
//! | `sdk.rs` | every call to the AWS SDK |
//! | `presign.rs` | signed URLs |
//! | `error.rs` | [`StorageError`], named as what it is |
//! | `embedded/` | [`Embedded`], an S3 service inside this process |

mod config;
mod error;
mod key;
mod presign;
mod s3;
mod sdk;
pub mod embedded;

pub(crate) use config::check_base_url;
pub use config::{Secret, StorageConfig};
pub use embedded::Embedded;
pub use error::{ProbeStep, StorageError};
pub use key::{KeyError, ObjectKey};
pub use presign::Presigned;
pub use s3::Storage;
