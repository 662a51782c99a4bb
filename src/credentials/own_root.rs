//! The service's own root and the signer under it: read, made at the first start, renewed.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;

use super::chain::{self, Certificate, Chain};
use super::error::CredentialsError;
use super::identity::{Identity, Key};
use super::vault::{self, Vault};
use super::{is_due, key, private_ca};
use crate::storage::Secret;

/// Characters in a line of PEM (RFC 7468).
const PEM_COLUMNS: usize = 64;

/// The root that the service made, and the folder of both.
pub(super) struct OwnRoot {
    vault: Vault,
    certificate: Certificate,
    pem: String,
    /// One renewal at a time.
    renewing: Mutex<()>,
}

impl OwnRoot {
    /// Reads the root, or makes it; of two processes that do so at once, both end with the same.
    pub(super) fn open(
        data_dir: &Path,
        organization: &str,
        now: OffsetDateTime,
    ) -> Result<Self, CredentialsError> {
        let vault = Vault::open(data_dir)?;
        let path = vault.root_path();
        let text = match Vault::read(&path)? {
            Some(text) => text,
            None => vault.write_once(&path, &private_ca::make_root(organization, now)?.bundle())?,
        };
        let certificate = only(chain::certificates(&text, &path)?, &path)?;
        let pem = to_pem(&certificate.der);
        Ok(Self { vault, certificate, pem, renewing: Mutex::new(()) })
    }

    /// Root certificates that an earlier start made, in PEM, if there are any.
    pub(super) fn earlier(data_dir: &Path) -> Result<Option<String>, CredentialsError> {
        let path = data_dir.join("credentials").join("root.pem");
        if !path.is_file() {
            return Ok(None);
        }
        let found = chain::certificates(&vault::read_file(&path)?, &path)?;
        Ok(Some(found.iter().map(|certificate| to_pem(&certificate.der)).collect()))
    }

    /// The root certificate, without its key.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn renewing(&self) -> MutexGuard<'_, ()> {
        self.renewing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stored signer, or a new one where that is missing, broken, another root's, or due.
    pub(super) fn signer(
        &self,
        organization: &str,
        now: OffsetDateTime,
    ) -> Result<Identity, CredentialsError> {
        let path = self.vault.signer_path();
        if let Some(text) = Vault::read(&path)? {
            match self.stored(&text, &path) {
                Ok(identity) if !is_due(&identity.chain, now) => return Ok(identity),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the stored signing certificate is replaced"),
            }
        }
        let root_path = self.vault.root_path();
        let root = vault::read_file(&root_path)?;
        let root = std::str::from_utf8(&root).map_err(|e| malformed(&root_path, &e.to_string()))?;
        let made = private_ca::make_signer(&self.certificate, root, organization, now)?.bundle();
        let identity = self.stored(made.as_bytes(), &path)?;
        self.vault.replace(&path, &made)?;
        Ok(identity)
    }

    /// A signer whose key and certificates are in one text, under this root.
    fn stored(&self, text: &[u8], path: &Path) -> Result<Identity, CredentialsError> {
        let chain = Chain::parse(text, path)?;
        if !chain.is_under(&self.certificate) {
            let subject = chain.leaf().subject.clone();
            return Err(CredentialsError::Unusable {
                subject,
                detail: "it is under another root".to_owned(),
            });
        }
        Identity::new(chain, Key::Here(key::read(text, path, &Secret::default())?))
    }
}

fn only(mut found: Vec<Certificate>, path: &Path) -> Result<Certificate, CredentialsError> {
    match (found.pop(), found.is_empty()) {
        (Some(root), true) => Ok(root),
        _ => Err(malformed(path, "there should be one certificate")),
    }
}

fn malformed(path: &Path, detail: &str) -> CredentialsError {
    CredentialsError::Malformed { path: path.to_owned(), what: "the root", detail: detail.to_owned() }
}

fn to_pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(PEM_COLUMNS));
        pem.push_str(line);
        pem.push('\n');
        rest = behind;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}
