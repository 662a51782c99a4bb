//! Exact search among PDQ hashes: every known one within Hamming distance 31 of a given one.
//!
//! Multi-index hashing (Norouzi, Punjani, Fleet 2012). A hash is 16 chunks of 16 bits. Were each chunk of two hashes to
//! differ in 2 bits or more, they would be 32 apart; so hashes within 31 agree in some chunk but for 1 bit at most. For
//! each chunk a table lists the hashes by that chunk's value, and a search looks at 16 times 17 short lists. Pictures of
//! one style agree in many bits, which makes lists long; where they would cost more than looking at all hashes in a
//! row, that is done instead, so that no collection is slow.
//!
//! Memory: 40 bytes a hash, and 64 more and 4 MiB once there are [`FEWEST_LISTED`]: 108 MB for a million.

use crate::finish::pdq::{Hash256, MATCH_DISTANCE, MIN_QUALITY};

const CHUNKS: usize = 16;
const CHUNK_BITS: usize = 16;
const VALUES: usize = 1 << CHUNK_BITS;

/// Fewer hashes than this are looked at in a row, which takes less than 0.2 ms.
pub const FEWEST_LISTED: usize = 1 << 15;

/// New hashes wait outside the lists until they are this part of the listed ones.
const UNLISTED_PART: usize = 8;

/// Looking up a hash through a list costs about this many times what it costs in a row (one cache miss).
const LIST_COST: usize = 32;

/// Half of a hash; which bit lies where does not matter to a distance.
type Half = [u64; 2];

/// The two halves of a hash. They are kept apart: half of a hash is enough to tell that most are far off, and a search in
/// a row takes as long as the memory it reads.
type Halves = [Half; 2];

/// Hashes in a row that are compared before any result is looked at, so that the comparison is one vector loop.
const BLOCK: usize = 64;

/// A record whose picture is like the one that was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Near {
    pub record_id: u64,
    /// Bits in which the hashes differ, 0 to [`MATCH_DISTANCE`].
    pub distance: u32,
}

/// The hashes of all records that are worth matching, in the order in which they came.
#[derive(Debug, Default)]
pub struct PdqIndex {
    fronts: Vec<Half>,
    backs: Vec<Half>,
    record_ids: Vec<u64>,
    /// Positions below this are in the lists.
    listed: usize,
    /// For each chunk, where the list of each value begins; one more ends the last.
    starts: Vec<u32>,
    /// For each chunk, the listed positions, by the chunk's value.
    lists: Vec<u32>,
}

impl PdqIndex {
    /// Adds a record's hash. One below [`MIN_QUALITY`] says too little and is left out.
    pub fn insert(&mut self, record_id: u64, hash: &Hash256, quality: u8) {
        if quality < MIN_QUALITY {
            return;
        }
        let [front, back] = halves(hash);
        self.fronts.push(front);
        self.backs.push(back);
        self.record_ids.push(record_id);
        let unlisted = self.len() - self.listed;
        if unlisted >= FEWEST_LISTED.max(self.listed / UNLISTED_PART) {
            self.list_all();
        }
    }

    /// Takes in what is still outside the lists, for whoever has just added many.
    pub fn settle(&mut self) {
        if self.len() >= FEWEST_LISTED && self.listed < self.len() {
            self.list_all();
        }
    }

