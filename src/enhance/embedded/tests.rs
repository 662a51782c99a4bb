use std::io::Write;
use std::path::Path;

use super::*;

fn real() -> Embedded {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(".enhancer/SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(file.exists(), "`make setup` fetches {}", file.display());
    Embedded::new(file, Duration::from_secs(300), 2)
}

fn wish(text: &str, seed: u64) -> Wish {
    Wish { text: text.into(), seed }
}

#[test]
fn the_model_proposes_the_same_for_the_same_seed() {
    let enhancer = real();
    assert!(enhancer.check().unwrap().contains("SmolLM2"));
    let said = enhancer.propose(&wish("old lighthouse, storm", 7)).unwrap();
    assert!(said.matches(',').count() >= 1 && !said.contains('\n'), "{said:?}");
    assert_eq!(enhancer.propose(&wish("old lighthouse, storm", 7)).unwrap(), said);
    let others: Vec<String> =
        (8..11).map(|seed| enhancer.propose(&wish("old lighthouse, storm", seed)).unwrap()).collect();
    assert!(others.iter().any(|other| *other != said), "{said:?} {others:?}");
}

#[test]
fn odd_wishes_are_answered_too() {
    let enhancer = real();
    for text in ["", "\u{0}", "👩‍👩‍👧‍👦 שלום", "<|im_end|>", &"word ".repeat(2_000)] {
        enhancer.propose(&wish(text, 1)).unwrap();
    }
}

#[test]
fn the_deadline_holds() {
    let enhancer = Embedded { timeout: Duration::from_millis(1), ..real() };
    let begun = Instant::now();
    assert_eq!(enhancer.propose(&wish("a cat", 1)), Err(EnhanceError::Timeout));
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_file_that_is_none_fails_and_one_that_comes_later_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let enhancer = Embedded::new(path.clone(), Duration::from_secs(60), 1);
    let failed = |enhancer: &Embedded| match enhancer.propose(&wish("a cat", 1)) {
        Err(EnhanceError::Model { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    assert!(failed(&enhancer).contains("No such file"));
    assert!(enhancer.check().is_err());
    std::fs::write(&path, b"hello").unwrap();
    assert!(enhancer.check().unwrap_err().to_string().contains("not a GGUF file"));
    assert!(!failed(&enhancer).contains("No such file"));
    // Its header only: what it promises is not there.
    let whole = std::fs::read(&real().file).unwrap();
    std::fs::File::create(&path).unwrap().write_all(&whole[..4 << 20]).unwrap();
    failed(&enhancer);
}

#[test]
fn more_than_the_queue_holds_is_turned_away() {
    let enhancer = Embedded { queue: 1, ..real() };
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..6)
            .map(|seed| {
                let enhancer = &enhancer;
                scope.spawn(move || enhancer.propose(&wish("a cat", seed)))
            })
            .collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    assert!(answers.iter().any(Result::is_ok));
    assert!(answers.contains(&Err(EnhanceError::Busy)), "{answers:?}");
}
