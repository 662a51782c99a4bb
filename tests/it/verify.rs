//! From any copy of a picture back to its record, by every door: the action, the page, the routes.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::imageops::{FilterType, crop_imm, resize};
use image::{ImageFormat, RgbImage};
use imgen::finish::decode::{DecodeLimits, decode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::house::{Answer, House, curl, root};

/// A picture that the service made, its bytes and its job.
pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    thumbnail: Vec<u8>,
    pub(crate) pixels: RgbImage,
    job: Value,
}

/// Every test takes a seed of its own, since pictures of one seed look alike in a house that tests share.
pub(crate) fn made(house: &House, format: &str, seed: u32) -> Made {
    let (job, done) = house.draw(&json!({
        "prompt": "a red hoodie by the sea", "steps": 2, "format": format, "seed": seed, "cs_title": "By the sea"
    }));
    let images = done["meta"]["images"].as_array().unwrap_or_else(|| panic!("{done}"));
    let fetched = |kind: &str| {
        let image = images.iter().find(|image| image["type"] == kind).unwrap();
        let (status, bytes) = curl(image["url"].as_str().unwrap());
        assert_eq!(status, 200);
        bytes
    };
    let bytes = fetched("signed");
    let limits = DecodeLimits { max_bytes: 1 << 24, max_pixels: 1 << 24, max_side_px: 4096 };
    let pixels = decode(&bytes, &limits).unwrap().picture;
    Made { bytes, thumbnail: fetched("thumbnail"), pixels, job }
}

fn uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
}

fn ask(house: &House, kind: &str, bytes: &[u8]) -> Answer {
    house.ask(&json!({"action": "verify", "image": uri(kind, bytes)}))
}

