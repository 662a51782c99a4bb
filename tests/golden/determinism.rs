//! The same order gives the same picture, whatever was drawn before it.

use imgen::diffusion::{DtypeChoice, Engine, RenderOptions};

use crate::pictures::{FOLDERS, Reference, engine};

fn draw(engine: &Engine, options: RenderOptions) -> Vec<u8> {
    engine.draw(options, Box::new(|_, _| true)).unwrap().image.into_raw()
}

#[test]
fn a_picture_does_not_depend_on_those_before_it() {
    for dtype in [DtypeChoice::F32, DtypeChoice::Bf16] {
        let engine = engine(dtype);
        let [one, other] = FOLDERS.map(Reference::read);
        let a = || one.cases[1].options(one.folder.clone());
        let b = other.cases[13].options(other.folder.clone());
        let first = draw(&engine, a());
        let between = draw(&engine, b);
        assert_eq!(draw(&engine, a()), first, "{dtype:?}");
        assert_ne!(first, between);
    }
}

#[test]
fn a_seed_is_a_picture() {
    let engine = engine(DtypeChoice::F32);
    let reference = Reference::read(FOLDERS[0]);
    let with_seed = |seed| RenderOptions { seed, ..reference.cases[1].options(reference.folder.clone()) };
    let pictures = [0, 1, u32::MAX].map(|seed| draw(&engine, with_seed(seed)));
    assert!(pictures[0] != pictures[1] && pictures[1] != pictures[2] && pictures[0] != pictures[2]);
    assert_eq!(draw(&engine, with_seed(u32::MAX)), pictures[2]);
}

#[test]
fn a_cancelled_picture_leaves_nothing_behind() {
    let engine = engine(DtypeChoice::F32);
    let reference = Reference::read(FOLDERS[0]);
    let options = || reference.cases[9].options(reference.folder.clone());
    let first = draw(&engine, options());
    assert!(engine.draw(options(), Box::new(|step, _| step < 4)).is_err());
    assert_eq!(draw(&engine, options()), first);
}
