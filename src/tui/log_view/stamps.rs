//! The times before the lines of a log, the same on the screen and in what is copied, saved or handed over from it.

use super::Timestamps;
use crate::pipeline::Moment;
use crate::tui::clock::Clock;

/// How times are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Stamps {
    /// In which of the ways.
    pub(in crate::tui) how: Timestamps,
    /// When the log began.
    pub(in crate::tui) begin: Moment,
    /// What the clock shows here.
    pub(in crate::tui) clock: Clock,
}

impl Stamps {
    /// Cells before each line.
    pub(in crate::tui) fn width(&self) -> usize {
        match self.how {
            Timestamps::Absolute => 9,
            Timestamps::Relative => 11,
            Timestamps::Off => 0,
        }
    }

    /// What stands before a line, the blank behind it included.
    pub(in crate::tui) fn before(&self, at: Moment) -> String {
        match self.how {
            Timestamps::Absolute => format!("{} ", self.clock.time(at)),
            Timestamps::Relative => format!("{:>10} ", since(at, self.begin)),
            Timestamps::Off => String::new(),
        }
    }
}

/// `+1:03:12`, as long as a log goes.
fn since(at: Moment, begin: Moment) -> String {
    let seconds = at.since(begin) / 1_000;
    format!("+{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_clock_or_since_the_beginning_or_none() {
        let before = |how| {
            let stamps = Stamps { how, begin: Moment(1_000), clock: Clock::utc() };
            let text = stamps.before(Moment(62_000));
            assert_eq!(text.len(), stamps.width());
            text
        };
        let ways = [Timestamps::Absolute, Timestamps::Relative, Timestamps::Off];
        assert_eq!(ways.map(before), ["00:01:02 ", "  +0:01:01 ", ""]);
    }
}
