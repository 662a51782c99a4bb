//! A drawn picture, before anything of it leaves the house: what networks and lists say of it.
//!
//! - `open_nsfw`: how likely it is unfit for work
//! - `hash_list`: whether it is one that is known
//!
//! The network runs on a thread of its own, so that one that hangs or crashes takes nothing with it; whoever waits for it
//! is told in time that there is no answer.

mod hash_list;
mod open_nsfw;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use image::RgbImage;
use thiserror::Error;

use super::{Category, ComplianceConfig};
use crate::finish::pdq::{Hash256, hash_rgb};
use crate::onnx::RunError;
use hash_list::HashList;
pub use hash_list::HashListError;
use open_nsfw::OpenNsfw;

/// The picture could not be looked at, and so must not be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the picture filter: {0}")]
pub struct FilterUnavailable(String);

/// A known picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The list's file name.
    pub list: String,
    pub category: Category,
}

/// What is to be said of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Signs {
    /// How likely it is unfit for work, 0 to 1.
    pub unfit: f32,
    pub known: Vec<Known>,
    /// PDQ of the drawn pixels, 64 hexadecimal digits.
    pub pdq: String,
    /// Of the network's file.
    pub model_sha256: String,
}

/// Pictures that may wait for the network.
const MOST_WAITING: usize = 64;

/// Looks at pictures. Clones share one network.
#[derive(Debug, Clone)]
pub struct PictureFilter(Arc<Inner>);

/// Scores a picture, 0 to 1.
type Network = Box<dyn Fn(&RgbImage) -> Result<f32, RunError> + Send>;

/// Makes the network, again where it crashed.
type Opener = Box<dyn Fn() -> Result<Network, FilterUnavailable> + Send + Sync>;

/// The way to the network's thread, or why there is none.
type Desk = Result<mpsc::SyncSender<Look>, FilterUnavailable>;

struct Inner {
    opener: Opener,
    model_sha256: String,
    deadline: Duration,
    lists: Vec<(String, Category, HashList)>,
    desk: Mutex<Desk>,
    /// Whether the last picture got its answer.
    answers: AtomicBool,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("desk", &self.desk).finish_non_exhaustive()
    }
}

struct Look {
    picture: RgbImage,
    /// After that nobody waits for the answer.
    until: Instant,
    answer: mpsc::SyncSender<Result<f32, RunError>>,
}

impl PictureFilter {
    /// Reads the lists and starts the network. Where that cannot be, the filter stands all the same and says so of every
    /// picture, until [`check`](Self::check) gets it to run.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub fn open(config: &ComplianceConfig) -> Result<Self, HashListError> {
        let list = |wanted: &super::HashListConfig| {
            let name = wanted.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((name, wanted.category, HashList::open(&wanted.file)?))
        };
        let lists = config.hash_lists.iter().map(list).collect::<Result<_, HashListError>>()?;
        let (path, sha256) = (config.picture_model.clone(), config.picture_model_sha256.clone());
        let opener: Opener = Box::new(move || {
            let network = OpenNsfw::open(&path, &sha256).map_err(|error| unavailable(&error))?;
            Ok(Box::new(move |picture: &RgbImage| network.score(picture)))
        });
        Ok(Self::with(config, lists, opener))
    }

    fn with(config: &ComplianceConfig, lists: Vec<(String, Category, HashList)>, opener: Opener) -> Self {
        let desk = start(&opener);
        Self(Arc::new(Inner {
            answers: AtomicBool::new(desk.is_ok()),
            desk: Mutex::new(desk),
            model_sha256: config.picture_model_sha256.clone(),
            deadline: Duration::from_millis(config.picture_deadline_ms),
            opener,
            lists,
        }))
    }

    /// Waits for the network, but not longer than the configuration says.
    ///
    /// # Errors
    /// A network that is missing, slow or crashes.
    pub fn look(&self, picture: &RgbImage) -> Result<Signs, FilterUnavailable> {
        let unfit = self.unfit(picture);
        self.0.answers.store(unfit.is_ok(), Ordering::Release);
        let unfit = unfit?;
        let (hash, quality) = hash_rgb(picture);
        Ok(Signs {
            unfit,
            known: self.known(&hash, quality),
            pdq: hash.to_string(),
            model_sha256: self.0.model_sha256.clone(),
        })
    }

    /// Whether pictures get an answer. One that got none is tried again on an empty picture, and a network that is not
    /// there or crashed is started anew.
    ///
    /// # Errors
    /// As for [`look`](Self::look).
    pub fn check(&self) -> Result<(), FilterUnavailable> {
        if self.0.answers.load(Ordering::Acquire) {
            return Ok(());
        }
        {
            let mut desk = self.desk();
            if desk.is_err() {
                *desk = start(&self.0.opener);
            }
        }
        self.look(&RgbImage::new(64, 64)).map(|_| ())
    }

    fn unfit(&self, picture: &RgbImage) -> Result<f32, FilterUnavailable> {
        let (answer, answered) = mpsc::sync_channel(1);
        let look = Look { picture: picture.clone(), until: Instant::now() + self.0.deadline, answer };
        let sent = self.desk().as_ref().map_err(Clone::clone)?.try_send(look);
        match sent {
            Ok(()) => {}
            Err(mpsc::TrySendError::Full(_)) => return Err(unavailable(&"its network is behind")),
            // It crashed while nobody waited for it any more.
            Err(mpsc::TrySendError::Disconnected(_)) => return Err(self.crashed()),
        }
        let limit = self.0.deadline;
        match answered.recv_timeout(limit) {
            Ok(score) => score.map_err(|error| unavailable(&error)),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(unavailable(&format!("its network took longer than {} ms", limit.as_millis())))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(self.crashed()),
        }
    }

    /// Notes it, so that the next [`check`](Self::check) starts it anew.
    fn crashed(&self) -> FilterUnavailable {
        let crashed = unavailable(&"its network crashed");
        *self.desk() = Err(crashed.clone());
        crashed
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, hash: &Hash256, quality: u8) -> Vec<Known> {
        let near = self.0.lists.iter().filter(|(_, _, list)| list.knows(hash, quality));
        near.map(|(name, category, _)| Known { list: name.clone(), category: *category }).collect()
    }
}

fn unavailable(why: &impl ToString) -> FilterUnavailable {
    FilterUnavailable(why.to_string())
}

/// The network, on its thread, until nobody can send to it any more.
fn start(opener: &Opener) -> Desk {
    let network = opener()?;
    // As many as there may be workers; who finds no place would wait for too long.
    let (sender, looks) = mpsc::sync_channel::<Look>(MOST_WAITING);
    let work = move || {
        for Look { picture, until, answer } in looks {
            if Instant::now() < until {
                // Whoever asked may have given up.
                let _ = answer.send(network(&picture));
            }
        }
    };
    let thread = std::thread::Builder::new().name("picture-filter".to_owned()).spawn(work);
    thread.map_err(|error| unavailable(&format!("no thread: {error}")))?;
    Ok(sender)
}

#[cfg(test)]
mod tests;
