//! How many pictures are drawn as one batch: fewer where memory runs short, and more again after many batches that went well.

/// Batches of the present size that must go well before more pictures are tried together again.
const CALM: u32 = 100;

/// What the owner thread has learnt of the sizes of batches.
#[derive(Debug)]
pub(super) struct Together {
    usual: usize,
    most: usize,
    /// Batches of the present size since the last that failed.
    calm: u32,
}

impl Together {
    /// `usual` is what the configuration allows.
    pub(super) fn new(usual: usize) -> Self {
        Self { usual, most: usual, calm: 0 }
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// After a batch of so many pictures that was drawn as one, or (not `well`) could not be although its first picture could alone.
    /// Smaller batches than are allowed say nothing of the memory.
    pub(super) fn went(&mut self, pictures: usize, well: bool) {
        if !well {
            (self.most, self.calm) = (self.most.div_ceil(2), 0);
            tracing::warn!(most_together = self.most, "fewer pictures are drawn together from now on");
            return;
        }
        self.calm += u32::from(pictures >= self.most);
        if self.calm >= CALM && self.most < self.usual {
            (self.most, self.calm) = ((self.most * 2).min(self.usual), 0);
            tracing::info!(most_together = self.most, "more pictures are drawn together again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_halves_and_a_long_calm_doubles() {
        let mut together = Together::new(6);
        together.went(6, false);
        assert_eq!(together.most(), 3);
        together.went(3, false);
        assert_eq!(together.most(), 2);
        (1..CALM).for_each(|_| together.went(2, true));
        (0..2 * CALM).for_each(|_| together.went(1, true));
        assert_eq!(together.most(), 2, "single pictures prove nothing");
        together.went(2, true);
        assert_eq!(together.most(), 4);
        (0..CALM).for_each(|_| together.went(4, true));
        assert_eq!(together.most(), 6, "never more than is usual");
        (0..2 * CALM).for_each(|_| together.went(6, true));
        assert_eq!(together.most(), 6);
        (0..5).for_each(|_| together.went(6, false));
        assert_eq!(together.most(), 1);
        (0..CALM).for_each(|_| together.went(1, true));
        assert_eq!(together.most(), 2);
    }
}
