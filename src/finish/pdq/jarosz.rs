//! Jarosz's filter (boxes, twice, nearly a tent) and the 64x64 samples behind it.
//!
//! A box is a moving sum, so each value waits for the one before it. To be fast all the same, [`LANES`] rows, or all columns,
//! move side by side; each sums in the reference's order, so that every bit stays. Rows go through as they come, with
//! little more than a box's height of them kept, and of the second pass only what is sampled is written.

use wide::f32x8;

use super::Samples;
use super::lanes::{Block, LANES, to_columns, to_rows};
use super::luma::luma;

/// Side of the sample grid.
const SIDE: usize = 64;

/// Samples of a picture in packed 8-bit RGB (row by row, `rows` and `cols` both at least 5). `transpose` turns a block of
/// values, as fast as the processor can. Inlined, so that all of it is compiled for what that processor has.
#[inline(always)]
pub(super) fn downsample(
    rgb: &[u8],
    rows: usize,
    cols: usize,
    transpose: impl Fn(&Block) -> Block + Copy,
) -> Samples {
    // At exactly 64x64 the reference samples the picture unfiltered.
    if (rows, cols) == (SIDE, SIDE) {
        let mut grey = vec![0.0; SIDE * SIDE];
        luma(rgb, &mut grey);
        return std::array::from_fn(|i| std::array::from_fn(|j| grey[i * SIDE + j]));
    }
    let (across, down) = (MovingBox::new(cols), MovingBox::new(rows));
    let narrow = first_pass_and_across(rgb, &across, &down, transpose);
    let mut done = Vec::with_capacity(rows * SIDE);
    let mut columns = Columns::new(SIDE);
    let row = |at: usize| &narrow[at * SIDE..][..SIDE];
    for (new, old) in down.steps() {
        columns.step(new.map(row), old.map(row));
        if down.writes(new) {
            let count = down.counts[done.len() / SIDE];
            done.extend(columns.0.iter().map(|sum| sum / count));
        }
    }
    std::array::from_fn(|i| {
        let y = middle(i, rows);
        std::array::from_fn(|j| done[y * SIDE + j])
    })
}

/// The first pass, and of the second the half along the rows: `SIDE` values of each row, those under the sample grid.
#[inline(always)]
fn first_pass_and_across(
    rgb: &[u8],
    across: &MovingBox,
    down: &MovingBox,
    transpose: impl Fn(&Block) -> Block + Copy,
) -> Vec<f32> {
    let (rows, cols) = (down.length, across.length);
    let under_grid: [usize; SIDE] = std::array::from_fn(|cell| middle(cell, cols));
    // Rows are padded to whole blocks; nothing reads what stands there.
    let wide = cols.next_multiple_of(LANES);
    let (mut beside, mut averages) = (vec![f32x8::ZERO; wide], vec![f32x8::ZERO; wide]);
    let (mut grey, mut filtered) = (vec![0.0; LANES * wide], vec![0.0; LANES * wide]);
    // Rows after the first half pass: blocks of LANES, as many as hold a box's height and the block that comes in.
    let blocks = down.full.div_ceil(LANES) + 1;
    let mut kept = vec![0.0; blocks * LANES * wide];
    let place = |row: usize| row % (blocks * LANES) * wide;
    let mut columns = Columns::new(wide);
    let mut narrow = Vec::with_capacity(rows.next_multiple_of(LANES) * SIDE);
    let mut written = 0;
    for (new, old) in down.steps() {
        if let Some(first) = new.filter(|new| new % LANES == 0) {
            let pixels = rgb[first * cols * 3..].chunks_exact(cols * 3);
            grey.chunks_exact_mut(wide).zip(pixels).for_each(|(grey, pixels)| luma(pixels, grey));
            to_columns(&grey, &mut beside, transpose);
            across.averages(&beside, &mut averages);
            to_rows(&averages, &mut kept[place(first)..][..LANES * wide], transpose);
        }
        let row = |row: usize| &kept[place(row)..][..wide];
        columns.step(new.map(row), old.map(row));
        if down.writes(new) {
            let count = down.counts[written];
            let row = &mut filtered[written % LANES * wide..][..wide];
            row.iter_mut().zip(&columns.0).for_each(|(mean, sum)| *mean = sum / count);
            written += 1;
            if written % LANES == 0 || written == rows {
                to_columns(&filtered, &mut beside, transpose);
                across.averages(&beside, &mut averages);
                let lanes = (written - 1) % LANES + 1;
                narrow.extend((0..lanes).flat_map(|lane| under_grid.map(|x| averages[x].as_array()[lane])));
            }
        }
    }
    narrow
}

