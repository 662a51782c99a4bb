use proptest::prelude::*;

use crate::finish::pdq::{Hash256, MATCH_DISTANCE, MIN_QUALITY};
use crate::verify::pdq_index::{FEWEST_LISTED, Near, PdqIndex};

/// Numbers that look random, from a seed (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn hash(&mut self) -> Hash256 {
        let mut bytes = [0; 32];
        for word in bytes.chunks_mut(8) {
            word.copy_from_slice(&self.next().to_le_bytes());
        }
        Hash256::from_bytes(bytes)
    }

    /// `hash` with exactly `flips` bits changed.
    fn copy_of(&mut self, hash: &Hash256, flips: usize) -> Hash256 {
        let mut bytes = hash.bytes();
        let mut flipped = std::collections::HashSet::new();
        while flipped.len() < flips {
            let bit = self.below(256);
            if flipped.insert(bit) {
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
        Hash256::from_bytes(bytes)
    }
}

/// `count` hashes: of no style, or of a few that agree in most bits.
fn collection(numbers: &mut Numbers, count: usize, styles: usize) -> Vec<Hash256> {
    let centres: Vec<_> = (0..styles).map(|_| numbers.hash()).collect();
    (0..count)
        .map(|_| {
            if centres.is_empty() {
                return numbers.hash();
            }
            let centre = centres[numbers.below(centres.len())];
            let flips = numbers.below(60);
            numbers.copy_of(&centre, flips)
        })
        .collect()
}

fn index_of(hashes: &[Hash256]) -> PdqIndex {
    let mut index = PdqIndex::default();
    for (id, hash) in (1000..).zip(hashes) {
        index.insert(id, hash, MIN_QUALITY);
    }
    index
}

/// What is right, said in the plainest way.
fn plain(hashes: &[Hash256], wanted: &Hash256, count: usize) -> Vec<Near> {
    let mut near: Vec<Near> = (1000..)
        .zip(hashes)
        .map(|(record_id, hash)| Near { record_id, distance: hash.distance(wanted) })
        .filter(|near| near.distance <= MATCH_DISTANCE)
        .collect();
    near.sort_by_key(|near| (near.distance, near.record_id));
    near.truncate(count);
    near
}

#[test]
fn the_search_finds_exactly_what_looking_at_everything_finds() {
    // Some in lists and some not yet; most styles have so many members that lists do not pay.
    for (seed, styles) in [(1, 0), (2, 2000), (3, 40), (4, 1)] {
        let mut numbers = Numbers(seed * 0x9e37_79b9_7f4a_7c15);
        let hashes = collection(&mut numbers, FEWEST_LISTED + 5000, styles);
        let mut index = index_of(&hashes);
        for settled in [false, true] {
            if settled {
                index.settle();
            }
            for flips in 0..=34 {
                let of = numbers.below(hashes.len());
                let wanted = numbers.copy_of(&hashes[of], flips);
                for count in [1, 10, 5000] {
                    let right = plain(&hashes, &wanted, count);
                    assert_eq!(index.search(&wanted, count), right, "styles {styles}, {flips} flips");
                    assert_eq!(index.scan(&wanted, count), right, "styles {styles}, {flips} flips");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_copy_is_found_wherever_its_bits_differ(
        of in 0..FEWEST_LISTED,
        bits in prop::collection::hash_set(0..256_usize, 0..=40),
    ) {
        let (found, expected) = FILLED.with(|(hashes, index)| {
            let mut copy = hashes[of].bytes();
            for bit in &bits {
                copy[bit / 8] ^= 1 << (bit % 8);
            }
            let distance = bits.len() as u32;
            let near = (distance <= MATCH_DISTANCE).then_some(Near { record_id: 1000 + of as u64, distance });
            (index.search(&Hash256::from_bytes(copy), 10), near)
        });
        prop_assert_eq!(found.first().copied(), expected);
    }
}

thread_local! {
    /// Enough unrelated hashes for the lists to be used, and their index.
    static FILLED: (Vec<Hash256>, PdqIndex) = {
        let hashes = collection(&mut Numbers(77), FEWEST_LISTED, 0);
        let index = index_of(&hashes);
        (hashes, index)
    };
}

#[test]
fn two_bits_in_each_of_fifteen_chunks_and_one_in_the_last_are_found() {
    for last in 0..16 {
        let mut bytes = FILLED.with(|(hashes, _)| hashes[last].bytes());
        for chunk in 0..16 {
            bytes[2 * chunk] ^= 1;
            bytes[2 * chunk + 1] ^= u8::from(chunk != last);
        }
        let found = FILLED.with(|(_, index)| index.search(&Hash256::from_bytes(bytes), 10));
        assert_eq!(found, [Near { record_id: 1000 + last as u64, distance: 31 }], "one bit in chunk {last}");
    }
}

#[test]
fn copies_by_the_thousand_give_the_oldest_and_a_poor_hash_none() {
    let mut numbers = Numbers(6);
    let hash = numbers.hash();
    let mut index = PdqIndex::default();
    index.insert(1, &hash, MIN_QUALITY - 1);
    assert!(index.search(&hash, 10).is_empty() && index.is_empty());
    for id in 0..100_000 {
        index.insert(id, &hash, 100);
    }
    let ids: Vec<_> = index.search(&hash, 5).iter().map(|near| near.record_id).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4]);
    assert!(index.memory_bytes() < 100_000 * 250 + (8 << 20), "{}", index.memory_bytes());
}
