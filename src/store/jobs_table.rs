//! The SQL of jobs and idempotency keys.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde_json::Value;

use super::attachments::Attachment;
use super::record::{Failure, Idempotency, NewJob, Outcome, Receipt, Submitted, Ticket, Verdict};
use super::records::{self, NewRecord};
use super::view::JobView;
use super::{StoreError, attachments, ledger, moment};
use crate::jobs::JobState;
use crate::plan::{PLAN_VERSION, Plan};

/// How long an idempotency key is kept, in milliseconds: 24 hours.
const IDEMPOTENCY_MS: i64 = 24 * 3600 * 1000;

/// A worker's hold on a job: what it writes is refused once someone else has claimed the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub id: String,
    pub attempt: u32,
    pub owner: String,
}

/// What a job leaves behind beside its outcome.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    /// What its pictures can be traced back to, in their order.
    pub records: Vec<NewRecord>,
    /// For the ledger: what the review of its pictures found.
    pub evidence: Vec<Value>,
}

/// What a submit came to inside its transaction.
#[derive(Debug)]
pub(super) enum Inserted {
    Done { submitted: Submitted, seq: i64 },
    QueueFull,
    IdempotencyMismatch,
}

pub(super) fn insert(
    connection: &Connection,
    new: &NewJob,
    now_ms: i64,
    max_queue: u32,
) -> Result<Inserted, StoreError> {
    if let Some(sent) = &new.idempotency
        && let Some(before) = seen_before(connection, new.key_id, sent, now_ms)?
    {
        return Ok(before);
    }
    let (state, plan, outcome) = new.verdict.parts();
    let receipt = match &new.verdict {
        Verdict::Accepted(plan) => Receipt::from(plan),
        Verdict::Blocked(receipt, _) => receipt.clone(),
    };
    if state == JobState::InQueue && waiting(connection)? >= i64::from(max_queue) {
        return Ok(Inserted::QueueFull);
    }
    let attachment = new.attachment.as_ref().filter(|_| !state.is_final());
    if let Some(attachment) = attachment {
        attachments::keep(connection, attachment)?;
    }
    connection
        .prepare_cached(
            "INSERT INTO jobs (id, key_id, gen_id, state, receipt, plan_version, plan, compliance, created_at_ms,
                 finished_at_ms, outcome, attachment_sha256)
             VALUES (:id, :key_id, :gen_id, :state, :receipt, :plan_version, :plan, :compliance, :now,
                 :finished, :outcome, :attachment)",
        )?
        .execute(named_params! {
            ":id": new.id,
            ":key_id": new.key_id,
            ":gen_id": receipt.gen_id,
            ":state": state.name(),
            ":receipt": serde_json::to_string(&receipt)?,
            ":plan_version": plan.as_ref().map(|plan| plan.plan_version),
            ":plan": plan.as_deref().map(serde_json::to_string).transpose()?,
            ":compliance": if plan.is_some() { "safe" } else { "unsafe" },
            ":now": now_ms,
            ":finished": state.is_final().then_some(now_ms),
            ":outcome": outcome.as_ref().map(serde_json::to_string).transpose()?,
            ":attachment": attachment.map(Attachment::sha256),
        })?;
    let seq = connection.last_insert_rowid();
    ledger::append(connection, &new.id, &new.evidence, now_ms)?;
    if let Some(sent) = &new.idempotency {
        connection
            .prepare_cached(
                "INSERT INTO idempotency (key_id, key, body_sha256, job_id, created_at_ms)
                 VALUES (:key_id, :key, :sha256, :job_id, :now)",
            )?
            .execute(named_params! {
                ":key_id": new.key_id,
                ":key": sent.key,
                ":sha256": sent.body_sha256,
                ":job_id": new.id,
                ":now": now_ms,
            })?;
    }
    Ok(Inserted::Done { submitted: Submitted::New(Ticket { id: new.id.clone(), receipt }), seq })
}

