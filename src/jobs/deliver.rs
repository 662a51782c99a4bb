//! Uploading with patience: what was drawn is not drawn again because the object store was away.

use std::time::Duration;

use super::control::Control;
use super::ending::CookError;
use crate::storage::StorageError;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// Tries where the store's answer will hardly change by itself (wrong credentials, a clock that is off): about a minute,
/// for an operator who is just changing something.
const TRIES_IF_LASTING: u32 = 8;

/// Calls `put` until it succeeds, with growing pauses, until the job has to stop.
pub(super) fn deliver(
    mut put: impl FnMut() -> Result<(), StorageError>,
    control: &Control,
) -> Result<(), CookError> {
    let mut tried = 0;
    loop {
        if control.halted().is_some() {
            return Err(CookError::halted());
        }
        let Err(error) = put() else {
            return Ok(());
        };
        tried += 1;
        if !error.is_transient() && tried >= TRIES_IF_LASTING {
            return Err(CookError::failed("STORAGE", &error, false));
        }
        let chance = crate::store::ids::os_random().map_or(u8::MAX, |[byte]| byte);
        let pause = pause(tried, chance);
        tracing::warn!(%error, tried, pause_ms = pause.as_millis(), "an upload failed and is tried again");
        control.pause(pause);
    }
}

/// Doubles from [`FIRST`] to [`LONGEST`]; chance takes up to half of it away, so that many do not come back at once.
fn pause(tried: u32, chance: u8) -> Duration {
    let whole = FIRST.saturating_mul(1 << (tried.saturating_sub(1)).min(10)).min(LONGEST);
    whole - whole.mul_f64(f64::from(chance) / 510.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::jobs::control::Halt;

    fn away() -> StorageError {
        StorageError::Connect { detail: "refused".to_owned() }
    }

    #[test]
    fn pauses_grow_to_a_limit_and_chance_shortens_them_by_half_at_most() {
        let whole: Vec<_> = (1..=9).map(|tried| pause(tried, 0).as_millis()).collect();
        assert_eq!(whole, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(pause(u32::MAX, 255), LONGEST / 2);
    }

    #[test]
    fn an_upload_is_tried_until_it_succeeds() {
        let control = Control::new(Arc::default(), 1, Duration::from_secs(60));
        let mut left = 2;
        let delivered = deliver(
            || {
                left -= 1;
                if left > 0 { Err(away()) } else { Ok(()) }
            },
            &control,
        );
        assert_eq!((delivered, left), (Ok(()), 0));
    }

    #[test]
    fn a_halt_ends_the_patience() {
        let control = Control::new(Arc::default(), 1, Duration::from_secs(60));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                control.halt(Halt::Park);
            });
            assert_eq!(deliver(|| Err(away()), &control), Err(CookError::halted()));
        });
    }
}
