//! Every job that may be asked about soon, in memory: `status` is answered from here.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use time::OffsetDateTime;

use super::record::{Outcome, Receipt};
use crate::jobs::JobState;
use crate::plan::Plan;

/// A job as it stands. A change of state makes a new view; only the steps count on within one.
#[derive(Debug, Clone)]
pub struct JobView {
    pub id: String,
    pub key_id: i64,
    /// The order of submission.
    pub seq: i64,
    pub state: JobState,
    /// How often it was claimed.
    pub attempt: u32,
    pub receipt: Receipt,
    /// `None` where compliance blocked the prompt, or where another version of the program wrote the plan.
    pub plan: Option<Arc<Plan>>,
    pub created_at: OffsetDateTime,
    /// When the present attempt began.
    pub started_at: Option<OffsetDateTime>,
    pub finished_at: Option<OffsetDateTime>,
    /// Present exactly in final states.
    pub outcome: Option<Outcome>,
    pub(super) live: Arc<Live>,
}

/// Of a job that is not COMPLETED.
pub const MOST_PROGRESS: f64 = 0.99;

impl JobView {
    /// Steps done in the present attempt, over all pictures of the job.
    pub fn step(&self) -> u32 {
        self.live.get().0
    }

    /// Steps in all; 0 until it is the first picture's turn.
    pub fn steps(&self) -> u32 {
        self.live.get().1
    }

    /// 0 to 1; 1 only when COMPLETED.
    pub fn progress(&self) -> f64 {
        match (self.state, self.live.get()) {
            (JobState::Completed, _) => 1.0,
            (_, (_, 0)) => 0.0,
            // What follows the last step (encode, upload) is not over yet.
            (_, (step, steps)) => (f64::from(step) / f64::from(steps)).min(MOST_PROGRESS),
        }
    }
}

/// Progress of a running attempt: written by the worker, read by `status`, never stored.
#[derive(Debug, Default)]
pub struct Live(AtomicU64);

impl Live {
    pub fn set(&self, step: u32, steps: u32) {
        self.0.store(u64::from(step) << 32 | u64::from(steps), Ordering::Relaxed);
    }

    fn get(&self) -> (u32, u32) {
        let both = self.0.load(Ordering::Relaxed);
        ((both >> 32) as u32, both as u32)
    }
}

/// What memory says of an id.
pub(super) enum Found {
    Here(Arc<JobView>),
    /// Not here, but jobs were put out of memory: the disk must say.
    Unsure,
    Nowhere,
}

/// The views of all unfinished jobs and of the latest finished ones.
pub(super) struct Views {
    inner: RwLock<Inner>,
    /// Finished jobs kept.
    keep: usize,
}

struct Inner {
    by_id: HashMap<String, Arc<JobView>>,
    /// Waiting jobs by `seq`.
    waiting: BTreeSet<i64>,
    /// Finished jobs, first to go first.
    finished: VecDeque<String>,
    all_here: bool,
}

impl Views {
    pub(super) fn new(views: Vec<JobView>, all_here: bool, keep: usize) -> Self {
        let inner =
            Inner { by_id: HashMap::new(), waiting: BTreeSet::new(), finished: VecDeque::new(), all_here };
        let all = Self { inner: RwLock::new(inner), keep };
        for view in views {
            all.put(view);
        }
        all
    }

    /// A job of this key. Another key's job is not told from one that does not exist, not even by where it is
    /// looked for.
    pub(super) fn find(&self, key_id: i64, id: &str) -> Found {
        let inner = self.read();
        match inner.by_id.get(id).filter(|view| view.key_id == key_id) {
            Some(view) => Found::Here(view.clone()),
            None if inner.all_here => Found::Nowhere,
            None => Found::Unsure,
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<JobView>> {
        self.read().by_id.get(id).cloned()
    }

    pub(super) fn put(&self, view: JobView) -> Arc<JobView> {
        let mut inner = self.write();
        let view = Arc::new(view);
        let before = inner.by_id.insert(view.id.clone(), view.clone());
        if view.state == JobState::InQueue {
            inner.waiting.insert(view.seq);
        } else {
            inner.waiting.remove(&view.seq);
        }
        if view.state.is_final() && !before.is_some_and(|before| before.state.is_final()) {
            inner.finished.push_back(view.id.clone());
            while inner.finished.len() > self.keep {
                if let Some(oldest) = inner.finished.pop_front() {
                    inner.by_id.remove(&oldest);
                    inner.all_here = false;
                }
            }
        }
        view
    }

    /// Puts a changed copy in the place of a view.
    pub(super) fn change(&self, id: &str, change: impl FnOnce(&mut JobView)) -> Option<Arc<JobView>> {
        let mut view = JobView::clone(&*self.get(id)?);
        change(&mut view);
        Some(self.put(view))
    }

    /// How many jobs wait before this one, or `None` where it does not wait.
    pub(super) fn position(&self, seq: i64) -> Option<usize> {
        let inner = self.read();
        inner.waiting.contains(&seq).then(|| inner.waiting.range(..seq).count())
    }

    pub(super) fn waiting(&self) -> usize {
        self.read().waiting.len()
    }

    pub(super) fn len(&self) -> usize {
        self.read().by_id.len()
    }

    // Nothing in here panics between two changes, so a poisoned lock still guards whole data.
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}