pub(super) fn seen_before(
    connection: &Connection,
    key_id: i64,
    sent: &Idempotency,
    now_ms: i64,
) -> Result<Option<Inserted>, StoreError> {
    connection
        .prepare_cached(
            "DELETE FROM idempotency WHERE key_id = :key_id AND key = :key AND created_at_ms < :old",
        )?
        .execute(named_params! { ":key_id": key_id, ":key": sent.key, ":old": now_ms - IDEMPOTENCY_MS })?;
    let before: Option<([u8; 32], String, String, i64)> = connection
        .prepare_cached(
            "SELECT idempotency.body_sha256, jobs.id, jobs.receipt, jobs.seq
             FROM idempotency JOIN jobs ON jobs.id = idempotency.job_id
             WHERE idempotency.key_id = :key_id AND idempotency.key = :key",
        )?
        .query_row(named_params! { ":key_id": key_id, ":key": sent.key }, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((body_sha256, id, receipt, seq)) = before else {
        return Ok(None);
    };
    if body_sha256 != sent.body_sha256 {
        return Ok(Some(Inserted::IdempotencyMismatch));
    }
    let ticket = Ticket { id, receipt: serde_json::from_str(&receipt)? };
    Ok(Some(Inserted::Done { submitted: Submitted::Replayed(ticket), seq }))
}

pub(super) fn sweep_idempotency(connection: &Connection, now_ms: i64) -> Result<usize, StoreError> {
    Ok(connection
        .prepare_cached("DELETE FROM idempotency WHERE created_at_ms < :old")?
        .execute(named_params! { ":old": now_ms - IDEMPOTENCY_MS })?)
}

fn waiting(connection: &Connection) -> Result<i64, StoreError> {
    let mut count = connection.prepare_cached("SELECT count(*) FROM jobs WHERE state = 'IN_QUEUE'")?;
    Ok(count.query_row([], |row| row.get(0))?)
}

/// Takes the oldest waiting job.
pub(super) fn claim(
    connection: &Connection,
    owner: &str,
    now_ms: i64,
    lease_ms: i64,
) -> Result<Option<Claim>, StoreError> {
    let taken = connection
        .prepare_cached(
            "UPDATE jobs SET state = 'IN_PROGRESS', attempt = attempt + 1, lease_owner = :owner,
                 lease_until_ms = :until, started_at_ms = :now, in_line = 0
             WHERE seq = (SELECT min(seq) FROM jobs WHERE state = 'IN_QUEUE')
             RETURNING id, attempt",
        )?
        .query_row(named_params! { ":owner": owner, ":now": now_ms, ":until": now_ms + lease_ms }, |row| {
            Ok(Claim { id: row.get(0)?, attempt: row.get(1)?, owner: owner.to_owned() })
        })
        .optional()?;
    Ok(taken)
}

/// False where the claim no longer holds.
pub(super) fn renew(connection: &Connection, claim: &Claim, until_ms: i64) -> Result<bool, StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE jobs SET lease_until_ms = :until
             WHERE id = :id AND state = 'IN_PROGRESS' AND attempt = :attempt AND lease_owner = :owner",
        )?
        .execute(named_params! {
            ":id": claim.id, ":attempt": claim.attempt, ":owner": claim.owner, ":until": until_ms,
        })?;
    Ok(changed == 1)
}

/// Notes whether a claimed job waits for the engine.
pub(super) fn note_line(connection: &Connection, claim: &Claim, in_line: bool) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE jobs SET in_line = :in_line
             WHERE id = :id AND state = 'IN_PROGRESS' AND attempt = :attempt AND lease_owner = :owner",
        )?
        .execute(named_params! {
            ":id": claim.id, ":attempt": claim.attempt, ":owner": claim.owner, ":in_line": in_line,
        })?;
    Ok(())
}

