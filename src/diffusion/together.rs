//! How many pictures are drawn as one batch: fewer where memory runs short, and as many again once that is long ago.

/// Batches that must go well before more pictures are tried together again.
const CALM: u32 = 100;

/// What the owner thread has learnt of the sizes of batches.
#[derive(Debug)]
pub(super) struct Together {
    usual: usize,
    most: usize,
    /// Batches since the last that failed.
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

    /// After a batch: whether it was drawn as one, or could not be although its first picture could alone.
    pub(super) fn went(&mut self, well: bool) {
        self.calm = if well { self.calm.saturating_add(1) } else { 0 };
        if !well {
            self.most = self.most.div_ceil(2);
            tracing::warn!(most_together = self.most, "fewer pictures are drawn together from now on");
        } else if self.calm >= CALM && self.most < self.usual {
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
        together.went(false);
        assert_eq!(together.most(), 3);
        together.went(false);
        assert_eq!(together.most(), 2);
        (1..CALM).for_each(|_| together.went(true));
        assert_eq!(together.most(), 2);
        together.went(true);
        assert_eq!(together.most(), 4);
        (0..2 * CALM).for_each(|_| together.went(true));
        assert_eq!(together.most(), 6, "never more than is usual");
        (0..5).for_each(|_| together.went(false));
        assert_eq!(together.most(), 1);
    }
}
