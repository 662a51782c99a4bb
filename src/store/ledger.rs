//! The ledger: what review decided, in a chain of hashes.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, named_params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{StoreConfig, StoreError, database, moment, moment_ms};
use crate::compliance::Category;

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
    #[error("no entry has the hash that was noted")]
    Noted,
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

/// What an operator let pass of a key's texts of this hash; the newest ruling counts.
pub(super) fn overridden(
    connection: &Connection,
    key_id: i64,
    text_sha256: &str,
) -> Result<Vec<Category>, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT entry FROM ledger WHERE json_extract(entry, '$.rules_on') = :text_sha256
             AND json_extract(entry, '$.key_id') = :key_id
         ORDER BY seq DESC LIMIT 1",
    )?;
    let newest: Option<String> = select
        .query_row(named_params! { ":text_sha256": text_sha256, ":key_id": key_id }, |row| row.get(0))
        .optional()?;
    let Some(entry) = newest else { return Ok(Vec::new()) };
    let entry: Value = serde_json::from_str(&entry)?;
    Ok(serde_json::from_value(entry["overrides"].clone()).unwrap_or_default())
}

/// A reader of the ledger, with a connection of its own; the service may run meanwhile.
#[derive(Debug)]
pub struct Ledger(Connection);

impl Ledger {
    /// `None` where there is no database yet, or one from before there was a ledger.
    pub fn open(config: &StoreConfig) -> Result<Option<Self>, StoreError> {
        let there = database::open_known(config)?.filter(|(_, schema)| *schema >= SINCE);
        Ok(there.map(|(connection, _)| Self(connection)))
    }

    /// Those of one job, or the last `limit` of all, the newest first.
    pub fn entries(&self, job_id: Option<&str>, limit: u32) -> Result<Vec<LedgerEntry>, StoreError> {
        let mut select = self.0.prepare_cached(
            "SELECT seq, at_ms, job_id, entry, hash FROM ledger
             WHERE :job_id IS NULL OR job_id = :job_id ORDER BY seq DESC LIMIT :limit",
        )?;
        let rows = select.query_map(named_params! { ":job_id": job_id, ":limit": limit }, entry)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Walks the whole chain: how many entries hold, and the hash of the last. Who wrote down such a hash earlier and
    /// elsewhere can ask whether it is still `noted` here: that all entries up to it are those of then.
    pub fn verify(
        &self,
        noted: Option<[u8; 32]>,
    ) -> Result<Result<(u64, [u8; 32]), LedgerFault>, StoreError> {
        let mut select = self.0.prepare("SELECT seq, at_ms, job_id, entry, hash FROM ledger ORDER BY seq")?;
        let mut rows = select.query([])?;
        let (mut count, mut before) = (0u64, NOTHING);
        let mut found = noted.is_none_or(|noted| noted == NOTHING);
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
            found |= noted == Some(hash);
            before = hash;
        }
        let written: Option<i64> = self
            .0
            .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'ledger'")?
            .query_row([], |row| row.get(0))
            .optional()?;
        if written.is_some_and(|written| written > count as i64) {
            return Ok(Err(LedgerFault::Missing(count as i64 + 1)));
        }
        Ok(if found { Ok((count, before)) } else { Err(LedgerFault::Noted) })
    }
}

/// What an operator decides of a job that review blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// Somebody objects; nothing changes.
    Appealed,
    /// It stays as it was.
    Upheld,
    /// The same texts are let pass from now on.
    Overridden,
}

/// Writes what people decide, for a process that does not serve; a running service knows at once.
#[derive(Debug)]
pub struct LedgerDesk {
    connection: Connection,
    now: OffsetDateTime,
}

impl LedgerDesk {
    /// `None` where there is no database yet.
    pub fn open(config: &StoreConfig, now: OffsetDateTime) -> Result<Option<Self>, StoreError> {
        if database::open_known(config)?.is_none() {
            return Ok(None);
        }
        Ok(Some(Self { connection: database::open(config)?, now }))
    }

    /// Writes a ruling beside what the ledger says of the job. `who` and `reason` are a person's own words. Gives the categories
    /// in which the same texts of the same key pass from now on.
    ///
    /// # Errors
    /// A job of which the ledger says nothing blocked; an override of a locked category.
    pub fn rule(
        &mut self,
        job_id: &str,
        ruling: Ruling,
        who: &str,
        reason: &str,
    ) -> Result<Vec<Category>, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let blocked = blocked_entries(&transaction, job_id)?;
        let Some(first) = blocked.first() else {
            return Err(StoreError::Ruling(format!("nothing of job {job_id} was blocked")));
        };
        let mut entry = json!({"event": ruling.name(), "by": who, "reason": reason});
        if ruling != Ruling::Appealed {
            entry["rules_on"] = first["text_sha256"].clone();
            entry["key_id"] = match &first["key_id"] {
                Value::Null => json!(key_of(&transaction, job_id)?),
                noted => noted.clone(),
            };
        }
        let mut passing = Vec::new();
        if ruling == Ruling::Overridden {
            let category = |entry: &Value| serde_json::from_value::<Category>(entry["category"].clone());
            let categories: Result<Vec<Category>, _> = blocked.iter().map(category).collect();
            let open = categories.ok().filter(|all| !all.iter().any(|category| category.is_locked()));
            let Some(mut open) = open else {
                let said = "this category is blocked always and takes no override";
                return Err(StoreError::Ruling(said.to_owned()));
            };
            // What passes by an earlier ruling was not blocked this time, and goes on to pass.
            let key_id = entry["key_id"].as_i64().unwrap_or_default();
            open.extend(overridden(&transaction, key_id, entry["rules_on"].as_str().unwrap_or_default())?);
            open.sort();
            open.dedup();
            entry["overrides"] = json!(open);
            passing = open;
        }
        append(&transaction, job_id, &[entry], moment_ms(self.now))?;
        transaction.commit()?;
        Ok(passing)
    }
}

impl Ruling {
    fn name(self) -> &'static str {
        match self {
            Self::Appealed => "appeal",
            Self::Upheld => "upheld",
            Self::Overridden => "override",
        }
    }
}

fn key_of(connection: &Connection, job_id: &str) -> Result<i64, StoreError> {
    let mut select = connection.prepare_cached("SELECT key_id FROM jobs WHERE id = :id")?;
    Ok(select.query_row(named_params! { ":id": job_id }, |row| row.get(0))?)
}

/// Entries of what is no job, and is known by an id all the same. Each names the key that asked.
pub(super) fn note(
    connection: &Connection,
    id: &str,
    key_id: i64,
    mut entries: Vec<Value>,
    at_ms: i64,
) -> Result<(), StoreError> {
    for entry in &mut entries {
        entry["key_id"] = json!(key_id);
    }
    append(connection, id, &entries, at_ms)
}

fn blocked_entries(connection: &Connection, job_id: &str) -> Result<Vec<Value>, StoreError> {
    let mut select = connection.prepare_cached(
        "SELECT entry FROM ledger WHERE job_id = :job_id AND json_extract(entry, '$.decision') = 'blocked'",
    )?;
    let texts = select.query_map(named_params! { ":job_id": job_id }, |row| row.get::<_, String>(0))?;
    texts.map(|text| Ok(serde_json::from_str(&text?)?)).collect()
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
