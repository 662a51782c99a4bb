use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;
use crate::jobs::JobState;

/// The other half of the test below: a process that submits, says so, and waits for its end.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn child_that_submits() {
    let mut folder = String::new();
    std::io::stdin().read_line(&mut folder).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (store, key) = open(&config(Path::new(folder.trim()))).await;
        for _ in 0..3 {
            let id = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
            println!("answered {id}");
        }
        let claimed = claim(&store).await;
        println!("claimed {}", claimed.claim.id);
        println!("ready");
        std::future::pending::<()>().await;
    });
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::crash::child_that_submits", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", folder.path().display()).unwrap();
    let said: Vec<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .take_while(|line| !line.ends_with("ready"))
        .collect();
    let held = Store::open(&config(folder.path())).unwrap_err();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(matches!(&held, StoreError::Held { pid, .. } if *pid == child.id().to_string()), "{held:?}");

    let ids: Vec<_> = said.iter().filter_map(|line| line.split("answered ").nth(1)).collect();
    assert_eq!(ids.len(), 3, "{said:?}");
    let (store, key) = open(&config(folder.path())).await;
    assert_eq!(store.recover(3).await.unwrap(), 1);
    for (id, attempt) in ids.iter().zip([1, 0, 0]) {
        let view = store.job(key, id).await.unwrap();
        assert_eq!((view.state, view.attempt), (JobState::InQueue, attempt));
    }
    let again = claim(&store).await;
    assert_eq!((again.claim.id.as_str(), again.claim.attempt), (ids[0], 2), "the interrupted one goes first");
}

#[tokio::test]
async fn the_third_crash_fails_a_job_and_others_flow() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let poison = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    let other = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    store.close().await;
    for attempt in 1..=3 {
        let (store, _) = open(&config(folder.path())).await;
        store.recover(3).await.unwrap();
        let claimed = claim(&store).await;
        assert_eq!((&claimed.claim.id, claimed.claim.attempt), (&poison, attempt));
        // The process ends here with the job in hand: closing changes no job.
        store.close().await;
    }
    let (store, _) = open(&config(folder.path())).await;
    assert_eq!(store.recover(3).await.unwrap(), 1);
    let view = store.job(key, &poison).await.unwrap();
    assert_eq!(view.state, JobState::Failed);
    let Some(Outcome::Failed(failure)) = &view.outcome else { panic!("{:?}", view.outcome) };
    assert_eq!(failure.code, "ATTEMPTS_EXHAUSTED");
    assert_eq!(claim(&store).await.claim.id, other);
}

#[tokio::test]
async fn who_only_waited_for_the_engine_pays_for_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let poison = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    let beside = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    store.close().await;
    for _ in 0..3 {
        let (store, _) = open(&config(folder.path())).await;
        store.recover(3).await.unwrap();
        let (first, second) = (claim(&store).await.claim, claim(&store).await.claim);
        assert_eq!((&first.id, &second.id), (&poison, &beside));
        blocking(&store, move |store| {
            store.note_line(&first, true).unwrap();
            store.note_line(&second, true).unwrap();
            store.note_line(&first, false).unwrap();
        })
        .await;
        store.close().await;
    }
    let (store, _) = open(&config(folder.path())).await;
    assert_eq!(store.recover(3).await.unwrap(), 2);
    assert_eq!(store.job(key, &poison).await.unwrap().state, JobState::Failed);
    let view = store.job(key, &beside).await.unwrap();
    assert_eq!((view.state, view.attempt), (JobState::InQueue, 0));
    let next = claim(&store).await;
    assert_eq!((&next.claim.id, next.claim.attempt), (&beside, 1));
}

