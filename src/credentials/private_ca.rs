//! A root of the service's own, and under it an intermediate and a signer's certificate.
//!
//! The recipe is C2PA's certificate profile (specification 2.4, "X.509 Certificates"), narrowed by what validators accept:
//! the C2PA purpose alone is refused by newer ones, so the e-mail purpose stands beside it. An intermediate is made with
//! every signer's certificate and its key is dropped at once: it signs exactly one.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use time::{Duration, OffsetDateTime};

use super::chain::Certificate;
use super::error::CredentialsError;

/// Life of the root. People install it by hand, so it should outlast the service.
const ROOT_LIFE: Duration = Duration::days(7300);
/// Life of an intermediate; longer than the certificate that it signed.
const INTERMEDIATE_LIFE: Duration = Duration::days(730);
/// Life of a signer's certificate: under the 366 days of the conformance programme's assurance level 1.
const LEAF_LIFE: Duration = Duration::days(365);
/// Certificates begin a little in the past, for readers whose clock is slow.
const BACKDATED: Duration = Duration::hours(1);
/// `c2pa-kp-claimSigning`.
const C2PA_PURPOSE: [u64; 9] = [1, 3, 6, 1, 4, 1, 62558, 2, 1];

/// A key and its certificate chain, the key's own first; both PEM.
pub(super) struct Made {
    pub(super) key_pem: String,
    pub(super) chain_pem: String,
}

impl Made {
    /// Key and chain one after the other, as one file holds them.
    pub(super) fn bundle(&self) -> String {
        format!("{}{}", self.key_pem, self.chain_pem)
    }
}

/// A new root, self-signed.
pub(super) fn make_root(organization: &str, now: OffsetDateTime) -> Result<Made, CredentialsError> {
    let mut params = lasting(now, ROOT_LIFE);
    params.distinguished_name = name(organization, "root");
    authority(&mut params, 1);
    let key = new_key()?;
    let root = params.self_signed(&key)?;
    Ok(Made { key_pem: key.serialize_pem(), chain_pem: root.pem() })
}

/// A new intermediate and a new signer's certificate under the root; neither outlives it.
pub(super) fn make_signer(
    root: &Certificate,
    root_key_pem: &str,
    organization: &str,
    now: OffsetDateTime,
) -> Result<Made, CredentialsError> {
    // The root's name as it was written, whatever the organization is called by now.
    let mut root_params = CertificateParams::default();
    root_params.distinguished_name = written(&root.organization, &root.common_name);
    root_params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let root_key = KeyPair::from_pem(root_key_pem)?;

    let mut upper = within(lasting(now, INTERMEDIATE_LIFE), root);
    upper.distinguished_name = name(organization, "intermediate");
    authority(&mut upper, 0);
    let upper_key = new_key()?;
    let intermediate = upper.signed_by(&upper_key, &Issuer::from_params(&root_params, &root_key))?;

    let mut params = within(lasting(now, LEAF_LIFE), root);
    params.distinguished_name = name(organization, "signer");
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::EmailProtection, ExtendedKeyUsagePurpose::Other(C2PA_PURPOSE.to_vec())];
    params.use_authority_key_identifier_extension = true;
    let key = new_key()?;
    let leaf = params.signed_by(&key, &Issuer::from_params(&upper, &upper_key))?;
    Ok(Made { key_pem: key.serialize_pem(), chain_pem: format!("{}{}", leaf.pem(), intermediate.pem()) })
}

fn new_key() -> Result<KeyPair, CredentialsError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

/// Makes it the certificate of an authority, with so many authorities below it.
fn authority(params: &mut CertificateParams, below: u8) {
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
}

fn name(organization: &str, role: &str) -> DistinguishedName {
    written(organization, &format!("{organization} image {role}"))
}

fn written(organization: &str, common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, organization);
    name.push(DnType::CommonName, common_name);
    name
}

fn lasting(now: OffsetDateTime, life: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = now - BACKDATED;
    params.not_after = now + life;
    params
}

fn within(mut params: CertificateParams, root: &Certificate) -> CertificateParams {
    params.not_before = params.not_before.max(root.not_before);
    params.not_after = params.not_after.min(root.not_after);
    params
}
