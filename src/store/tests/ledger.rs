use rusqlite::Connection;

use super::*;
use crate::compliance::Category;
use crate::store::ledger::append;
use crate::store::migrations;

fn blocked(category: &str) -> serde_json::Value {
    json!({"event": "review", "decision": "blocked", "category": category, "text_sha256": "ab"})
}

/// A data folder whose ledger has three entries.
fn filled() -> (tempfile::TempDir, StoreConfig) {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let connection = database::open(&config).unwrap();
    append(&connection, "run_a", &[json!({"n": 1}), blocked("hate")], 10).unwrap();
    append(&connection, "run_b", &[blocked("sexual/minors")], 20).unwrap();
    append(&connection, "run_b", &[], 30).unwrap();
    (folder, config)
}

fn verified(config: &StoreConfig) -> Result<(u64, [u8; 32]), LedgerFault> {
    Ledger::open(config).unwrap().unwrap().verify(None).unwrap()
}

#[test]
fn what_was_written_is_read_and_holds() {
    let (_folder, config) = filled();
    assert!(matches!(verified(&config), Ok((3, hash)) if hash != [0; 32]));
    let ledger = Ledger::open(&config).unwrap().unwrap();
    let of_a = ledger.entries(Some("run_a"), 10).unwrap();
    assert_eq!(of_a.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(ledger.entries(None, 1).unwrap()[0].entry, blocked("sexual/minors"));
}

#[test]
fn the_database_itself_refuses_changes() {
    let (_folder, config) = filled();
    let connection = Connection::open(config.database()).unwrap();
    for sql in ["UPDATE ledger SET entry = '{}' WHERE seq = 1", "DELETE FROM ledger WHERE seq = 3"] {
        let refused = connection.execute_batch(sql).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[test]
fn a_hand_in_the_file_is_seen() {
    let faults = [
        ("UPDATE ledger SET entry = '{\"n\":9}' WHERE seq = 2", LedgerFault::Changed(2)),
        ("UPDATE ledger SET at_ms = 11 WHERE seq = 1", LedgerFault::Changed(1)),
        ("UPDATE ledger SET job_id = 'run_c' WHERE seq = 3", LedgerFault::Changed(3)),
        ("DELETE FROM ledger WHERE seq = 2", LedgerFault::Missing(2)),
        ("UPDATE ledger SET hash = zeroblob(32) WHERE seq = 1", LedgerFault::Changed(1)),
    ];
    for (sql, fault) in faults {
        let (_folder, config) = filled();
        let connection = Connection::open(config.database()).unwrap();
        let guards = "DROP TRIGGER ledger_is_not_changed; DROP TRIGGER ledger_is_not_shortened;";
        connection.execute_batch(guards).unwrap();
        connection.execute_batch(sql).unwrap();
        assert_eq!(verified(&config), Err(fault), "{sql}");
    }
}

#[test]
fn there_is_no_ledger_before_there_is_a_database() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Ledger::open(&config(folder.path())).unwrap().is_none());
    let old = Connection::open(config(folder.path()).database()).unwrap();
    old.pragma_update(None, "user_version", 4).unwrap();
    assert!(Ledger::open(&config(folder.path())).unwrap().is_none());
    old.pragma_update(None, "user_version", migrations::KNOWN + 1).unwrap();
    assert!(matches!(Ledger::open(&config(folder.path())), Err(StoreError::TooNew { .. })));
}

#[test]
fn a_hash_noted_elsewhere_finds_what_was_cut_off() {
    let (_folder, config) = filled();
    let (_, noted) = verified(&config).unwrap();
    let connection = Connection::open(config.database()).unwrap();
    append(&connection, "run_c", &[json!({"n": 4})], 40).unwrap();
    let ledger = || Ledger::open(&config).unwrap().unwrap();
    assert!(matches!(ledger().verify(Some(noted)).unwrap(), Ok((4, _))));
    assert_eq!(ledger().verify(Some([7; 32])).unwrap(), Err(LedgerFault::Noted));
    connection
        .execute_batch("DROP TRIGGER ledger_is_not_shortened; DELETE FROM ledger WHERE seq > 2")
        .unwrap();
    assert_eq!(verified(&config), Err(LedgerFault::Missing(3)));
    connection.execute_batch("UPDATE sqlite_sequence SET seq = 2 WHERE name = 'ledger'").unwrap();
    assert!(verified(&config).is_ok());
    assert_eq!(ledger().verify(Some(noted)).unwrap(), Err(LedgerFault::Noted));
}

#[tokio::test]
async fn an_override_is_written_down_and_known_to_the_running_service() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let (store, key) = open(&config).await;
    let submit = async |category: &str| {
        let job = NewJob { evidence: vec![blocked(category)], ..new_job(key) };
        store.submit(job).await.unwrap().ticket().id.clone()
    };
    let (open, locked) = (submit("hate").await, submit("sexual/minors").await);
    let later = submit("violence").await;
    let mut desk = LedgerDesk::open(&config, OffsetDateTime::UNIX_EPOCH).unwrap().unwrap();
    let passed = |key, text: &'static str| {
        let store = store.clone();
        std::thread::spawn(move || store.overridden(key, text).unwrap()).join().unwrap()
    };
    assert_eq!(passed(key, "ab"), []);
    assert_eq!(desk.rule(&open, Ruling::Appealed, "ada", "it is a history lesson").unwrap(), []);
    assert_eq!(passed(key, "ab"), []);
    let refused = desk.rule(&locked, Ruling::Overridden, "ada", "please").unwrap_err();
    assert!(matches!(&refused, StoreError::Ruling(said) if said.contains("always")), "{refused}");
    assert!(matches!(desk.rule("run_c", Ruling::Upheld, "ada", ""), Err(StoreError::Ruling(_))));
    assert_eq!(desk.rule(&open, Ruling::Overridden, "ada", "so it is").unwrap(), [Category::Hate]);
    assert_eq!(passed(key, "ab"), [Category::Hate]);
    assert_eq!(passed(key + 1, "ab"), [], "another key's");
    assert_eq!(passed(key, "cd"), []);
    let last = &Ledger::open(&config).unwrap().unwrap().entries(Some(&open), 1).unwrap()[0];
    let wanted = json!({
        "event": "override", "by": "ada", "reason": "so it is", "rules_on": "ab", "key_id": key, "overrides": ["hate"]
    });
    assert_eq!(last.entry, wanted);
    desk.rule(&later, Ruling::Overridden, "ada", "that too").unwrap();
    assert_eq!(passed(key, "ab"), [Category::Hate, Category::Violence], "one ruling does not end the other");
    desk.rule(&open, Ruling::Upheld, "ada", "on second thoughts").unwrap();
    assert_eq!(passed(key, "ab"), []);
    assert!(verified(&config).is_ok());
    store.close().await;
}

#[tokio::test]
async fn evidence_is_kept_with_the_job_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let (store, key) = open(&config).await;
    let sent = Idempotency { key: "once".to_owned(), body_sha256: [1; 32] };
    let job = || NewJob { idempotency: Some(sent.clone()), evidence: vec![json!({"n": 1})], ..new_job(key) };
    store.submit(job()).await.unwrap();
    assert!(store.submit(job()).await.unwrap().is_replayed());
    let count = || verified(&config).unwrap().0;
    assert_eq!(count(), 1, "a repeated request is no new decision");
    let trace = Trace { evidence: vec![json!({"n": 2}), json!({"n": 3})], ..Trace::default() };
    let claim = blocking(&store, |store| store.claim("w", LEASE).unwrap().unwrap().claim).await;
    let (stale, lost) = (Claim { attempt: 9, ..claim.clone() }, trace.clone());
    assert!(!blocking(&store, move |store| store.finish(&stale, Outcome::Cancelled, lost).unwrap()).await);
    assert_eq!(count(), 1);
    assert!(blocking(&store, move |store| store.finish(&claim, Outcome::Cancelled, trace).unwrap()).await);
    assert_eq!(count(), 3);
    store.close().await;
}
