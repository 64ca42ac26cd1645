//! The vertical axis: round numbers that hold all values between them, in equal steps or in powers of ten.

use crate::tui::quantity::{self, cell, real};

/// What is asked of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Wanted {
    /// Where it begins.
    pub(super) min: Option<f64>,
    /// Where it ends.
    pub(super) max: Option<f64>,
    /// Whether it is logarithmic.
    pub(super) log: bool,
    /// Whether zero is always on it.
    pub(super) zero: bool,
}

/// An axis. `low`, `high` and `step` are powers of ten by their exponents if it is logarithmic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    step: f64,
    is_log: bool,
}

impl Axis {
    /// The axis for values from `extent.0` to `extent.1` in `rows` rows; `None` without any value. A logarithmic one holds
    /// what is above zero.
    pub(super) fn of(extent: Option<(f64, f64)>, rows: usize, wanted: Wanted) -> Option<Self> {
        let (low, high) = extent?;
        let ticks = (rows / 3).clamp(2, 6);
        if wanted.log {
            Self::logarithmic(low, high, ticks, wanted)
        } else {
            Some(Self::linear(low, high, ticks, wanted))
        }
    }

    fn linear(mut low: f64, mut high: f64, ticks: usize, wanted: Wanted) -> Self {
        // Zero is on the axis if it is near: a small change must not look like a big one.
        if low > 0.0 && (wanted.zero || low < high * 0.6) {
            low = 0.0;
        }
        if high < 0.0 && (wanted.zero || high > low * 0.6) {
            high = 0.0;
        }
        (low, high) = (wanted.min.unwrap_or(low), wanted.max.unwrap_or(high));
        let spread = high - low;
        if spread <= high.abs().max(low.abs()) * 1e-9 {
            let room = if high.abs() > 1e-12 { high.abs() * 0.5 } else { 0.5 };
            low = if low >= 0.0 { (low - room).max(0.0) } else { low - room };
            high = low.max(high) + room;
        }
        let step = nice((high - low) / real(ticks));
        Self {
            low: wanted.min.filter(|min| *min < high).unwrap_or_else(|| (low / step).floor() * step),
            high: wanted.max.filter(|max| *max > low).unwrap_or_else(|| (high / step).ceil() * step),
            step,
            is_log: false,
        }
    }

    fn logarithmic(low: f64, high: f64, ticks: usize, wanted: Wanted) -> Option<Self> {
        let exponent = |value: f64| (value > 0.0).then(|| value.log10());
        let low = wanted.min.and_then(exponent).or_else(|| exponent(low).map(f64::floor))?;
        let high = wanted.max.and_then(exponent).or_else(|| exponent(high).map(f64::ceil))?;
        let high = if high - low < 0.1 { low + 1.0 } else { high };
        let step = ((high - low) / real(ticks)).ceil().max(1.0);
        Some(Self { low, high, step, is_log: true })
    }

    /// Below this there is no place for a value.
    pub(super) fn floor(wanted: Wanted) -> f64 {
        if wanted.log { 0.0 } else { f64::NEG_INFINITY }
    }

    /// The numbers at the axis, lowest first.
    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        let (high, step, is_log) = (self.high, self.step, self.is_log);
        let first = (self.low / step - 1e-9).ceil() * step;
        let count = cell((high - first) / step + 1e-9, 20);
        let ticks = (0..=count).map(move |index| first + real(index) * step);
        ticks
            .filter(move |tick| *tick <= high + step * 1e-9)
            .map(move |tick| if is_log { 10_f64.powf(tick) } else { tick })
    }

    /// How far up a value stands: 0 at the bottom, 1 at the top.
    pub(super) fn share(&self, value: f64) -> f64 {
        let value = if self.is_log { value.log10() } else { value };
        (value - self.low) / (self.high - self.low)
    }

    /// The row of a value among `height` rows, 0 at the top.
    pub(super) fn row(&self, value: f64, height: usize) -> usize {
        let last = height.saturating_sub(1);
        last - cell(self.share(value) * real(last), last)
    }

    /// Whether a value is between the ends.
    pub(super) fn holds(&self, value: f64) -> bool {
        (0.0..=1.0).contains(&self.share(value))
    }

    /// A tick: with its unit where that is one that is scaled, else with as many decimals as the step has.
    pub(super) fn label(&self, tick: f64, unit: Option<&str>) -> String {
        if !self.is_log && tick.abs() < self.step * 1e-6 {
            return "0".to_owned();
        }
        if let Some(text) = quantity::at_axis(tick, unit) {
            return text;
        }
        let size = self.low.abs().max(self.high.abs());
        if self.is_log || !(0.01..10_000.0).contains(&size) {
            return quantity::value(tick);
        }
        let decimals = if self.step >= 1.0 { 0 } else { cell(-self.step.log10().floor(), 6) };
        format!("{tick:.decimals$}")
    }
}

/// The next number of the form 1, 2 or 5 times a power of ten that is not smaller.
fn nice(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let share = rough / power;
    let factor = if share <= 1.0 {
        1.0
    } else if share <= 2.0 {
        2.0
    } else if share <= 5.0 {
        5.0
    } else {
        10.0
    };
    factor * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, wanted: Wanted) -> Vec<String> {
        let axis = Axis::of(Some((low, high)), 12, wanted).unwrap();
        axis.ticks().map(|tick| axis.label(tick, None)).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(3.0, 132.0, Wanted::default()), ["0", "50", "100", "150"]);
        assert_eq!(labels(0.91, 0.97, Wanted::default()), ["0.90", "0.92", "0.94", "0.96", "0.98"]);
    }

    #[test]
    fn the_ends_that_are_asked_for_hold() {
        let wanted = Wanted { min: Some(0.0), max: Some(1.0), ..Wanted::default() };
        assert_eq!(labels(0.91, 0.97, wanted), ["0", "0.5", "1.0"]);
        assert_eq!(
            labels(0.91, 0.97, Wanted { zero: true, ..Wanted::default() }).first().map(String::as_str),
            Some("0")
        );
        let upside_down = Wanted { min: Some(5.0), ..Wanted::default() };
        assert!(Axis::of(Some((1.0, 2.0)), 12, upside_down).unwrap().ticks().count() > 0);
    }

    #[test]
    fn a_constant_curve_has_room_around_it() {
        let axis = Axis::of(Some((5.0, 5.0)), 12, Wanted::default()).unwrap();
        assert!(axis.low < 5.0 && axis.high > 5.0);
        let zero = Axis::of(Some((0.0, 0.0)), 12, Wanted::default()).unwrap();
        assert!(zero.low <= 0.0 && zero.high > 0.0);
    }

    #[test]
    fn a_logarithmic_axis_goes_by_powers_of_ten() {
        let log = Wanted { log: true, ..Wanted::default() };
        assert_eq!(labels(0.02, 300.0, log), ["0.01", "1", "100"]);
        let axis = Axis::of(Some((1.0, 100.0)), 12, log).unwrap();
        assert!((axis.share(10.0) - 0.5).abs() < 1e-9);
        assert_eq!(Axis::of(Some((-5.0, 0.0)), 12, log), None, "nothing is above zero");
    }

    #[test]
    fn without_values_there_is_no_axis() {
        assert_eq!(Axis::of(None, 12, Wanted::default()), None);
    }
}
