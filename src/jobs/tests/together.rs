//! Pictures that are asked for together, and workers beside each other.

use super::*;

#[tokio::test]
async fn a_jobs_pictures_are_asked_for_together_and_their_steps_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let (sender, puts) = channel();
    let (asked, batches) = channel();
    let mut together = kitchen(sender);
    let draw = together.render;
    together.most_together = 4;
    together.render = Box::new(move |mut wanted| {
        let seeds: Vec<_> = wanted.iter().map(|wanted| wanted.spec.seed).collect();
        // As a batch is: each step of all before the next.
        for step in 1..=3 {
            assert!(wanted.iter_mut().all(|wanted| (wanted.progress)(step, 4)));
        }
        asked.send(seeds).unwrap();
        draw(wanted)
    });
    let (line, plan) = (Control::new(Arc::default(), 1, Duration::from_secs(60)), plan(7));
    generate(&together, &plan, &line).unwrap().result.unwrap();
    assert_eq!(batches.try_iter().collect::<Vec<_>>(), [[7, 8]]);
    assert_eq!(drain(&puts).len(), 4);
    let workers = Workers::start(store.clone(), vec![together.into_cook()], &quick()).await.unwrap();
    let id = submit(&store, key).await;
    let Outcome::Completed(result) = ended(&store, key, &id).await else { panic!() };
    assert_eq!(result.pictures.iter().map(|picture| picture.seed).collect::<Vec<_>>(), [7, 8]);
    let view = store.job(key, &id).await.unwrap();
    assert_eq!((view.step(), view.steps()), (8, 8));
    stop(workers).await;
}

#[test]
fn what_failed_before_is_drawn_alone() {
    let (sender, _puts) = channel();
    let (asked, batches) = channel();
    let mut together = kitchen(sender);
    let draw = together.render;
    together.most_together = 4;
    together.render = Box::new(move |wanted| {
        asked.send(wanted.iter().map(|wanted| (wanted.spec.seed, wanted.alone)).collect::<Vec<_>>()).unwrap();
        draw(wanted)
    });
    for attempt in [1, 2] {
        let line = Control::new(Arc::default(), attempt, Duration::from_secs(60));
        generate(&together, &plan(7), &line).unwrap().result.unwrap();
    }
    let wanted: [&[_]; 3] = [&[(7, false), (8, false)], &[(7, true)], &[(8, true)]];
    assert_eq!(batches.try_iter().collect::<Vec<_>>(), wanted);
}

#[tokio::test]
async fn several_workers_share_the_queue_and_each_job_is_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let (sender, puts) = channel();
    let cooks = (0..4).map(|_| kitchen(sender.clone()).into_cook()).collect();
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(submit(&store, key).await);
    }
    let workers = Workers::start(store.clone(), cooks, &quick()).await.unwrap();
    for id in &ids {
        assert!(matches!(ended(&store, key, id).await, Outcome::Completed(_)));
        assert_eq!(store.job(key, id).await.unwrap().attempt, 1);
    }
    assert!(!workers.stuck());
    stop(workers).await;
    let names: HashSet<_> = drain(&puts).into_iter().map(|(name, _, _)| name).collect();
    assert_eq!(names.len(), 12 * 4);
}
