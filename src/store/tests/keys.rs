use time::OffsetDateTime;

use super::*;
use crate::compliance::Tightened;

#[tokio::test]
async fn a_token_lets_in_until_its_key_is_disabled_or_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&config(folder.path())).await;
    let made = store.create_key("first", ids::os_random().unwrap()).await.unwrap();
    assert!(made.token.starts_with(&made.prefix) && made.prefix.len() == 12, "{}", made.prefix);
    let caller = Caller { key_id: made.id, name: "first".to_owned(), tightened: Tightened::default() };
    assert_eq!(store.authenticate(&made.token), Some(caller.clone()));
    for wrong in ["", "imgen_", &made.token[1..], &format!("{} ", made.token), &made.token.to_lowercase()] {
        assert_eq!(store.authenticate(wrong), None, "{wrong:?}");
    }
    assert!(store.change_key(made.id, KeyChange::Disable).await.unwrap());
    assert_eq!(store.authenticate(&made.token), None);
    assert!(store.change_key(made.id, KeyChange::Enable).await.unwrap());
    assert_eq!(store.authenticate(&made.token), Some(caller));
    assert!(store.change_key(made.id, KeyChange::Revoke).await.unwrap());
    assert!(!store.change_key(made.id, KeyChange::Enable).await.unwrap(), "revoked is for good");
    assert_eq!(store.authenticate(&made.token), None);
    assert!(!store.change_key(9999, KeyChange::Disable).await.unwrap());
}

#[tokio::test]
async fn the_token_is_nowhere_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(&config(folder.path())).await;
    let made = store.create_key("first", ids::os_random().unwrap()).await.unwrap();
    assert!(!format!("{made:?}").contains(&made.token));
    store.close().await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(made.token.len()).any(|window| window == made.token.as_bytes()));
    }
}

#[tokio::test]
async fn a_fixed_token_is_one_key_however_often_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    assert_eq!(store.ensure_key("again", "a token for tests").await.unwrap(), key);
    assert!(store.change_key(key, KeyChange::Disable).await.unwrap());
    assert_eq!(store.ensure_key("again", "a token for tests").await.unwrap(), key);
    assert_eq!(store.authenticate("a token for tests"), None, "what was disabled stays so");
    assert_eq!(store.list_keys().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_another_process_does_to_keys_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let mut desk = KeyDesk::open(&config(folder.path()), OffsetDateTime::now_utc()).unwrap();
    let made = desk.create("from outside", ids::os_random().unwrap()).unwrap();
    until("the new key is let in", || store.authenticate(&made.token).is_some()).await;
    assert!(desk.change(key, KeyChange::Disable).unwrap());
    until("the disabled key is refused", || store.authenticate("a token for tests").is_none()).await;
    assert!(desk.change(made.id, KeyChange::Revoke).unwrap());
    until("the revoked key is refused", || store.authenticate(&made.token).is_none()).await;
    let names: Vec<_> = desk.list().unwrap().into_iter().map(|key| (key.name, key.enabled)).collect();
    assert_eq!(names, [("test".to_owned(), false), ("from outside".to_owned(), false)]);
}

#[tokio::test]
async fn requests_are_counted_within_a_second_and_at_the_close() {
    let folder = tempfile::tempdir().unwrap();
    let (clock, _) = clock();
    let store = Store::open_with_clock(&config(folder.path()), clock).unwrap();
    let key = store.ensure_key("test", "a token for tests").await.unwrap();
    let desk = KeyDesk::open(&config(folder.path()), OffsetDateTime::now_utc()).unwrap();
    let count = || desk.list().unwrap()[0].request_count;
    for _ in 0..40 {
        store.count_request(key);
    }
    until("the count is written", || count() == 40).await;
    store.count_request(key);
    store.count_request(key);
    store.close().await;
    assert_eq!(count(), 42);
    assert_eq!(desk.list().unwrap()[0].last_used_at, Some(moment(1_700_000_000_000)));
}
