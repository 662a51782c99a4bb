//! The store as the rest of the house sees it.

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use rusqlite::Connection;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::callers::{Caller, Callers};
use super::jobs_table::{self, Inserted};
use super::keys::{self, KeyChange, KeyInfo, NewKey};
use super::memory::{Count, Memory};
use super::record::{Idempotency, NewJob, Submitted, Ticket};
use super::view::{Found, JobView, Views};
use super::writer::{CHANNEL, Call, Write, Writer};
use super::{
    Clock, StoreConfig, StoreError, SubmitError, attachments, database, last_draws, ledger, moment,
    system_clock,
};
use crate::compliance::Category;
use crate::jobs::JobState;

/// The jobs and API keys of a serving process. A clone is another handle to the same store.
///
/// The database is closed when [`Store::close`] returns, or some time after the last handle is dropped.
#[derive(Clone)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) memory: Arc<Memory>,
    pub(super) now_ms: Clock,
    pub(super) config: StoreConfig,
    sender: RwLock<Option<mpsc::Sender<Box<dyn Write>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    reader: Mutex<Connection>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("data_dir", &self.inner.config.data_dir).finish_non_exhaustive()
    }
}

impl Store {
    /// Takes the data folder for this process, checks the database, brings its schema up to date and reads what
    /// `status` may be asked about. Blocks; reads the whole file.
    ///
    /// Jobs that were running when the last process ended wait for [`Store::recover`].
    pub fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        Self::open_with_clock(config, Arc::new(system_clock))
    }

    /// [`Store::open`] with the clock given: milliseconds since 1970, allowed to jump.
    pub fn open_with_clock(config: &StoreConfig, now_ms: Clock) -> Result<Self, StoreError> {
        let held = database::hold(config)?;
        let connection = database::open(config)?;
        database::check(&connection, &config.database())?;
        let (mut views, all_here) = jobs_table::load_finished(&connection, config.finished_in_memory)?;
        views.extend(jobs_table::load_unfinished(&connection)?);
        let views = Views::new(views, all_here, config.finished_in_memory);
        let memory = Arc::new(Memory::new(views, Callers::load(&connection)?));
        let reader = Mutex::new(database::open_reader(config)?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| StoreError::no_thread(&error))?;
        let writer = Writer {
            connection,
            config: config.clone(),
            memory: memory.clone(),
            now_ms: now_ms.clone(),
            runtime,
        };
        let (sender, writes) = mpsc::channel(CHANNEL);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || write_until_closed(writer, writes, held))
            .map_err(|error| StoreError::no_thread(&error))?;
        let inner = Inner {
            memory,
            now_ms,
            config: config.clone(),
            sender: RwLock::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            reader,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Writes what still waits, folds the log into the database and lets go of the folder. Later calls, by any handle,
    /// get [`StoreError::Closed`]; what is in memory can still be read.
    pub async fn close(&self) {
        let inner = self.inner.clone();
        let closed = tokio::task::spawn_blocking(move || inner.close()).await;
        if let Err(error) = closed {
            tracing::error!(%error, "the store did not close well");
        }
    }

    /// Stores a job. When it returns the job survives any crash.
    pub async fn submit(&self, new: NewJob) -> Result<Submitted, SubmitError> {
        let now_ms = (self.inner.now_ms)();
        let max_queue = self.inner.config.max_queue;
        let new = Arc::new(new);
        let stored = new.clone();
        let inserted = self
            .write(
                move |connection| jobs_table::insert(connection, &stored, now_ms, max_queue),
                move |memory, inserted| show_new(memory, &new, inserted, now_ms),
            )
            .await?;
        match inserted {
            Inserted::Done { submitted, .. } => Ok(submitted),
            Inserted::QueueFull => Err(SubmitError::QueueFull),
            Inserted::IdempotencyMismatch => Err(SubmitError::IdempotencyMismatch),
        }
    }

    /// What a key's earlier request under the same idempotency key was answered with, so that nothing costly is done for
    /// a repeated one.
    ///
    /// # Errors
    /// As [`Store::submit`], also where the earlier request had another body.
    pub async fn submitted_before(
        &self,
        key_id: i64,
        sent: Idempotency,
    ) -> Result<Option<Ticket>, SubmitError> {
        let now_ms = (self.inner.now_ms)();
        let seen = self
            .write(move |connection| jobs_table::seen_before(connection, key_id, &sent, now_ms), |_, _| {})
            .await?;
        match seen {
            None => Ok(None),
            Some(Inserted::Done { submitted, .. }) => Ok(Some(submitted.ticket().clone())),
            Some(Inserted::QueueFull) => Err(SubmitError::QueueFull),
            Some(Inserted::IdempotencyMismatch) => Err(SubmitError::IdempotencyMismatch),
        }
    }

    /// Writes into the ledger what was decided of a request that is no job; `id` is what it is known by. When it returns the
    /// entries survive any crash.
    pub async fn note(&self, id: String, key_id: i64, entries: Vec<Value>) -> Result<(), StoreError> {
        let now_ms = (self.inner.now_ms)();
        self.write(move |connection| ledger::note(connection, &id, key_id, entries, now_ms), |_, _| {}).await
    }

    /// Draws for a key: `draw` is told what the key was given last, and gives what to remember beside its answer. One draw comes
    /// after the other, before and after a restart.
    pub async fn draw<T: Send + 'static, E: Send + 'static>(
        &self,
        key_id: i64,
        draw: impl FnOnce(&str) -> Result<(String, T), E> + Send + 'static,
    ) -> Result<Result<T, E>, StoreError> {
        let sql = move |connection: &Connection| match draw(&last_draws::of(connection, key_id)?) {
            Ok((text, drawn)) => {
                last_draws::note(connection, key_id, &text)?;
                Ok(Ok(drawn))
            }
            Err(error) => Ok(Err(error)),
        };
        self.write(sql, |_, _| {}).await
    }

    /// A job of this key: from memory, or from the disk, off the event loop, where it ended long ago. Unknown,
    /// malformed and another key's ids all take the same way to `None`.
    pub async fn job(&self, key_id: i64, id: &str) -> Option<Arc<JobView>> {
        match self.inner.memory.views.find(key_id, id) {
            Found::Here(view) => Some(view),
            Found::Nowhere => None,
            Found::Unsure => {
                let inner = self.inner.clone();
                let id = id.to_owned();
                tokio::task::spawn_blocking(move || inner.read_job(key_id, &id)).await.ok().flatten()
            }
        }
    }

    /// A file that was submitted beside a job that has not ended yet, by its name. Blocks: for plain threads only.
    pub fn attachment(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let reader = self.inner.reader.lock().unwrap_or_else(PoisonError::into_inner);
        attachments::load(&reader, name)
    }

    /// What an operator let pass of a key's texts of this hash. Blocks: for plain threads only.
    pub fn overridden(&self, key_id: i64, text_sha256: &str) -> Result<Vec<Category>, StoreError> {
        let reader = self.inner.reader.lock().unwrap_or_else(PoisonError::into_inner);
        ledger::overridden(&reader, key_id, text_sha256)
    }

    /// How many jobs wait before this one: 0 for the next; `None` where it does not wait.
    pub fn queue_position(&self, view: &JobView) -> Option<usize> {
        self.inner.memory.views.position(view.seq)
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        self.inner.memory.views.waiting()
    }

    /// How many jobs can be answered for without the disk.
    pub fn in_memory(&self) -> usize {
        self.inner.memory.views.len()
    }

    /// Whose token this is, where it is valid and enabled. From memory; compares hashes in constant time.
    pub fn authenticate(&self, token: &str) -> Option<Caller> {
        self.inner.memory.callers().find(token).cloned()
    }

    /// Counts a request of a key. Written within a second, and at the close.
    pub fn count_request(&self, key_id: i64) {
        self.inner.memory.count(key_id, Count { requests: 1, last_used_at_ms: (self.inner.now_ms)() });
    }

    /// Makes a key with a token drawn from `random` (see [`super::ids::os_random`]).
    pub async fn create_key(&self, name: &str, random: [u8; 32]) -> Result<NewKey, StoreError> {
        let now_ms = (self.inner.now_ms)();
        let name = name.to_owned();
        self.write_keys(move |connection| keys::create(connection, &name, random, now_ms)).await
    }

    /// Makes sure that a token given from outside is a key, and returns its id. A disabled or revoked one stays so.
    pub async fn ensure_key(&self, name: &str, token: &str) -> Result<i64, StoreError> {
        let now_ms = (self.inner.now_ms)();
        let (name, token) = (name.to_owned(), token.to_owned());
        self.write_keys(move |connection| keys::ensure(connection, &name, &token, now_ms)).await
    }

    /// All keys, with their counts as of the last second.
    pub async fn list_keys(&self) -> Result<Vec<KeyInfo>, StoreError> {
        self.write(keys::list, |_, _| {}).await
    }

    /// False where no such key is, or where a revoked one was to be enabled.
    pub async fn change_key(&self, id: i64, change: KeyChange) -> Result<bool, StoreError> {
        let now_ms = (self.inner.now_ms)();
        self.write_keys(move |connection| keys::change(connection, id, change, now_ms)).await
    }

    /// A write whose effect on the keys is seen at once.
    async fn write_keys<T: Send + 'static>(
        &self,
        sql: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, callers) = self
            .write(
                move |connection| {
                    let done = sql(connection)?;
                    Ok((done, Mutex::new(Some(Callers::load(connection)?))))
                },
                |memory, (_, callers): &(T, Mutex<Option<Callers>>)| {
                    if let Some(callers) = callers.lock().unwrap_or_else(PoisonError::into_inner).take() {
                        memory.set_callers(callers);
                    }
                },
            )
            .await?;
        drop(callers);
        Ok(done)
    }

    pub(super) async fn write<T, S, A>(&self, sql: S, apply: A) -> Result<T, StoreError>
    where
        T: Send + 'static,
        S: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        A: FnOnce(&Memory, &T) + Send + 'static,
    {
        let (call, answer) = Call::new(sql, apply);
        self.inner.sender()?.send(Box::new(call)).await.map_err(|_| StoreError::Closed)?;
        received(answer.await)
    }

    /// [`Store::write`], from a plain thread.
    pub(super) fn write_blocking<T, S, A>(&self, sql: S, apply: A) -> Result<T, StoreError>
    where
        T: Send + 'static,
        S: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        A: FnOnce(&Memory, &T) + Send + 'static,
    {
        let (call, answer) = Call::new(sql, apply);
        self.inner.sender()?.blocking_send(Box::new(call)).map_err(|_| StoreError::Closed)?;
        received(answer.blocking_recv())
    }
}

