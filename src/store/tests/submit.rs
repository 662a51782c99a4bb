use super::*;
use crate::jobs::JobState;

#[tokio::test]
async fn a_job_is_seen_from_submit_to_its_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let first = new_job(key);
    let (id, Verdict::Accepted(plan)) = (first.id.clone(), first.verdict.clone()) else { panic!() };
    let Submitted::New(ticket) = store.submit(first).await.unwrap() else { panic!("it is new") };
    assert_eq!(ticket, Ticket { id: id.clone(), receipt: Receipt::from(&plan) });
    let second = store.submit(new_job(key)).await.unwrap().ticket().id.clone();

    let view = store.job(key, &id).await.unwrap();
    assert_eq!((view.state, view.attempt, view.progress()), (JobState::InQueue, 0, 0.0));
    assert_eq!(view.plan.as_deref(), Some(&plan));
    assert_eq!(store.queue_position(&view), Some(0));
    assert_eq!(store.queue_position(&store.job(key, &second).await.unwrap()), Some(1));

    let claimed = claim(&store).await;
    assert_eq!((claimed.claim.id.as_str(), claimed.claim.attempt), (id.as_str(), 1));
    claimed.live.set(3, 8);
    let view = store.job(key, &id).await.unwrap();
    assert_eq!((view.state, view.step(), view.steps(), view.progress()), (JobState::InProgress, 3, 8, 0.375));
    assert_eq!(store.queue_position(&view), None);
    assert_eq!(store.queue_position(&store.job(key, &second).await.unwrap()), Some(0));

    let claim = claimed.claim.clone();
    let done = Outcome::Completed(result());
    assert!(blocking(&store, move |store| store.finish(&claim, done, Trace::default()).unwrap()).await);
    let view = store.job(key, &id).await.unwrap();
    assert_eq!((view.state, view.progress()), (JobState::Completed, 1.0));
    assert_eq!(view.outcome, Some(Outcome::Completed(result())));
    assert!(view.finished_at >= view.started_at && view.started_at.unwrap() >= view.created_at);

    store.close().await;
    let (store, _) = open(&config(folder.path())).await;
    let reread = store.job(key, &id).await.unwrap();
    assert_eq!((&reread.outcome, &reread.plan, reread.state), (&view.outcome, &view.plan, view.state));
}

#[tokio::test]
async fn an_id_says_nothing_to_another_key() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let other = store.create_key("other", ids::os_random().unwrap()).await.unwrap().id;
    let id = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    assert!(store.job(key, &id).await.is_some());
    for (key, id) in
        [(other, id.as_str()), (key, "run_unknown"), (key, "../../etc/passwd"), (key, ""), (-1, &id)]
    {
        assert!(store.job(key, id).await.is_none(), "{key} {id}");
    }
}

