//! Jarosz's filter (boxes, twice, nearly a tent) and the 64x64 samples behind it.
//!
//! A box is a moving sum, so each value waits for the one before it. To be fast all the same, [`LANES`] rows, or all columns,
//! move side by side; each sums in the reference's order, so that every bit stays. Rows go through as they come, with
//! little more than a box's height of them kept, and of the second pass only what is sampled is written.

use super::Samples;
use super::luma::luma;

/// Side of the sample grid.
const SIDE: usize = 64;

/// Rows that are summed side by side.
const LANES: usize = 8;

/// Samples of a picture in packed 8-bit RGB (row by row, `rows` and `cols` both at least 5).
pub(super) fn downsample(rgb: &[u8], rows: usize, cols: usize) -> Samples {
    // At exactly 64x64 the reference samples the picture unfiltered.
    if (rows, cols) == (SIDE, SIDE) {
        let mut grey = vec![0.0; SIDE * SIDE];
        luma(rgb, &mut grey);
        return std::array::from_fn(|i| std::array::from_fn(|j| grey[i * SIDE + j]));
    }
    let (across, down) = (MovingBox::new(cols), MovingBox::new(rows));
    let narrow = first_pass_and_across(rgb, &across, &down);
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
fn first_pass_and_across(rgb: &[u8], across: &MovingBox, down: &MovingBox) -> Vec<f32> {
    let (rows, cols) = (down.length, across.length);
    let sampled = Sampled::new(across);
    let mut grey = vec![0.0; LANES * cols];
    // Rows after the first half pass: blocks of LANES, as many as hold a box's height and the block that comes in.
    let blocks = down.full.div_ceil(LANES) + 1;
    let mut kept = vec![0.0; blocks * LANES * cols];
    let place = |row: usize| row % (blocks * LANES) * cols;
    let mut columns = Columns::new(cols);
    let mut averaged = Vec::with_capacity(LANES * cols);
    let mut narrow = Vec::with_capacity(rows * SIDE);
    for (at, (new, old)) in down.steps().enumerate() {
        if let Some(first) = new.filter(|new| new % LANES == 0) {
            let count = LANES.min(rows - first);
            let (grey, block) = (&mut grey[..count * cols], &mut kept[place(first)..][..count * cols]);
            luma(&rgb[first * cols * 3..][..count * cols * 3], grey);
            across.averages(grey, block);
        }
        let row = |row: usize| &kept[place(row)..][..cols];
        columns.step(new.map(row), old.map(row));
        if down.writes(new) {
            let count = down.counts[at - down.grow];
            averaged.extend(columns.0.iter().map(|sum| sum / count));
            if averaged.len() == LANES * cols || at + 1 == rows + down.grow {
                sampled.take(&averaged, &mut narrow);
                averaged.clear();
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

    /// Moving averages along each row of `rows`.
    fn averages(&self, rows: &[f32], out: &mut [f32]) {
        let cols = self.length;
        if rows.len() == LANES * cols {
            self.sums::<LANES>(rows, |x, sums| {
                for (lane, sum) in sums.iter().enumerate() {
                    out[lane * cols + x] = *sum;
                }
            });
        } else {
            for (row, out) in rows.chunks(cols).zip(out.chunks_mut(cols)) {
                self.sums::<1>(row, |x, sums| out[x] = sums[0]);
            }
        }
        for row in out.chunks_mut(cols) {
            row.iter_mut().zip(&self.counts).for_each(|(sum, count)| *sum /= count);
        }
    }

    /// The sum in the box at each place of `N` rows, which stand one after the other in `rows`.
    #[inline(always)]
    fn sums<const N: usize>(&self, rows: &[f32], mut write: impl FnMut(usize, &[f32; N])) {
        let lanes: [&[f32]; N] = std::array::from_fn(|lane| &rows[lane * self.length..][..self.length]);
        let mut sums = [0.0_f32; N];
        for right in 0..self.full {
            sums.iter_mut().zip(lanes).for_each(|(sum, lane)| *sum += lane[right]);
            if right >= self.grow {
                write(right - self.grow, &sums);
            }
        }
        for right in self.full..self.length {
            for (sum, lane) in sums.iter_mut().zip(lanes) {
                *sum += lane[right];
                *sum -= lane[right - self.full];
            }
            write(right - self.grow, &sums);
        }
        for gone in 0..self.grow {
            let left = self.length - self.full + gone;
            sums.iter_mut().zip(lanes).for_each(|(sum, lane)| *sum -= lane[left]);
            write(self.length - self.grow + gone, &sums);
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

/// Takes from filtered rows only what lies under the sample grid.
struct Sampled<'a> {
    across: &'a MovingBox,
    /// For each column the cells that it stands under, first and last: where a picture is narrower than the grid, several.
    cells: Vec<Option<(usize, usize)>>,
}

impl<'a> Sampled<'a> {
    fn new(across: &'a MovingBox) -> Self {
        let mut cells = vec![None; across.length];
        for cell in 0..SIDE {
            cells[middle(cell, across.length)].get_or_insert((cell, cell)).1 = cell;
        }
        Self { across, cells }
    }

    /// Adds `SIDE` values for each of the rows.
    fn take(&self, rows: &[f32], narrow: &mut Vec<f32>) {
        let cols = self.across.length;
        let start = narrow.len();
        narrow.resize(start + rows.len() / cols * SIDE, 0.0);
        let out = &mut narrow[start..];
        if rows.len() == LANES * cols {
            self.across.sums::<LANES>(rows, |x, sums| self.put(x, sums, out));
        } else {
            for (row, out) in rows.chunks(cols).zip(out.chunks_mut(SIDE)) {
                self.across.sums::<1>(row, |x, sums| self.put(x, sums, out));
            }
        }
    }

    #[inline(always)]
    fn put<const N: usize>(&self, x: usize, sums: &[f32; N], out: &mut [f32]) {
        let Some((first, last)) = self.cells[x] else { return };
        for (lane, sum) in sums.iter().enumerate() {
            out[lane * SIDE + first..=lane * SIDE + last].fill(sum / self.across.counts[x]);
        }
    }
}
