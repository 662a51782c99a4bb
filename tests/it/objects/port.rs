//! What only a port can show.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use super::world::{Way, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_mid_body_leaves_nothing() {
    let world = World::new(Way::Port);
    let life = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let put = world.raw.put_object().bucket("objects").key("half").presigned(life).await.unwrap();
    let target = put.uri().strip_prefix(&world.base_url).unwrap().to_owned();
    let host = world.base_url.strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(host).unwrap();
    write!(socket, "PUT {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100000\r\n\r\n").unwrap();
    socket.write_all(&[7; 50_000]).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.files().len(), 1, "half of it is spooled");
    drop(socket);
    for _ in 0..100 {
        if world.files().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(world.files().len(), 0);
    assert!(world.raw.get_object().bucket("objects").key("half").send().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn form_uploads_and_other_paths_do_not_reach_the_store() {
    let world = World::new(Way::Port);
    let form = ["Content-Type: multipart/form-data; boundary=x"];
    assert_eq!(world.fetch("POST", &format!("{}/objects", world.base_url), &form).await.status, 405);
    let beside = world.get(&format!("{}/objectsx", world.base_url)).await;
    assert_eq!(beside.body, b"another route");
    assert_eq!(world.get(&format!("{}/objects", world.base_url)).await.status, 403);
    assert_eq!(world.get(&format!("{}/objects/", world.base_url)).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_gets_an_answer() {
    let world = World::new(Way::Port);
    let host = world.base_url.strip_prefix("http://").unwrap().to_owned();
    for target in [
        "/objects/%ff%fe?X-Amz-Signature=0",
        "/objects/a?X-Amz-Signature=%zz",
        "/objects/%00?X-Amz-Signature=0&X-Amz-Expires=99999999999999999999",
        "/objects/a?X-Amz-Signature=0&X-Amz-Signature=1",
        "/objects//../../etc/passwd",
        "/objects/a?uploads",
    ] {
        let mut socket = TcpStream::connect(&host).unwrap();
        write!(socket, "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 4"), "{target}: {answer}");
        assert!(!answer.contains("root:"), "{target}");
    }
}
