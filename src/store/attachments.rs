//! Files beside a job, named by their content.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, named_params};
use sha2::{Digest, Sha256};

use super::StoreError;

/// A file that a job needs. Equal ones are stored once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    sha256: [u8; 32],
    bytes: Bytes,
}

impl Attachment {
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { sha256: Sha256::digest(&bytes).into(), bytes }
    }

    /// Its name: 64 hexadecimal digits.
    pub fn name(&self) -> String {
        hex::encode(self.sha256)
    }

    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

pub(super) fn keep(connection: &Connection, attachment: &Attachment) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO attachments (sha256, bytes) VALUES (:sha256, :bytes) ON CONFLICT DO NOTHING",
        )?
        .execute(named_params! { ":sha256": attachment.sha256, ":bytes": &attachment.bytes[..] })?;
    Ok(())
}

/// By name, as a plan has it.
pub(super) fn load(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let Ok(sha256) = hex::decode(name) else { return Ok(None) };
    Ok(connection
        .prepare_cached("SELECT bytes FROM attachments WHERE sha256 = :sha256")?
        .query_row(named_params! { ":sha256": sha256 }, |row| row.get(0))
        .optional()?)
}

/// Forgets what no job needs any more.
pub(super) fn sweep(connection: &Connection) -> Result<usize, StoreError> {
    Ok(connection
        .prepare_cached(
            "DELETE FROM attachments WHERE NOT EXISTS (
                 SELECT 1 FROM jobs WHERE jobs.attachment_sha256 = attachments.sha256
                     AND jobs.attachment_sha256 IS NOT NULL AND jobs.finished_at_ms IS NULL)",
        )?
        .execute([])?)
}
