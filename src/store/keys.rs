//! API keys: the SQL, and the desk that the command line works at.

use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, named_params};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{StoreConfig, StoreError, database, ids, moment};
use crate::compliance::Tightened;

/// A key as listed. The token itself is nowhere: only its hash is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    pub id: i64,
    pub name: String,
    /// The first characters of the token.
    pub prefix: String,
    pub enabled: bool,
    pub created_at: OffsetDateTime,
    /// Once revoked a key stays so.
    pub revoked_at: Option<OffsetDateTime>,
    pub request_count: u64,
    pub last_used_at: Option<OffsetDateTime>,
    /// How much stricter than the policy its requests are reviewed.
    pub tightened: Tightened,
}

/// A key just made: the only time its token can be seen.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    pub id: i64,
    pub prefix: String,
    pub token: String,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewKey").field("id", &self.id).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// A change of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyChange {
    Enable,
    Disable,
    /// For good.
    Revoke,
}

pub(super) fn sha256(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Makes a key with a token drawn by chance.
pub(super) fn create(
    connection: &Connection,
    name: &str,
    random: [u8; 32],
    now_ms: i64,
) -> Result<NewKey, StoreError> {
    let token = ids::token(random);
    let prefix = token.chars().take("imgen_".len() + 6).collect::<String>();
    insert(connection, name, &prefix, &token, now_ms)?;
    Ok(NewKey { id: connection.last_insert_rowid(), prefix, token })
}

/// Makes sure that a token given from outside is a key. One that was disabled or revoked stays so. Returns its id.
pub(super) fn ensure(
    connection: &Connection,
    name: &str,
    token: &str,
    now_ms: i64,
) -> Result<i64, StoreError> {
    let there = connection
        .query_row(
            "SELECT id FROM api_keys WHERE token_sha256 = :sha256",
            named_params! { ":sha256": sha256(token) },
            |row| row.get(0),
        )
        .optional()?;
    if let Some(id) = there {
        return Ok(id);
    }
    // A token of unknown make may be short: show a quarter of it at most.
    let shown = (token.chars().count() / 4).min(6);
    let prefix = token.chars().take(shown).collect::<String>();
    insert(connection, name, &prefix, token, now_ms)?;
    Ok(connection.last_insert_rowid())
}

fn insert(
    connection: &Connection,
    name: &str,
    prefix: &str,
    token: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO api_keys (name, prefix, token_sha256, created_at_ms) VALUES (:name, :prefix, :sha256, :now)",
        named_params! { ":name": name, ":prefix": prefix, ":sha256": sha256(token), ":now": now_ms },
    )?;
    Ok(())
}

pub(super) fn list(connection: &Connection) -> Result<Vec<KeyInfo>, StoreError> {
    let mut all = connection.prepare_cached(
        "SELECT id, name, prefix, enabled, created_at_ms, revoked_at_ms, request_count, last_used_at_ms, tightened
         FROM api_keys ORDER BY id",
    )?;
    all.query_and_then([], info)?.collect()
}

fn info(row: &Row<'_>) -> Result<KeyInfo, StoreError> {
    Ok(KeyInfo {
        id: row.get("id")?,
        name: row.get("name")?,
        prefix: row.get("prefix")?,
        enabled: row.get("enabled")?,
        created_at: moment(row.get("created_at_ms")?),
        revoked_at: row.get::<_, Option<i64>>("revoked_at_ms")?.map(moment),
        request_count: row.get::<_, i64>("request_count")?.unsigned_abs(),
        last_used_at: row.get::<_, Option<i64>>("last_used_at_ms")?.map(moment),
        tightened: serde_json::from_str(&row.get::<_, String>("tightened")?)?,
    })
}

/// False where no such key is, or where a revoked one was to be enabled.
pub(super) fn change(
    connection: &Connection,
    id: i64,
    change: KeyChange,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let changed = match change {
        KeyChange::Enable => connection.execute(
            "UPDATE api_keys SET enabled = 1 WHERE id = :id AND revoked_at_ms IS NULL",
            named_params! { ":id": id },
        ),
        KeyChange::Disable => {
            connection.execute("UPDATE api_keys SET enabled = 0 WHERE id = :id", named_params! { ":id": id })
        }
        KeyChange::Revoke => connection.execute(
            "UPDATE api_keys SET enabled = 0, revoked_at_ms = coalesce(revoked_at_ms, :now) WHERE id = :id",
            named_params! { ":id": id, ":now": now_ms },
        ),
    }?;
    Ok(changed == 1)
}

/// Sets how much stricter than the policy a key's requests are reviewed. False where no such key is.
fn tighten(connection: &Connection, id: i64, tightened: &Tightened) -> Result<bool, StoreError> {
    let changed = connection.execute(
        "UPDATE api_keys SET tightened = :tightened WHERE id = :id",
        named_params! { ":id": id, ":tightened": serde_json::to_string(tightened)? },
    )?;
    Ok(changed == 1)
}

/// The keys, for a process that does not serve: `imgen keys` works beside a running service, which notices within a
/// second.
#[derive(Debug)]
pub struct KeyDesk {
    connection: Connection,
    now: OffsetDateTime,
}

impl KeyDesk {
    /// Opens the database, and makes it where it is missing. `now` is written where a time is written.
    pub fn open(config: &StoreConfig, now: OffsetDateTime) -> Result<Self, StoreError> {
        Ok(Self { connection: database::open(config)?, now })
    }

    pub fn create(&mut self, name: &str, random: [u8; 32]) -> Result<NewKey, StoreError> {
        let now_ms = super::moment_ms(self.now);
        self.write(|connection| create(connection, name, random, now_ms))
    }

    pub fn list(&self) -> Result<Vec<KeyInfo>, StoreError> {
        list(&self.connection)
    }

    /// False where no such key is, or where a revoked one was to be enabled.
    pub fn change(&mut self, id: i64, made: KeyChange) -> Result<bool, StoreError> {
        let now_ms = super::moment_ms(self.now);
        self.write(|connection| change(connection, id, made, now_ms))
    }

    /// Sets how much stricter than the policy a key's requests are reviewed. False where no such key is.
    pub fn tighten(&mut self, id: i64, tightened: &Tightened) -> Result<bool, StoreError> {
        self.write(|connection| tighten(connection, id, tightened))
    }

    fn write<T>(&mut self, sql: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = sql(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}
