use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use super::*;

fn config(deadline_ms: u64) -> ComplianceConfig {
    ComplianceConfig { picture_deadline_ms: deadline_ms, ..ComplianceConfig::default() }
}

/// A filter whose networks do, one after the other as they are started, what is written here.
fn stub(deadline_ms: u64, networks: Vec<fn() -> f32>) -> PictureFilter {
    let started = AtomicUsize::new(0);
    let opener: Opener = Box::new(move || {
        let next = networks.get(started.fetch_add(1, Ordering::SeqCst)).copied();
        let score = next.ok_or_else(|| unavailable(&"no file"))?;
        Ok(Box::new(move |_: &RgbImage| Ok(score())))
    });
    PictureFilter::with(&config(deadline_ms), Vec::new(), opener)
}

fn picture() -> RgbImage {
    RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * y) as u8, x as u8, y as u8]))
}

#[test]
fn a_picture_gets_its_score() {
    let filter = stub(5_000, vec![|| 0.25]);
    let signs = filter.look(&picture()).unwrap();
    assert_eq!((signs.unfit, signs.known.len(), signs.pdq.len()), (0.25, 0, 64));
    assert_eq!(filter.check(), Ok(()));
}

#[test]
fn pictures_that_come_at_once_are_all_looked_at() {
    let filter = stub(
        5_000,
        vec![|| {
            std::thread::sleep(Duration::from_millis(20));
            0.25
        }],
    );
    let signs: Vec<_> = std::thread::scope(|scope| {
        let looks: Vec<_> = (0..16).map(|_| scope.spawn(|| filter.look(&picture()))).collect();
        looks.into_iter().map(|look| look.join().unwrap()).collect()
    });
    assert!(signs.iter().all(|signs| signs.as_ref().is_ok_and(|signs| signs.unfit == 0.25)), "{signs:?}");
}

#[test]
fn a_network_that_is_missing_gives_no_answer_until_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let missing = ComplianceConfig { picture_model: folder.path().join("none.onnx"), ..config(5_000) };
    let filter = PictureFilter::open(&missing).unwrap();
    let said = filter.look(&picture()).unwrap_err().to_string();
    assert!(said.contains("none.onnx"), "{said}");
    assert!(filter.check().is_err());
}

#[test]
fn a_network_that_is_slow_is_not_waited_for() {
    let filter = stub(
        100,
        vec![|| {
            std::thread::sleep(Duration::from_secs(2));
            0.0
        }],
    );
    let begun = Instant::now();
    let said = filter.look(&picture()).unwrap_err().to_string();
    assert!(said.contains("longer than 100 ms"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(filter.check().is_err(), "it is still at the first");
}

#[test]
fn a_network_that_crashed_is_started_anew_by_a_check() {
    let filter = stub(5_000, vec![|| panic!("a bad day"), || 0.5]);
    assert_eq!(filter.look(&picture()), Err(unavailable(&"its network crashed")));
    assert_eq!(filter.look(&picture()), Err(unavailable(&"its network crashed")));
    assert_eq!(filter.check(), Ok(()));
    assert_eq!(filter.look(&picture()).unwrap().unfit, 0.5);
}

#[test]
fn a_network_that_crashes_when_nobody_waits_any_more_is_started_anew() {
    let late: fn() -> f32 = || {
        std::thread::sleep(Duration::from_millis(300));
        panic!("a late bad day")
    };
    let filter = stub(200, vec![late, || 0.5]);
    assert!(filter.look(&picture()).unwrap_err().to_string().contains("longer than 200 ms"));
    std::thread::sleep(Duration::from_millis(400));
    let begun = Instant::now();
    assert_eq!(filter.look(&picture()), Err(unavailable(&"its network crashed")));
    assert!(begun.elapsed() < Duration::from_millis(200), "nobody waits for what is not there");
    assert_eq!(filter.check(), Ok(()));
    assert_eq!(filter.look(&picture()).unwrap().unfit, 0.5);
}

#[test]
fn a_known_picture_is_named_by_its_list() {
    let folder = tempfile::tempdir().unwrap();
    let (hash, quality) = hash_rgb(&picture());
    assert!(quality >= crate::finish::pdq::MIN_QUALITY);
    let file = folder.path().join("known.txt");
    std::fs::write(&file, format!("{hash}\n")).unwrap();
    let list = ("known.txt".to_owned(), Category::SexualMinors, HashList::open(&file).unwrap());
    let opener: Opener = Box::new(|| Ok(Box::new(|_: &RgbImage| Ok(0.0))));
    let filter = PictureFilter::with(&config(5_000), vec![list], opener);
    let known = Known { list: "known.txt".to_owned(), category: Category::SexualMinors };
    assert_eq!(filter.look(&picture()).unwrap().known, [known]);
    assert_eq!(filter.look(&RgbImage::new(64, 64)).unwrap().known, []);
}

/// Scores as the reference gives them; `make_scores.py` beside them makes all of it.
#[test]
fn the_network_that_ships_says_what_its_reference_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("tests/fixtures/open_nsfw/scores.txt")).unwrap();
    let config = config(60_000);
    let filter =
        PictureFilter::open(&ComplianceConfig { picture_model: root.join(&config.picture_model), ..config })
            .unwrap();
    assert!(table.lines().count() >= 10);
    for line in table.lines() {
        let (path, wanted) = line.split_once(' ').unwrap();
        let picture = image::open(root.join(path)).unwrap().into_rgb8();
        let (score, wanted) = (filter.look(&picture).unwrap().unfit, wanted.parse::<f32>().unwrap());
        // Our resampling differs from Pillow's by a rounding of its own.
        assert!((score - wanted).abs() < 0.01, "{path}: {score} and {wanted}");
    }
}
