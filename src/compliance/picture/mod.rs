//! A drawn picture, before anything of it leaves the house.

mod hash_list;
mod open_nsfw;

pub fn try_it(path: &std::path::Path, files: &[String]) {
    let network = open_nsfw::OpenNsfw::open(path, "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa").unwrap();
    for f in files { let p = image::open(f).unwrap().to_rgb8(); let t = std::time::Instant::now(); let s = network.score(&p).unwrap(); println!("{f} {s} {:?}", t.elapsed()); }
}
