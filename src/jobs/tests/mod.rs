//! Workers on a real store, with kitchens that fail as planned.

mod review;
mod together;

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use bytes::Bytes;
use image::RgbImage;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::*;
use crate::compliance::PictureVerdict;
use crate::credentials::{Credentials, CredentialsConfig};
use crate::diffusion::{DiffusionError, Rendered, Timings, Wanted};
use crate::finish::AvifEncoder;
use crate::finish::invisible_mark::TileSpread;
use crate::plan::Plan;
use crate::storage::{ObjectKey, StorageError};
use crate::store::tests::{config, new_job, open, plan};
use crate::store::{NewJob, Outcome, Records, Store, StoreConfig, ids, record_id};

fn quick() -> JobsConfig {
    JobsConfig { stop_grace_s: 0, ..JobsConfig::default() }
}

async fn ended(store: &Store, key: i64, id: &str) -> Outcome {
    for _ in 0..1000 {
        if let Some(outcome) = store.job(key, id).await.unwrap().outcome.clone() {
            return outcome;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the job did not end within 10 s: {:?}", store.job(key, id).await.unwrap().state);
}

async fn submit(store: &Store, key: i64) -> String {
    store.submit(new_job(key)).await.unwrap().ticket().id.clone()
}

async fn stop(workers: Workers) {
    assert!(workers.stop().await);
}

fn code(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed(failure) | Outcome::TimedOut(failure) => &failure.code,
        other => panic!("{other:?}"),
    }
}

/// Pixels that depend on the seed alone, drawn in four steps.
fn pixels(seed: u32) -> RgbImage {
    RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * 4) as u8, (y * 4) as u8, seed as u8]))
}

fn rendered(seed: u32) -> Rendered {
    Rendered {
        image: pixels(seed),
        weights_sha256: "5a".repeat(32),
        loras: Vec::new(),
        batch: 1,
        timings: Timings::default(),
    }
}

/// One root for all tests.
fn workshop() -> Workshop {
    static CREDENTIALS: LazyLock<Credentials> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        Credentials::open(&CredentialsConfig::default(), folder.path(), OffsetDateTime::now_utc()).unwrap()
    });
    Workshop {
        mark: Arc::new(TileSpread::new()),
        credentials: CREDENTIALS.clone(),
        avif: AvifEncoder::default(),
    }
}

fn passed() -> PictureVerdict {
    PictureVerdict { blocked: None, flags: Vec::new(), evidence: Vec::new() }
}

type Put = (String, Bytes, String);

/// One after the other.
fn each(draw: impl Fn(Wanted) -> Result<Rendered, DiffusionError> + Send + 'static) -> Render {
    Box::new(move |wanted| wanted.into_iter().map(&draw).collect())
}

/// A kitchen that draws by arithmetic, and puts to a list.
fn kitchen(puts: Sender<Put>) -> Kitchen {
    Kitchen {
        models_dir: "models".into(),
        loras_dir: "loras".into(),
        most_together: 1,
        render: each(|Wanted { spec, mut progress, .. }| {
            assert_eq!(spec.model_dir, std::path::Path::new("models/starter"));
            for step in 1..=spec.num_inference_steps {
                if !progress(step, spec.num_inference_steps) {
                    return Err(DiffusionError::Cancelled { step, steps: spec.num_inference_steps });
                }
            }
            Ok(rendered(spec.seed))
        }),
        look: Box::new(|_, _, _| Ok(passed())),
        unavailable: Box::new(|_, _| {}),
        workshop: workshop(),
        put: Box::new(move |key, bytes, content_type| {
            puts.send((key.to_string(), bytes, content_type.to_owned())).unwrap();
            Ok(())
        }),
        attached: Box::new(|_| Ok(None)),
    }
}

fn drain(puts: &Receiver<Put>) -> Vec<Put> {
    puts.try_iter().collect()
}

