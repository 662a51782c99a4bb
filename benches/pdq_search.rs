//! Search by likeness among a million records, beside looking at every one of them.
//!
//! `cargo bench --bench pdq_search`. One thread; each question is a record's hash with 0 to 31 bits changed. Collections: hashes
//! without any pattern, and of a few styles, whose members differ from their style's centre in some bits, as pictures of one
//! prompt do. What the two ways answer is compared, so that nothing is fast by being wrong. Times are the processor's, so
//! that neighbours on a shared machine do not count.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use imgen::finish::pdq::Hash256;
use imgen::verify::pdq_index::PdqIndex;

const RECORDS: u64 = 1_000_000;
const QUESTIONS: usize = 400;

/// Numbers that look random, from a seed (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn hash(&mut self) -> Hash256 {
        let mut bytes = [0; 32];
        for word in bytes.chunks_mut(8) {
            word.copy_from_slice(&self.next().to_le_bytes());
        }
        Hash256::from_bytes(bytes)
    }

    /// At most `flips` bits changed.
    fn copy_of(&mut self, hash: &Hash256, flips: usize) -> Hash256 {
        let mut bytes = hash.bytes();
        for _ in 0..flips {
            let bit = (self.next() % 256) as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        Hash256::from_bytes(bytes)
    }
}

/// Time that the processor has spent on this thread, in milliseconds.
#[expect(unsafe_code, reason = "the standard library has no clock for this")]
fn spent_ms() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call only writes to `time`, which lives.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// Median, 99th percentile and worst of the times, in milliseconds.
fn summary(times_ms: &mut [f64]) -> [f64; 3] {
    times_ms.sort_by(f64::total_cmp);
    [times_ms[times_ms.len() / 2], times_ms[times_ms.len() * 99 / 100], times_ms[times_ms.len() - 1]]
}

fn collection(name: &str, styles: u64, flips: usize) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 + styles);
    let centres: Vec<_> = (0..styles).map(|_| numbers.hash()).collect();
    let mut hashes = Vec::new();
    for _ in 0..RECORDS {
        let hash = match centres.len() {
            0 => numbers.hash(),
            many => {
                let centre = centres[(numbers.next() % many as u64) as usize];
                numbers.copy_of(&centre, flips)
            }
        };
        hashes.push(hash);
    }
    let begun = spent_ms();
    let mut index = PdqIndex::default();
    for (record_id, hash) in (0..).zip(&hashes) {
        index.insert(record_id, hash, 100);
    }
    let built_s = (spent_ms() - begun) / 1e3;
    let (mut searched, mut scanned) = (Vec::new(), Vec::new());
    for question in 0..QUESTIONS {
        let of = (numbers.next() % RECORDS) as usize;
        let wanted = numbers.copy_of(&hashes[of], question % 32);
        let begun = spent_ms();
        let found = index.search(&wanted, 10);
        searched.push(spent_ms() - begun);
        let begun = spent_ms();
        let all = index.scan(&wanted, 10);
        scanned.push(spent_ms() - begun);
        assert_eq!(found, all, "both ways must answer alike");
        assert!(!found.is_empty(), "the record itself is near");
    }
    let ([median, slow, worst], [scan, _, scan_worst]) = (summary(&mut searched), summary(&mut scanned));
    let megabytes = index.memory_bytes() >> 20;
    println!(
        "| {name} | {median:.2} | {slow:.2} | {worst:.2} | {scan:.2} | {scan_worst:.2} | {built_s:.1} | {megabytes} |"
    );
}

fn main() {
    println!(
        "| a million records | median ms | 99 % ms | worst ms | every record, median ms | worst ms | built s | MB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    collection("no pattern", 0, 0);
    collection("10,000 styles, 60 flips", 10_000, 60);
    collection("50 styles, 60 flips", 50, 60);
    collection("50 styles, 20 flips", 50, 20);
    collection("1 style, 60 flips", 1, 60);
}
