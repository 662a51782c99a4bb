//! Sign, read back, and only then hand out.

use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};

use c2pa::{Builder, Context, SigningAlg};

use super::claim::{Claim, Ingredient, Signed};
use super::config::{CredentialsConfig, TimestampPolicy};
use super::error::CredentialsError;
use super::identity::Identity;
use super::manifest;
use super::read::{self, State};
use super::timestamp::Timestamps;

/// Room in the signature's box beside the certificates: the signature, COSE's own fields.
const COSE_BYTES: usize = 512;
/// More of it for a time-stamp with the authority's chain.
const TIMESTAMP_BYTES: usize = 10_240;

/// What signing takes beside the picture.
pub(super) struct Desk<'a> {
    pub(super) config: &'a CredentialsConfig,
    pub(super) context: &'a Arc<Context>,
    pub(super) identity: &'a Identity,
    pub(super) timestamps: Option<&'a Timestamps>,
    /// Whether a reader here must trust the signer, as it must where the root is the service's own.
    pub(super) must_be_trusted: bool,
}

impl Desk<'_> {
    /// Signs, and reads back what was signed.
    pub(super) fn sign(
        &self,
        bytes: &[u8],
        content_type: &'static str,
        claim: &Claim<'_>,
    ) -> Result<Signed, CredentialsError> {
        if let Some(Ingredient::FullPicture(full)) = claim.ingredient {
            // C2PA would only note that the ingredient does not hold.
            self.verify(&full.bytes, full.content_type, &full.manifest_id)?;
        }
        let seal = Seal { desk: self, failure: Mutex::new(None) };
        let made = self.build(bytes, content_type, claim, &seal);
        let (bytes, manifest) = made.map_err(|error| {
            // c2pa passes on a text; what went wrong was kept here as what it is.
            let failure = seal.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
            failure.unwrap_or_else(|| CredentialsError::Signing { detail: error.to_string() })
        })?;
        let manifest_id = manifest::manifest_id(claim);
        self.verify(&bytes, content_type, &manifest_id)?;
        Ok(Signed { bytes, manifest, manifest_id, content_type })
    }

    /// Whether a picture of ours reads as one.
    fn verify(&self, bytes: &[u8], content_type: &str, manifest_id: &str) -> Result<(), CredentialsError> {
        let report = read::picture(self.context, bytes, content_type);
        let holds = match report.state {
            Some(State::Trusted) => true,
            Some(State::Valid) => !self.must_be_trusted,
            _ => false,
        };
        if holds && report.manifest_id.as_deref() == Some(manifest_id) {
            return Ok(());
        }
        Err(CredentialsError::NotVerified { reasons: report.reasons })
    }

    fn build(
        &self,
        bytes: &[u8],
        content_type: &str,
        claim: &Claim<'_>,
        seal: &Seal<'_>,
    ) -> c2pa::Result<(Vec<u8>, Vec<u8>)> {
        let definition = manifest::definition(claim, self.config, content_type);
        let mut builder = Builder::from_shared_context(self.context).with_definition(definition)?;
        if let Some(ingredient) = claim.ingredient {
            let (bytes, content_type) = match ingredient {
                Ingredient::FullPicture(full) => (&full.bytes, full.content_type),
                Ingredient::Opened(opened) => (&opened.bytes, opened.content_type),
            };
            builder.add_ingredient_from_stream(
                manifest::ingredient(claim).to_string(),
                content_type,
                &mut Cursor::new(bytes),
            )?;
        }
        let mut signed = Cursor::new(Vec::with_capacity(bytes.len() + (32 << 10)));
        let manifest = builder.sign(seal, content_type, &mut Cursor::new(bytes), &mut signed)?;
        Ok((signed.into_inner(), manifest))
    }
}

/// The identity as c2pa's `Signer`, for one signature.
struct Seal<'a> {
    desk: &'a Desk<'a>,
    failure: Mutex<Option<CredentialsError>>,
}

impl Seal<'_> {
    fn failed(&self, error: CredentialsError) -> c2pa::Error {
        let text = error.to_string();
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        c2pa::Error::OtherError(text.into())
    }
}

impl c2pa::Signer for Seal<'_> {
    fn sign(&self, data: &[u8]) -> c2pa::Result<Vec<u8>> {
        self.desk.identity.sign(data).map_err(|error| self.failed(error))
    }

    fn alg(&self) -> SigningAlg {
        SigningAlg::Es256
    }

    fn certs(&self) -> c2pa::Result<Vec<Vec<u8>>> {
        Ok(self
            .desk
            .identity
            .chain
            .certificates()
            .iter()
            .map(|certificate| certificate.der.clone())
            .collect())
    }

    /// c2pa's own signers reserve 12 kB, most of which stays empty in every picture.
    fn reserve_size(&self) -> usize {
        let chain: usize =
            self.desk.identity.chain.certificates().iter().map(|certificate| certificate.der.len()).sum();
        chain + COSE_BYTES + if self.desk.timestamps.is_some() { TIMESTAMP_BYTES } else { 0 }
    }

    fn send_timestamp_request(&self, message: &[u8]) -> Option<c2pa::Result<Vec<u8>>> {
        let timestamps = self.desk.timestamps?;
        match (timestamps.fetch(message), timestamps.policy) {
            (Ok(answer), _) => Some(Ok(answer)),
            (Err(error), TimestampPolicy::Required) => Some(Err(self.failed(error))),
            (Err(error), TimestampPolicy::BestEffort) => {
                tracing::warn!(%error, "signing without a time-stamp");
                None
            }
        }
    }
}