#[tokio::test]
async fn a_submitted_job_becomes_pictures_and_running_it_twice_puts_the_same_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let (sender, puts) = channel();
    let workers =
        Workers::start(store.clone(), vec![kitchen(sender.clone()).into_cook()], &quick()).await.unwrap();
    let id = submit(&store, key).await;
    let Outcome::Completed(result) = ended(&store, key, &id).await else { panic!() };
    let view = store.job(key, &id).await.unwrap();
    assert_eq!((view.step(), view.steps()), (8, 8), "four steps each of two pictures");
    let plan = view.plan.clone().unwrap();
    assert_eq!(result.pictures.iter().map(|picture| picture.seed).collect::<Vec<_>>(), [7, 8]);

    let first = drain(&puts);
    let names: Vec<_> = first.iter().map(|(name, _, _)| name.clone()).collect();
    let expected: Vec<_> = result
        .pictures
        .iter()
        .flat_map(|picture| [&picture.thumbnail_key, &picture.picture_key])
        .cloned()
        .collect();
    assert_eq!(names, expected, "a picture follows its thumbnail");
    assert!(first.iter().all(|(_, _, content_type)| content_type == "image/png"));
    for (number, (picture, put)) in (1..).zip(result.pictures.iter().zip(first.chunks(2))) {
        let name = format!("{}_{}_{number:05}.png", plan.gen_id, picture.fingerprint);
        assert_eq!(picture.picture_key, name);
        let put = image::load_from_memory(&put[1].1).unwrap().to_rgb8();
        assert_eq!(put, pixels(picture.seed));
        assert_eq!(picture.fingerprint, crate::finish::fingerprint(&put).hex);
    }

    let records = Records::open(&config(folder.path())).unwrap().unwrap();
    for (index, picture) in (0..).zip(&result.pictures) {
        let record = records.by_id(record_id(&plan.gen_id, index)).unwrap().unwrap();
        assert_eq!((&record.job_id, record.key_id, record.picture_index), (&id, key, index));
        assert_eq!(hex::encode(record.pdq), picture.fingerprint);
        assert_eq!(record.facts["seed"], picture.seed);
        assert_eq!(record.facts["picture_key"], picture.picture_key.as_str());
    }

    let salts: HashSet<_> = (0..2).map(|index| checked_recipe(&records, &plan, index, &first)).collect();
    assert_eq!(salts.len(), 2, "each picture has a salt of its own");

    let control = Control::new(Arc::default(), 1, Duration::from_secs(60));
    assert_eq!(generate(&kitchen(sender), &plan, &control).unwrap().result.unwrap(), result);
    let again = drain(&puts);
    assert_eq!(again.len(), first.len());
    for ((name, bytes, _), (first_name, first_bytes, _)) in again.iter().zip(&first) {
        let pixels = |bytes| image::load_from_memory(bytes).unwrap().to_rgb8();
        // Not byte for byte: a manifest's salts are drawn by chance.
        assert!(name == first_name && pixels(bytes) == pixels(first_bytes), "{name}");
    }
    stop(workers).await;
}

/// Holds the record's recipe against what the delivered picture claims, and gives its salt.
fn checked_recipe(records: &Records, plan: &Plan, index: u32, puts: &[Put]) -> String {
    let facts = records.by_id(record_id(&plan.gen_id, index)).unwrap().unwrap().facts;
    let (text, salt) = (facts["recipe"].as_str().unwrap(), facts["recipe_salt"].as_str().unwrap());
    let recipe: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!((&recipe["positive"], &recipe["seed"]), (&plan.approved.positive().into(), &facts["seed"]));
    let picture = &puts[index as usize * 2 + 1].1;
    let told = workshop().credentials.read(picture, plan.output.format).manifest.unwrap().to_string();
    let claims = |hash: &[u8]| told.contains(&format!("\"recipeSha256\":\"{}\"", hex::encode(hash)));
    assert!(claims(&Sha256::digest([hex::decode(salt).unwrap().as_slice(), text.as_bytes()].concat())));
    assert!(!claims(&Sha256::digest(text)), "a guess can be tested against it");
    assert!(!told.contains(salt) && !told.contains("by the sea"));
    salt.to_owned()
}

