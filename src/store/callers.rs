//! Who is calling, told from memory.

use std::collections::HashMap;

use rusqlite::Connection;
use subtle::ConstantTimeEq;

use super::{StoreError, keys};
use crate::compliance::Tightened;

/// The owner of a valid, enabled key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub key_id: i64,
    pub name: String,
    /// How much stricter than the policy its requests are reviewed.
    pub tightened: Tightened,
}

/// The keys that are let in.
#[derive(Debug, Default)]
pub(super) struct Callers {
    /// By the first eight bytes of the hash: what finding one takes says nothing of a token, since nobody can choose a
    /// token by its hash.
    by_hash: HashMap<u64, Vec<([u8; 32], Caller)>>,
}

impl Callers {
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let mut enabled = connection.prepare_cached(
            "SELECT id, name, token_sha256, tightened FROM api_keys WHERE enabled = 1 AND revoked_at_ms IS NULL",
        )?;
        let mut rows = enabled.query([])?;
        let mut callers = Self::default();
        while let Some(row) = rows.next()? {
            let sha256: [u8; 32] = row.get(2)?;
            let (name, tightened): (String, String) = (row.get(1)?, row.get(3)?);
            let tightened = serde_json::from_str(&tightened)?;
            let caller = Caller { key_id: row.get(0)?, name, tightened };
            callers.by_hash.entry(head(&sha256)).or_default().push((sha256, caller));
        }
        Ok(callers)
    }

    pub(super) fn find(&self, token: &str) -> Option<&Caller> {
        let sha256 = keys::sha256(token);
        let there = self.by_hash.get(&head(&sha256)).map_or(&[][..], Vec::as_slice);
        there.iter().find(|(known, _)| bool::from(known.ct_eq(&sha256))).map(|(_, caller)| caller)
    }
}

fn head(sha256: &[u8; 32]) -> u64 {
    sha256.iter().take(8).fold(0, |head, byte| head << 8 | u64::from(*byte))
}
