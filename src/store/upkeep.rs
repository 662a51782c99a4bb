//! What the writer does between writes: request counts, keys changed by another process, idempotency keys grown old,
//! attachments that no job needs any more.

use std::time::{Duration, Instant};

use rusqlite::{Connection, named_params};

use super::callers::Callers;
use super::memory::Count;
use super::writer::{Call, Writer};
use super::{StoreError, attachments, jobs_table};

/// What `PRAGMA data_version` never says, so that keys changed since they were loaded are read once more.
const NEVER_READ: i64 = -1;

const SWEEP_EVERY: Duration = Duration::from_secs(3600);

pub(super) struct Upkeep {
    data_version: i64,
    swept: Option<Instant>,
}

impl Upkeep {
    pub(super) fn new() -> Self {
        Self { data_version: NEVER_READ, swept: None }
    }

    pub(super) fn run(&mut self, writer: &mut Writer) {
        self.flush(writer);
        self.reload_keys(writer);
        if self.swept.is_none_or(|swept| swept.elapsed() >= SWEEP_EVERY) {
            let now_ms = (writer.now_ms)();
            let swept = self.write(writer, move |connection| {
                attachments::sweep(connection)?;
                jobs_table::sweep_idempotency(connection, now_ms)
            });
            if swept.is_some() {
                self.swept = Some(Instant::now());
            }
        }
    }

    /// Writes the request counts. What cannot be written is counted on.
    pub(super) fn flush(&mut self, writer: &mut Writer) {
        let counts = writer.memory.take_counts();
        if counts.is_empty() {
            return;
        }
        let pairs: Vec<(i64, Count)> = counts.into_iter().collect();
        let kept = pairs.clone();
        if self.write(writer, move |connection| add_counts(connection, &pairs)).is_none() {
            for (key_id, count) in kept {
                writer.memory.count(key_id, count);
            }
        }
    }

    /// `PRAGMA data_version` changes when another connection has committed: `imgen keys` ran beside this process.
    fn reload_keys(&mut self, writer: &Writer) {
        let reloaded = data_version(&writer.connection).and_then(|version| {
            if version != self.data_version {
                writer.memory.set_callers(Callers::load(&writer.connection)?);
                self.data_version = version;
            }
            Ok(())
        });
        if let Err(error) = reloaded {
            tracing::warn!(%error, "the API keys could not be read again");
        }
    }

    fn write<T: Send + 'static>(
        &self,
        writer: &mut Writer,
        sql: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Option<T> {
        let (call, mut answer) = Call::new(sql, |_: &_, _: &T| {});
        writer.commit(vec![Box::new(call)]);
        match answer.try_recv() {
            Ok(Ok(done)) => Some(done),
            Ok(Err(error)) => {
                tracing::warn!(%error, "upkeep of the database has to wait");
                None
            }
            Err(_) => None,
        }
    }
}

fn data_version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
}

fn add_counts(connection: &Connection, counts: &[(i64, Count)]) -> Result<(), StoreError> {
    let mut add = connection.prepare_cached(
        "UPDATE api_keys SET request_count = request_count + :requests,
             last_used_at_ms = max(coalesce(last_used_at_ms, 0), :last_used)
         WHERE id = :id",
    )?;
    for (key_id, count) in counts {
        add.execute(named_params! {
            ":id": key_id,
            ":requests": i64::try_from(count.requests).unwrap_or(i64::MAX),
            ":last_used": count.last_used_at_ms,
        })?;
    }
    Ok(())
}