#[tokio::test]
async fn a_job_that_fails_or_panics_every_time_ends_and_the_next_one_flows() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let tries = Arc::new(AtomicU32::new(0));
    let (sender, _puts) = channel();
    let mut bad = kitchen(sender);
    let good = std::mem::replace(&mut bad.render, Box::new(|_| unreachable!()));
    let counted = tries.clone();
    bad.render = Box::new(move |wanted| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Err(DiffusionError::Panicked("the driver".to_owned())),
        1 => panic!("planned"),
        2 => Err(DiffusionError::Stopped),
        3 => Err(DiffusionError::NotFinite { what: "latents".to_owned() }),
        _ => good(wanted),
    });
    let workers = Workers::start(store.clone(), vec![bad.into_cook()], &quick()).await.unwrap();
    let ids = [submit(&store, key).await, submit(&store, key).await, submit(&store, key).await];
    let crashed = ended(&store, key, &ids[0]).await;
    assert_eq!(code(&crashed), "ATTEMPTS_EXHAUSTED");
    assert!(format!("{crashed:?}").contains("attempt 3 of 3"), "{crashed:?}");
    assert_eq!(store.job(key, &ids[0]).await.unwrap().attempt, 3);
    let black = ended(&store, key, &ids[1]).await;
    assert_eq!((code(&black), store.job(key, &ids[1]).await.unwrap().attempt), ("NOT_FINITE", 1));
    assert!(matches!(ended(&store, key, &ids[2]).await, Outcome::Completed(_)));
    stop(workers).await;
}

#[tokio::test]
async fn a_job_whose_record_is_another_pictures_fails_and_the_next_one_flows() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let (sender, _puts) = channel();
    let workers = Workers::start(store.clone(), vec![kitchen(sender).into_cook()], &quick()).await.unwrap();
    let first = new_job(key);
    // The same gen_id gives the same 64 bits, as chance does once in 2^64 pairs.
    let second = NewJob { id: ids::job_id(ids::os_random().unwrap()), ..first.clone() };
    let [first, second] = [store.submit(first).await.unwrap(), store.submit(second).await.unwrap()];
    let next = submit(&store, key).await;
    assert!(matches!(ended(&store, key, &first.ticket().id).await, Outcome::Completed(_)));
    assert_eq!(code(&ended(&store, key, &second.ticket().id).await), "RECORD_TAKEN");
    assert!(matches!(ended(&store, key, &next).await, Outcome::Completed(_)));
    stop(workers).await;
}

#[tokio::test]
async fn an_upload_that_fails_is_repeated_and_the_picture_is_not_drawn_again() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let drawn = Arc::new(AtomicU32::new(0));
    let (sender, puts) = channel();
    let mut flaky = kitchen(sender);
    let (render, put) = (flaky.render, flaky.put);
    let counted = drawn.clone();
    flaky.render = Box::new(move |wanted| {
        counted.fetch_add(1, Ordering::SeqCst);
        render(wanted)
    });
    let tries = AtomicU32::new(0);
    flaky.put = Box::new(move |key: &ObjectKey, bytes, content_type: &str| {
        match tries.fetch_add(1, Ordering::SeqCst) {
            0 => {
                Err(StorageError::Answer { status: 503, code: "SlowDown".to_owned(), detail: String::new() })
            }
            2 => Err(StorageError::Refused { code: "AccessDenied".to_owned(), detail: String::new() }),
            _ => put(key, bytes, content_type),
        }
    });
    let workers = Workers::start(store.clone(), vec![flaky.into_cook()], &quick()).await.unwrap();
    let id = submit(&store, key).await;
    assert!(matches!(ended(&store, key, &id).await, Outcome::Completed(_)));
    assert_eq!((drawn.load(Ordering::SeqCst), drain(&puts).len()), (2, 4));
    assert_eq!(store.job(key, &id).await.unwrap().attempt, 1);
    stop(workers).await;
}

#[tokio::test]
async fn a_job_that_runs_too_long_is_timed_out_and_publishes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let (sender, puts) = channel();
    let mut slow = kitchen(sender);
    slow.render = each(|Wanted { spec, mut progress, .. }| {
        let mut step = 0;
        while progress(step, 1_000_000) {
            step += 1;
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(rendered(spec.seed))
    });
    let limits = JobsConfig { timeout_s: 1, ..quick() };
    let workers = Workers::start(store.clone(), vec![slow.into_cook()], &limits).await.unwrap();
    let id = submit(&store, key).await;
    let outcome = ended(&store, key, &id).await;
    assert!(matches!(outcome, Outcome::TimedOut(_)), "{outcome:?}");
    assert_eq!(store.job(key, &id).await.unwrap().state, JobState::TimedOut);
    assert!(drain(&puts).is_empty());
    assert!(!workers.stuck());
    stop(workers).await;
}

