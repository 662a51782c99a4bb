//! What a picture costs on its way to the object store inside the process, and a URL on its way out.
//!
//! `cargo bench --bench objects`. Put and get go by the SDK's direct way; a get by port is fetched from actix-web on
//! loopback. The folder is the system's temporary one: its disk and its `fsync` are most of a put. Signing by the SDK's
//! client stands beside ours.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a bench prints its table and stops at the first surprise"
)]

use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::presigning::PresigningConfig;
use imgen::storage::{Embedded, ObjectKey, Storage, StorageConfig};

/// Prints one line of the table from durations in any order.
fn print(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let us = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!("| {name} | {} | {:.1} | {:.1} | {:.1} |", times.len(), us(0.0), us(0.5), us(0.99));
}

fn key(number: usize) -> ObjectKey {
    format!("k3v9aaaaaaaaaaaaaaaa_{}_{number:05}.jpg", "ab".repeat(32)).parse().expect("a key")
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = StorageConfig::default();
    let store = Embedded::open(folder.path(), &config).expect("the store opens");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    let served = store.clone();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(
            actix_web::HttpServer::new(move || {
                actix_web::App::new().configure(|cfg| imgen::api::objects::mount(cfg, &served))
            })
            .workers(1)
            .listen(listener)
            .expect("a server")
            .disable_signals()
            .run(),
        )
    });
    let storage = Storage::inside(&config, &store, &base_url);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    println!("| what | n | least µs | median µs | p99 µs |\n|---|---|---|---|---|");

    let timed = |n: usize, work: &mut dyn FnMut(usize)| -> Vec<Duration> {
        (1..=n)
            .map(|number| {
                let begun = Instant::now();
                work(number);
                begun.elapsed()
            })
            .collect()
    };
    print("presign", timed(20_000, &mut |_| drop(storage.presign(&key(1)).expect("a URL"))));
    let sdk = Client::from_conf(
        aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new(
                "AKIDEXAMPLE",
                "a-secret-that-is-long",
                None,
                None,
                "bench",
            ))
            .endpoint_url(&base_url)
            .force_path_style(true)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build(),
    );
    let life = PresigningConfig::expires_in(Duration::from_secs(3600)).expect("a life");
    let by_sdk = timed(2_000, &mut |_| {
        let get = sdk.get_object().bucket("objects").key(key(1).as_str());
        drop(runtime.block_on(get.presigned(life.clone())).expect("a URL"));
    });
    print("presign by the SDK's client", by_sdk);

    for (name, bytes) in [("20 kB", 20_000_usize), ("300 kB", 300_000), ("1.4 MB", 1_400_000)] {
        let picture: Vec<u8> = (0..bytes).map(|index| (index * 2_654_435_761) as u8).collect();
        let put = |number: usize| {
            runtime.block_on(storage.put(&key(number), picture.clone(), "image/jpeg")).expect("a put");
        };
        print(&format!("put {name}"), timed(60, &mut |number| put(number)));
        let get = |number: usize| drop(runtime.block_on(storage.get(&key(number))).expect("a get"));
        print(&format!("get {name}"), timed(60, &mut |number| get(number)));
        let url = storage.presign(&key(1)).expect("a URL").url;
        let fetch = timed(60, &mut |_| {
            let mut answer = ureq::get(&url).call().expect("the URL opens");
            let read = answer.body_mut().with_config().limit(8 << 20).read_to_vec().expect("a body");
            assert_eq!(read.len(), bytes);
        });
        print(&format!("get {name} by signed URL, on a port"), fetch);
    }
    print("probe", timed(30, &mut |_| runtime.block_on(storage.probe()).expect("a probe")));
}
