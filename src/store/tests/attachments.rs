//! Watermarks beside their jobs.

use super::*;

async fn kept(store: &Store, attachment: &Attachment) -> Option<Vec<u8>> {
    let name = attachment.name();
    blocking(store, move |store| store.attachment(&name).unwrap()).await
}

#[tokio::test]
async fn an_attachment_is_stored_with_its_job_once_and_goes_when_the_last_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let (store, key) = open(&config).await;
    let (shared, other) = (Attachment::new(vec![7; 5000]), Attachment::new(&b"other"[..]));
    assert_eq!(shared.name().len(), 64);
    assert_eq!(kept(&store, &shared).await, None);
    for attachment in [&shared, &shared, &other] {
        store.submit(NewJob { attachment: Some(attachment.clone()), ..new_job(key) }).await.unwrap();
    }
    store.submit(new_job(key)).await.unwrap();
    assert_eq!(kept(&store, &shared).await.unwrap(), vec![7; 5000]);
    let count = || {
        let other = rusqlite::Connection::open(config.database()).unwrap();
        other.query_row("SELECT count(*) FROM attachments", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!(count(), 2);

    // The first of two ends: the other still needs it. A new start sweeps.
    let first = claim(&store).await;
    blocking(&store, move |store| store.finish(&first.claim, Outcome::Cancelled, Trace::default()).unwrap())
        .await;
    store.close().await;
    let (store, _) = open(&config).await;
    store.list_keys().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(kept(&store, &shared).await.unwrap(), vec![7; 5000]);
    assert_eq!(kept(&store, &other).await.unwrap(), b"other");

    let second = claim(&store).await;
    blocking(&store, move |store| store.finish(&second.claim, Outcome::Cancelled, Trace::default()).unwrap())
        .await;
    store.close().await;
    let (store, _) = open(&config).await;
    until("the sweep", || count() == 1).await;
    assert_eq!(kept(&store, &shared).await, None);
    assert_eq!(kept(&store, &other).await.unwrap(), b"other");
}

#[tokio::test]
async fn a_blocked_job_keeps_no_attachment_and_no_name_is_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let blocked =
        Blocked { message: "no".to_owned(), filter_categories: Vec::new(), compliance_codes: Vec::new() };
    let attachment = Attachment::new(&b"mark"[..]);
    let verdict = Verdict::Blocked(blocked_receipt(), blocked);
    store.submit(NewJob { verdict, attachment: Some(attachment.clone()), ..new_job(key) }).await.unwrap();
    assert_eq!(kept(&store, &attachment).await, None);
    for name in ["", "zz", "../jobs", "00"] {
        assert_eq!(blocking(&store, move |store| store.attachment(name).unwrap()).await, None, "{name}");
    }
}
