//! Certificates as this room needs them: parsed, in order, within their time, fit for C2PA.

use std::path::Path;

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, X509Version};

use super::error::CredentialsError;

/// Longest chain that is read.
const MAX_CERTIFICATES: usize = 8;
/// `id-kp-documentSigning` (RFC 9336), which C2PA takes instead of e-mail protection.
const DOCUMENT_SIGNING: &str = "1.3.6.1.5.5.7.3.36";

/// One certificate, with what is asked of it here.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The whole certificate.
    pub der: Vec<u8>,
    pub subject: String,
    pub issuer: String,
    pub organization: String,
    pub common_name: String,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl Certificate {
    /// Lower-case hexadecimal SHA-256 of the certificate.
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(&self.der))
    }

    fn parse(der: &[u8]) -> Result<Self, String> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|e| e.to_string())?;
        if !rest.is_empty() {
            return Err("there is something behind the certificate".to_owned());
        }
        let subject = parsed.subject();
        let text = |part: Option<&AttributeTypeAndValue<'_>>| {
            part.and_then(|part| part.as_str().ok()).unwrap_or_default().to_owned()
        };
        let validity = parsed.validity();
        Ok(Self {
            der: der.to_vec(),
            subject: subject.to_string(),
            issuer: parsed.issuer().to_string(),
            organization: text(subject.iter_organization().next()),
            common_name: text(subject.iter_common_name().next()),
            not_before: validity.not_before.to_datetime(),
            not_after: validity.not_after.to_datetime(),
        })
    }

    fn check_time(&self, now: OffsetDateTime) -> Result<(), CredentialsError> {
        if now > self.not_after {
            return Err(CredentialsError::Expired { subject: self.subject.clone(), at: self.not_after });
        }
        if now < self.not_before {
            return Err(CredentialsError::NotYetValid {
                subject: self.subject.clone(),
                from: self.not_before,
            });
        }
        Ok(())
    }
}

/// A signer's certificate and those above it, in order.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Never empty; the signer's own is the first.
    certificates: Vec<Certificate>,
    key: VerifyingKey,
}

impl Chain {
    /// Reads the certificates of a PEM text; keys in it are passed over. `path` is for messages only.
    ///
    /// # Errors
    /// What cannot be read, a chain out of order, and a signer's certificate that C2PA does not take.
    pub(super) fn parse(pem: &[u8], path: &Path) -> Result<Self, CredentialsError> {
        let certificates = certificates(pem, path)?;
        if certificates.len() > MAX_CERTIFICATES {
            return Err(malformed(path, format!("holds more than {MAX_CERTIFICATES} certificates")));
        }
        for pair in certificates.windows(2) {
            if let [lower, upper] = pair
                && lower.issuer != upper.subject
            {
                return Err(malformed(
                    path,
                    format!("`{}` was not issued by `{}`", lower.subject, upper.subject),
                ));
            }
        }
        let Some(leaf) = certificates.first() else {
            return Err(malformed(path, "holds no certificate".to_owned()));
        };
        let key = fit_for_c2pa(&leaf.der)
            .map_err(|detail| CredentialsError::Unusable { subject: leaf.subject.clone(), detail })?;
        Ok(Self { certificates, key })
    }

    /// The signer's certificate.
    pub fn leaf(&self) -> &Certificate {
        // `parse` refuses an empty list, and nothing takes from it.
        &self.certificates[0]
    }

    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The signer's public key.
    pub(super) fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether each certificate, and at last the root, signed the one before. For chains of P-256 keys, as are made here.
    pub(super) fn is_under(&self, root: &Certificate) -> bool {
        let uppers = self.certificates.iter().skip(1).chain([root]);
        self.certificates
            .iter()
            .zip(uppers)
            .all(|(lower, upper)| is_signed_by(&lower.der, &upper.der).unwrap_or(false))
    }

    /// Whether every certificate is within its time.
    pub fn check_time(&self, now: OffsetDateTime) -> Result<(), CredentialsError> {
        self.certificates.iter().try_for_each(|certificate| certificate.check_time(now))
    }
}

/// All certificates of a PEM text, in its order.
pub(super) fn certificates(pem: &[u8], path: &Path) -> Result<Vec<Certificate>, CredentialsError> {
    let mut found = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|e| malformed(path, e.to_string()))?;
        if block.label == "CERTIFICATE" {
            found.push(Certificate::parse(&block.contents).map_err(|detail| malformed(path, detail))?);
        }
    }
    if found.is_empty() {
        return Err(malformed(path, "holds no certificate".to_owned()));
    }
    Ok(found)
}

/// None where either cannot be read or is of another kind of key.
fn is_signed_by(lower: &[u8], upper: &[u8]) -> Option<bool> {
    let (_, lower) = X509Certificate::from_der(lower).ok()?;
    let (_, upper) = X509Certificate::from_der(upper).ok()?;
    let key = VerifyingKey::from_sec1_bytes(upper.public_key().subject_public_key.as_ref()).ok()?;
    let signature = Signature::from_der(lower.signature_value.as_ref()).ok()?;
    Some(key.verify(lower.tbs_certificate.as_ref(), &signature).is_ok())
}

fn malformed(path: &Path, detail: String) -> CredentialsError {
    CredentialsError::Malformed { path: path.to_owned(), what: "certificates", detail }
}

/// The certificate's P-256 key, if C2PA's certificate profile takes the certificate for signing claims.
fn fit_for_c2pa(der: &[u8]) -> Result<VerifyingKey, String> {
    let (_, leaf) = X509Certificate::from_der(der).map_err(|e| e.to_string())?;
    if leaf.version() != X509Version::V3 {
        return Err("it is not of version 3".to_owned());
    }
    if leaf.is_ca() {
        return Err("it is a certificate authority's".to_owned());
    }
    if leaf.subject() == leaf.issuer() {
        return Err("it is self-signed".to_owned());
    }
    let usage = leaf.key_usage().map_err(|e| e.to_string())?;
    if !usage.is_some_and(|usage| usage.value.digital_signature()) {
        return Err("its key usage lacks digitalSignature".to_owned());
    }
    let purposes =
        leaf.extended_key_usage().map_err(|e| e.to_string())?.ok_or("it has no extended key usage")?;
    let documents = purposes.value.other.iter().any(|oid| oid.to_id_string() == DOCUMENT_SIGNING);
    if purposes.value.any || !(purposes.value.email_protection || documents) {
        return Err("its extended key usage needs emailProtection or documentSigning, and not any".to_owned());
    }
    VerifyingKey::from_sec1_bytes(leaf.public_key().subject_public_key.as_ref())
        .map_err(|_| "its key is not on P-256; only ES256 is supported".to_owned())
}