#[tokio::test]
async fn a_blocked_prompt_is_completed_at_once_and_never_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let blocked = Blocked {
        message: "Content blocked — flagged for: Some.".to_owned(),
        filter_categories: vec!["some".to_owned()],
        compliance_codes: vec!["SOME".to_owned()],
    };
    let verdict = Verdict::Blocked(blocked_receipt(), blocked.clone());
    let id = store.submit(NewJob { verdict, ..new_job(key) }).await.unwrap().ticket().id.clone();
    let view = store.job(key, &id).await.unwrap();
    assert_eq!((view.state, &view.outcome), (JobState::Completed, &Some(Outcome::Blocked(blocked))));
    assert!(view.plan.is_none());
    assert!(blocking(&store, |store| store.claim("worker", LEASE).unwrap()).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_submits_of_one_idempotency_key_are_one_job() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let sent = Idempotency { key: "order 66".to_owned(), body_sha256: [1; 32] };
    let submits: Vec<_> = (0..100)
        .map(|_| {
            let (store, job) = (store.clone(), NewJob { idempotency: Some(sent.clone()), ..new_job(key) });
            tokio::spawn(async move { store.submit(job).await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for submit in submits {
        answers.push(submit.await.unwrap());
    }
    assert_eq!(answers.iter().filter(|answer| !answer.is_replayed()).count(), 1);
    assert!(answers.iter().all(|answer| answer.ticket() == answers[0].ticket()));
    assert_eq!(store.waiting(), 1);

    let other_body = Idempotency { body_sha256: [2; 32], ..sent.clone() };
    let mismatch = store.submit(NewJob { idempotency: Some(other_body), ..new_job(key) }).await;
    assert_eq!(mismatch.unwrap_err(), SubmitError::IdempotencyMismatch);
    let other_key = store.create_key("other", ids::os_random().unwrap()).await.unwrap().id;
    let elsewhere =
        store.submit(NewJob { idempotency: Some(sent.clone()), ..new_job(other_key) }).await.unwrap();
    assert!(!elsewhere.is_replayed(), "idempotency keys are each API key's own");

    store.close().await;
    let (store, _) = open(&config(folder.path())).await;
    let replayed = store.submit(NewJob { idempotency: Some(sent), ..new_job(key) }).await.unwrap();
    assert_eq!((replayed.is_replayed(), replayed.ticket()), (true, answers[0].ticket()));
}

#[tokio::test]
async fn an_idempotency_key_is_forgotten_after_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, now) = clock();
    let store = Store::open_with_clock(&config(folder.path()), clock).unwrap();
    let key = store.ensure_key("test", "a token for tests").await.unwrap();
    let sent = || Some(Idempotency { key: "once".to_owned(), body_sha256: [1; 32] });
    let submit = || store.submit(NewJob { idempotency: sent(), ..new_job(key) });
    assert!(!submit().await.unwrap().is_replayed());
    now.fetch_add(24 * 3600 * 1000, Ordering::SeqCst);
    assert!(submit().await.unwrap().is_replayed());
    now.fetch_add(1, Ordering::SeqCst);
    assert!(!submit().await.unwrap().is_replayed());
    now.fetch_add(24 * 3600 * 1000 + 1, Ordering::SeqCst);
    let at = now.load(Ordering::SeqCst);
    let swept = store.write(move |connection| jobs_table::sweep_idempotency(connection, at), |_, _| {}).await;
    assert_eq!(swept.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_queue_refuses_and_stores_nothing_but_still_replays() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&StoreConfig { max_queue: 3, ..config(folder.path()) }).await;
    let sent = Idempotency { key: "first".to_owned(), body_sha256: [1; 32] };
    let first = NewJob { idempotency: Some(sent), ..new_job(key) };
    store.submit(first.clone()).await.unwrap();
    let submits: Vec<_> = (0..20)
        .map(|_| {
            let (store, job) = (store.clone(), new_job(key));
            tokio::spawn(async move { store.submit(job).await })
        })
        .collect();
    let mut accepted = 0;
    for submit in submits {
        match submit.await.unwrap() {
            Ok(_) => accepted += 1,
            Err(error) => assert_eq!(error, SubmitError::QueueFull),
        }
    }
    assert_eq!((accepted, store.waiting()), (2, 3));
    assert!(store.submit(first).await.unwrap().is_replayed());
    claim(&store).await;
    store.submit(new_job(key)).await.unwrap();
}

#[tokio::test]
async fn old_jobs_leave_memory_and_are_read_from_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let small = StoreConfig { finished_in_memory: 3, ..config(folder.path()) };
    let (store, key) = open(&small).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(store.submit(new_job(key)).await.unwrap().ticket().id.clone());
        let claim = claim(&store).await.claim;
        assert!(
            blocking(&store, move |store| store
                .finish(&claim, Outcome::Completed(result()), Trace::default())
                .unwrap())
            .await
        );
    }
    assert_eq!(store.in_memory(), 3);
    let other = store.create_key("other", ids::os_random().unwrap()).await.unwrap().id;
    for id in &ids {
        assert_eq!(store.job(key, id).await.unwrap().outcome, Some(Outcome::Completed(result())), "{id}");
        assert!(store.job(other, id).await.is_none());
    }
    assert_eq!(store.in_memory(), 3);
    assert!(store.job(key, "run_unknown").await.is_none());

    store.close().await;
    let (store, _) = open(&small).await;
    assert_eq!(store.in_memory(), 3);
    assert!(store.job(key, &ids[0]).await.is_some());
}
