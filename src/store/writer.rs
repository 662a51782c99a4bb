//! The one thread that writes. What waits is written by one commit, and answered after it: an answer means durable.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::memory::Memory;
use super::{Clock, StoreConfig, StoreError, database, upkeep};

/// Writes that may wait for the thread; more callers wait before their write does.
pub(super) const CHANNEL: usize = 1024;

/// How often the thread looks after what nobody asks for.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);

/// One caller's write, its types put away.
pub(super) trait Write: Send {
    /// Runs the SQL inside the caller's savepoint.
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;
    /// Says what became of it: after the commit, or with the reason why it is not kept.
    fn settle(self: Box<Self>, kept: Result<(), StoreError>, memory: &Memory);
}

/// `sql` runs in the transaction; `apply` brings memory up to date once it is durable, before the answer.
pub(super) struct Call<T, S, A> {
    sql: Option<S>,
    apply: A,
    done: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, S, A> Call<T, S, A> {
    pub(super) fn new(sql: S, apply: A) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { sql: Some(sql), apply, done: None, reply }, answer)
    }
}

impl<T, S, A> Write for Call<T, S, A>
where
    T: Send,
    S: FnOnce(&Connection) -> Result<T, StoreError> + Send,
    A: FnOnce(&Memory, &T) + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if let Some(sql) = self.sql.take() {
            self.done = Some(sql(connection)?);
        }
        Ok(())
    }

    fn settle(self: Box<Self>, kept: Result<(), StoreError>, memory: &Memory) {
        let answer = match (kept, self.done) {
            (Ok(()), Some(done)) => {
                (self.apply)(memory, &done);
                Ok(done)
            }
            (Ok(()), None) => Err(StoreError::Closed),
            (Err(error), _) => Err(error),
        };
        // The caller may be gone; what it asked for is done all the same.
        let _ = self.reply.send(answer);
    }
}

/// What the thread works with.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) config: StoreConfig,
    pub(super) memory: Arc<Memory>,
    pub(super) now_ms: Clock,
    /// Only for waiting: nothing is spawned on it.
    pub(super) runtime: tokio::runtime::Runtime,
}

impl Writer {
    /// Until every sender is gone; then what is still in the channel is written first.
    pub(super) fn run(mut self, mut writes: mpsc::Receiver<Box<dyn Write>>) {
        let mut upkeep = upkeep::Upkeep::new();
        let mut next = Instant::now() + UPKEEP_EVERY;
        loop {
            let first = self.runtime.block_on(async { tokio::time::timeout_at(next, writes.recv()).await });
            match first {
                Ok(Some(first)) => {
                    let mut batch = vec![first];
                    while batch.len() < self.config.group_commit_rows
                        && let Ok(more) = writes.try_recv()
                    {
                        batch.push(more);
                    }
                    self.commit(batch);
                }
                Ok(None) => break,
                Err(_) => {}
            }
            if Instant::now() >= next {
                upkeep.run(&mut self);
                next = Instant::now() + UPKEEP_EVERY;
            }
        }
        upkeep.flush(&mut self);
        if let Err(error) = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the write-ahead log could not be folded into the database; it is at the next start");
        }
    }

    /// One transaction for all, a savepoint for each: a statement that fails takes nobody with it.
    pub(super) fn commit(&mut self, batch: Vec<Box<dyn Write>>) {
        let mut done = Vec::with_capacity(batch.len());
        let mut waiting = batch.into_iter();
        let kept = self.begin().and_then(|()| {
            for mut write in waiting.by_ref() {
                match self.within_savepoint(write.as_mut()) {
                    Ok(Ok(())) => done.push(write),
                    Ok(Err(error)) => self.settle(write, Err(error)),
                    Err(fatal) => {
                        self.settle(write, Err(fatal.clone()));
                        return Err(fatal);
                    }
                }
            }
            self.connection.execute_batch("COMMIT").map_err(StoreError::from)
        });
        if let Err(error) = &kept {
            tracing::error!(%error, writes = done.len(), "nothing of this commit was kept");
            self.recover();
        }
        for write in done.into_iter().chain(waiting) {
            self.settle(write, kept.clone());
        }
    }

    fn begin(&self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// The inner error is the caller's alone; the outer one means that the transaction cannot go on.
    fn within_savepoint(&self, write: &mut dyn Write) -> Result<Result<(), StoreError>, StoreError> {
        self.connection.prepare_cached("SAVEPOINT caller")?.execute([])?;
        let done = catch_unwind(AssertUnwindSafe(|| write.run(&self.connection)))
            .unwrap_or_else(|panic| Err(StoreError::Panicked(panic_text(&*panic))));
        // A full disk can make SQLite give up the transaction as a whole.
        if self.connection.is_autocommit() {
            return Err(done
                .err()
                .unwrap_or_else(|| StoreError::Sql("the transaction ended early".to_owned())));
        }
        if done.is_err() {
            self.connection.prepare_cached("ROLLBACK TO caller")?.execute([])?;
        }
        self.connection.prepare_cached("RELEASE caller")?.execute([])?;
        Ok(done)
    }

    /// A panic while one caller is answered must not silence the others.
    fn settle(&self, write: Box<dyn Write>, kept: Result<(), StoreError>) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| write.settle(kept, &self.memory))) {
            tracing::error!(panic = panic_text(&*panic), "a write was kept, but memory does not show it");
        }
    }

    /// Leaves no transaction open, so that the next commit starts clean; a connection that cannot is replaced.
    fn recover(&mut self) {
        if !self.connection.is_autocommit() && self.connection.execute_batch("ROLLBACK").is_err() {
            match database::open(&self.config) {
                Ok(fresh) => self.connection = fresh,
                Err(error) => tracing::error!(%error, "the database could not be opened again"),
            }
        }
    }
}

/// What a panic said, where it said something.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a text".to_owned())
}
