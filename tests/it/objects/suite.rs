//! What holds whichever way a request comes.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumAlgorithm;
use imgen::plan::Format;
use imgen::storage::{ObjectKey, StorageConfig, StorageError};

use super::world::{Way, World};

/// Runs each function in a world of its own, by each way.
macro_rules! by_each_way {
    ($($name:ident),* $(,)?) => {
        mod by_port {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::World::new(super::Way::Port)).await; })*
        }
        mod directly {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::World::new(super::Way::Direct)).await; })*
        }
    };
}

by_each_way![
    round_trip,
    signed_urls_open_and_nothing_else_does,
    signatures_expire,
    names_are_only_names,
    ranges_heads_and_conditions,
    pages_of_names,
    a_delete_leaves_no_trace,
    a_wrong_checksum_leaves_nothing,
    right_checksums_of_every_kind_pass,
    an_object_over_the_cap_is_refused,
    one_whole_object_whatever_is_put_at_once,
    a_restart_serves_old_objects_and_sweeps,
    files_are_the_owners_only,
    no_page_of_a_strangers_making,
    buckets,
    only_new,
    the_probe_passes_and_leaves_nothing,
];

/// Bytes that do not repeat within a chunk, longer than one read.
fn picture() -> Vec<u8> {
    (0..700_001u32).flat_map(|i| (i.wrapping_mul(2_654_435_761)).to_le_bytes()).take(700_001).collect()
}

fn key(number: u32) -> ObjectKey {
    ObjectKey::picture("k3v9aaaaaaaaaaaaaaaa", &"ab".repeat(32), number, Format::Jpeg).unwrap()
}

async fn round_trip(world: World) {
    world.storage.put(&key(1), picture(), "image/jpeg").await.unwrap();
    assert_eq!(world.storage.get(&key(1)).await.unwrap(), picture());
    let missing = world.storage.get(&key(2)).await.unwrap_err();
    assert!(matches!(missing, StorageError::NoObject { .. }), "{missing}");
    world.storage.put(&key(1), b"other".to_vec(), "image/jpeg").await.unwrap();
    assert_eq!(world.storage.get(&key(1)).await.unwrap(), b"other".as_slice());
    world.storage.put(&key(3), Vec::new(), "image/jpeg").await.unwrap();
    assert_eq!(world.storage.get(&key(3)).await.unwrap(), b"".as_slice());
}

async fn signed_urls_open_and_nothing_else_does(world: World) {
    world.storage.put(&key(1), picture(), "image/jpeg").await.unwrap();
    world.storage.put(&key(2), b"second".to_vec(), "image/jpeg").await.unwrap();
    let signed = world.storage.presign(&key(1)).unwrap();
    assert!(signed.url.starts_with(&format!("{}/objects/{}?", world.base_url, key(1))), "{}", signed.url);
    let life = signed.expires_at - time::OffsetDateTime::now_utc();
    assert!((3598..=3600).contains(&life.whole_seconds()), "{life}");

    let fetched = world.get(&signed.url).await;
    assert_eq!((fetched.status, fetched.body == picture()), (200, true));
    assert_eq!(fetched.headers["content-length"], "700001");
    assert_eq!(fetched.headers["content-type"], "image/jpeg");
    assert_eq!(fetched.headers["x-content-type-options"], "nosniff");
    assert_eq!(fetched.headers["cache-control"], "private, max-age=3600, immutable");
    let part = world.fetch("GET", &signed.url, &["Range: bytes=100-199"]).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &picture()[100..200]));

    let at = signed.url.find("X-Amz-Signature=").unwrap() + "X-Amz-Signature=".len();
    let mut other_signature = signed.url.clone().into_bytes();
    other_signature[at] = if other_signature[at] == b'a' { b'b' } else { b'a' };
    let forged = [
        ("signature", String::from_utf8(other_signature).unwrap()),
        ("key", signed.url.replace("_00001.jpg", "_00002.jpg")),
        ("expiry", signed.url.replace("X-Amz-Expires=3600", "X-Amz-Expires=3601")),
        ("access key", signed.url.replace("Credential=IMGEN", "Credential=OTHER")),
        ("type", format!("{}&response-content-type=text%2Fhtml", signed.url)),
        ("no signature", signed.url.split('?').next().unwrap().to_owned()),
        ("listing", signed.url.replace(&format!("/{}", key(1)), "")),
    ];
    for (what, url) in forged {
        assert_ne!(url, signed.url, "{what}");
        let fetched = world.get(&url).await;
        assert_eq!(fetched.status, 403, "{what}: {}", String::from_utf8_lossy(&fetched.body));
        assert_eq!(fetched.headers["x-content-type-options"], "nosniff", "{what}");
    }
    for method in ["PUT", "DELETE", "HEAD"] {
        assert_eq!(world.fetch(method, &signed.url, &[]).await.status, 403, "{method}");
    }
    assert_eq!(world.fetch("POST", &signed.url, &[]).await.status, 405);
    assert_eq!(world.storage.get(&key(1)).await.unwrap(), picture(), "nothing of that changed it");
}

