use std::os::unix::fs::PermissionsExt;

use super::*;

#[tokio::test]
async fn only_the_owner_can_look_in() {
    let folder = tempfile::tempdir().unwrap();
    let inside = config(&folder.path().join("made/here"));
    let (store, key) = open(&inside).await;
    store.submit(new_job(key)).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inside.data_dir), 0o700);
    let files: Vec<_> =
        std::fs::read_dir(&inside.data_dir).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 4, "database, -wal, -shm, lock: {files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
}

#[tokio::test]
async fn commits_reach_the_disk_before_they_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&config(folder.path())).await;
    let set = |connection: &rusqlite::Connection| {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let journal = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))?;
        Ok((journal, number("synchronous")?, number("foreign_keys")?, number("busy_timeout")?))
    };
    assert_eq!(store.write(set, |_, _| {}).await.unwrap(), ("wal".to_owned(), 2, 1, 5000));
}

#[tokio::test]
async fn one_process_serves_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&config(folder.path())).await;
    let refused = Store::open(&config(folder.path())).unwrap_err();
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    store.close().await;
    assert_eq!(store.submit(new_job(1)).await.unwrap_err(), SubmitError::Store(StoreError::Closed));
    Store::open(&config(folder.path())).unwrap();
}

#[tokio::test]
async fn a_damaged_database_is_refused_with_an_instruction() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    for _ in 0..50 {
        store.submit(new_job(key)).await.unwrap();
    }
    store.close().await;
    let path = config(folder.path()).database();
    let sound = std::fs::read(&path).unwrap();

    let mut torn = sound.clone();
    for page in torn.chunks_mut(4096).skip(2) {
        page[..64].fill(0xa5);
    }
    for damaged in [torn, b"this is no database, but a text that is long enough to look at".to_vec()] {
        std::fs::write(&path, damaged).unwrap();
        let refused = Store::open(&config(folder.path())).unwrap_err();
        assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused:?}");
        let text = refused.to_string();
        assert!(text.contains(".recover") && text.contains(path.to_str().unwrap()), "{text}");
    }
    std::fs::write(&path, sound).unwrap();
    assert_eq!(Store::open(&config(folder.path())).unwrap().waiting(), 50);
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&config(folder.path())).await;
    store.close().await;
    let database = rusqlite::Connection::open(config(folder.path()).database()).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    assert!(matches!(Store::open(&config(folder.path())), Err(StoreError::TooNew { found: 99, .. })));
}

#[tokio::test]
async fn a_writer_in_another_process_is_waited_for_and_then_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&StoreConfig { busy_timeout_ms: 200, ..config(folder.path()) }).await;
    let other = rusqlite::Connection::open(config(folder.path()).database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.submit(new_job(key)).await.unwrap_err();
    assert_eq!(refused, SubmitError::Store(StoreError::Busy));
    other.execute_batch("COMMIT").unwrap();
    store.submit(new_job(key)).await.unwrap();
}

#[test]
fn settings_are_checked_all_at_once() {
    let mut complaints = crate::config::complaints::Complaints::default();
    StoreConfig::default().validate(&mut complaints);
    assert!(complaints.is_empty());
    let wrong = StoreConfig {
        data_dir: "".into(),
        max_queue: 0,
        finished_in_memory: 0,
        group_commit_rows: 0,
        busy_timeout_ms: 1_000_000,
    };
    wrong.validate(&mut complaints);
    assert_eq!(complaints.0.len(), 5);
}
