//! The vertical axis: round numbers that hold all values between them.

use crate::tui::quantity::{self, cell, real};

/// An axis from `low` to `high`, both multiples of the step between ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    step: f64,
}

impl Axis {
    /// The axis for these values in `rows` rows; `None` if none of them is a number.
    pub(super) fn of(values: impl Iterator<Item = f64>, rows: usize) -> Option<Self> {
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        // Beyond this, steps and sums would lose all meaning.
        for value in values.filter(|value| value.abs() < 1e200) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            return None;
        }
        // Zero is on the axis if it is near: a small change must not look like a big one.
        if low > 0.0 && low < high * 0.6 {
            low = 0.0;
        }
        if high < 0.0 && high > low * 0.6 {
            high = 0.0;
        }
        let spread = high - low;
        if spread <= high.abs().max(low.abs()) * 1e-9 {
            let room = if high.abs() > 1e-12 { high.abs() * 0.5 } else { 0.5 };
            low = if low >= 0.0 { (low - room).max(0.0) } else { low - room };
            high += room;
        }
        let ticks = real((rows / 3).clamp(2, 6));
        let step = nice((high - low) / ticks);
        Some(Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step })
    }

    /// The numbers at the axis, lowest first.
    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        let (low, step) = (self.low, self.step);
        let count = cell((self.high - self.low) / self.step, 20);
        (0..=count).map(move |index| low + real(index) * step)
    }

    /// The row of a value among `height` rows, 0 at the top.
    pub(super) fn row(&self, value: f64, height: usize) -> usize {
        let last = height.saturating_sub(1);
        let share = (value - self.low) / (self.high - self.low);
        last - cell(share * real(last), last)
    }

    /// A tick with as many decimals as the step has.
    pub(super) fn label(&self, tick: f64) -> String {
        let size = self.low.abs().max(self.high.abs());
        if tick.abs() < self.step * 1e-6 {
            return "0".to_owned();
        }
        if !(0.01..10_000.0).contains(&size) {
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

    fn labels(values: &[f64]) -> Vec<String> {
        let axis = Axis::of(values.iter().copied(), 12).unwrap();
        axis.ticks().map(|tick| axis.label(tick)).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(&[3.0, 132.0]), ["0", "50", "100", "150"]);
        assert_eq!(labels(&[0.91, 0.97]), ["0.90", "0.92", "0.94", "0.96", "0.98"]);
    }

    #[test]
    fn a_constant_curve_has_room_around_it() {
        let axis = Axis::of([5.0, 5.0].into_iter(), 12).unwrap();
        assert!(axis.low < 5.0 && axis.high > 5.0);
        let zero = Axis::of([0.0].into_iter(), 12).unwrap();
        assert!(zero.low <= 0.0 && zero.high > 0.0);
    }

    #[test]
    fn values_that_are_no_numbers_give_no_axis() {
        assert_eq!(Axis::of([f64::NAN, f64::INFINITY].into_iter(), 12), None);
        assert!(Axis::of([f64::NAN, 1.0].into_iter(), 12).is_some());
    }
}