async fn signatures_expire(world: World) {
    world.storage.put(&key(1), b"short".to_vec(), "image/png").await.unwrap();
    let minute = World::with(world.way, StorageConfig { presign_ttl_s: 60, ..world.config.clone() });
    minute.storage.put(&key(1), b"short".to_vec(), "image/png").await.unwrap();
    assert_eq!(minute.get(&minute.storage.presign(&key(1)).unwrap().url).await.status, 200);
    let over = minute.storage.presign_at(&key(1), SystemTime::now() - Duration::from_secs(62)).unwrap();
    let expired = minute.get(&over.url).await;
    assert_eq!(expired.status, 403);
    assert!(String::from_utf8_lossy(&expired.body).contains("expired"));

    let ago = |s| world.storage.presign_at(&key(1), SystemTime::now() - Duration::from_secs(s)).unwrap();
    assert_eq!(world.get(&ago(3590).url).await.status, 200);
    assert_eq!(world.get(&ago(3602).url).await.status, 403);
    let day = Duration::from_secs(86_400);
    let ahead = world.storage.presign_at(&key(1), SystemTime::now() + day).unwrap();
    assert_eq!(world.get(&ahead.url).await.status, 403, "signed by a clock a day ahead");
}

async fn names_are_only_names(world: World) {
    let long = "ü".repeat(512);
    let names = [
        "../escape",
        "../../../../tmp/escape",
        "a/../../b",
        "dir",
        "dir/child",
        "dir/",
        ".spool/x",
        ".keys.json",
        "ünï cödé +&%.png",
        "日本語/絵.png",
        "a?b#c",
        "trailing.",
        "-",
        long.as_str(),
    ];
    for name in names {
        let body = ByteStream::from(name.as_bytes().to_vec());
        let put = world.raw.put_object().bucket("objects").key(name).body(body).send().await;
        assert!(put.is_ok(), "{name}: {put:?}");
    }
    for name in names {
        let found = world.raw.get_object().bucket("objects").key(name).send().await;
        let found = found.unwrap_or_else(|e| panic!("{name}: {e:?}")).body.collect().await.unwrap();
        assert_eq!(found.into_bytes(), name.as_bytes(), "{name}");
    }
    let files = world.files();
    assert_eq!(files.len(), names.len(), "one file each");
    let bucket = world.folder.join("objects");
    assert!(files.iter().all(|path| path.starts_with(&bucket)), "all of them inside: {files:?}");
    let listed = world.raw.list_objects_v2().bucket("objects").send().await.unwrap();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(listed.contents().iter().map(|o| o.key().unwrap()).collect::<Vec<_>>(), expected);

    let too_long = "k".repeat(1025);
    let refused = world.raw.put_object().bucket("objects").key(too_long).send().await.unwrap_err();
    assert_eq!(refused.as_service_error().and_then(|e| e.code()), Some("KeyTooLongError"));
}

async fn ranges_heads_and_conditions(world: World) {
    let put = world
        .raw
        .put_object()
        .bucket("objects")
        .key("x.png")
        .content_type("image/png")
        .content_disposition("attachment")
        .metadata("job", "j-1")
        .body(ByteStream::from(picture()))
        .send()
        .await
        .unwrap();
    let get = || world.raw.get_object().bucket("objects").key("x.png");
    for (range, expected) in [
        ("bytes=0-0", 0..1),
        ("bytes=262143-262145", 262_143..262_146),
        ("bytes=700000-", 700_000..700_001),
        ("bytes=-5", 699_996..700_001),
        ("bytes=10-99999999", 10..700_001),
    ] {
        let part = get().range(range).send().await.unwrap();
        let said = format!("bytes {}-{}/700001", expected.start, expected.end - 1);
        assert_eq!(part.content_range(), Some(said.as_str()));
        assert_eq!(part.content_length(), Some((expected.end - expected.start) as i64));
        assert_eq!(part.body.collect().await.unwrap().into_bytes(), picture()[expected], "{range}");
    }
    let beyond = get().range("bytes=700001-").send().await.unwrap_err();
    assert_eq!(beyond.raw_response().unwrap().status().as_u16(), 416);

    let head = world.raw.head_object().bucket("objects").key("x.png").send().await.unwrap();
    assert_eq!(head.content_length(), Some(700_001));
    assert_eq!(head.content_type(), Some("image/png"));
    assert_eq!(head.content_disposition(), Some("attachment"));
    assert_eq!(head.metadata().unwrap()["job"], "j-1");
    assert_eq!((head.e_tag(), head.e_tag().map(str::len)), (put.e_tag(), Some(34)));
    let absent = world.raw.head_object().bucket("objects").key("y.png").send().await.unwrap_err();
    assert_eq!(absent.raw_response().unwrap().status().as_u16(), 404);

    let etag = put.e_tag().unwrap();
    let fresh = get().if_none_match(etag).send().await.unwrap_err();
    assert_eq!(fresh.raw_response().unwrap().status().as_u16(), 304);
    let changed = get().if_match("\"0\"").send().await.unwrap_err();
    assert_eq!(changed.raw_response().unwrap().status().as_u16(), 412);
    assert!(get().if_match(etag).send().await.is_ok());
}