/// Records how a claimed job ended, with its pictures' records and what their review found. False where the claim no longer
/// holds; then nothing is written.
pub(super) fn finish(
    connection: &Connection,
    claim: &Claim,
    outcome: &Outcome,
    trace: &Trace,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let failure = match outcome {
        Outcome::Failed(failure) | Outcome::TimedOut(failure) => Some(failure),
        Outcome::Completed(_) | Outcome::Blocked(_) | Outcome::Cancelled => None,
    };
    let changed = connection
        .prepare_cached(
            "UPDATE jobs SET state = :state, outcome = :outcome, finished_at_ms = :now, lease_owner = NULL,
                 compliance = CASE WHEN :blocked THEN 'unsafe' ELSE compliance END, lease_until_ms = NULL, error_code = :code, error_text = :text
             WHERE id = :id AND state = 'IN_PROGRESS' AND attempt = :attempt AND lease_owner = :owner",
        )?
        .execute(named_params! {
            ":id": claim.id,
            ":attempt": claim.attempt,
            ":owner": claim.owner,
            ":state": outcome.state().name(),
            ":outcome": serde_json::to_string(outcome)?,
            ":now": now_ms,
            ":blocked": matches!(outcome, Outcome::Blocked(_)),
            ":code": failure.map(|failure| &failure.code),
            ":text": failure.map(|failure| &failure.diagnosis),
        })?;
    if changed == 1 {
        records::insert(connection, claim, &trace.records, now_ms)?;
        ledger::append(connection, &claim.id, &trace.evidence, now_ms)?;
    }
    Ok(changed == 1)
}

/// Puts a claimed job back to wait, in its old place. A parked one has not spent its attempt; one that failed and is to
/// be tried again has, and says why. Returns the attempts spent, or `None` where the claim no longer holds.
pub(super) fn requeue(
    connection: &Connection,
    claim: &Claim,
    failure: Option<&Failure>,
) -> Result<Option<u32>, StoreError> {
    let spent = if failure.is_some() { claim.attempt } else { claim.attempt.saturating_sub(1) };
    let changed = connection
        .prepare_cached(
            "UPDATE jobs SET state = 'IN_QUEUE', attempt = :spent, lease_owner = NULL, lease_until_ms = NULL,
                 started_at_ms = NULL, error_code = :code, error_text = :text
             WHERE id = :id AND state = 'IN_PROGRESS' AND attempt = :attempt AND lease_owner = :owner",
        )?
        .execute(named_params! {
            ":id": claim.id,
            ":attempt": claim.attempt,
            ":owner": claim.owner,
            ":spent": spent,
            ":code": failure.map(|failure| &failure.code),
            ":text": failure.map(|failure| &failure.diagnosis),
        })?;
    Ok((changed == 1).then_some(spent))
}

