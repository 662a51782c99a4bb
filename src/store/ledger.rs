//! The ledger: what review decided, in a chain of hashes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{StoreConfig, StoreError, database, migrations, moment};

/// The schema that brought the table.
const SINCE: u32 = 5;

/// Begins the text that is hashed.
const DOMAIN: &[u8] = b"imgen.ledger.1";

/// What the first entry is chained to.
const NOTHING: [u8; 32] = [0; 32];

/// An entry as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerEntry {
    pub seq: i64,
    pub at: OffsetDateTime,
    pub job_id: String,
    pub entry: Value,
    pub hash: [u8; 32],
}

/// Where a chain of entries does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerFault {
    #[error("entry {0} is missing")]
    Missing(i64),
    #[error("entry {0} is not what was written, or not after what it was written after")]
    Changed(i64),
}

/// SHA-256 over the prefix, the hash before, and seq, milliseconds, the length of the job's id (8 bytes each, big endian),
/// that id and the entry's JSON.
fn link(before: &[u8; 32], seq: i64, at_ms: i64, job_id: &str, entry: &str) -> [u8; 32] {
    let hash = Sha256::new()
        .chain_update(DOMAIN)
        .chain_update(before)
        .chain_update(seq.to_be_bytes())
        .chain_update(at_ms.to_be_bytes())
        .chain_update((job_id.len() as u64).to_be_bytes())
        .chain_update(job_id)
        .chain_update(entry);
    hash.finalize().into()
}

/// Written in the transaction of what it speaks of.
pub(super) fn append(
    connection: &Connection,
    job_id: &str,
    entries: &[Value],
    at_ms: i64,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let last = connection
        .prepare_cached("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (mut seq, mut before): (i64, [u8; 32]) = last.unwrap_or((0, NOTHING));
    let mut insert = connection.prepare_cached(
        "INSERT INTO ledger (seq, at_ms, job_id, entry, hash) VALUES (:seq, :at_ms, :job_id, :entry, :hash)",
    )?;
    for entry in entries {
        seq += 1;
        let entry = entry.to_string();
        before = link(&before, seq, at_ms, job_id, &entry);
        insert.execute(named_params! {
            ":seq": seq, ":at_ms": at_ms, ":job_id": job_id, ":entry": entry, ":hash": before,
        })?;
    }
    Ok(())
}

/// A reader of the ledger, with a connection of its own; the service may run meanwhile.
#[derive(Debug, Clone)]
pub struct Ledger(Arc<Mutex<Connection>>);

impl Ledger {
    /// `None` where there is no database yet, or one from before there was a ledger.
    pub fn open(config: &StoreConfig) -> Result<Option<Self>, StoreError> {
        let path = config.database();
        if !path.exists() {
            return Ok(None);
        }
        let connection = database::open_reader(config)?;
        let found = migrations::version(&connection)?;
        if found > migrations::KNOWN {
            return Err(StoreError::TooNew { path, found, known: migrations::KNOWN });
        }
        Ok((found >= SINCE).then(|| Self(Arc::new(Mutex::new(connection)))))
    }

    /// Those of one job, or the last `limit` of all, the newest first.
    pub fn entries(&self, job_id: Option<&str>, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        let connection = self.connection();
        let mut select = connection.prepare_cached(
            "SELECT seq, at_ms, job_id, entry, hash FROM ledger
             WHERE :job_id IS NULL OR job_id = :job_id ORDER BY seq DESC LIMIT :limit",
        )?;
        let rows = select.query_map(named_params! { ":job_id": job_id, ":limit": limit }, entry)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Walks the whole chain: how many entries hold, and the hash of the last, which says of all that they are those that
    /// were there when somebody wrote it down elsewhere. Entries cut off the end leave no other trace.
    pub fn verify(&self) -> Result<Result<(u64, [u8; 32]), LedgerFault>, StoreError> {
        let connection = self.connection();
        let mut select =
            connection.prepare("SELECT seq, at_ms, job_id, entry, hash FROM ledger ORDER BY seq")?;
        let mut rows = select.query([])?;
        let (mut count, mut before) = (0u64, NOTHING);
        while let Some(row) = rows.next()? {
            let (seq, at_ms): (i64, i64) = (row.get(0)?, row.get(1)?);
            let (job_id, entry): (String, String) = (row.get(2)?, row.get(3)?);
            let hash: [u8; 32] = row.get(4)?;
            count += 1;
            if seq != count as i64 {
                return Ok(Err(LedgerFault::Missing(count as i64)));
            }
            if link(&before, seq, at_ms, &job_id, &entry) != hash {
                return Ok(Err(LedgerFault::Changed(seq)));
            }
            before = hash;
        }
        Ok(Ok((count, before)))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<LedgerEntry> {
    let text: String = row.get(3)?;
    Ok(LedgerEntry {
        seq: row.get(0)?,
        at: moment(row.get(1)?),
        job_id: row.get(2)?,
        entry: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        hash: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled() -> Ledger {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations::migrate(&mut connection).unwrap();
        append(&connection, "run_a", &[json!({"n": 1}), json!({"n": 2})], 10).unwrap();
        append(&connection, "run_b", &[json!({"n": 3})], 20).unwrap();
        append(&connection, "run_b", &[], 30).unwrap();
        Ledger(Arc::new(Mutex::new(connection)))
    }

    fn meddle(ledger: &Ledger, sql: &str) {
        let connection = ledger.connection();
        connection
            .execute_batch("DROP TRIGGER ledger_is_not_changed; DROP TRIGGER ledger_is_not_shortened;")
            .unwrap();
        connection.execute_batch(sql).unwrap();
    }

    #[test]
    fn what_was_written_is_read_and_holds() {
        let ledger = filled();
        assert!(matches!(ledger.verify().unwrap(), Ok((3, hash)) if hash != NOTHING));
        let of_a = ledger.entries(Some("run_a"), 10).unwrap();
        assert_eq!(of_a.iter().map(|entry| &entry.entry["n"]).collect::<Vec<_>>(), [&json!(2), &json!(1)]);
        assert_eq!(ledger.entries(None, 1).unwrap()[0].entry, json!({"n": 3}));
    }

    #[test]
    fn the_database_itself_refuses_changes() {
        let ledger = filled();
        for sql in ["UPDATE ledger SET entry = '{}' WHERE seq = 1", "DELETE FROM ledger WHERE seq = 3"] {
            let refused = ledger.connection().execute_batch(sql).unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{refused}");
        }
    }

    #[test]
    fn a_hand_in_the_file_is_seen() {
        let faults = [
            ("UPDATE ledger SET entry = '{\"n\":9}' WHERE seq = 2", LedgerFault::Changed(2)),
            ("UPDATE ledger SET at_ms = 11 WHERE seq = 1", LedgerFault::Changed(1)),
            ("UPDATE ledger SET job_id = 'run_c' WHERE seq = 3", LedgerFault::Changed(3)),
            ("DELETE FROM ledger WHERE seq = 2", LedgerFault::Missing(2)),
            ("UPDATE ledger SET hash = zeroblob(32) WHERE seq = 1", LedgerFault::Changed(1)),
        ];
        for (sql, fault) in faults {
            let ledger = filled();
            meddle(&ledger, sql);
            assert_eq!(ledger.verify().unwrap(), Err(fault), "{sql}");
        }
    }
}