async fn pages_of_names(world: World) {
    for name in ["a/1", "a/2", "a/3", "b", "c/d/e", "c/f"] {
        let body = ByteStream::from_static(b"x");
        world.raw.put_object().bucket("objects").key(name).body(body).send().await.unwrap();
    }
    let list = || world.raw.list_objects_v2().bucket("objects");
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let page = list().max_keys(4).set_continuation_token(token).send().await.unwrap();
        seen.extend(page.contents().iter().map(|o| o.key().unwrap().to_owned()));
        assert_eq!(page.is_truncated() == Some(true), page.next_continuation_token().is_some());
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
        assert_eq!(page.key_count(), Some(4));
    }
    assert_eq!(seen, ["a/1", "a/2", "a/3", "b", "c/d/e", "c/f"]);

    let folders = list().delimiter("/").send().await.unwrap();
    assert_eq!(folders.contents().iter().map(|o| o.key().unwrap()).collect::<Vec<_>>(), ["b"]);
    let prefixes: Vec<_> = folders.common_prefixes().iter().map(|p| p.prefix().unwrap()).collect();
    assert_eq!(prefixes, ["a/", "c/"]);
    let first = list().delimiter("/").max_keys(1).send().await.unwrap();
    let second =
        list().delimiter("/").max_keys(1).continuation_token(first.next_continuation_token().unwrap());
    let second = second.send().await.unwrap();
    assert_eq!((first.common_prefixes().len(), second.contents()[0].key()), (1, Some("b")));
    let below = list().prefix("c/").delimiter("/").send().await.unwrap();
    assert_eq!(below.common_prefixes()[0].prefix(), Some("c/d/"));
    assert_eq!(list().start_after("b").send().await.unwrap().key_count(), Some(2));
    assert_eq!(list().max_keys(0).send().await.unwrap().is_truncated(), Some(false));
}

async fn a_delete_leaves_no_trace(world: World) {
    world.storage.put(&key(1), picture(), "image/jpeg").await.unwrap();
    assert_eq!(world.files().len(), 1);
    let signed = world.storage.presign(&key(1)).unwrap();
    world.storage.delete(&key(1)).await.unwrap();
    assert_eq!(world.files().len(), 0);
    assert_eq!(world.get(&signed.url).await.status, 404);
    world.storage.delete(&key(1)).await.unwrap();
}