/// Jobs that a worker held when the process ended: to wait again, or given up. One that only waited for the engine has not
/// spent its attempt. Only the process that holds the data folder may ask. Returns them as they stand now.
pub(super) fn recover(
    connection: &Connection,
    max_attempts: u32,
    now_ms: i64,
) -> Result<Vec<JobView>, StoreError> {
    let mut running = connection.prepare(
        "SELECT id, attempt, lease_owner, in_line FROM jobs WHERE state = 'IN_PROGRESS' ORDER BY seq",
    )?;
    let claims: Vec<(Claim, bool)> = running
        .query_map([], |row| {
            Ok((Claim { id: row.get(0)?, attempt: row.get(1)?, owner: row.get(2)? }, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    for (claim, in_line) in &claims {
        if *in_line {
            requeue(connection, claim, None)?;
        } else if claim.attempt >= max_attempts {
            let diagnosis = format!("the process ended during attempt {} of {max_attempts}", claim.attempt);
            let failure = Failure::new("ATTEMPTS_EXHAUSTED", diagnosis);
            finish(connection, claim, &Outcome::Failed(failure), &Trace::default(), now_ms)?;
        } else {
            let diagnosis = format!("the process ended during attempt {}", claim.attempt);
            requeue(connection, claim, Some(&Failure::new("PROCESS_ENDED", diagnosis)))?;
        }
    }
    let mut views = Vec::new();
    for (claim, _) in &claims {
        views.extend(load(connection, "id = ?1", [&claim.id])?);
    }
    Ok(views)
}

/// Every job that has not ended.
pub(super) fn load_unfinished(connection: &Connection) -> Result<Vec<JobView>, StoreError> {
    let mut all = load(connection, "state = 'IN_QUEUE' ORDER BY seq", [])?;
    all.extend(load(connection, "state = 'IN_PROGRESS' ORDER BY seq", [])?);
    Ok(all)
}

/// The jobs that ended last, the latest last; and whether these are all.
pub(super) fn load_finished(
    connection: &Connection,
    count: usize,
) -> Result<(Vec<JobView>, bool), StoreError> {
    let limit = i64::try_from(count).unwrap_or(i64::MAX).saturating_add(1);
    let mut latest = load(
        connection,
        "finished_at_ms IS NOT NULL ORDER BY finished_at_ms DESC, seq DESC LIMIT ?1",
        [limit],
    )?;
    let all = latest.len() <= count;
    latest.truncate(count);
    latest.reverse();
    Ok((latest, all))
}

/// One job of one key.
pub(super) fn load_one(
    connection: &Connection,
    key_id: i64,
    id: &str,
) -> Result<Option<JobView>, StoreError> {
    Ok(load(connection, "id = ?1 AND key_id = ?2", (id, key_id))?.pop())
}

fn load(
    connection: &Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<JobView>, StoreError> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT seq, id, key_id, state, attempt, receipt, plan_version, plan, created_at_ms, started_at_ms,
             finished_at_ms, outcome
         FROM jobs WHERE {condition}"
    ))?;
    let mut rows = select.query(parameters)?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        match view(row) {
            Ok(view) => views.push(view),
            // One row that cannot be read must not keep the others from being served.
            Err(StoreError::Unreadable(detail)) => tracing::error!(detail, "a stored job cannot be read"),
            Err(error) => return Err(error),
        }
    }
    Ok(views)
}

fn view(row: &Row<'_>) -> Result<JobView, StoreError> {
    let id: String = row.get("id")?;
    let state: String = row.get("state")?;
    let receipt: String = row.get("receipt")?;
    let outcome: Option<String> = row.get("outcome")?;
    Ok(JobView {
        seq: row.get("seq")?,
        key_id: row.get("key_id")?,
        state: JobState::from_name(&state)
            .ok_or_else(|| StoreError::Unreadable(format!("job {id}: state {state}")))?,
        attempt: row.get("attempt")?,
        receipt: serde_json::from_str(&receipt)?,
        plan: plan(&id, row.get("plan_version")?, row.get("plan")?),
        created_at: moment(row.get("created_at_ms")?),
        started_at: row.get::<_, Option<i64>>("started_at_ms")?.map(moment),
        finished_at: row.get::<_, Option<i64>>("finished_at_ms")?.map(moment),
        outcome: outcome.as_deref().map(serde_json::from_str).transpose()?,
        live: Arc::default(),
        id,
    })
}

/// A plan that this program can run. Another version's is not an error: its job can still be asked about.
fn plan(id: &str, version: Option<u32>, text: Option<String>) -> Option<Arc<Plan>> {
    let text = text?;
    let read = match version {
        Some(PLAN_VERSION) => serde_json::from_str(&text),
        Some(1) => serde_json::from_str(&text).map(Plan::from_version_1),
        _ => return None,
    };
    match read {
        Ok(plan) => Some(Arc::new(plan)),
        Err(error) => {
            tracing::error!(job = id, %error, "a stored plan cannot be read");
            None
        }
    }
}
