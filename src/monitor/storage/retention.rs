//! Which clock retention goes by.
//!
//! Retention drops what is old, so a clock that is wrong for a moment would empty the store: set ahead by years, as on a
//! machine that lost its time, all is old at once. So after a jump nothing is dropped for its age until the clock has gone
//! on steadily for a while. What is too many bytes is dropped all the same.

/// Milliseconds for which the clock must go on steadily.
const SETTLES_IN: i64 = 10 * 60_000;

/// The moments of the commits.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Option<i64>,
    jumped_at: Option<i64>,
}

impl Clock {
    /// A clock that was seen to show `last`, if anything.
    pub(super) fn since(last: Option<i64>) -> Self {
        Self { last, jumped_at: None }
    }

    /// The clock shows `now`; a step of more than `jump` is a jump.
    pub(super) fn see(&mut self, now: i64, jump: i64) {
        if self.last.is_some_and(|last| now.abs_diff(last) > jump.unsigned_abs()) {
            self.jumped_at = Some(now);
        }
        if self.jumped_at.is_some_and(|jumped| now.saturating_sub(jumped) >= SETTLES_IN) {
            self.jumped_at = None;
        }
        self.last = Some(now);
    }

    /// What it showed last.
    pub(super) fn last(&self) -> Option<i64> {
        self.last
    }

    /// Whether it can be relied on.
    pub(super) fn is_steady(&self) -> bool {
        self.jumped_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_clock_that_jumps_must_go_on_steadily_before_it_is_relied_on() {
        let mut clock = Clock::default();
        clock.see(0, HOUR);
        clock.see(1_000, HOUR);
        assert!(clock.is_steady());
        let ahead = 10 * 365 * 24 * HOUR;
        clock.see(ahead, HOUR);
        assert!(!clock.is_steady());
        clock.see(2_000, HOUR);
        assert!(!clock.is_steady());
        for minute in 0..9 {
            clock.see(2_000 + minute * 60_000, HOUR);
            assert!(!clock.is_steady());
        }
        clock.see(2_000 + 10 * 60_000, HOUR);
        assert!(clock.is_steady());
    }
}
