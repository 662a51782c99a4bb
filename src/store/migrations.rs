//! Forward-only changes of the schema, compiled in.

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// Number and text of each; the number is what `PRAGMA user_version` says afterwards.
const MIGRATIONS: [(u32, &str); 7] = [
    (1, include_str!("migrations/0001_jobs.sql")),
    (2, include_str!("migrations/0002_attachments.sql")),
    (3, include_str!("migrations/0003_records.sql")),
    (4, include_str!("migrations/0004_thumbnail_manifests.sql")),
    (5, include_str!("migrations/0005_ledger.sql")),
    (6, include_str!("migrations/0006_last_draws.sql")),
    (7, include_str!("migrations/0007_in_line.sql")),
];

/// The schema this program works with.
pub(super) const KNOWN: u32 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The schema of an open database; 0 when it is empty.
pub(super) fn version(connection: &Connection) -> Result<u32, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Brings the schema up to [`KNOWN`], each step in a transaction of its own. Two processes may do so at once.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    for (number, sql) in MIGRATIONS {
        if version(connection)? >= number {
            continue;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have done it while this one waited for the lock.
        if version(&transaction)? < number {
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "user_version", number)?;
            transaction.commit()?;
        }
    }
    Ok(())
}
