//! The small model inside this process: one thread owns it, and loads it when it is first asked.
//!
//! - `model`: the weights, and a text gone on with
//! - `examples`: what the model is shown
//! - `sampling`: one token out of many, by a seed

mod examples;
mod model;
mod sampling;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::enhancer::{EnhanceError, Enhancer, Grasp, Wish};
use model::Model;

/// What every GGUF file begins with.
const MAGIC: &[u8; 4] = b"GGUF";

/// SmolLM2-135M-Instruct, or another small llama of this format.
#[derive(Debug)]
pub struct Embedded {
    file: PathBuf,
    timeout: Duration,
    /// Wishes that may wait for the thread.
    queue: usize,
    /// The way to the thread, once there is one.
    thread: Mutex<Option<SyncSender<Job>>>,
}

/// One wish on its way to the thread.
#[derive(Debug)]
struct Job {
    wish: Wish,
    /// When nobody waits for the answer any more.
    until: Instant,
    answer: SyncSender<Result<String, EnhanceError>>,
}

impl Embedded {
    /// Nothing is read yet.
    pub fn new(file: PathBuf, timeout: Duration, queue: usize) -> Self {
        Self { file, timeout, queue: queue.max(1), thread: Mutex::new(None) }
    }

    fn failed(file: &Path, message: &dyn std::fmt::Display) -> EnhanceError {
        EnhanceError::Model { path: file.display().to_string(), message: message.to_string() }
    }

    /// The way to the thread, which is started where there is none.
    fn thread(&self) -> Result<SyncSender<Job>, EnhanceError> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*thread {
            return Ok(sender.clone());
        }
        let (sender, jobs) = sync_channel(self.queue);
        let file = self.file.clone();
        let started =
            std::thread::Builder::new().name("enhance".to_owned()).spawn(move || work(&file, &jobs));
        started.map_err(|error| Self::failed(&self.file, &error))?;
        *thread = Some(sender.clone());
        Ok(sender)
    }
}

impl Enhancer for Embedded {
    fn propose(&self, wish: &Wish) -> Result<String, EnhanceError> {
        let until = Instant::now() + self.timeout;
        let (answer, answered) = sync_channel(1);
        let job = Job { wish: wish.clone(), until, answer };
        self.thread()?.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => EnhanceError::Busy,
            TrySendError::Disconnected(_) => Self::failed(&self.file, &"its thread has ended"),
        })?;
        answered.recv_timeout(self.timeout).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(EnhanceError::Timeout),
            RecvTimeoutError::Disconnected => Err(Self::failed(&self.file, &"its thread has ended")),
        })
    }

    /// 135 million weights propose dark chocolate beside a cozy sweater.
    fn grasp(&self) -> Grasp {
        Grasp::Fragments
    }

    fn check(&self) -> Result<String, EnhanceError> {
        use std::io::Read;
        let mut magic = [0; 4];
        let read = std::fs::File::open(&self.file).and_then(|mut file| file.read_exact(&mut magic));
        read.map_err(|error| Self::failed(&self.file, &error))?;
        if &magic != MAGIC {
            return Err(Self::failed(&self.file, &"not a GGUF file"));
        }
        Ok(format!("embedded, {}", self.file.display()))
    }
}

/// Until nobody can ask any more. What cannot be loaded is tried again at the next wish: the file may come.
fn work(file: &Path, jobs: &Receiver<Job>) {
    let mut model = None;
    while let Ok(Job { wish, until, answer }) = jobs.recv() {
        if Instant::now() >= until {
            // Whoever asked may be a moment behind this clock, and would take silence for the end of this thread.
            let _ = answer.send(Err(EnhanceError::Timeout));
            continue;
        }
        // Whatever a file holds, and whatever a library makes of it.
        let done = catch_unwind(AssertUnwindSafe(|| complete(file, &mut model, &wish, until)));
        let done = done.unwrap_or_else(|_| {
            model = None;
            Err(Embedded::failed(file, &"the model panicked"))
        });
        // Whoever asked may have gone.
        let _ = answer.send(done);
    }
}

fn complete(
    file: &Path,
    model: &mut Option<Model>,
    wish: &Wish,
    until: Instant,
) -> Result<String, EnhanceError> {
    let loaded = match model {
        Some(loaded) => loaded,
        None => {
            let begun = Instant::now();
            let loaded = Model::load(file).map_err(|error| Embedded::failed(file, &error))?;
            tracing::info!(took_ms = begun.elapsed().as_millis(), "the enhancement model is loaded");
            model.insert(loaded)
        }
    };
    let said = loaded.complete(wish, until).map_err(|error| Embedded::failed(file, &error))?;
    said.ok_or(EnhanceError::Timeout)
}

#[cfg(test)]
mod tests;
