#![doc = include_str!("README.md")]
//!
//! | file | what it holds |
//! |---|---|
//! | `config.rs` | [`CredentialsConfig`], the `[c2pa]` section |
//! | `claim.rs` | [`Provenance`], how a picture came to be; [`Claim`], what is to be said of it; [`Ingredient`], what it was made from; [`Signed`], what comes of it |
//! | `source_type.rs` | [`DigitalSourceType`], IPTC's words for where it comes from |
//! | `manifest.rs` | the claim as a C2PA manifest definition |
//! | `sign.rs` | sign, read back, hand out |
//! | `read.rs` | [`C2paReport`]: a stranger's picture, within limits |
//! | `reader.rs` | [`Reader`], for whoever only reads |
//! | `jumbf.rs` | size, number and depth of a manifest's boxes |
//! | `identity.rs` | a certificate chain and what holds its key |
//! | `chain.rs` | [`Certificate`], [`Chain`]: parsed, in order, in time, fit for C2PA |
//! | `key.rs` | a PKCS#8 key, plain or encrypted |
//! | `command.rs` | a program of the operator's that signs |
//! | `timestamp.rs` | RFC 3161 |
//! | `private_ca.rs` | how a root, an intermediate and a signer are made |
//! | `own_root.rs` | those of the service: read, made, renewed |
//! | `vault.rs` | where they are kept |
//! | `trust.rs` | whom a reader here trusts |
//! | `error.rs` | [`CredentialsError`] |

mod chain;
mod claim;
mod command;
mod config;
mod error;
mod identity;
mod jumbf;
mod key;
mod manifest;
mod own_root;
mod private_ca;
mod read;
mod reader;
mod sign;
mod source_type;
mod timestamp;
mod trust;
mod vault;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use c2pa::Context;
use time::OffsetDateTime;

pub use chain::{Certificate, Chain};
pub use claim::{Claim, Ingredient, Opened, Provenance, Signed, SoftBinding};
use command::SignerCommand;
pub use config::{Argv, CredentialsConfig, TimestampPolicy};
pub use error::CredentialsError;
use identity::{Identity, Key};
pub use manifest::GENERATION_LABEL;
use own_root::OwnRoot;
pub use read::{C2paReport, State};
pub use reader::Reader;
use sign::Desk;
pub use source_type::DigitalSourceType;
use timestamp::Timestamps;

use crate::plan::Format;

/// A certificate that the service made is replaced when it has no longer than this to live.
const RENEW_BEFORE: time::Duration = time::Duration::days(30);
/// What is signed at the start to see whether the signer signs: a white pixel.
const PROBE_PNG: &[u8] = include_bytes!("probe.png");

/// Certificates, key and settings; what signs every picture and reads everybody's. Cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    inner: Arc<Inner>,
}

struct Inner {
    config: CredentialsConfig,
    /// Where the signer is renewed; none where the operator brought the chain.
    own: Option<OwnRoot>,
    current: RwLock<Arc<Identity>>,
    timestamps: Option<Timestamps>,
    context: Arc<Context>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Opens the operator's chain and key, or the service's own in `data_dir/credentials`, made at the first start; signs
    /// and reads back a white pixel, so that what cannot sign is known at once.
    ///
    /// # Errors
    /// Files that cannot be read, a wrong password, a key that is not the certificate's, a certificate that is expired or
    /// that C2PA does not take, a signer command that does not sign.
    pub fn open(
        config: &CredentialsConfig,
        data_dir: &Path,
        now: OffsetDateTime,
    ) -> Result<Self, CredentialsError> {
        let (own, identity) = if config.is_operators() {
            (None, operators(config)?)
        } else {
            let own = OwnRoot::open(data_dir, &config.organization, now)?;
            let identity = own.signer(&config.organization, now)?;
            (Some(own), identity)
        };
        identity.chain.check_time(now)?;
        let context = trust::context(&trust::anchors(config, own.as_ref(), data_dir)?)?;
        let timestamps = (!config.timestamp_url.is_empty()).then(|| {
            let timeout = Duration::from_secs(config.timestamp_timeout_s.into());
            Timestamps::new(&config.timestamp_url, config.timestamp_policy, timeout)
        });
        let current = RwLock::new(Arc::new(identity));
        let opened =
            Self { inner: Arc::new(Inner { config: config.clone(), own, current, timestamps, context }) };
        // No authority is asked to stamp a trial.
        opened.desk(&opened.current(), None).sign(
            PROBE_PNG,
            Format::Png.content_type(),
            &Claim::new(&Provenance::new("probe", now)),
        )?;
        Ok(opened)
    }

