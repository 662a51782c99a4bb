//! What the workers can be told.

use serde::Deserialize;

use crate::config::complaints::Complaints;

/// How long and how often a job is tried.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobsConfig {
    /// Jobs that are worked on at once: while one is finished and uploaded, the next is drawn, and what is alike among them
    /// is drawn as one batch. 0 is as many as the engine draws together, which on the CPU is one.
    pub workers: usize,
    /// How often a job is tried before it is FAILED.
    pub max_attempts: u32,
    /// How long a claim holds unless renewed, in seconds; it is renewed three times in that span.
    pub lease_s: u64,
    /// How long one attempt may take, upload included, in seconds; then the job is TIMED_OUT.
    pub timeout_s: u64,
    /// How long a stop waits for the running job to finish before it goes back to the queue, in seconds.
    pub stop_grace_s: u64,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self { workers: 0, max_attempts: 3, lease_s: 30, timeout_s: 1800, stop_grace_s: 5 }
    }
}

impl JobsConfig {
    pub fn validate(&self, complaints: &mut Complaints) {
        if self.workers > 64 {
            complaints.add("jobs.workers", "must be at most 64");
        }
        if !(1..=100).contains(&self.max_attempts) {
            complaints.add("jobs.max_attempts", "must be 1 to 100");
        }
        if !(3..=3600).contains(&self.lease_s) {
            complaints.add("jobs.lease_s", "must be 3 to 3600 s");
        }
        if !(1..=86_400).contains(&self.timeout_s) {
            complaints.add("jobs.timeout_s", "must be 1 to 86400 s");
        }
        if self.stop_grace_s > 3600 {
            complaints.add("jobs.stop_grace_s", "must be at most 3600 s");
        }
    }
}