#[tokio::test]
async fn a_worker_that_comes_back_late_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let id = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    let late = claim(&store).await.claim;
    assert_eq!(store.recover(3).await.unwrap(), 1);
    let now = claim(&store).await.claim;
    let done = || Outcome::Completed(result());
    let stale = late.clone();
    assert!(!blocking(&store, move |store| store.finish(&stale, done(), Trace::default()).unwrap()).await);
    let stale = late.clone();
    assert!(!blocking(&store, move |store| store.requeue(&stale, None, Vec::new()).unwrap()).await);
    assert!(!blocking(&store, move |store| store.renew(&late, LEASE).unwrap()).await);
    assert_eq!(store.job(key, &id).await.unwrap().state, JobState::InProgress);
    let held = now.clone();
    assert!(blocking(&store, move |store| store.renew(&held, LEASE).unwrap()).await);
    let held = now.clone();
    assert!(blocking(&store, move |store| store.finish(&held, done(), Trace::default()).unwrap()).await);
    assert!(
        !blocking(&store, move |store| store.finish(&now, Outcome::Cancelled, Trace::default()).unwrap())
            .await,
        "it has ended"
    );
}

#[tokio::test]
async fn a_parked_job_keeps_its_place_and_its_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let first = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    store.submit(new_job(key)).await.unwrap();
    let parked = claim(&store).await.claim;
    assert!(blocking(&store, move |store| store.requeue(&parked, None, Vec::new()).unwrap()).await);
    let view = store.job(key, &first).await.unwrap();
    assert_eq!((view.state, view.attempt, store.queue_position(&view)), (JobState::InQueue, 0, Some(0)));
    assert_eq!(claim(&store).await.claim.attempt, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_disk_refuses_and_is_forgotten_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&StoreConfig { max_queue: 100_000, ..config(folder.path()) }).await;
    let before = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    let room = |pages: u32| {
        let store = store.clone();
        async move {
            let set = move |connection: &rusqlite::Connection| {
                let pages: u32 = if pages == 0 {
                    connection.query_row("PRAGMA page_count", [], |row| row.get(0))?
                } else {
                    pages
                };
                Ok(connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
            };
            store.write(set, |_, _| {}).await.unwrap();
        }
    };
    room(0).await;
    let mut full = Vec::new();
    for _ in 0..8 {
        let burst: Vec<_> = (0..32)
            .map(|_| {
                let (store, job) = (store.clone(), new_job(key));
                tokio::spawn(async move { (job.id.clone(), store.submit(job).await) })
            })
            .collect();
        for submit in burst {
            full.push(submit.await.unwrap());
        }
    }
    let refused: Vec<_> = full.iter().filter(|(_, answer)| answer.is_err()).collect();
    assert!(refused.len() > 200, "{} of 256 were refused", refused.len());
    for (id, answer) in &full {
        match answer {
            Ok(_) => assert!(store.job(key, id).await.is_some()),
            Err(error) => {
                assert_eq!(*error, SubmitError::Store(StoreError::DiskFull));
                assert!(store.job(key, id).await.is_none());
            }
        }
    }
    assert!(store.job(key, &before).await.is_some(), "status goes on");
    room(1_000_000).await;
    let after = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    store.close().await;

    let (store, _) = open(&config(folder.path())).await;
    for (id, answer) in &full {
        assert_eq!(store.job(key, id).await.is_some(), answer.is_ok(), "memory and disk agree");
    }
    assert!(store.job(key, &after).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bad_statement_takes_no_neighbour_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let twice = new_job(key);
    let mut submits = Vec::new();
    let mut panics = Vec::new();
    for turn in 0..60 {
        let store = store.clone();
        // Every third has no such API key, and one id comes ten times.
        let job = match turn % 6 {
            0 | 3 => new_job(key + 1000),
            5 => twice.clone(),
            _ => new_job(key),
        };
        if turn % 10 == 7 {
            let store = store.clone();
            panics.push(tokio::spawn(async move {
                store.write::<(), _, _>(|_| panic!("planned"), |_, _| {}).await
            }));
        }
        submits.push(tokio::spawn(async move { (turn, store.submit(job).await) }));
    }
    let mut again = 0;
    for submit in submits {
        let (turn, answer) = submit.await.unwrap();
        match turn % 6 {
            0 | 3 => assert!(matches!(answer, Err(SubmitError::Store(StoreError::Sql(_)))), "{answer:?}"),
            5 => again += usize::from(answer.is_ok()),
            _ => assert!(answer.is_ok(), "{answer:?}"),
        }
    }
    for panic in panics {
        assert_eq!(panic.await.unwrap(), Err(StoreError::Panicked("planned".to_owned())));
    }
    assert_eq!((again, store.waiting()), (1, 31));
}
