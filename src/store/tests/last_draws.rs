use std::convert::Infallible;

use super::*;

/// What the key was given before; `text` is what it is given now.
async fn draw(store: &Store, key: i64, text: &'static str) -> String {
    let draw = move |last: &str| Ok::<_, Infallible>((text.to_owned(), last.to_owned()));
    store.draw(key, draw).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_draw_is_told_the_last_one_of_its_key_after_a_restart_too() {
    let folder = tempfile::tempdir().unwrap();
    let (store, key) = open(&config(folder.path())).await;
    let other = store.ensure_key("other", "another token for tests").await.unwrap();
    assert_eq!(draw(&store, key, "a").await, "");
    assert_eq!(draw(&store, other, "b").await, "");
    assert_eq!(draw(&store, key, "c").await, "a");
    store.close().await;
    let (store, _) = open(&config(folder.path())).await;
    assert_eq!(
        store.draw(key, |_| Err::<(String, ()), _>("no such character")).await.unwrap(),
        Err("no such character")
    );
    assert_eq!(draw(&store, key, "d").await, "c", "what failed was not given");
    assert_eq!(draw(&store, other, "d").await, "b");
}