/// A kitchen that waits in its first step until it is told to go on or the job has to stop.
fn waiting(started: Sender<()>, go_on: Receiver<()>, puts: Sender<Put>) -> Kitchen {
    let mut kitchen = kitchen(puts);
    let (render, go_on) = (kitchen.render, Mutex::new(go_on));
    kitchen.render = Box::new(move |mut wanted| {
        let _ = started.send(());
        loop {
            if !wanted.iter_mut().all(|wanted| (wanted.progress)(1, 4)) {
                return Err(DiffusionError::Cancelled { step: 1, steps: 4 });
            }
            if go_on.lock().unwrap().recv_timeout(Duration::from_millis(5)).is_ok() {
                return render(wanted);
            }
        }
    });
    kitchen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_parks_what_runs_and_the_next_start_finishes_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let ((started, has_started), (_hold, go_on), (sender, puts)) = (channel(), channel(), channel());
    let cook = waiting(started, go_on, sender.clone()).into_cook();
    let workers = Workers::start(store.clone(), vec![cook], &quick()).await.unwrap();
    let ids = [submit(&store, key).await, submit(&store, key).await];
    tokio::task::spawn_blocking(move || has_started.recv().unwrap()).await.unwrap();
    assert_eq!(store.job(key, &ids[0]).await.unwrap().state, JobState::InProgress);
    stop(workers).await;
    let view = store.job(key, &ids[0]).await.unwrap();
    assert_eq!((view.state, view.attempt), (JobState::InQueue, 0), "parked, and no attempt spent");
    assert!(drain(&puts).is_empty());
    store.close().await;

    let (store, _) = open(&config(folder.path())).await;
    let workers = Workers::start(store.clone(), vec![kitchen(sender).into_cook()], &quick()).await.unwrap();
    for id in &ids {
        assert!(matches!(ended(&store, key, id).await, Outcome::Completed(_)));
        assert_eq!(store.job(key, id).await.unwrap().attempt, 1);
    }
    stop(workers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_lets_a_job_finish_that_can() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let ((started, has_started), (hold, go_on), (sender, _puts)) = (channel(), channel(), channel());
    let cook = waiting(started, go_on, sender).into_cook();
    let patient = JobsConfig { stop_grace_s: 30, ..quick() };
    let workers = Workers::start(store.clone(), vec![cook], &patient).await.unwrap();
    let id = submit(&store, key).await;
    tokio::task::spawn_blocking(move || has_started.recv().unwrap()).await.unwrap();
    let stopping = tokio::spawn(workers.stop());
    for _ in 0..2 {
        hold.send(()).unwrap();
    }
    assert!(stopping.await.unwrap());
    assert!(matches!(ended(&store, key, &id).await, Outcome::Completed(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_does_not_throw_away_what_was_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&StoreConfig { busy_timeout_ms: 50, ..config(folder.path()) }).await;
    let ((started, has_started), (hold, go_on), (sender, puts)) = (channel(), channel(), channel());
    let cook = waiting(started, go_on, sender).into_cook();
    let workers = Workers::start(store.clone(), vec![cook], &quick()).await.unwrap();
    let id = submit(&store, key).await;
    tokio::task::spawn_blocking(move || has_started.recv().unwrap()).await.unwrap();
    let locked = store.lock_out_writers();
    for _ in 0..2 {
        hold.send(()).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(
        store.job(key, &id).await.unwrap().state,
        JobState::InProgress,
        "not said before it is stored"
    );
    drop(locked);
    assert!(matches!(ended(&store, key, &id).await, Outcome::Completed(_)));
    assert_eq!(drain(&puts).len(), 4, "drawn and uploaded once");
    stop(workers).await;
}

#[tokio::test]
async fn a_plan_of_another_version_is_failed_and_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let mut old = new_job(key);
    old.verdict = crate::store::Verdict::Accepted(crate::plan::Plan { plan_version: 0, ..plan(1) });
    let id = store.submit(old).await.unwrap().ticket().id.clone();
    store.close().await;
    let (store, _) = open(&config(folder.path())).await;
    let (sender, puts) = channel();
    let workers = Workers::start(store.clone(), vec![kitchen(sender).into_cook()], &quick()).await.unwrap();
    assert_eq!(code(&ended(&store, key, &id).await), "PLAN_UNREADABLE");
    assert!(drain(&puts).is_empty());
    stop(workers).await;
}