async fn a_wrong_checksum_leaves_nothing(world: World) {
    world.storage.put(&key(1), b"older".to_vec(), "image/jpeg").await.unwrap();
    let put = || world.raw.put_object().bucket("objects").key(key(1).as_str());
    let hello = || ByteStream::from_static(b"hello");
    let wrong = [
        put().body(hello()).content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await.unwrap_err(),
        put().body(hello()).checksum_crc32("AAAAAA==").send().await.unwrap_err(),
        put()
            .body(hello())
            .checksum_sha256("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            .send()
            .await
            .unwrap_err(),
    ];
    for error in wrong {
        assert_eq!(error.as_service_error().and_then(|e| e.code()), Some("BadDigest"));
    }
    assert_eq!(world.files().len(), 1, "no half-written file stays");
    assert_eq!(world.storage.get(&key(1)).await.unwrap(), b"older".as_slice());
}

async fn right_checksums_of_every_kind_pass(world: World) {
    // The SDK computes these and, where it can, sends them after the body.
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        let name = format!("by-{algorithm}");
        let body = ByteStream::from(picture());
        let put =
            world.raw.put_object().bucket("objects").key(&name).checksum_algorithm(algorithm).body(body);
        put.send().await.unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let head = world.raw.head_object().bucket("objects").key(&name).send().await.unwrap();
        assert_eq!((head.content_length(), head.content_encoding()), (Some(700_001), None), "{name}");
    }
    let put = world.raw.put_object().bucket("objects").key("md5").body(ByteStream::from_static(b"hello"));
    let put = put.content_md5("XUFAKrxLKna5cZ2REBfFkg==").send().await.unwrap();
    assert_eq!(put.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
}

async fn an_object_over_the_cap_is_refused(world: World) {
    let small = World::with(world.way, StorageConfig { max_object_bytes: 1 << 20, ..world.config.clone() });
    small.storage.put(&key(1), vec![0; 1 << 20], "image/jpeg").await.unwrap();
    let put = small.raw.put_object().bucket("objects").key("big");
    let error = put.body(ByteStream::from(vec![0; (1 << 20) + 1])).send().await.unwrap_err();
    assert_eq!(error.as_service_error().and_then(|e| e.code()), Some("EntityTooLarge"));
    assert_eq!(small.files().len(), 1);
}

async fn one_whole_object_whatever_is_put_at_once(world: World) {
    const BYTES: usize = 300_000;
    world.storage.put(&key(1), vec![0; BYTES], "image/jpeg").await.unwrap();
    let puts = (1..=12u8).map(|fill| {
        let storage = world.storage.clone();
        tokio::spawn(async move { storage.put(&key(1), vec![fill; BYTES], "image/jpeg").await.unwrap() })
    });
    let puts: Vec<_> = puts.collect();
    let whole = |bytes: &[u8]| bytes.len() == BYTES && bytes.iter().all(|byte| *byte == bytes[0]);
    for _ in 0..20 {
        assert!(whole(&world.storage.get(&key(1)).await.unwrap()));
    }
    for put in puts {
        put.await.unwrap();
    }
    let last = world.storage.get(&key(1)).await.unwrap();
    assert!(whole(&last) && last[0] > 0);
    assert_eq!(world.files().len(), 1);
}

async fn a_restart_serves_old_objects_and_sweeps(world: World) {
    world.storage.put(&key(1), picture(), "image/jpeg").await.unwrap();
    let signed = world.storage.presign(&key(1)).unwrap();
    // What a crash between the last write and the rename leaves.
    std::fs::write(world.folder.join(".spool/0123456789abcdef"), picture()).unwrap();
    assert_eq!(world.raw.list_objects_v2().bucket("objects").send().await.unwrap().key_count(), Some(1));
    let storage = world.reopened();
    assert_eq!(storage.get(&key(1)).await.unwrap(), picture());
    assert_eq!(world.files().len(), 1);
    assert_eq!(world.get(&signed.url).await.status, 200, "the keys are the same ones");
}

async fn files_are_the_owners_only(world: World) {
    world.storage.put(&key(1), picture(), "image/jpeg").await.unwrap();
    let paths = world.paths();
    assert_eq!(paths.len(), 8, "data, root, spool, keys, bucket, two folders, the object: {paths:?}");
    for path in paths {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        assert!(!path.to_string_lossy().contains("k3v9"), "names do not tell what they hold");
    }
}

async fn no_page_of_a_strangers_making(world: World) {
    let body = ByteStream::from_static(b"<script>alert(1)</script>");
    let put = world.raw.put_object().bucket("objects").key(key(1).as_str()).content_type("text/html");
    put.body(body).send().await.unwrap();
    let fetched = world.get(&world.storage.presign(&key(1)).unwrap().url).await;
    assert_eq!(fetched.headers["content-type"], "application/octet-stream");
    assert_eq!(fetched.headers["x-content-type-options"], "nosniff");
    let asked = world.raw.get_object().bucket("objects").key(key(1).as_str());
    let refused = asked.response_content_type("text/html").send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 400);
}

async fn buckets(world: World) {
    assert!(world.raw.head_bucket().bucket("objects").send().await.is_ok());
    let again = world.raw.create_bucket().bucket("objects").send().await.unwrap_err();
    assert_eq!(again.as_service_error().and_then(|e| e.code()), Some("BucketAlreadyOwnedByYou"));
    if world.way == Way::Direct {
        assert!(world.raw.head_bucket().bucket("other").send().await.is_err());
        let put = world.raw.put_object().bucket("other").key("a").body(ByteStream::from_static(b"x"));
        let error = put.send().await.unwrap_err();
        assert_eq!(error.as_service_error().and_then(|e| e.code()), Some("NoSuchBucket"));
        world.raw.create_bucket().bucket("other").send().await.unwrap();
        assert!(world.raw.head_bucket().bucket("other").send().await.is_ok());
    }
}

async fn only_new(world: World) {
    let put = || world.raw.put_object().bucket("objects").key("once").if_none_match("*");
    put().body(ByteStream::from_static(b"first")).send().await.unwrap();
    let second = put().body(ByteStream::from_static(b"second")).send().await.unwrap_err();
    assert_eq!(second.raw_response().unwrap().status().as_u16(), 412);
    let found = world.raw.get_object().bucket("objects").key("once").send().await.unwrap();
    assert_eq!(found.body.collect().await.unwrap().into_bytes(), "first");
    assert_eq!(world.files().len(), 1);
}

async fn the_probe_passes_and_leaves_nothing(world: World) {
    world.storage.probe().await.unwrap();
    assert_eq!(world.files().len(), 0);
}
