//! A private key from a PKCS#8 file, plain or encrypted.

use std::path::Path;

use p256::ecdsa::SigningKey;
use p256::pkcs8::{DecodePrivateKey, PrivateKeyInfo};
use pkcs5::EncryptionScheme;
use pkcs5::der::asn1::OctetStringRef;
use pkcs5::der::{Decode, Reader, SliceReader};
use x509_parser::pem::Pem;

use super::error::CredentialsError;
use crate::storage::Secret;

/// The first private key of a PEM text. `path` is for messages only, which never show the key.
pub(super) fn read(pem: &[u8], path: &Path, password: &Secret) -> Result<SigningKey, CredentialsError> {
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|e| malformed(path, &e.to_string()))?;
        match block.label.as_str() {
            "PRIVATE KEY" => return plain(&block.contents, path),
            "ENCRYPTED PRIVATE KEY" => return encrypted(&block.contents, path, password),
            "EC PRIVATE KEY" => {
                return Err(malformed(path, "it is SEC 1; turn it into PKCS#8 with `openssl pkcs8 -topk8`"));
            }
            _ => {}
        }
    }
    Err(malformed(path, "it holds no private key"))
}

fn plain(der: &[u8], path: &Path) -> Result<SigningKey, CredentialsError> {
    SigningKey::from_pkcs8_der(der).map_err(|_| malformed(path, "it is no P-256 key in PKCS#8"))
}

/// `EncryptedPrivateKeyInfo` (RFC 5958): a scheme, and what it encrypted.
fn encrypted(der: &[u8], path: &Path, password: &Secret) -> Result<SigningKey, CredentialsError> {
    if password.is_empty() {
        return Err(CredentialsError::PasswordNeeded { path: path.to_owned() });
    }
    let mut reader = SliceReader::new(der).map_err(|e| malformed(path, &e.to_string()))?;
    let (scheme, data) = reader
        .sequence(|inner| Ok((EncryptionScheme::decode(inner)?, <&OctetStringRef>::decode(inner)?)))
        .map_err(|_: pkcs5::der::Error| {
            malformed(path, "its encryption is not PBES2 with PBKDF2 or scrypt and AES")
        })?;
    let opened = scheme.decrypt(password.reveal(), data.as_bytes()).map_err(|e| match e {
        pkcs5::Error::DecryptFailed => CredentialsError::WrongPassword { path: path.to_owned() },
        other => malformed(path, &other.to_string()),
    })?;
    read_opened(&opened, path)
}

/// One wrong password in 256 leaves a padding that looks right, and garbage before it.
fn read_opened(opened: &[u8], path: &Path) -> Result<SigningKey, CredentialsError> {
    SigningKey::from_pkcs8_der(opened).map_err(|_| match PrivateKeyInfo::try_from(opened) {
        Ok(_) => malformed(path, "it is no P-256 key in PKCS#8"),
        Err(_) => CredentialsError::WrongPassword { path: path.to_owned() },
    })
}

fn malformed(path: &Path, detail: &str) -> CredentialsError {
    CredentialsError::Malformed { path: path.to_owned(), what: "a private key", detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a wrong password leaves may begin as a key does.
    #[test]
    fn garbage_that_begins_like_a_key_is_a_wrong_password() {
        for garbage in
            [&[0x30, 0x81, 0x05][..], &[0x30, 0x0b, 2, 1, 0, 9, 9, 9, 9, 9, 9, 9, 9], &[0x31; 40], &[]]
        {
            let refused = read_opened(garbage, Path::new("k.pem")).unwrap_err();
            assert!(matches!(refused, CredentialsError::WrongPassword { .. }), "{refused}");
        }
        // OpenSSL's `genpkey -algorithm ed25519`, whole but of another kind.
        let mut other = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        other.extend([7; 32]);
        let refused = read_opened(&other, Path::new("k.pem")).unwrap_err();
        assert!(matches!(refused, CredentialsError::Malformed { .. }), "{refused}");
    }
}