    /// Whether pictures can be signed at `now`. Renews a certificate of the service's own that has under 30 days left.
    ///
    /// # Errors
    /// A certificate outside its time. A renewal that fails is an error only once the old certificate is of no use.
    pub fn check(&self, now: OffsetDateTime) -> Result<(), CredentialsError> {
        if let Some(own) = &self.inner.own
            && is_due(&self.current().chain, now)
        {
            let _alone = own.renewing();
            if is_due(&self.current().chain, now) {
                match own.signer(&self.inner.config.organization, now) {
                    Ok(renewed) => {
                        tracing::info!(until = %renewed.chain.leaf().not_after, "the signing certificate was renewed");
                        *self.inner.current.write().unwrap_or_else(PoisonError::into_inner) =
                            Arc::new(renewed);
                    }
                    Err(error) => tracing::error!(%error, "the signing certificate could not be renewed"),
                }
            }
        }
        self.current().chain.check_time(now)
    }

    /// Puts a manifest into an encoded picture, reads it back, and hands it out only if it holds. Nothing may touch the
    /// bytes afterwards.
    ///
    /// # Errors
    /// As [`check`](Self::check) by the process's own clock; a signer or time-stamp authority that fails; a picture that
    /// does not verify.
    pub fn sign(&self, bytes: &[u8], format: Format, claim: &Claim<'_>) -> Result<Signed, CredentialsError> {
        let timestamps = self.inner.timestamps.as_ref();
        self.current().chain.check_time(OffsetDateTime::now_utc())?;
        self.desk(&self.current(), timestamps).sign(bytes, format.content_type(), claim)
    }

    /// Reads what a picture says of itself. Trusts the service's own root and the configured anchors. No network; what a
    /// picture says is elsewhere is not fetched. Takes untrusted bytes of a size that the caller allows, on a thread of its own.
    pub fn read(&self, bytes: &[u8], format: Format) -> C2paReport {
        read::picture(&self.inner.context, bytes, format.content_type())
    }

    /// Reads a manifest store by itself (`application/c2pa`), as records keep it. Its hard binding goes unchecked.
    pub fn read_manifest(&self, manifest: &[u8]) -> C2paReport {
        read::store(&self.inner.context, manifest)
    }

    /// The root that the service made, for people to trust; none where the operator brought the chain.
    pub fn root_pem(&self) -> Option<&str> {
        self.inner.own.as_ref().map(OwnRoot::pem)
    }

    /// The chain that signs now.
    pub fn chain(&self) -> Chain {
        self.current().chain.clone()
    }

    fn current(&self) -> Arc<Identity> {
        self.inner.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn desk<'a>(&'a self, identity: &'a Identity, timestamps: Option<&'a Timestamps>) -> Desk<'a> {
        Desk {
            config: &self.inner.config,
            context: &self.inner.context,
            identity,
            timestamps,
            must_be_trusted: self.inner.own.is_some(),
        }
    }
}

/// Whether a certificate of the service's own should be replaced.
fn is_due(chain: &Chain, now: OffsetDateTime) -> bool {
    let until = chain.certificates().iter().map(|certificate| certificate.not_after).min();
    chain.check_time(now).is_err() || until.is_none_or(|until| now > until - RENEW_BEFORE)
}

/// The operator's chain, with the key file or the program that holds its key.
fn operators(config: &CredentialsConfig) -> Result<Identity, CredentialsError> {
    let chain = Chain::parse(&vault::read_file(&config.chain_file)?, &config.chain_file)?;
    let key = if config.signer_command.is_empty() {
        Key::Here(key::read(&vault::read_file(&config.key_file)?, &config.key_file, &config.key_password)?)
    } else {
        let timeout = Duration::from_secs(config.signer_timeout_s.into());
        Key::Command(SignerCommand::new(config.signer_command.clone(), timeout))
    };
    Identity::new(chain, key)
}

#[cfg(test)]
mod tests;
