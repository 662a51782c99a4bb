//! Submit rate with durable commits: how many jobs a second are on the disk before they are answered.
//!
//! `cargo bench --bench submit [-- JOBS]`. One submitter, then 64 at once, each with group commit and, for the ratio, with
//! one transaction a row; in the same run and the same folder. SQLite in WAL mode, `synchronous=FULL`.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its table and stops at the first surprise"
)]

use std::time::Instant;

use imgen::plan::Plan;
use imgen::store::{NewJob, Store, StoreConfig, Verdict, ids};

/// A plan as the resolver makes it; kept as data, so that it is the size of a real one.
const PLAN: &str = include_str!("support/plan.json");

fn job(key_id: i64, plan: &Plan) -> NewJob {
    let chance = || ids::os_random().expect("randomness");
    let plan = Plan { gen_id: ids::gen_id(chance()), ..plan.clone() };
    NewJob {
        id: ids::job_id(chance()),
        key_id,
        verdict: Verdict::Accepted(plan),
        attachment: None,
        idempotency: None,
        evidence: Vec::new(),
    }
}

/// Jobs a second.
fn rate(submitters: usize, group_commit_rows: usize, jobs: usize) -> f64 {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk");
    let config = StoreConfig {
        data_dir: folder.path().to_owned(),
        group_commit_rows,
        max_queue: 1_000_000,
        ..StoreConfig::default()
    };
    let plan: Plan = serde_json::from_str(PLAN).expect("a plan");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(&config).expect("a database");
        let key = store.create_key("bench", ids::os_random().expect("randomness")).await.expect("a key").id;
        let begun = Instant::now();
        let tasks: Vec<_> = (0..submitters)
            .map(|_| {
                let (store, plan) = (store.clone(), plan.clone());
                tokio::spawn(async move {
                    for _ in 0..jobs / submitters {
                        store.submit(job(key, &plan)).await.expect("accepted");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("a submitter ends");
        }
        let rate = (jobs / submitters * submitters) as f64 / begun.elapsed().as_secs_f64();
        store.close().await;
        rate
    })
}

fn main() {
    let jobs = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(3000);
    println!("| submitters | group commit, jobs/s | one a transaction, jobs/s | ratio |\n|---|---|---|---|");
    for submitters in [1, 8, 64] {
        let count = if submitters == 1 { jobs / 6 } else { jobs };
        let (together, alone) = (rate(submitters, 256, count), rate(submitters, 1, count));
        println!("| {submitters} | {together:.0} | {alone:.0} | {:.2} |", together / alone);
    }
}
