//! What each key was given last by chance.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::StoreError;

/// Empty where it was given nothing yet.
pub(super) fn of(connection: &Connection, key_id: i64) -> Result<String, StoreError> {
    let mut select = connection.prepare_cached("SELECT text FROM last_draws WHERE key_id = :key_id")?;
    let text = select.query_row(named_params! { ":key_id": key_id }, |row| row.get(0)).optional()?;
    Ok(text.unwrap_or_default())
}

pub(super) fn note(connection: &Connection, key_id: i64, text: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO last_draws (key_id, text) VALUES (:key_id, :text)")?
        .execute(named_params! { ":key_id": key_id, ":text": text })?;
    Ok(())
}