    pub fn len(&self) -> usize {
        self.record_ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.record_ids.is_empty()
    }

    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        (self.fronts.capacity() + self.backs.capacity()) * size_of::<Half>()
            + self.record_ids.capacity() * size_of::<u64>()
            + (self.starts.capacity() + self.lists.capacity()) * size_of::<u32>()
    }

    /// The nearest `count` records within [`MATCH_DISTANCE`], the nearest first, of equals the oldest first.
    pub fn search(&self, hash: &Hash256, count: usize) -> Vec<Near> {
        let wanted = halves(hash);
        let by_lists = self.listed > 0 && self.list_lengths(&wanted) <= self.listed / LIST_COST;
        self.named(self.find_fast(&wanted, count, by_lists))
    }

    /// What [`PdqIndex::search`] answers, by looking at every hash.
    pub fn scan(&self, hash: &Hash256, count: usize) -> Vec<Near> {
        self.named(self.find_fast(&halves(hash), count, false))
    }

    /// [`PdqIndex::find`], compiled for what this processor can do: counting bits is nearly all there is to it, and most
    /// can do that in one instruction which the oldest of their kind have not.
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "calling a function compiled for more than every processor has")]
    fn find_fast(&self, wanted: &Halves, count: usize, by_lists: bool) -> Best {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx512vpopcntdq") && has!("avx512vl") && has!("popcnt") {
            // SAFETY: the processor has just said that it has all three.
            unsafe { self.find_with_avx512(wanted, count, by_lists) }
        } else if has!("popcnt") {
            // SAFETY: the processor has just said that it has it.
            unsafe { self.find_with_popcnt(wanted, count, by_lists) }
        } else {
            self.find(wanted, count, by_lists)
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn find_fast(&self, wanted: &Halves, count: usize, by_lists: bool) -> Best {
        self.find(wanted, count, by_lists)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512vpopcntdq,avx512vl,popcnt")]
    fn find_with_avx512(&self, wanted: &Halves, count: usize, by_lists: bool) -> Best {
        self.find(wanted, count, by_lists)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "popcnt")]
    fn find_with_popcnt(&self, wanted: &Halves, count: usize, by_lists: bool) -> Best {
        self.find(wanted, count, by_lists)
    }

    #[inline(always)]
    fn find(&self, wanted: &Halves, count: usize, by_lists: bool) -> Best {
        let mut best = Best::new(count);
        if by_lists {
            self.look_through_lists(wanted, &mut best);
            self.look_in_a_row(self.listed, wanted, &mut best);
        } else {
            self.look_in_a_row(0, wanted, &mut best);
        }
        best
    }

    fn named(&self, best: Best) -> Vec<Near> {
        let found = best.sorted().into_iter();
        found
            .map(|(distance, position)| Near { record_id: self.record_ids[position as usize], distance })
            .collect()
    }

    /// How many hashes a search through the lists would look at.
    fn list_lengths(&self, wanted: &Halves) -> usize {
        (0..CHUNKS)
            .flat_map(|at| near_values(chunk(wanted, at)).map(move |value| self.list(at, value).len()))
            .sum()
    }

    #[inline(always)]
    fn look_through_lists(&self, wanted: &Halves, best: &mut Best) {
        for at in 0..CHUNKS {
            for value in near_values(chunk(wanted, at)) {
                for &position in self.list(at, value) {
                    let hash = &self.hash(position as usize);
                    let distance = distance(&hash[0], &wanted[0]) + distance(&hash[1], &wanted[1]);
                    // A hash stands in one list of every chunk; the first chunk that is near enough counts it.
                    if distance <= best.farthest && first_near_chunk(hash, wanted) == Some(at) {
                        best.add(distance, position);
                    }
                }
            }
        }
    }

    /// All positions from `first` on.
    #[inline(always)]
    fn look_in_a_row(&self, first: usize, wanted: &Halves, best: &mut Best) {
        let mut distances = [0; BLOCK];
        for (number, fronts) in self.fronts[first..].chunks(BLOCK).enumerate() {
            let distances = &mut distances[..fronts.len()];
            let mut nearest = u32::MAX;
            for (known, front) in distances.iter_mut().zip(fronts) {
                *known = distance(front, &wanted[0]);
                nearest = nearest.min(*known);
            }
            if nearest > best.farthest {
                continue;
            }
            for (known, position) in distances.iter().zip(first + number * BLOCK..) {
                if *known <= best.farthest {
                    let distance = known + distance(&self.backs[position], &wanted[1]);
                    if distance <= best.farthest {
                        best.add(distance, position as u32);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn hash(&self, position: usize) -> Halves {
        [self.fronts[position], self.backs[position]]
    }

    fn list(&self, at: usize, value: usize) -> &[u32] {
        let place = at * (VALUES + 1) + value;
        let lists = &self.lists[at * self.listed..(at + 1) * self.listed];
        &lists[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    /// Makes all lists anew, by counting: about 0.3 s for a million.
    fn list_all(&mut self) {
        self.listed = self.len();
        self.starts.clear();
        self.starts.resize(CHUNKS * (VALUES + 1), 0);
        self.lists.clear();
        self.lists.resize(CHUNKS * self.listed, 0);
        for at in 0..CHUNKS {
            let starts = &mut self.starts[at * (VALUES + 1)..][..=VALUES];
            for position in 0..self.listed {
                starts[chunk(&[self.fronts[position], self.backs[position]], at) + 1] += 1;
            }
            for value in 0..VALUES {
                starts[value + 1] += starts[value];
            }
            let mut next = starts.to_vec();
            let lists = &mut self.lists[at * self.listed..][..self.listed];
            for position in 0..self.listed {
                let place = &mut next[chunk(&[self.fronts[position], self.backs[position]], at)];
                lists[*place as usize] = position as u32;
                *place += 1;
            }
        }
    }
}

/// The nearest so far, at most a few more than wanted.
struct Best {
    count: usize,
    /// Distance and position.
    found: Vec<(u32, u32)>,
    /// What lies farther off is not among the nearest.
    farthest: u32,
}

impl Best {
    fn new(count: usize) -> Self {
        Self { count, found: Vec::new(), farthest: MATCH_DISTANCE }
    }

    fn add(&mut self, distance: u32, position: u32) {
        self.found.push((distance, position));
        // Copies by the thousand are no reason to keep them all.
        if self.found.len() >= 2 * self.count + 64 {
            self.keep_nearest();
        }
    }

    fn keep_nearest(&mut self) {
        self.found.sort_unstable();
        self.found.truncate(self.count);
        if let (true, Some((farthest, _))) = (self.found.len() == self.count, self.found.last()) {
            self.farthest = *farthest;
        }
    }

    fn sorted(mut self) -> Vec<(u32, u32)> {
        self.keep_nearest();
        self.found
    }
}

fn halves(hash: &Hash256) -> Halves {
    let bytes = hash.bytes();
    let (words, _) = bytes.as_chunks::<8>();
    let word = |at: usize| u64::from_le_bytes(words[at]);
    [[word(0), word(1)], [word(2), word(3)]]
}

fn chunk(hash: &Halves, at: usize) -> usize {
    (hash[at / 8][at / 4 % 2] >> (at % 4 * CHUNK_BITS)) as usize % VALUES
}

/// A chunk's value and the 16 that differ from it in one bit.
fn near_values(value: usize) -> impl Iterator<Item = usize> {
    std::iter::once(value).chain((0..CHUNK_BITS).map(move |bit| value ^ 1 << bit))
}

#[inline(always)]
fn distance(a: &Half, b: &Half) -> u32 {
    (a[0] ^ b[0]).count_ones() + (a[1] ^ b[1]).count_ones()
}

fn first_near_chunk(a: &Halves, b: &Halves) -> Option<usize> {
    (0..CHUNKS).find(|&at| (chunk(a, at) ^ chunk(b, at)).count_ones() <= 1)
}
