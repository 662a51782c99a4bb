//! What becomes of a job whose pictures review does not like.

use super::*;
use crate::compliance::{Category, ComplianceConfig, Reviewer, Signs, Texts};
use crate::config::complaints::Complaints;
use crate::store::{Ledger, Verdict};

/// A kitchen whose filter gives the pictures of a job these scores, one after the other.
fn scored(puts: Sender<Put>, scores: Vec<f32>) -> Kitchen {
    let reviewer = Reviewer::new(&ComplianceConfig::default()).unwrap();
    let scores = Mutex::new(scores.into_iter());
    let look: Look = Box::new(move |_, plan, clearance| {
        let unfit = scores.lock().unwrap().next().unwrap();
        let signs = Signs { unfit, known: Vec::new(), pdq: "00".repeat(32), model_sha256: "ab".repeat(32) };
        let texts = Texts { positive: &plan.prompt, ..Texts::default() };
        Ok(reviewer.picture_signs(&signs, &texts, clearance))
    });
    Kitchen { look, ..kitchen(puts) }
}

/// How a job of two pictures ends in a kitchen, what was put, and what the ledger says of it, the oldest first.
async fn judged(
    kitchen: impl FnOnce(Sender<Put>) -> Kitchen,
    plan: Plan,
) -> (Outcome, Vec<Put>, Vec<serde_json::Value>) {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let (store, key) = open(&config).await;
    let (sender, puts) = channel();
    let workers = Workers::start(store.clone(), vec![kitchen(sender).into_cook()], &quick()).await.unwrap();
    let job = NewJob { verdict: Verdict::Accepted(plan), ..new_job(key) };
    let id = store.submit(job).await.unwrap().ticket().id.clone();
    let outcome = ended(&store, key, &id).await;
    stop(workers).await;
    store.close().await;
    let entries = Ledger::open(&config).unwrap().unwrap().entries(Some(&id), 10).unwrap();
    let entries = entries.into_iter().rev().map(|entry| entry.entry).collect();
    (outcome, drain(&puts), entries)
}

fn of(prompt: &str) -> Plan {
    Plan { prompt: prompt.to_owned(), ..plan(7) }
}

/// A job whose pictures carry a mark: what became of it, and what was decided of what.
async fn marked(prompt: &str, scores: Vec<f32>) -> (Outcome, usize, Vec<(String, String)>) {
    let mut plan = of(prompt);
    plan.sampling.num_images = 1;
    plan.watermark.image_sha256 = Some("mark".to_owned());
    let with_mark = |puts| {
        let mut png = std::io::Cursor::new(Vec::new());
        RgbImage::new(8, 8).write_to(&mut png, image::ImageFormat::Png).unwrap();
        let attached = Box::new(move |_: &str| Ok(Some(png.get_ref().clone())));
        Kitchen { attached, ..scored(puts, scores) }
    };
    let (outcome, puts, entries) = judged(with_mark, plan).await;
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (
        outcome,
        puts.len(),
        entries.iter().map(|entry| (text(&entry["of"]), text(&entry["decision"]))).collect(),
    )
}

fn said(of: &str, decision: &str) -> (String, String) {
    (of.to_owned(), decision.to_owned())
}

#[tokio::test]
async fn a_mark_is_looked_at_alone_and_where_it_is_drawn() {
    let (outcome, puts, entries) = marked("a hat", vec![0.1, 0.9]).await;
    assert!(matches!(outcome, Outcome::Blocked(_)), "{outcome:?}");
    assert_eq!((puts, entries), (0, vec![said("drawn", "passed"), said("mark", "blocked")]));
    let (outcome, puts, entries) = marked("a child", vec![0.1, 0.1, 0.6]).await;
    assert!(matches!(outcome, Outcome::Blocked(_)), "{outcome:?}");
    assert_eq!(puts, 0);
    assert_eq!(entries.last(), Some(&said("watermarked", "blocked")));
    let (outcome, puts, entries) = marked("a hat", vec![0.9, 0.1, 0.9]).await;
    assert!(matches!(outcome, Outcome::Completed(_)), "{outcome:?}");
    assert_eq!(puts, 2);
    assert_eq!(entries, [said("drawn", "flagged"), said("mark", "passed"), said("watermarked", "flagged")]);
}

#[tokio::test]
async fn a_picture_that_review_blocks_ends_the_job_and_nothing_is_put() {
    let (outcome, puts, entries) = judged(|puts| scored(puts, vec![0.1, 0.6]), of("a child")).await;
    let Outcome::Blocked(blocked) = outcome else { panic!("{outcome:?}") };
    assert_eq!(blocked.filter_categories, ["sexual/minors"]);
    assert_eq!(blocked.message, "Content blocked — flagged for: Sexual Content Involving Minors.");
    assert!(puts.is_empty(), "the first picture was clean, and is not delivered either");
    let said = |entry: &serde_json::Value| (entry["picture_index"].clone(), entry["decision"].clone());
    let wanted = [(0.into(), "passed".into()), (1.into(), "blocked".into())];
    assert_eq!(entries.iter().map(said).collect::<Vec<_>>(), wanted);
    assert!(entries[1].get("score").is_none(), "{}", entries[1]);
}

