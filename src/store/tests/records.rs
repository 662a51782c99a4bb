use super::*;
use sha2::{Digest, Sha256};

use crate::plan::record_name;

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
        thumbnail_manifest: Some(ManifestDigest::new(
            format!("urn:c2pa:{gen_id}-{index}-thumb"),
            gen_id.as_bytes(),
        )),
        facts: json!({"prompt": "by the sea", "seed": index}),
    }
}

/// Completes one job with these records; false where its claim was lost.
async fn complete(store: &Store, key: i64, records: Vec<NewRecord>) -> (String, bool) {
    let id = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    let claim = claim(store).await.claim;
    let done = Outcome::Completed(result());
    (id, blocking(store, move |store| store.finish(&claim, done, traced(records)).unwrap()).await)
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
    assert_eq!(second.thumbnail_manifest, sent.thumbnail_manifest);
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
async fn a_lost_claim_leaves_no_record_and_a_taken_id_completes_no_other_job() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let id = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    let late = claim(&store).await.claim;
    store.recover(3).await.unwrap();
    let now = claim(&store).await.claim;
    let done = || Outcome::Completed(result());
    let finish = |claim, records| {
        blocking(&store, move |store| store.finish(&claim, done(), traced(records)).unwrap())
    };
    assert!(!finish(late, vec![new_record("late", 0)]).await);
    assert!(finish(now, vec![new_record("g", 0)]).await);
    let records = Records::open(&config(folder.path())).unwrap().unwrap();
    assert_eq!(records.by_id(record_id("late", 0)).unwrap(), None);
    // Another job with the same 64 bits, or with the same manifest, keeps nothing.
    let other = store.submit(new_job(key)).await.unwrap().ticket().id.clone();
    let claim = claim(&store).await.claim;
    for taken in [new_record("g", 0), NewRecord { record_id: 7, ..new_record("g", 0) }] {
        let name = record_name(taken.record_id);
        let (claim, list) = (claim.clone(), vec![new_record("h", 0), taken]);
        let refused = blocking(&store, move |store| store.finish(&claim, done(), traced(list))).await;
        assert_eq!(refused, Err(StoreError::RecordTaken { record: name }));
    }
    assert_eq!(records.by_id(record_id("h", 0)).unwrap(), None);
    assert_eq!(store.job(key, &other).await.unwrap().outcome, None);
    assert_eq!(records.by_id(record_id("g", 0)).unwrap().unwrap().job_id, id);
}

#[tokio::test]
async fn a_job_that_brings_its_records_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let (id, _) = complete(&store, key, vec![new_record("g", 0)]).await;
    let records = Records::open(&config(folder.path())).unwrap().unwrap();
    let before = records.by_id(record_id("g", 0)).unwrap();
    let connection = rusqlite::Connection::open(config(folder.path()).database()).unwrap();
    let claim = Claim { id, attempt: 2, owner: "worker".to_owned() };
    let again = NewRecord { pdq_quality: 1, ..new_record("g", 0) };
    crate::store::records::insert(&connection, &claim, &[again], 0).unwrap();
    assert_eq!(records.by_id(record_id("g", 0)).unwrap(), before);
    assert_eq!(records.fingerprints_after(0, 10).unwrap().len(), 1);
}

#[tokio::test]
async fn a_manifest_is_known_by_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    complete(&store, key, vec![new_record("g", 1)]).await;
    let records = Records::open(&config(folder.path())).unwrap().unwrap();
    let record = records.by_id(record_id("g", 1)).unwrap().unwrap();
    let knows = |store: &[u8]| record.has_manifest(Sha256::digest(store).into());
    assert!(knows(&[1; 5000]) && knows(b"g"), "the picture's and the thumbnail's");
    assert!(!knows(&[1; 4999]) && !knows(b""));

    // Of a thumbnail from before hashes were kept nothing is said, rather than that it is forged.
    let thumbnail = &record.thumbnail_manifest.as_ref().unwrap().id;
    assert!(records.by_manifest_id(thumbnail).unwrap().is_some());
    let before = rusqlite::Connection::open(config(folder.path()).database()).unwrap();
    before.execute("UPDATE records SET thumbnail_manifest_sha256 = NULL", ()).unwrap();
    assert!(records.by_manifest_id(thumbnail).unwrap().is_none());
    assert!(records.by_manifest_id(&record.manifest.as_ref().unwrap().id).unwrap().is_some());
}

#[tokio::test]
async fn a_folder_without_a_database_or_without_records_has_none() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Records::open(&config(folder.path())).unwrap().is_none());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
    let old = rusqlite::Connection::open(config(folder.path()).database()).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    assert!(Records::open(&config(folder.path())).unwrap().is_none());
    old.pragma_update(None, "user_version", 3).unwrap();
    assert!(matches!(Records::open(&config(folder.path())), Err(StoreError::TooOld { .. })));
    old.pragma_update(None, "user_version", 1_000_000).unwrap();
    assert!(matches!(Records::open(&config(folder.path())), Err(StoreError::TooNew { .. })));
}
