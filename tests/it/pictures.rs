//! What the URLs give: pictures of the asked size, named and fingerprinted as said.

use serde_json::{Value, json};

use crate::alike::alike;
use crate::house::{House, curl, fetch_picture};

const SIZES: [(u32, u32); 7] =
    [(1024, 1024), (1344, 768), (768, 1344), (1216, 832), (832, 1216), (1152, 896), (896, 1152)];

fn image<'a>(meta: &'a Value, kind: &str) -> &'a Value {
    meta["images"].as_array().unwrap().iter().find(|image| image["type"] == kind).expect(kind)
}

#[test]
fn each_of_the_seven_sizes_is_drawn_as_asked() {
    let house = House::shared();
    for (width, height) in SIZES {
        let (job, done) = house.draw(&json!({
            "prompt": "a red hoodie", "width": width, "height": height, "steps": 1, "strict": true
        }));
        let meta = &done["meta"];
        assert_eq!((&meta["width"], &meta["height"]), (&json!(width), &json!(height)), "{done}");
        let (gen_id, fingerprint) = (job["gen_id"].as_str().unwrap(), meta["fingerprint"].as_str().unwrap());

        let signed = image(meta, "signed");
        assert_eq!(signed["filename"], format!("{gen_id}_{fingerprint}_00001.jpg"));
        let (bytes, picture) = fetch_picture(signed["url"].as_str().unwrap());
        assert_eq!((picture.width(), picture.height()), (width, height));
        assert_eq!(image::guess_format(&bytes).unwrap(), image::ImageFormat::Jpeg);

        let thumbnail = image(meta, "thumbnail");
        assert_eq!(thumbnail["filename"], format!("{gen_id}_{fingerprint}_00001_thumb.jpg"));
        let (_, small) = fetch_picture(thumbnail["url"].as_str().unwrap());
        assert_eq!(small.width().max(small.height()), 512);
        let (ratio, due) =
            (f64::from(small.width()) / f64::from(small.height()), f64::from(width) / f64::from(height));
        assert!((ratio - due).abs() < 0.01, "{ratio} for {due}");
    }
}

#[test]
fn a_png_is_the_very_pixels_that_were_fingerprinted() {
    let house = House::shared();
    let (_, done) = house.draw(&json!({"prompt": "a red hoodie", "steps": 2, "format": "png", "seed": 11}));
    let signed = image(&done["meta"], "signed");
    assert!(signed["filename"].as_str().unwrap().ends_with("_00001.png"));
    let (bytes, picture) = fetch_picture(signed["url"].as_str().unwrap());
    assert_eq!(image::guess_format(&bytes).unwrap(), image::ImageFormat::Png);
    assert_eq!(
        imgen::finish::fingerprint(&picture.to_rgb8()).hex,
        done["meta"]["fingerprint"].as_str().unwrap()
    );
}

#[test]
fn a_seed_gives_the_same_picture_again_and_counts_up_over_the_pictures_of_a_job() {
    let house = House::shared();
    let drawn = |body: Value| -> Vec<Vec<u8>> {
        let (_, done) = house.draw(&body);
        let images = done["meta"]["images"].as_array().unwrap();
        let signed = images.iter().filter(|image| image["type"] == "signed");
        signed.map(|image| fetch_picture(image["url"].as_str().unwrap()).0).collect()
    };
    let both = drawn(json!({"prompt": "a red hoodie", "steps": 2, "seed": 7, "num_images": 2}));
    assert_eq!(both.len(), 2);
    assert!(!alike(&both[0], &both[1]));
    assert!(alike(&drawn(json!({"prompt": "a red hoodie", "steps": 2, "seed": 7}))[0], &both[0]));
    assert!(alike(&drawn(json!({"prompt": "a red hoodie", "steps": 2, "seed": 8}))[0], &both[1]));
    assert!(!alike(&drawn(json!({"prompt": "a blue car", "steps": 2, "seed": 7}))[0], &both[0]));
}

#[test]
fn urls_are_signed_anew_and_open_nothing_else() {
    let house = House::start(&[("IMGEN_PRESIGN_TTL_S", "2")]);
    let (job, done) = house.draw(&json!({"prompt": "a red hoodie", "steps": 1}));
    let url = image(&done["meta"], "signed")["url"].as_str().unwrap().to_owned();
    fetch_picture(&url);
    let (plain, _) = url.split_once('?').unwrap();
    assert_eq!(curl(plain).0, 403, "without a signature");
    let other = url.replacen("_00001.jpg", "_00001_thumb.jpg", 1);
    assert_eq!(curl(&other).0, 403, "with another object's");
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert_eq!(curl(&url).0, 403, "after its time");
    let again = house.status(job["id"].as_str().unwrap());
    let fresh = image(&again["meta"], "signed");
    fetch_picture(fresh["url"].as_str().unwrap());
    assert!(
        fresh["expires_at"].as_str().unwrap()
            > image(&done["meta"], "signed")["expires_at"].as_str().unwrap()
    );
}