/// Pixel under the middle of cell `at` of 64 along `length` pixels.
fn middle(at: usize, length: usize) -> usize {
    ((at as f64 + 0.5) * length as f64 / SIDE as f64) as usize
}

/// A box that moves along `length` values: it grows, grows while writing, moves, shrinks.
struct MovingBox {
    length: usize,
    /// Its width: two passes of it span one cell of the grid.
    full: usize,
    /// How far it reaches beyond where it writes, and so how many values come in before it does.
    grow: usize,
    /// How many values are in it where it stands over each.
    counts: Vec<f32>,
}

impl MovingBox {
    fn new(length: usize) -> Self {
        let full = length.div_ceil(2 * SIDE);
        let grow = (full + 2) / 2 - 1;
        let growing = (grow + 1..=full).map(|count| count as f32);
        let shrinking = (1..=grow).map(|gone| (full - gone) as f32);
        let counts =
            growing.chain(std::iter::repeat_n(full as f32, length - full)).chain(shrinking).collect();
        Self { length, full, grow, counts }
    }

    /// Which value comes in at each step, and which goes out.
    fn steps(&self) -> impl Iterator<Item = (Option<usize>, Option<usize>)> {
        let (length, full) = (self.length, self.full);
        (0..length + self.grow).map(move |at| ((at < length).then_some(at), at.checked_sub(full)))
    }

    /// Whether the sum at a step is an average's.
    fn writes(&self, new: Option<usize>) -> bool {
        new.is_none_or(|new| new >= self.grow)
    }

    /// Moving averages of `LANES` rows side by side: `out[x]` are those at `x`. Both hold at least `length` columns.
    #[inline(always)]
    fn averages(&self, columns: &[f32x8], out: &mut [f32x8]) {
        let (coming, length) = (&columns[..self.length], self.length);
        let mut sums = f32x8::ZERO;
        let write = |(mean, count): (&mut f32x8, &f32), sums: f32x8| *mean = sums / f32x8::splat(*count);
        let mut out = out.iter_mut().zip(&self.counts);
        let (before, writing) = coming.split_at(self.grow);
        before.iter().for_each(|new| sums += *new);
        let (growing, moving) = writing.split_at(self.full - self.grow);
        for (new, place) in growing.iter().zip(&mut out) {
            sums += *new;
            write(place, sums);
        }
        for ((new, old), place) in moving.iter().zip(coming).zip(&mut out) {
            sums += *new;
            sums -= *old;
            write(place, sums);
        }
        for (old, place) in coming[length - self.full..].iter().zip(&mut out) {
            sums -= *old;
            write(place, sums);
        }
    }
}

/// The sum in the box over every column at once: loops over columns become vector instructions.
struct Columns(Vec<f32>);

impl Columns {
    fn new(cols: usize) -> Self {
        Self(vec![0.0; cols])
    }

    /// One row comes into the box, one goes out.
    #[inline(always)]
    fn step(&mut self, new: Option<&[f32]>, old: Option<&[f32]>) {
        match (new, old) {
            (Some(new), Some(old)) => {
                for ((sum, new), old) in self.0.iter_mut().zip(new).zip(old) {
                    *sum += new;
                    *sum -= old;
                }
            }
            (Some(new), None) => self.0.iter_mut().zip(new).for_each(|(sum, new)| *sum += new),
            (None, Some(old)) => self.0.iter_mut().zip(old).for_each(|(sum, old)| *sum -= old),
            (None, None) => {}
        }
    }
}