pub(crate) fn verified(house: &House, kind: &str, bytes: &[u8]) -> Value {
    let answer = ask(house, kind, bytes);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

/// Pixels alone: no metadata is written.
fn png(pixels: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

pub(crate) fn jpeg(pixels: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(pixels).unwrap();
    bytes
}

fn scaled(pixels: &RgbImage, part: f64) -> RgbImage {
    let side = |px: u32| (f64::from(px) * part) as u32;
    resize(pixels, side(pixels.width()), side(pixels.height()), FilterType::Lanczos3)
}

/// `POST /verify` as the page does it; without a key when `bearer` is `None`.
fn drop_on_page(house: &House, bearer: Option<&str>, field: &str, bytes: &[u8]) -> Answer {
    let mut body = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"x.bin\"\r\nContent-Type: image/png\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    let headers = [("Authorization", bearer), ("Content-Type", Some("multipart/form-data; boundary=edge"))];
    house.send("POST", "/verify", &headers, &body)
}

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures").join(path)).unwrap()
}

#[test]
fn every_copy_of_a_picture_leads_back_to_its_record() {
    let house = House::shared();
    let made = made(&house, "jpeg", 11);
    let job_id = made.job["id"].as_str().unwrap();

    let intact = verified(&house, "jpeg", &made.bytes);
    assert_eq!(
        (&intact["layer"], &intact["c2pa"]["state"]),
        (&json!("c2pa"), &json!("Trusted")),
        "{intact:#}"
    );
    assert_eq!(
        (&intact["match"]["sure"], &intact["match"]["record_by"]),
        (&json!("certain"), &json!("c2pa"))
    );
    assert_eq!(intact["findings"], json!([]), "{intact:#}");
    let record = &intact["record"];
    assert_eq!((&record["job_id"], &intact["match"]["yours"]), (&json!(job_id), &json!(true)));
    assert_eq!((&record["facts"]["seed"], &record["facts"]["prompt"]), (&json!(11), &made.job["prompt"]));
    assert_eq!(intact["mark"]["record"], record["id"], "the mark is in the pixels of the delivered picture");
    assert_eq!(intact["pdq"]["matches"][0]["id"], record["id"]);

    let small = verified(&house, "jpeg", &made.thumbnail);
    assert_eq!((&small["layer"], &small["c2pa"]["state"]), (&json!("c2pa"), &json!("Trusted")), "{small:#}");
    assert_eq!(small["record"]["id"], record["id"], "a thumbnail leads to the same record");
    assert_eq!(small["match"]["record_by"], "c2pa", "and by its own manifest");

    let (width, height) = made.pixels.dimensions();
    let cut = crop_imm(&made.pixels, width / 10, height / 10, width * 8 / 10, height * 8 / 10).to_image();
    for (what, kind, bytes) in [
        ("stripped", "png", png(&made.pixels)),
        ("recompressed", "jpeg", jpeg(&made.pixels, 60)),
        ("halved", "jpeg", jpeg(&scaled(&made.pixels, 0.5), 80)),
        ("cut", "png", png(&cut)),
    ] {
        let told = verified(&house, kind, &bytes);
        assert_eq!(
            (&told["layer"], &told["match"]["record_by"], &told["c2pa"]["present"]),
            (&json!("mark"), &json!("mark"), &json!(false)),
            "{what}: {told:#}"
        );
        assert_eq!(
            (&told["record"]["job_id"], &told["record"]["id"]),
            (&json!(job_id), &record["id"]),
            "{what}"
        );
        assert_eq!(
            told["record"]["manifest"]["active_manifest"], intact["c2pa"]["manifest_id"],
            "{what}: the stored manifest comes back"
        );
    }

    let battered = jpeg(&scaled(&made.pixels, 0.12), 30);
    let told = verified(&house, "jpeg", &battered);
    assert_eq!((&told["layer"], &told["mark"]["found"]), (&json!("pdq"), &json!(false)), "{told:#}");
    assert_eq!((&told["record"]["id"], &told["match"]["record_by"]), (&record["id"], &json!("pdq")));
    assert!(told["match"]["distance"].as_u64().unwrap() <= 31);
    // The record's owner can show that this recipe is the one that the public manifest names.
    let (text, salt) = (record["facts"]["recipe"].as_str().unwrap(), record["facts"]["recipe_salt"].as_str());
    assert!(text.contains("a red hoodie") && text.contains("\"seed\":11"), "{text}");
    let salted = [hex(salt.unwrap()).as_slice(), text.as_bytes()].concat();
    let claimed = format!("\"recipeSha256\":\"{}\"", sha256(&salted));
    assert!(record["manifest"].to_string().contains(&claimed), "{record:#}");

    let foreign = verified(&house, "png", &fixture("pdq/scene_1024x1024.png"));
    assert_eq!(
        (&foreign["layer"], &foreign["match"], &foreign["record"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
}

#[test]
fn a_changed_copy_keeps_its_manifest_and_it_is_said_that_it_does_not_hold() {
    let house = House::shared();
    let made = made(&house, "png", 21);
    let mut bytes = made.bytes.clone();
    // The last byte of the last IDAT chunk's checksum lies before the 12 bytes of IEND; the data before it is pixels.
    let at = bytes.len() - 12 - 4 - 6;
    bytes[at] ^= 1;
    // No decoder takes a PNG whose checksum does not hold; what it carries says that it was damaged since.
    let told = verified(&house, "png", &bytes);
    assert_eq!(
        (&told["c2pa"]["present"], &told["c2pa"]["state"]),
        (&json!(true), &json!("Invalid")),
        "{told:#}"
    );
    assert_eq!((&told["mark"]["found"], &told["pdq"]["hash"]), (&json!(false), &Value::Null));
    assert_eq!(told["findings"][1]["code"], "PICTURE_BROKEN");
    // Without a manifest it is refused as what it is.
    let bare = png(&made.pixels);
    let answer = ask(&house, "png", &bare[..bare.len() - 40]);
    assert_eq!((answer.status, &answer.json()["details"]["field"]), (400, &json!("image")));

    // Pixels changed and written anew, the manifest put back: what an editor does that keeps metadata it does not understand.
    let mut painted = made.pixels.clone();
    painted.put_pixel(3, 3, image::Rgb([255, 0, 0]));
    let told = verified(&house, "png", &with_chunk_of(&made.bytes, &png(&painted)));
    assert_eq!((&told["c2pa"]["state"], &told["layer"]), (&json!("Invalid"), &json!("mark")), "{told:#}");
    assert!(!told["c2pa"]["reasons"].as_array().unwrap().is_empty());
    assert_eq!(told["findings"][0]["code"], "MANIFEST_INVALID");
    assert_eq!(told["record"]["job_id"], made.job["id"]);
}

/// `to` with the `caBX` chunk (the manifest) of `from`, right after its header.
fn with_chunk_of(from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = from.windows(4).position(|name| name == b"caBX").expect("a manifest") - 4;
    let length = u32::from_be_bytes(from[at..at + 4].try_into().unwrap()) as usize;
    let header_end = 8 + 25;
    [&to[..header_end], &from[at..at + 12 + length], &to[header_end..]].concat()
}

#[test]
fn each_asker_sees_what_is_theirs_and_the_public_part_of_the_rest() {
    let house = House::shared();
    let made = made(&house, "webp", 31);
    let stripped = png(&made.pixels);
    let own = format!("Bearer {}", house.key);
    let other = format!("Bearer {}", house.another_key("verify-stranger"));

    let seen = drop_on_page(&house, Some(&own), "image", &stripped).json();
    assert_eq!(
        (&seen["match"]["yours"], &seen["record"]["job_id"]),
        (&json!(true), &made.job["id"]),
        "{seen:#}"
    );

    let private = [made.job["id"].as_str().unwrap(), made.job["gen_id"].as_str().unwrap(), "red hoodie"];
    for bearer in [Some(other.as_str()), None] {
        let answer = drop_on_page(&house, bearer, "image", &stripped);
        assert_eq!(answer.status, 200, "{}", answer.json());
        let seen = answer.json();
        assert_eq!((&seen["layer"], &seen["match"]["yours"]), (&json!("mark"), &json!(false)));
        for part in ["id", "created_at", "manifest_id", "manifest"] {
            assert!(!seen["record"][part].is_null(), "{part} in {seen:#}");
        }
        for part in private {
            assert!(!seen.to_string().contains(part), "{part} in {seen:#}");
        }
    }
    let wrong = drop_on_page(&house, Some("Bearer imgen_wrong"), "image", &stripped);
    assert_eq!(wrong.status, 401, "a wrong key is not a stranger");
}

#[test]
fn bad_pictures_are_refused_and_the_field_is_named() {
    let house = House::shared();
    let good = fixture("pictures/rgb.png");
    for (what, image, part) in [
        ("vast", uri("png", &fixture("pictures/vast.png")), "30000x30000"),
        ("truncated", uri("jpeg", &fixture("pictures/rgb.jpg")[..300]), "not a whole"),
        ("animated", uri("webp", &fixture("pictures/animated.webp")), "animated"),
        ("HTML", uri("png", b"<!doctype html><html><script>alert(1)</script></html>"), "HTML"),
        ("a wrong type", uri("jpeg", &good), "it says image/jpeg"),
        ("a GIF", uri("gif", &fixture("pictures/other.gif")), "its type must be"),
        ("no data URI", "https://example.org/a.png".to_owned(), "expected a data URI"),
        ("nothing", String::new(), "expected a data URI"),
    ] {
        let answer = house.ask(&json!({"action": "verify", "image": image}));
        let told = answer.json();
        assert_eq!((answer.status, &told["code"]), (400, &json!("INVALID_FIELD")), "{what}: {told}");
        assert_eq!(told["details"]["field"], "image", "{what}");
        assert!(told["details"]["message"].as_str().unwrap().contains(part), "{what}: {told}");
        assert!(!told.to_string().contains("<script"), "{what}");
    }
    for (body, field) in [
        (json!({"action": "verify", "image": 7}), "image"),
        (json!({"action": "verify", "image": uri("png", &good), "url": "x"}), "url"),
    ] {
        let answer = house.ask(&body);
        assert_eq!((answer.status, &answer.json()["details"]["field"]), (400, &json!(field)));
    }
    let page = drop_on_page(&house, None, "image", &fixture("pictures/vast.png"));
    assert_eq!((page.status, &page.json()["details"]["field"]), (400, &json!("image")));
    assert_eq!(drop_on_page(&house, None, "picture", &good).json()["code"], "UNKNOWN_FIELD");
    let plain = house.send("POST", "/verify", &[("Authorization", None)], b"{}");
    assert_eq!((plain.status, &plain.json()["code"]), (415, &json!("UNSUPPORTED_MEDIA_TYPE")));
    assert_eq!(house.send("DELETE", "/verify", &[], b"").status, 405);
}

#[test]
fn the_page_is_one_file_that_runs_only_its_own_script() {
    let house = House::shared();
    let page = house.send("GET", "/verify", &[("Authorization", None)], b"");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"),
        "{policy}"
    );
    let text = String::from_utf8(page.body).unwrap();
    assert!(text.contains("Drop a picture here") && !text.contains("{{"));
}

#[test]
fn strangers_have_a_budget_and_can_be_kept_out() {
    let good = fixture("pictures/rgb.png");
    let house = House::configured("[verify]\npublic_per_minute = 2\nmax_bytes = 4096\n");
    let large = drop_on_page(&house, None, "image", &vec![0; 1 << 16]);
    assert_eq!((large.status, &large.json()["details"]["limit_bytes"]), (413, &json!(4096)));
    drop_on_page(&house, None, "image", &good);
    let refused = drop_on_page(&house, None, "image", &good);
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!("RATE_LIMITED")));
    refused.header("retry-after").parse::<u64>().unwrap();
    let own = format!("Bearer {}", house.key);
    assert_ne!(drop_on_page(&house, Some(&own), "image", &good).status, 429, "a key has its own");

    let closed = House::start(&[("IMGEN_VERIFY_PUBLIC", "false")]);
    assert_eq!(closed.send("GET", "/verify", &[("Authorization", None)], b"").status, 200);
    assert_eq!(drop_on_page(&closed, None, "image", &good).status, 401);
    for path in ["/c2pa/manifests/urn:c2pa:x", "/c2pa/matches/byBinding?alg=a&value=b"] {
        assert_eq!(closed.send("GET", path, &[("Authorization", None)], b"").status, 401, "{path}");
    }
    let own = format!("Bearer {}", closed.key);
    assert_eq!(drop_on_page(&closed, Some(&own), "image", &good).status, 200);
}

/// Reads a route as a stranger.
fn get(house: &House, path: &str) -> Answer {
    house.send("GET", &format!("/c2pa{path}"), &[("Authorization", None)], b"")
}

#[test]
fn soft_bindings_resolve_to_manifests_as_c2pa_names_the_routes() {
    let house = House::configured("[verify]\npublic_per_minute = 1000\n");
    let made = made(&house, "avif", 41);
    let told = verified(&house, "avif", &made.bytes);
    let id = told["c2pa"]["manifest_id"].as_str().unwrap().to_owned();

    let known = get(&house, "/services/supportedAlgorithms").json();
    let alg = known["watermarks"][0]["alg"].as_str().unwrap().to_owned();
    let pdq = known["fingerprints"][0]["alg"].as_str().unwrap().to_owned();

    let query = |value: &str| value.replace('+', "%2B").replace('=', "%3D");
    let payload = hex(told["mark"]["record"].as_str().unwrap());
    let value = STANDARD.encode(&payload);
    let by_mark = get(&house, &format!("/matches/byBinding?alg={alg}&value={}", query(&value))).json();
    assert_eq!(by_mark, json!({"matches": [{"manifestId": id, "similarityScore": 100}]}));
    let hash = STANDARD.encode(hex(told["pdq"]["hash"].as_str().unwrap()));
    let body = json!({"alg": pdq, "value": hash}).to_string();
    let by_hash = house.send(
        "POST",
        "/c2pa/matches/byBinding?maxResults=1",
        &[("Authorization", None)],
        body.as_bytes(),
    );
    assert_eq!(by_hash.json()["matches"][0]["manifestId"], json!(id), "{}", by_hash.json());
    // A binding is short, and so is what is read of a body that says one.
    let long = json!({"alg": pdq, "value": "A".repeat(4096)}).to_string();
    let refused = house.send("POST", "/c2pa/matches/byBinding", &[("Authorization", None)], long.as_bytes());
    assert_eq!((refused.status, &refused.json()["details"]["limit_bytes"]), (413, &json!(4096)));

    let stripped = png(&made.pixels);
    let content = |path: &str, kind: &str, bytes: &[u8]| {
        house.send("POST", path, &[("Authorization", None), ("Content-Type", Some(kind))], bytes)
    };
    for path in
        ["/c2pa/matches/byContent".to_owned(), format!("/c2pa/matches/byContent?alg={alg}&maxResults=1")]
    {
        let found = content(&path, "image/png", &stripped).json();
        assert_eq!(found["matches"][0], json!({"manifestId": id, "similarityScore": 100}), "{path}");
    }
    let foreign = content("/c2pa/matches/byContent", "image/png", &fixture("pdq/scene_1024x1024.png"));
    assert_eq!(foreign.json(), json!({"matches": []}));
    let hinted = format!("/c2pa/matches/byContent?hintAlg={alg}&hintValue={}", query(&value));
    let hinted = content(&hinted, "image/png", &fixture("pdq/scene_1024x1024.png"));
    assert_eq!(hinted.json()["matches"][0]["manifestId"], json!(id));

    let manifest = get(&house, &format!("/manifests/{}", id.replace(':', "%3A")));
    assert_eq!((manifest.status, manifest.header("content-type")), (200, "application/c2pa"));
    let at = made.bytes.windows(manifest.body.len()).position(|window| window == manifest.body);
    assert!(at.is_some(), "it is the very manifest store of the delivered file");

    for (answer, status) in [
        (get(&house, "/manifests/urn:c2pa:00000000-0000-4000-8000-000000000000"), 404),
        (get(&house, "/manifests/nonsense"), 400),
        (get(&house, &format!("/manifests/{id}?returnActiveManifest=perhaps")), 400),
        (get(&house, &format!("/matches/byBinding?alg={alg}")), 400),
        (get(&house, "/matches/byBinding?alg=com.example.1&value=AAAA"), 400),
        (get(&house, &format!("/matches/byBinding?alg={alg}&value=AAAA&maxResults=0")), 400),
        (get(&house, "/matches/byContent"), 405),
        (get(&house, "/matches/byReference"), 404),
        (content("/c2pa/matches/byContent", "text/html", b"<html>"), 415),
        (content("/c2pa/matches/byContent", "image/png", b"<html></html>"), 415),
        (content("/c2pa/matches/byContent", "image/png", &stripped[..200]), 400),
        (content("/c2pa/matches/byContent?hintAlg=x", "image/png", &stripped), 400),
    ] {
        assert_eq!(answer.status, status, "{}", answer.json());
        assert!(answer.json()["error"].is_string());
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
