//! A line before work that blocks: a few at a time, off the event loop, and not too many waiting.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{ApiError, Code};

/// Seconds after which a place in the line is likely to be free.
const RETRY_AFTER_S: u64 = 3;

/// Shared by all event loops.
#[derive(Debug)]
pub(super) struct Line {
    /// What waits here, for people: `pictures`.
    what: &'static str,
    /// One for each piece of work that is done or waits for it.
    places: Arc<Semaphore>,
    /// One for each piece of work that is done.
    turns: Arc<Semaphore>,
    /// One for each picture that somebody without a key is sending.
    uploads: Arc<Semaphore>,
}

impl Line {
    pub(super) fn new(what: &'static str, at_once: usize, waiting: usize) -> Self {
        Self {
            what,
            places: Arc::new(Semaphore::new(at_once + waiting)),
            turns: Arc::new(Semaphore::new(at_once)),
            uploads: Arc::new(Semaphore::new(at_once + waiting)),
        }
    }

    /// A permit to send a picture; bounds what strangers can make this process hold.
    ///
    /// # Errors
    /// 503 when too many are sending.
    pub(super) fn upload(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.uploads.clone().try_acquire_owned().map_err(|_| self.full())
    }

    /// Runs `work` on a thread where it may block, when its turn has come.
    ///
    /// # Errors
    /// 503 when the line is full, 500 when `work` panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| self.full())?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| Code::Unavailable)?;
        // Both go with the work: a client that leaves does not make room for another while its work is still done.
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((place, turn));
            done
        });
        done.await.map_err(|error| {
            tracing::error!(%error, what = self.what, "work ended badly");
            Code::Internal.into()
        })
    }

    fn full(&self) -> ApiError {
        let message = format!("too many {} wait", self.what);
        ApiError::new(Code::Unavailable).with("message", message).retry_after_s(RETRY_AFTER_S)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use futures_util::future::poll_immediate;

    use super::*;

    #[actix_web::test]
    async fn the_line_has_an_end_and_a_client_that_leaves_frees_nothing() {
        let line = Arc::new(Line::new("pictures", 1, 1));
        let (release, held) = channel::<()>();
        let (started, has_started) = channel();
        let first = line.run(move || {
            started.send(()).unwrap();
            held.recv().unwrap();
        });
        let mut first = Box::pin(first);
        assert!(poll_immediate(&mut first).await.is_none());
        has_started.recv().unwrap();
        drop(first);

        let mut second = Box::pin(line.run(|| 2));
        assert!(poll_immediate(&mut second).await.is_none(), "the first is still examined");
        let refused = line.run(|| 3).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        release.send(()).unwrap();
        assert_eq!(second.await.unwrap(), 2);
        assert_eq!(line.run(|| 4).await.unwrap(), 4);
    }

    #[actix_web::test]
    async fn a_panic_is_an_answer_and_gives_its_place_back() {
        let line = Line::new("pictures", 1, 0);
        let refused = line.run(|| std::panic::panic_any("boom")).await.unwrap_err();
        assert_eq!(refused.code(), Code::Internal);
        assert_eq!(line.run(|| 1).await.unwrap(), 1);
    }
}
