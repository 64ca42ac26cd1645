//! Bounds of one evaluation: how many samples it may hold at once, and how many it may go over.
//!
//! The first is Prometheus' own limit and keeps the memory; the second stands for its time limit, since nothing here
//! reads a clock.

use super::error::PromqlError;
use super::line::Line;

/// The most samples that are held at once, as in Prometheus.
pub(super) const MOST_HELD: usize = 50_000_000;
/// The most samples that are gone over, each as often as a window holds it: some seconds.
const MOST_LOOKED_AT: u64 = 2_000_000_000;

/// What an evaluation has used so far.
#[derive(Debug, Default)]
pub(super) struct Budget {
    held: usize,
    looked_at: u64,
}

impl Budget {
    /// How many samples are held now.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Takes `count` more samples into memory.
    pub(super) fn hold(&mut self, count: usize) -> Result<(), PromqlError> {
        self.held = self.held.saturating_add(count);
        self.check(0)
    }

    /// Whether `count` more samples have room for a moment.
    pub(super) fn check(&self, count: usize) -> Result<(), PromqlError> {
        match self.held.saturating_add(count) {
            total if total > MOST_HELD => Err(PromqlError::TooManySamples { limit: MOST_HELD }),
            _ => Ok(()),
        }
    }

    /// After a part of the expression has been evaluated: of what it needed only its result is still there.
    pub(super) fn settle(&mut self, held_before: usize, lines: &[Line]) -> Result<(), PromqlError> {
        self.settle_count(held_before, lines.iter().map(|line| line.values.len()).sum())
    }

    /// The same for a result of `count` numbers.
    pub(super) fn settle_count(&mut self, held_before: usize, count: usize) -> Result<(), PromqlError> {
        self.held = held_before;
        self.hold(count)
    }

    /// Goes over `count` samples.
    pub(super) fn look_at(&mut self, count: usize) -> Result<(), PromqlError> {
        self.looked_at = self.looked_at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if self.looked_at > MOST_LOOKED_AT {
            return Err(PromqlError::TooMuchWork { limit: MOST_LOOKED_AT });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_what_was_given_back_fits_again() {
        let mut budget = Budget::default();
        budget.hold(MOST_HELD).unwrap();
        assert!(matches!(budget.check(1), Err(PromqlError::TooManySamples { .. })));
        budget.settle_count(0, 10).unwrap();
        assert_eq!(budget.held(), 10);
        budget.check(1).unwrap();
    }

    #[test]
    fn work_is_bounded() {
        let mut budget = Budget::default();
        budget.look_at(1_000).unwrap();
        assert!(matches!(budget.look_at(usize::MAX), Err(PromqlError::TooMuchWork { .. })));
    }
}
