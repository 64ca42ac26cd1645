//! Which numbers stand at the axes of a picture, and how they are written.

use std::time::Duration;

use jiff::Timestamp;

use crate::pipeline::Moment;

/// Pixels between two numbers of the vertical axis, at least.
const APART: f64 = 36.0;
/// Pixels between two numbers of the time axis, at least.
const TIME_APART: f64 = 84.0;
/// More numbers than this no axis has.
const MOST: u32 = 64;
/// Beyond these there is no room to calculate in.
const LARGEST: f64 = 1e300;
/// Below this two values are one.
const SMALLEST: f64 = 1e-300;

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

/// The vertical axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// An axis of so many pixels on which all finite values have their place; `None` if there is none.
    pub(super) fn of(values: impl Iterator<Item = f64>, pixels: f64) -> Option<Self> {
        let finite = values.filter(|value| value.is_finite()).map(|value| value.clamp(-LARGEST, LARGEST));
        let (low, high) = finite.fold(None, |found: Option<(f64, f64)>, value| {
            Some(found.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        })?;
        // An axis that does not begin at zero makes small changes large; it does so only where there is no other way.
        let low = if low > 0.0 && low < high * 0.6 { 0.0 } else { low };
        let high = if high < 0.0 && high > low * 0.6 { 0.0 } else { high };
        let (low, high) = widened(low, high);
        let parts = (pixels / APART).clamp(1.0, 20.0);
        let step = round_step((high - low) / parts);
        Some(Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step })
    }

    /// Where between the ends of the axis a value stands, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        ((value.clamp(-LARGEST, LARGEST) - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The values that are written at the axis.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let at = |index: u32| self.low + self.step * f64::from(index);
        let clean = |tick: f64| if tick.abs() < self.step * 1e-6 { 0.0 } else { tick };
        (0..=MOST).map(at).take_while(|tick| *tick <= self.high + self.step / 2.0).map(clean).collect()
    }

    /// A value of the axis, with as many digits as tell it from its neighbours.
    pub(super) fn label(&self, tick: f64) -> String {
        if tick == 0.0 {
            return "0".to_owned();
        }
        let greatest = self.low.abs().max(self.high.abs());
        let Some((size, letter)) = magnitude(greatest) else { return format!("{tick:.1e}") };
        let step = self.step / size;
        let is_enough = |digits: &usize| {
            let scaled = step * 10_f64.powi(i32::try_from(*digits).unwrap_or(0));
            (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1e-9) && scaled >= 0.5
        };
        let digits = (0..9).find(is_enough).unwrap_or(9);
        format!("{:.digits$}{letter}", tick / size)
    }
}

/// Two ends that are one are moved apart.
fn widened(low: f64, high: f64) -> (f64, f64) {
    if high - low > SMALLEST.max(high.abs() * 1e-12) {
        return (low, high);
    }
    if high.abs() <= SMALLEST {
        return (0.0, 1.0);
    }
    let around = high.abs() * 0.1;
    if high > 0.0 { (0.0, high + around) } else { (low - around, 0.0) }
}

/// The next of 1, 2, 5, 10 … times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let times = least / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| times <= *round * (1.0 + 1e-9)).unwrap_or(10.0);
    round * power
}

/// By what numbers up to the greatest are divided, and the letter that says so; `None` for what no letter helps.
fn magnitude(greatest: f64) -> Option<(f64, &'static str)> {
    match greatest {
        value if value >= 1e15 => None,
        value if value >= 1e12 => Some((1e12, "T")),
        value if value >= 1e9 => Some((1e9, "G")),
        value if value >= 1e6 => Some((1e6, "M")),
        value if value >= 1e4 => Some((1e3, "k")),
        value if value >= 1e-4 => Some((1.0, "")),
        _ => None,
    }
}

/// A value in about three digits.
pub(super) fn latest(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let Some((size, letter)) = magnitude(value.abs()) else { return format!("{value:.2e}") };
    let scaled = value / size;
    let digits = match scaled.abs() {
        part if part >= 100.0 => 0,
        part if part >= 10.0 => 1,
        part if part >= 1.0 => 2,
        part if part >= 0.1 => 3,
        _ => 5,
    };
    let text = format!("{scaled:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{letter}")
}

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
        let room = (pixels / TIME_APART).max(1.0);
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

    fn labels(values: &[f64]) -> Vec<String> {
        let scale = Scale::of(values.iter().copied(), 150.0).unwrap();
        scale.ticks().into_iter().map(|tick| scale.label(tick)).collect()
    }

    #[test]
    fn the_numbers_of_an_axis_are_round_and_enclose_all_values() {
        assert_eq!(labels(&[1.0, 4.1]), ["0", "1", "2", "3", "4", "5"]);
        assert_eq!(labels(&[0.0, 0.3]), ["0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(&[-1.0, 1.0]), ["-1.0", "-0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(&[0.0, 30_000.0]), ["0", "10k", "20k", "30k"]);
    }

    #[test]
    fn an_axis_begins_at_zero_unless_the_values_are_far_from_it() {
        assert_eq!(labels(&[990.0, 1_000.0]).first().map(String::as_str), Some("990"));
        assert_eq!(labels(&[5.0, 5.0]).first().map(String::as_str), Some("0"));
        assert_eq!(labels(&[0.0, 0.0]).last().map(String::as_str), Some("1.0"));
    }

    #[test]
    fn no_values_and_no_numbers_make_no_axis() {
        assert_eq!(Scale::of([].into_iter(), 100.0), None);
        assert_eq!(Scale::of([f64::NAN, f64::INFINITY].into_iter(), 100.0), None);
    }

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

    #[test]
    fn values_have_about_three_digits() {
        let texts: Vec<_> = [132.4, 4.1, 0.18, 12_345.0, 0.0, -0.5, 1e20].map(latest).into();
        assert_eq!(texts, ["132", "4.1", "0.18", "12.3k", "0", "-0.5", "1.00e20"]);
    }
}
