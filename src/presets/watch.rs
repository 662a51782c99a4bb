//! The thread that looks whether a preset has changed.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::Shelf;

/// How often the files are looked at. There are a few dozen, and a look costs well under a millisecond.
const EVERY: Duration = Duration::from_secs(2);
/// How long the files must have stood still before they are read: an editor may write one in pieces.
const SETTLED_AFTER: Duration = Duration::from_millis(100);
/// Looks after which they are read even though they never stand still.
const MOST_LOOKS: u32 = 20;

/// A watch over the presets; it ends with the value and everything that [`Watch::nudge`] gave.
#[derive(Debug)]
pub struct Watch {
    nudges: SyncSender<()>,
}

impl Watch {
    /// `asked` is called on the watch's thread after each time that somebody had the presets read again.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(shelf: Arc<Shelf>, asked: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (nudges, inbox) = sync_channel(1);
        thread::Builder::new().name("presets".into()).spawn(move || run(&shelf, &inbox, &asked))?;
        Ok(Self { nudges })
    }

    /// What has the presets read again at once, changed or not.
    pub fn nudge(&self) -> impl Fn() + Send + Sync + use<> {
        let nudges = self.nudges.clone();
        move || {
            // One that is waiting already will do.
            let _ = nudges.try_send(());
        }
    }
}

fn run(shelf: &Shelf, inbox: &Receiver<()>, after: &dyn Fn()) {
    loop {
        let asked = match inbox.recv_timeout(EVERY) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if asked || shelf.has_changed() {
            settle(shelf);
            shelf.read_again();
        }
        if asked {
            after();
        }
    }
}

/// Waits until two looks in a row see the same.
fn settle(shelf: &Shelf) {
    let mut last = shelf.look();
    for _ in 0..MOST_LOOKS {
        thread::sleep(SETTLED_AFTER);
        let now = shelf.look();
        if now == last {
            return;
        }
        last = now;
    }
}
