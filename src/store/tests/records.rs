use super::*;

fn new_record(gen_id: &str, index: u32) -> NewRecord {
    NewRecord {
        record_id: record_id(gen_id, index),
        picture_index: index,
        pdq: [index as u8 + 1; 32],
        pdq_quality: 90,
        mark: Some(RecordedMark { alg: "org.imgen.tile-spread.1".to_owned(), bit_errors: 3, strength: 1.5 }),
        manifest: Some(RecordedManifest {
            id: format!("urn:c2pa:{gen_id}-{index}"),
            jumbf: vec![index as u8; 5000],
        }),
        thumbnail_manifest_id: Some(format!("urn:c2pa:{gen_id}-{index}-thumb")),
        facts: json!({"prompt": "by the sea", "seed": index}),
    }
}

/// Completes one job with these records; false where its claim was lost.
async fn complete(store: &Store, key: i64, records: Vec<NewRecord>) -> (String, bool) {
    let id = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    let claim = claim(store).await.claim;
    let done = Outcome::Completed(result());
    (id, blocking(store, move |store| store.finish(&claim, done, records).unwrap()).await)
}

#[test]
fn an_id_is_a_function_of_the_picture() {
    // printf 'imgen.record.1a1b2c3d4e5f6g7h8i9j0\0\0\0\1' | sha256sum | cut -c1-16
    assert_eq!(record_name(record_id("a1b2c3d4e5f6g7h8i9j0", 1)), "5ca46479adeb81c0");
    assert_ne!(record_id("a1b2c3d4e5f6g7h8i9j0", 0), record_id("a1b2c3d4e5f6g7h8i9j0", 1));
    assert_eq!(record_name(10), "000000000000000a");
}

#[tokio::test]
async fn a_completed_job_leaves_its_records_and_each_id_finds_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let (job, kept) = complete(&store, key, vec![new_record("g", 0), new_record("g", 1)]).await;
    assert!(kept);
    let records = Records::open(&config(folder.path())).unwrap().unwrap();
    let second = records.by_id(record_id("g", 1)).unwrap().unwrap();
    assert_eq!((second.job_id.as_str(), second.key_id, second.picture_index), (job.as_str(), key, 1));
    let sent = new_record("g", 1);
    assert_eq!(second.record_id, sent.record_id);
    assert_eq!((second.pdq, second.pdq_quality), (sent.pdq, sent.pdq_quality));
    assert_eq!((&second.mark, &second.manifest, &second.facts), (&sent.mark, &sent.manifest, &sent.facts));
    for id in ["urn:c2pa:g-1", "urn:c2pa:g-1-thumb"] {
        assert_eq!(records.by_manifest_id(id).unwrap().as_ref(), Some(&second), "{id}");
    }
    assert_eq!(records.by_manifest_id("urn:c2pa:g-2").unwrap(), None);
    assert_eq!(records.by_id(7).unwrap(), None);
}

#[tokio::test]
async fn fingerprints_come_in_order_and_only_new_ones_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let records = Records::open(&config(folder.path())).unwrap().unwrap();
    assert_eq!(records.fingerprints_after(0, 10).unwrap(), []);
    complete(&store, key, vec![new_record("g", 0), new_record("g", 1)]).await;
    let first = records.fingerprints_after(0, 10).unwrap();
    let ids: Vec<_> = first.iter().map(|found| (found.record_id, found.pdq[0])).collect();
    assert_eq!(ids, [(record_id("g", 0), 1), (record_id("g", 1), 2)]);
    complete(&store, key, vec![new_record("h", 0)]).await;
    let last = first.last().unwrap().seq;
    let next = records.fingerprints_after(last, 10).unwrap();
    assert_eq!(next.iter().map(|found| found.record_id).collect::<Vec<_>>(), [record_id("h", 0)]);
    assert_eq!(records.fingerprints_after(0, 2).unwrap(), first);
}

#[tokio::test]
async fn a_lost_claim_leaves_no_record_and_a_taken_id_keeps_its_first_picture() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let id = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    let late = claim(&store).await.claim;
    store.recover(3).await.unwrap();
    let now = claim(&store).await.claim;
    let done = || Outcome::Completed(result());
    let finish =
        |claim, records| blocking(&store, move |store| store.finish(&claim, done(), records).unwrap());
    assert!(!finish(late, vec![new_record("late", 0)]).await);
    assert!(finish(now, vec![new_record("g", 0)]).await);
    let records = Records::open(&config(folder.path())).unwrap().unwrap();
    assert_eq!(records.by_id(record_id("late", 0)).unwrap(), None);
    // Another job with the same 64 bits ends all the same.
    assert!(complete(&store, key, vec![new_record("g", 0)]).await.1);
    assert_eq!(records.by_id(record_id("g", 0)).unwrap().unwrap().job_id, id);
}

#[tokio::test]
async fn a_folder_without_a_database_or_without_records_has_none() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Records::open(&config(folder.path())).unwrap().is_none());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
    let old = rusqlite::Connection::open(config(folder.path()).database()).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    assert!(Records::open(&config(folder.path())).unwrap().is_none());
    old.pragma_update(None, "user_version", 1_000_000).unwrap();
    assert!(matches!(Records::open(&config(folder.path())), Err(StoreError::TooNew { .. })));
}
