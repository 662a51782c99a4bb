//! The tile: which frequency carries what. All of it follows from the constants below; another number in any of them is
//! another scheme and wants another name.

/// Side of the tile, in pixels of the picture as it was marked.
pub(super) const TILE_PX: usize = 256;

/// Frequencies in use, in cycles a pixel: below, pictures are loud; above, encoders and resizing throw away.
const LOWEST: f32 = 0.03;
pub(super) const HIGHEST: f32 = 0.14;
/// Frequencies this near to level or upright, in cycles a tile, are left to the edges of pictures.
const AXIS_MARGIN: i32 = 3;
/// Amplitudes fall as `frequency ^ -TILT`.
const TILT: f32 = 0.5;

/// Pilots say where the tile lies: some low, found first and by coarse steps, and some higher.
const PILOT_BANDS: [(usize, f32, f32); 2] =
    [(40, 0.032, HIGHEST_LOW_PILOT), (56, HIGHEST_LOW_PILOT, HIGHEST_PILOT)];
pub(super) const HIGHEST_LOW_PILOT: f32 = 0.065;
pub(super) const HIGHEST_PILOT: f32 = 0.11;
/// Amplitude of a pilot, in parts of a carrier's.
const PILOT_GAIN: f32 = 3.0;

/// Seed of every choice: "imgen.01".
const SEED: u64 = 0x696d_6765_6e2e_3031;

/// One frequency: `u` and `v` cycles a tile to the right and down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Harmonic {
    pub(super) u: i32,
    pub(super) v: i32,
    pub(super) amplitude: f32,
    /// In radians.
    pub(super) phase: f32,
}

/// What the frequencies carry.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// The first [`Pattern::LOW_PILOTS`] are the low ones.
    pub(super) pilots: Vec<Harmonic>,
    /// Each carries two signs, in quadrature.
    pub(super) carriers: Vec<Harmonic>,
    /// The coded bit of each sign: carrier `i` has those at `2 * i` and `2 * i + 1`.
    pub(super) bit_of: Vec<u16>,
}

impl Pattern {
    pub(super) const LOW_PILOTS: usize = PILOT_BANDS[0].0;

    /// Amplitudes are such that the tile has variance 1.
    pub(super) fn new(coded_bits: usize) -> Self {
        let mut draw = Draw(SEED);
        let mut places = places();
        draw.shuffle(&mut places);
        let mut pilots = Vec::new();
        for (count, lowest, highest) in PILOT_BANDS {
            let wanted = pilots.len() + count;
            places.retain(|&(u, v)| {
                let here = pilots.len() < wanted && (lowest..highest).contains(&frequency(u, v));
                if here {
                    pilots.push(draw.harmonic(u, v, PILOT_GAIN));
                }
                !here
            });
        }
        // From low to high, so that each round of coded bits below gets its share of either.
        places.sort_by_key(|&(u, v)| (u * u + v * v, u, v));
        let mut carriers: Vec<_> = places.into_iter().map(|(u, v)| draw.harmonic(u, v, 1.0)).collect();
        let mut bit_of = Vec::new();
        while bit_of.len() < 2 * carriers.len() {
            let mut round: Vec<u16> = (0..coded_bits as u16).collect();
            draw.shuffle(&mut round);
            bit_of.extend(round);
        }
        bit_of.truncate(2 * carriers.len());
        let energy = |all: &[Harmonic]| all.iter().map(|one| one.amplitude * one.amplitude).sum::<f32>();
        let variance = energy(&pilots) / 2.0 + energy(&carriers);
        for harmonic in pilots.iter_mut().chain(&mut carriers) {
            harmonic.amplitude /= variance.sqrt();
        }
        Self { pilots, carriers, bit_of }
    }
}

/// Every frequency in use, one of each opposite pair.
fn places() -> Vec<(i32, i32)> {
    let reach = (HIGHEST * TILE_PX as f32).ceil() as i32;
    let all = (-reach..=reach).flat_map(|v| (AXIS_MARGIN..=reach).map(move |u| (u, v)));
    all.filter(|&(u, v)| v.abs() >= AXIS_MARGIN && (LOWEST..HIGHEST).contains(&frequency(u, v))).collect()
}

/// In cycles a pixel.
fn frequency(u: i32, v: i32) -> f32 {
    (u as f32).hypot(v as f32) / TILE_PX as f32
}

/// SplitMix64 (Steele, Lea, Flood 2014), so that the pattern is the same everywhere and always.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = self.below(last + 1);
            list.swap(last, other);
        }
    }

    fn harmonic(&mut self, u: i32, v: i32, gain: f32) -> Harmonic {
        let phase = (self.next() >> 40) as f32 / (1u32 << 24) as f32 * std::f32::consts::TAU;
        Harmonic { u, v, amplitude: gain * frequency(u, v).powf(-TILT), phase }
    }
}
