//! Plain threads that take the oldest waiting job, run it under a net, and record what became of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::JobsConfig;
use super::control::{Control, Halt};
use super::ending::{CookError, Cooked, Ending, ending, without_trace};
use crate::plan::Plan;
use crate::store::{Claim, Claimed, Failure, Live, Outcome, Store, StoreError, Trace, panic_text};

/// What a worker runs for each job. It reports progress to the [`Control`] and stops when that says so.
pub type Cook = Box<dyn Fn(&Plan, &Control) -> Result<Cooked, CookError> + Send>;

/// How long an idle worker listens before it looks again.
const IDLE: Duration = Duration::from_secs(5);
/// How long after its time a job that does not react is given up: longer than any one step or decode.
const OVERDUE: Duration = Duration::from_secs(120);
/// How long a stop waits for a job to react to being parked.
const PARKING: Duration = Duration::from_secs(60);
/// Between tries to record, when the store cannot write.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

/// The running workers.
#[derive(Debug)]
pub struct Workers {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    config: JobsConfig,
    stopping: AtomicBool,
    /// What each worker runs at the moment.
    running: Mutex<Vec<Option<Control>>>,
}

impl Workers {
    /// Lets wait again what the last process left running, and starts one worker for each cook.
    pub async fn start(store: Store, cooks: Vec<Cook>, config: &JobsConfig) -> Result<Self, StoreError> {
        let interrupted = store.recover(config.max_attempts).await?;
        if interrupted > 0 {
            tracing::warn!(jobs = interrupted, "the last process ended while it ran jobs");
        }
        let shared = Arc::new(Shared {
            store,
            config: config.clone(),
            stopping: AtomicBool::new(false),
            running: Mutex::new(vec![None; cooks.len()]),
        });
        let workers = Self { shared: shared.clone(), threads: Mutex::default() };
        for (number, cook) in cooks.into_iter().enumerate() {
            let shared = shared.clone();
            let thread = std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || shared.work(number, &cook))
                .map_err(|error| StoreError::no_thread(&error))?;
            workers.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(workers)
    }

    /// Whether a worker has ended unasked, or runs a job that has overrun its time and does not react, as with a driver
    /// that hangs. Then the process should be restarted.
    pub fn stuck(&self) -> bool {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = !self.shared.stopping() && threads.iter().any(JoinHandle::is_finished);
        ended || self.shared.running().iter().flatten().any(|control| control.overdue() > OVERDUE)
    }

    /// Takes no more jobs, lets the running ones finish for `stop_grace_s`, parks the rest. False where one did not react;
    /// it is run again after the next start. To be followed by [`Store::close`].
    pub async fn stop(self) -> bool {
        let stopped = tokio::task::spawn_blocking(move || self.stop_blocking()).await;
        stopped.unwrap_or(false)
    }

    /// [`Workers::stop`], from a plain thread.
    pub fn stop_blocking(&self) -> bool {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.store.wake_workers();
        if !self.ended_by(Instant::now() + Duration::from_secs(self.shared.config.stop_grace_s)) {
            for control in self.shared.running().iter().flatten() {
                control.halt(Halt::Park);
            }
        }
        self.ended_by(Instant::now() + PARKING)
    }

