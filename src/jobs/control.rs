//! The line between a running job and those who may end it: progress one way, a halt the other.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::Live;

/// Why a job has to stop before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// The service stops; the job goes back to the queue.
    Park,
    /// It ran longer than it may.
    TimeOut,
    /// The claim is lost: somebody else has ended the job or taken it.
    Lost,
}

/// Held by the worker, by what it runs and by its heartbeat. Measures time by a monotonic clock: the wall clock may
/// jump.
#[derive(Debug, Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    live: Arc<Live>,
    attempt: u32,
    deadline: Instant,
    note_line: Option<NoteLine>,
    stage: Mutex<Stage>,
    changed: Condvar,
}

/// Told when the job comes to stand in the engine's line, and when it leaves it.
struct NoteLine(Box<dyn Fn(bool) + Send + Sync>);

impl std::fmt::Debug for NoteLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NoteLine")
    }
}

#[derive(Debug, Default)]
struct Stage {
    halt: Option<Halt>,
    done: bool,
    /// Since when the job has stood in the engine's line, where it does.
    in_line_since: Option<Instant>,
    /// How long it stood there before. It is no part of its time.
    in_line: Duration,
}

impl Control {
    /// For an attempt, the first is 1, that starts now and shows its steps in `live`.
    pub fn new(live: Arc<Live>, attempt: u32, timeout: Duration) -> Self {
        Self::with(live, attempt, timeout, None)
    }

    /// The same; `note` is told, before anything is drawn, when the job comes to stand in the engine's line and when it leaves it.
    pub(super) fn noting_line(
        live: Arc<Live>,
        attempt: u32,
        timeout: Duration,
        note: impl Fn(bool) + Send + Sync + 'static,
    ) -> Self {
        Self::with(live, attempt, timeout, Some(NoteLine(Box::new(note))))
    }

    fn with(live: Arc<Live>, attempt: u32, timeout: Duration, note_line: Option<NoteLine>) -> Self {
        let shared = Shared {
            live,
            attempt,
            deadline: Instant::now() + timeout,
            note_line,
            stage: Mutex::default(),
            changed: Condvar::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// From the second on it may have been this job that ended the process.
    pub(super) fn attempt(&self) -> u32 {
        self.shared.attempt
    }

    /// The job stands in the engine's line from now on, until its next progress. Others' pictures may be drawn before it for
    /// longer than it may run itself.
    pub(super) fn stand_in_line(&self) {
        let mut stage = self.stage();
        if stage.in_line_since.is_none() {
            stage.in_line_since = Some(Instant::now());
            drop(stage);
            self.note_line(true);
        }
    }

    /// It is its turn.
    pub(super) fn leave_line(&self) {
        let mut stage = self.stage();
        let Some(since) = stage.in_line_since.take() else { return };
        stage.in_line += since.elapsed();
        drop(stage);
        self.note_line(false);
    }

    fn note_line(&self, stands: bool) {
        if let Some(NoteLine(note)) = &self.shared.note_line {
            note(stands);
        }
    }

    /// Says how far the job is, over all its pictures. False once it has to stop.
    pub fn progress(&self, step: u32, steps: u32) -> bool {
        self.leave_line();
        self.shared.live.set(step, steps);
        self.halted().is_none()
    }

    /// Why the job has to stop, once it has to. The first reason stays.
    pub fn halted(&self) -> Option<Halt> {
        let mut stage = self.stage();
        if stage.halt.is_none() && stage.in_line_since.is_none() && Instant::now() >= self.deadline(&stage) {
            stage.halt = Some(Halt::TimeOut);
        }
        stage.halt
    }

    /// Waits, and returns early once the job has to stop. False then.
    pub fn pause(&self, span: Duration) -> bool {
        let stage = self.stage();
        let left = self.deadline(&stage).saturating_duration_since(Instant::now());
        drop(self.shared.changed.wait_timeout_while(stage, span.min(left), |stage| stage.halt.is_none()));
        self.halted().is_none()
    }

    pub(super) fn halt(&self, why: Halt) {
        self.stage().halt.get_or_insert(why);
        self.shared.changed.notify_all();
    }

    /// Said by the worker once what it runs has returned.
    pub(super) fn done(&self) {
        self.stage().done = true;
        self.shared.changed.notify_all();
    }

    /// Waits for [`Control::done`]; false where the time is over first.
    pub(super) fn wait_done(&self, span: Duration) -> bool {
        let stage = self.stage();
        let waited = self.shared.changed.wait_timeout_while(stage, span, |stage| !stage.done);
        waited.unwrap_or_else(PoisonError::into_inner).0.done
    }

    /// By how much the job has overrun its time.
    pub(super) fn overdue(&self) -> Duration {
        let stage = self.stage();
        match stage.in_line_since {
            Some(_) => Duration::ZERO,
            None => Instant::now().saturating_duration_since(self.deadline(&stage)),
        }
    }

    fn deadline(&self, stage: &Stage) -> Instant {
        self.shared.deadline + stage.in_line
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.shared.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(timeout: Duration) -> Control {
        Control::new(Arc::default(), 1, timeout)
    }

    #[test]
    fn a_halt_cuts_a_pause_short_and_the_first_reason_stays() {
        let control = control(Duration::from_secs(60));
        assert!(control.progress(1, 10));
        let began = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| control.halt(Halt::Park));
            assert!(!control.pause(Duration::from_secs(30)));
        });
        assert!(began.elapsed() < Duration::from_secs(10));
        control.halt(Halt::Lost);
        assert_eq!(control.halted(), Some(Halt::Park));
        assert!(!control.progress(2, 10));
    }

    #[test]
    fn standing_in_line_takes_none_of_its_time() {
        let control = control(Duration::from_millis(200));
        control.stand_in_line();
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!((control.halted(), control.overdue()), (None, Duration::ZERO));
        assert!(control.progress(0, 4), "its turn comes with its time unspent");
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(control.halted(), Some(Halt::TimeOut));
    }

    #[test]
    fn coming_into_the_line_and_leaving_it_are_noted_once() {
        let (said, notes) = std::sync::mpsc::channel();
        let control = Control::noting_line(Arc::default(), 1, Duration::from_secs(60), move |stands| {
            said.send(stands).unwrap();
        });
        control.stand_in_line();
        control.stand_in_line();
        assert!(control.progress(0, 4) && control.progress(1, 4));
        control.stand_in_line();
        assert_eq!(notes.try_iter().collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn time_runs_out_by_itself() {
        let control = control(Duration::from_millis(30));
        assert!(!control.pause(Duration::from_secs(30)), "the pause ends with the time");
        assert_eq!(control.halted(), Some(Halt::TimeOut));
    }
}