#[tokio::test]
async fn a_picture_that_is_flagged_is_delivered_and_says_so() {
    let (outcome, puts, entries) = judged(|puts| scored(puts, vec![0.9, 0.95]), of("a hat")).await;
    let Outcome::Completed(result) = outcome else { panic!("{outcome:?}") };
    assert_eq!(result.flags, [Category::Sexual]);
    assert_eq!(puts.len(), 4);
    assert!((entries[1]["score"].as_f64().unwrap() - 0.95).abs() < 1e-6, "{}", entries[1]);
}

#[tokio::test]
async fn what_was_found_is_written_down_where_a_later_step_fails() {
    let stumbling = |puts| Kitchen {
        render: each(|wanted| match wanted.spec.seed {
            7 => Ok(rendered(7)),
            other => Err(DiffusionError::Unsuitable(format!("seed {other}"))),
        }),
        ..scored(puts, vec![0.9])
    };
    let (outcome, puts, entries) = judged(stumbling, of("a hat")).await;
    assert!(matches!(outcome, Outcome::Failed(_)) && puts.is_empty(), "{outcome:?}");
    let decisions: Vec<_> = entries.iter().map(|entry| entry["decision"].clone()).collect();
    assert_eq!(decisions, ["flagged"]);
}

#[tokio::test]
async fn what_was_found_in_attempts_that_are_tried_again_is_written_down_too() {
    let stumbling = |puts| Kitchen {
        render: each(|wanted| match wanted.spec.seed {
            7 => Ok(rendered(7)),
            _ => Err(DiffusionError::Panicked("of the moment".to_owned())),
        }),
        ..scored(puts, vec![0.9, 0.85, 0.1])
    };
    let found = tried_again(stumbling).await;
    assert_eq!(found, [("flagged", 1), ("flagged", 2), ("passed", 3)].map(|(said, n)| (said.to_owned(), n)));
    // The look itself panics at the second picture.
    let unbearable = |puts| {
        let mut kitchen = scored(puts, vec![0.9; 3]);
        let (first, looks) = (kitchen.look, AtomicU32::new(0));
        kitchen.look = Box::new(move |picture, plan, clearance| {
            assert!(looks.fetch_add(1, Ordering::SeqCst) % 2 == 0, "a picture that it cannot bear");
            first(picture, plan, clearance)
        });
        kitchen
    };
    assert_eq!(tried_again(unbearable).await, [1, 2, 3].map(|n| ("flagged".to_owned(), n)));
}

#[tokio::test]
async fn what_was_found_is_written_down_where_the_records_are_another_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let (sender, _puts) = channel();
    let cook = scored(sender, vec![0.1; 4]).into_cook();
    let workers = Workers::start(store.clone(), vec![cook], &quick()).await.unwrap();
    let first = new_job(key);
    let second = NewJob { id: ids::job_id(ids::os_random().unwrap()), ..first.clone() };
    for job in [first, second.clone()] {
        store.submit(job).await.unwrap();
    }
    assert_eq!(code(&ended(&store, key, &second.id).await), "RECORD_TAKEN");
    stop(workers).await;
    let ledger = Ledger::open(&config(folder.path())).unwrap().unwrap();
    assert_eq!(ledger.entries(Some(&second.id), 10).unwrap().len(), 2);
}

/// What a job that fails at each attempt leaves in the ledger: decisions, and of which attempt.
async fn tried_again(kitchen: impl FnOnce(Sender<Put>) -> Kitchen) -> Vec<(String, u64)> {
    let (outcome, _, entries) = judged(kitchen, of("a hat")).await;
    assert!(
        matches!(&outcome, Outcome::Failed(failure) if failure.code == "ATTEMPTS_EXHAUSTED"),
        "{outcome:?}"
    );
    let found = entries
        .iter()
        .map(|entry| (entry["decision"].as_str().unwrap().to_owned(), entry["attempt"].as_u64().unwrap()));
    found.collect()
}

#[tokio::test]
async fn a_filter_that_looks_at_no_picture_delivers_none_and_that_is_written_down() {
    let blind = |puts| {
        let missing = ComplianceConfig { picture_model: "/nowhere".into(), ..ComplianceConfig::default() };
        let (reviewer, filter) = missing.open(&mut Complaints::default()).unwrap();
        Kitchen { look: look(reviewer, filter), ..kitchen(puts) }
    };
    let (outcome, puts, entries) = judged(blind, of("a hat")).await;
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.code, "filter_unavailable");
    assert!(puts.is_empty());
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((&entry["decision"], &entry["picture_index"]), (&"unavailable".into(), &0.into()));
    assert!(entry["diagnosis"].as_str().unwrap().contains("nowhere"), "{entry}");
    assert!(entry["policy"].as_str().is_some_and(|policy| !policy.is_empty()), "{entry}");
}
