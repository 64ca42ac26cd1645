//! Which moments stand at the time axis of a picture, and how they are written: in UTC, for a picture is looked at anywhere.

use std::time::Duration;

use jiff::Timestamp;

use crate::pipeline::Moment;

/// Pixels between two numbers of the time axis, at least.
const APART: f64 = 84.0;
/// More numbers than this no axis has.
const MOST: u32 = 64;

/// Milliseconds from number to number of the time axis, the shortest first.
const TIME_STEPS: [u64; 24] = [
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    172_800_000,
    604_800_000,
    2_592_000_000,
];

/// The time axis, in UTC: a picture is looked at anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeScale {
    start: Moment,
    end: Moment,
    step: u64,
}

impl TimeScale {
    /// An axis of so many pixels for the last `range` milliseconds before `end`.
    pub(super) fn of(end: Moment, range: u64, pixels: f64) -> Self {
        let start = Moment(end.0.saturating_sub(i64::try_from(range).unwrap_or(i64::MAX)));
        let room = (pixels / APART).max(1.0);
        let fits = |step: u64| seconds(range) / seconds(step) <= room;
        let longest = TIME_STEPS.last().copied().unwrap_or(1);
        // Where months do not fit one by one, as many of them together as do.
        let months = (2..=1_000_u64).map(|times| longest.saturating_mul(times));
        let step = TIME_STEPS.into_iter().chain(months).find(|step| fits(*step)).unwrap_or(u64::MAX);
        Self { start, end, step }
    }

    /// The moments that are written at the axis: multiples of the step.
    pub(super) fn ticks(&self) -> Vec<Moment> {
        let step = i64::try_from(self.step).unwrap_or(i64::MAX);
        let first = self.start.0.div_euclid(step).saturating_mul(step);
        let at = |index: u32| Moment(first.saturating_add(step.saturating_mul(i64::from(index))));
        (0..=MOST).map(at).filter(|tick| (self.start..=self.end).contains(tick)).collect()
    }

    /// A moment of the axis, as precisely as tells it from its neighbours.
    pub(super) fn label(&self, tick: Moment) -> String {
        let form = match self.step {
            0..1_000 => "%H:%M:%S%.1f",
            1_000..60_000 => "%H:%M:%S",
            60_000..86_400_000 => "%H:%M",
            86_400_000..2_592_000_000 => "%m-%d",
            _ => "%Y-%m-%d",
        };
        written(tick, form)
    }
}

/// `2026-11-28 17:29:00 UTC`
pub(super) fn day_and_time(at: Moment) -> String {
    written(at, "%Y-%m-%d %H:%M:%S UTC")
}

fn written(at: Moment, form: &str) -> String {
    Timestamp::from_millisecond(at.0).map_or_else(|_| String::new(), |at| at.strftime(form).to_string())
}

/// Milliseconds as a number to calculate with.
pub(super) fn seconds(milliseconds: u64) -> f64 {
    Duration::from_millis(milliseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_time_are_multiples_of_what_they_are_apart() {
        let times = TimeScale::of(Moment(1_700_000_030_000), 60_000, 500.0);
        let labels: Vec<_> = times.ticks().into_iter().map(|tick| times.label(tick)).collect();
        assert_eq!(labels, ["22:13:00", "22:13:15", "22:13:30", "22:13:45"]);
    }

    #[test]
    fn a_range_of_years_has_few_numbers() {
        let times = TimeScale::of(Moment(1_700_000_000_000), 366 * 86_400_000 * 10, 300.0);
        assert!((1..=5).contains(&times.ticks().len()), "{:?}", times.ticks());
    }
}