impl Inner {
    fn sender(&self) -> Result<mpsc::Sender<Box<dyn Write>>, StoreError> {
        self.sender.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(StoreError::Closed)
    }

    fn close(&self) {
        self.sender.write().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the store's thread ended in a panic");
        }
    }

    fn read_job(&self, key_id: i64, id: &str) -> Option<Arc<JobView>> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match jobs_table::load_one(&reader, key_id, id) {
            Ok(found) => found
                .map(|view| if view.state.is_final() { self.memory.views.put(view) } else { Arc::new(view) }),
            Err(error) => {
                tracing::error!(%error, "a job could not be read");
                None
            }
        }
    }
}

fn write_until_closed(writer: Writer, writes: mpsc::Receiver<Box<dyn Write>>, held: File) {
    writer.run(writes);
    // Only now may another process take the folder.
    drop(held);
}

fn received<T>(answer: Result<Result<T, StoreError>, oneshot::error::RecvError>) -> Result<T, StoreError> {
    answer.unwrap_or(Err(StoreError::Closed))
}

fn show_new(memory: &Memory, new: &NewJob, inserted: &Inserted, now_ms: i64) {
    let Inserted::Done { submitted: Submitted::New(ticket), seq } = inserted else {
        return;
    };
    let (state, plan, outcome) = new.verdict.parts();
    memory.views.put(JobView {
        id: ticket.id.clone(),
        key_id: new.key_id,
        seq: *seq,
        state,
        attempt: 0,
        receipt: ticket.receipt.clone(),
        plan,
        created_at: moment(now_ms),
        started_at: None,
        finished_at: state.is_final().then(|| moment(now_ms)),
        outcome,
        live: Arc::default(),
    });
    if state == JobState::InQueue {
        memory.bell.ring();
    }
}