    fn ended_by(&self, deadline: Instant) -> bool {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if threads.iter().all(JoinHandle::is_finished) {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Shared {
    fn work(&self, number: usize, cook: &Cook) {
        let owner = format!("{}-{number}", std::process::id());
        while !self.stopping() {
            let heard = self.store.rings();
            match self.store.claim(&owner, self.lease()) {
                Ok(Some(claimed)) => self.run(number, claimed, cook),
                Ok(None) if self.stopping() => {}
                Ok(None) => self.store.wait_for_work(heard, IDLE),
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::warn!(%error, "no job can be claimed for now");
                    std::thread::sleep(RECORD_AGAIN);
                }
            }
        }
    }

    fn run(&self, number: usize, claimed: Claimed, cook: &Cook) {
        let Claimed { claim, view, live } = claimed;
        let Some(plan) = view.plan.as_deref() else {
            let failure =
                Failure::new("PLAN_UNREADABLE", "the plan was written by another version of the program");
            return self.end(&claim, &without_trace(Outcome::Failed(failure)));
        };
        tracing::info!(job = claim.id, attempt = claim.attempt, "job started");
        let control = self.control(&claim, live);
        self.set_running(number, Some(control.clone()));
        let cooked = std::thread::scope(|scope| {
            let heartbeat = std::thread::Builder::new().name(format!("heartbeat-{number}"));
            if let Err(error) = heartbeat.spawn_scoped(scope, || self.heartbeat(&claim, &control)) {
                // Nobody else claims a job of this process's, so it goes on; only a hang would not be noticed.
                tracing::error!(%error, "no thread for the heartbeat");
            }
            let cooked = catch_unwind(AssertUnwindSafe(|| cook(plan, &control)));
            control.done();
            cooked.unwrap_or_else(|panic| Err(CookError::failed("PANICKED", &panic_text(&*panic), true)))
        });
        match &cooked {
            Err(CookError::Halted { .. }) => {
                tracing::info!(job = claim.id, why = ?control.halted(), "the job was stopped");
            }
            Err(error) => {
                tracing::warn!(job = claim.id, attempt = claim.attempt, %error, "an attempt gave no pictures");
            }
            Ok(_) => {}
        }
        let ending = ending(cooked, control.halted(), claim.attempt, self.config.max_attempts);
        self.end(&claim, &ending);
        self.set_running(number, None);
    }

    /// A lone worker's jobs stand in nobody's line.
    fn control(&self, claim: &Claim, live: Arc<Live>) -> Control {
        let timeout = Duration::from_secs(self.config.timeout_s);
        if self.running().len() == 1 {
            return Control::new(live, claim.attempt, timeout);
        }
        let (store, noted) = (self.store.clone(), claim.clone());
        Control::noting_line(live, claim.attempt, timeout, move |stands| {
            if let Err(error) = store.note_line(&noted, stands) {
                tracing::warn!(job = noted.id, %error, "its place in the engine's line could not be noted");
            }
        })
    }

    /// Renews the lease while the job runs, and gives up a job that has long overrun its time and does not react.
    fn heartbeat(&self, claim: &Claim, control: &Control) {
        while !control.wait_done(self.lease() / 3) {
            if control.overdue() > OVERDUE {
                tracing::error!(job = claim.id, "the job has overrun its time and does not react");
                control.halt(Halt::TimeOut);
                let failure = Failure::new("HUNG", "it overran its time and did not react");
                return self.end(claim, &without_trace(Outcome::TimedOut(failure)));
            }
            match self.store.renew(claim, self.lease()) {
                Ok(true) => {}
                Ok(false) => return control.halt(Halt::Lost),
                Err(error) => tracing::warn!(job = claim.id, %error, "the lease could not be renewed"),
            }
        }
    }

    /// Records until the store can write: what was drawn is not thrown away for a full disk. Pictures whose record is
    /// another picture's cannot be published at all, since every copy would lead to that one.
    fn end(&self, claim: &Claim, ending: &Ending) {
        loop {
            let recorded = match ending {
                Ending::Record(outcome, trace) => self.store.finish(claim, outcome.clone(), trace.clone()),
                Ending::Park(evidence) => self.store.requeue(claim, None, evidence.clone()),
                Ending::Again(failure, evidence) => {
                    self.store.requeue(claim, Some(failure.clone()), evidence.clone())
                }
                // What was looked at was looked at, whoever answers for the job.
                Ending::Drop(evidence) => self.store.witness(&claim.id, evidence.clone()).map(|()| false),
            };
            match recorded {
                Ok(true) => {
                    tracing::info!(
                        job = claim.id,
                        attempt = claim.attempt,
                        ending = ending.name(),
                        "job ended"
                    );
                    return;
                }
                Ok(false) => {
                    if let Ending::Record(_, trace) = ending {
                        return self.end(claim, &Ending::Drop(trace.evidence.clone()));
                    }
                    tracing::warn!(
                        job = claim.id,
                        attempt = claim.attempt,
                        "the claim was lost; nothing but review's evidence is recorded"
                    );
                    return;
                }
                Err(error @ StoreError::RecordTaken { .. }) => {
                    tracing::error!(job = claim.id, %error, "the job fails");
                    let failure = Failure::new("RECORD_TAKEN", error.to_string());
                    let trace = Trace { evidence: ending.evidence().to_vec(), ..Trace::default() };
                    return self.end(claim, &Ending::Record(Outcome::Failed(failure), trace));
                }
                Err(error) => {
                    tracing::error!(job = claim.id, %error, "what became of the job cannot be recorded yet");
                    // After a stop the next start finds the job as it was claimed.
                    if self.stopping() || error == StoreError::Closed {
                        return;
                    }
                    std::thread::sleep(RECORD_AGAIN);
                }
            }
        }
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn lease(&self) -> Duration {
        Duration::from_secs(self.config.lease_s)
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Vec<Option<Control>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_running(&self, number: usize, control: Option<Control>) {
        if let Some(slot) = self.running().get_mut(number) {
            *slot = control;
        }
    }
}
