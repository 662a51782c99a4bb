//! A certificate chain and whatever holds its key.

use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey};

use super::chain::Chain;
use super::command::SignerCommand;
use super::error::CredentialsError;

/// Where the key is.
pub(super) enum Key {
    /// In this process. Signatures follow RFC 6979, so that the same bytes give the same one.
    Here(SigningKey),
    /// With a program of the operator's.
    Command(SignerCommand),
}

/// Who signs.
pub(super) struct Identity {
    pub(super) chain: Chain,
    key: Key,
}

impl Identity {
    /// Refuses a key that is not the certificate's. A program's is known by its signatures only, each of which is checked.
    pub(super) fn new(chain: Chain, key: Key) -> Result<Self, CredentialsError> {
        if let Key::Here(key) = &key
            && key.verifying_key() != chain.key()
        {
            return Err(CredentialsError::KeyMismatch { subject: chain.leaf().subject.clone() });
        }
        Ok(Self { chain, key })
    }

    /// ES256 over `data`: r and s, 32 bytes each.
    pub(super) fn sign(&self, data: &[u8]) -> Result<Vec<u8>, CredentialsError> {
        let signature = match &self.key {
            Key::Here(key) => {
                key.try_sign(data).map_err(|e| CredentialsError::Signing { detail: e.to_string() })?
            }
            Key::Command(command) => self.checked(command, data)?,
        };
        Ok(signature.to_vec())
    }

    fn checked(&self, command: &SignerCommand, data: &[u8]) -> Result<Signature, CredentialsError> {
        let answer = command.sign(data)?;
        let Ok(signature) = Signature::from_slice(&answer).or_else(|_| Signature::from_der(&answer)) else {
            let detail = format!("answered {} bytes that are no P-256 signature, raw or DER", answer.len());
            return Err(command.failed(detail, false));
        };
        self.chain
            .key()
            .verify(data, &signature)
            .map_err(|_| CredentialsError::KeyMismatch { subject: self.chain.leaf().subject.clone() })?;
        Ok(signature)
    }
}
