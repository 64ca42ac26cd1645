//! How much somebody is told within an hour: what is beyond is counted, and said with the next that is told.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Within how long is counted.
const WINDOW: Duration = Duration::from_hours(1);

/// What was told lately, and what was not.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    told: VecDeque<Instant>,
    withheld: u64,
}

impl Allowance {
    /// Whether one more may be told now; then, of how many it has to speak for.
    pub(super) fn take(&mut self, now: Instant, at_most: usize) -> Option<u64> {
        while self.told.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            self.told.pop_front();
        }
        if self.told.len() >= at_most {
            self.withhold(1);
            return None;
        }
        self.told.push_back(now);
        Some(std::mem::take(&mut self.withheld))
    }

    /// So many are not told.
    pub(super) fn withhold(&mut self, count: u64) {
        self.withheld = self.withheld.saturating_add(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_is_counted_and_said_with_the_next() {
        let mut allowance = Allowance::default();
        let begin = Instant::now();
        let after = |minutes| begin + Duration::from_mins(minutes);
        assert_eq!(allowance.take(begin, 2), Some(0));
        assert_eq!(allowance.take(after(10), 2), Some(0));
        assert_eq!(allowance.take(after(20), 2), None);
        assert_eq!(allowance.take(after(59), 2), None);
        allowance.withhold(5);
        assert_eq!(allowance.take(after(60), 2), Some(7));
        assert_eq!(allowance.take(after(61), 2), None);
        assert_eq!(allowance.take(after(70), 2), Some(1));
    }
}
