//! Where the front door draws its random numbers and looks at the clock; everything behind it gets them as arguments.

use crate::error::ApiError;
use crate::store::ids::{self, os_random};

/// What one `generate` needs from chance and the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chance {
    /// From [`ids::job_id`].
    pub job_id: String,
    /// From [`ids::gen_id`].
    pub gen_id: String,
    /// The seed for a request that brings none.
    pub seed: u32,
    /// The moment of the request, in seconds since 1970.
    pub now_unix_s: i64,
}

impl Chance {
    /// # Errors
    /// 500 when the operating system gives no random numbers: ids guard jobs, so nothing else would do.
    pub(super) fn draw() -> Result<Self, ApiError> {
        Ok(Self {
            job_id: ids::job_id(os_random()?),
            gen_id: ids::gen_id(os_random()?),
            seed: number()?,
            now_unix_s: time::OffsetDateTime::now_utc().unix_timestamp(),
        })
    }
}

/// The day, in UTC.
pub(super) fn today() -> time::Date {
    time::OffsetDateTime::now_utc().date()
}

/// A place in a list of `count`. For choices that guard nothing: the first, should there be no chance to be had.
pub(super) fn below(count: usize) -> usize {
    number().unwrap_or_default().checked_rem(count as u32).unwrap_or_default() as usize
}

fn number() -> Result<u32, ApiError> {
    Ok(u32::from_le_bytes(os_random()?))
}
