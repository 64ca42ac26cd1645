//! The vertical axis of a picture: round numbers that hold all values between them, in equal steps or in powers of ten, unless
//! the panel says where it begins and ends.

use crate::pipeline::quantity;

/// Pixels between two numbers of the axis, at least.
const APART: f64 = 36.0;
/// More numbers than this no axis has.
const MOST: u32 = 64;
/// Beyond these there is no room to calculate in.
const LARGEST: f64 = 1e300;
/// Below this two values are one.
const SMALLEST: f64 = 1e-300;

/// What is asked of the vertical axis.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PictureAxis {
    /// Where it begins; `None` follows the values.
    pub min: Option<f64>,
    /// Where it ends.
    pub max: Option<f64>,
    /// Whether it is logarithmic.
    pub log: bool,
    /// Whether zero is always on it.
    pub zero: bool,
}

/// The vertical axis. `low`, `high` and `step` are powers of ten by their exponents if it is logarithmic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    step: f64,
    is_log: bool,
}

impl Scale {
    /// An axis of so many pixels on which all values have their place, as far as they can have one; `None` if none has.
    pub(super) fn of(values: impl Iterator<Item = f64>, pixels: f64, wanted: PictureAxis) -> Option<Self> {
        let fitting = values.filter(|value| value.is_finite() && !(wanted.log && *value <= 0.0));
        let (low, high) = fitting.map(clamped).fold(None, |found: Option<(f64, f64)>, value| {
            Some(found.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        })?;
        let parts = (pixels / APART).clamp(1.0, 20.0);
        let wanted = PictureAxis { min: wanted.min.map(clamped), max: wanted.max.map(clamped), ..wanted };
        Some(if wanted.log {
            Self::logarithmic(low, high, parts, wanted)
        } else {
            Self::linear(low, high, parts, wanted)
        })
    }

    fn linear(low: f64, high: f64, parts: f64, wanted: PictureAxis) -> Self {
        // An axis that does not begin at zero makes small changes large; it does so only where there is no other way.
        let least = if low > 0.0 && (wanted.zero || low < high * 0.6) { 0.0 } else { low };
        let most = if high < 0.0 && (wanted.zero || high > low * 0.6) { 0.0 } else { high };
        let (low, high) = apart(wanted.min.unwrap_or(least), wanted.max.unwrap_or(most), wanted);
        let step = round_step((high - low) / parts);
        Self {
            low: if wanted.min.is_some() { low } else { (low / step).floor() * step },
            high: if wanted.max.is_some() { high } else { (high / step).ceil() * step },
            step,
            is_log: false,
        }
    }

    fn logarithmic(low: f64, high: f64, parts: f64, wanted: PictureAxis) -> Self {
        let exponent = |end: Option<f64>| end.filter(|end| *end > 0.0).map(f64::log10);
        let low = exponent(wanted.min).unwrap_or_else(|| low.max(SMALLEST).log10().floor());
        let high = exponent(wanted.max).unwrap_or_else(|| high.max(SMALLEST).log10().ceil());
        let high = if high - low < 0.1 { low + 1.0 } else { high };
        Self { low, high, step: ((high - low) / parts).ceil().max(1.0), is_log: true }
    }

    /// Whether there is any place for a value, if perhaps beyond the ends.
    pub(super) fn has_place(&self, value: f64) -> bool {
        value.is_finite() && !(self.is_log && value <= 0.0)
    }

    /// Whether a value is between the ends.
    pub(super) fn holds(&self, value: f64) -> bool {
        self.has_place(value) && (0.0..=1.0).contains(&self.share(value))
    }

    /// Where a value stands: 0 at the lower end of the axis, 1 at the upper one. What is far beyond them is drawn no farther
    /// away than makes its line leave the picture.
    pub(super) fn share(&self, value: f64) -> f64 {
        let value = clamped(value);
        let value = if self.is_log { value.max(SMALLEST).log10() } else { value };
        ((value - self.low) / (self.high - self.low)).clamp(-9.0, 10.0)
    }

    /// The values that are written at the axis, with their texts.
    pub(super) fn labels(&self, unit: Option<&str>) -> Vec<(f64, String)> {
        let ticks = self.ticks();
        let in_unit = |tick: f64| {
            let known = quantity::at_axis(tick, unit);
            known.or_else(|| self.is_log.then(|| quantity::value(tick)))
        };
        let texts: Option<Vec<String>> = ticks.iter().map(|tick| in_unit(*tick)).collect();
        // About three digits do not tell neighbours apart on an axis that is far from zero.
        let tell = |texts: &Vec<String>| texts.windows(2).all(|pair| pair.first() != pair.last());
        let texts = texts.filter(tell).unwrap_or_else(|| ticks.iter().map(|tick| self.plain(*tick)).collect());
        let zero = |tick: f64, text: String| if tick == 0.0 { "0".to_owned() } else { text };
        ticks.into_iter().zip(texts).map(|(tick, text)| (tick, zero(tick, text))).collect()
    }

    fn ticks(&self) -> Vec<f64> {
        let first = (self.low / self.step - 1e-9).ceil() * self.step;
        let at = |index: u32| first + self.step * f64::from(index);
        let ticks: Vec<f64> = (0..=MOST).map(at).take_while(|tick| *tick <= self.high + self.step * 1e-6).collect();
        // Between two round numbers the ends must do.
        let ticks = if ticks.len() < 2 { vec![self.low, self.high] } else { ticks };
        let clean = |tick: f64| if tick.abs() < self.step * 1e-6 { 0.0 } else { tick };
        ticks.into_iter().map(|tick| if self.is_log { 10_f64.powf(tick) } else { clean(tick) }).collect()
    }

    /// A value without its unit, with as many digits as tell it from its neighbours.
    fn plain(&self, tick: f64) -> String {
        let steps = tick / self.step;
        if self.is_log || (steps - steps.round()).abs() > 1e-6 {
            return quantity::value(tick);
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

fn clamped(value: f64) -> f64 {
    value.clamp(-LARGEST, LARGEST)
}

/// Two ends that are one, or turned around, are moved apart; one that was asked for stays.
fn apart(low: f64, high: f64, wanted: PictureAxis) -> (f64, f64) {
    if high - low > SMALLEST.max(high.abs().max(low.abs()) * 1e-12) {
        return (low, high);
    }
    let around = |value: f64| if value.abs() > SMALLEST { value.abs() * 0.1 } else { 1.0 };
    match (wanted.min, wanted.max) {
        (Some(min), _) => (min, min + around(min)),
        (None, Some(max)) => (max - around(max), max),
        (None, None) if high.abs() <= SMALLEST => (0.0, 1.0),
        (None, None) if high > 0.0 => (0.0, high + around(high)),
        (None, None) => (low - around(low), 0.0),
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scale(values: &[f64], wanted: PictureAxis) -> Scale {
        Scale::of(values.iter().copied(), 150.0, wanted).unwrap()
    }

    fn texts(values: &[f64], wanted: PictureAxis, unit: Option<&str>) -> Vec<String> {
        scale(values, wanted).labels(unit).into_iter().map(|(_, text)| text).collect()
    }

    fn labels(values: &[f64]) -> Vec<String> {
        texts(values, PictureAxis::default(), None)
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
        let zero = PictureAxis { zero: true, ..PictureAxis::default() };
        assert_eq!(texts(&[990.0, 1_000.0], zero, None).first().map(String::as_str), Some("0"));
        assert_eq!(labels(&[5.0, 5.0]).first().map(String::as_str), Some("0"));
        assert_eq!(labels(&[0.0, 0.0]).last().map(String::as_str), Some("1.0"));
    }

    #[test]
    fn the_ends_that_are_asked_for_hold() {
        let wanted = PictureAxis { min: Some(0.0), max: Some(1.0), ..PictureAxis::default() };
        let ends = scale(&[0.4, 7.0], wanted);
        assert!(ends.share(0.0).abs() < 1e-9 && (ends.share(1.0) - 1.0).abs() < 1e-9);
        assert!(ends.holds(0.4) && !ends.holds(7.0) && ends.share(7.0) > 1.0, "it leaves the picture at the top");
        let upside_down = PictureAxis { min: Some(5.0), ..PictureAxis::default() };
        assert!(!scale(&[1.0, 2.0], upside_down).labels(None).is_empty());
        let narrow = PictureAxis { min: Some(0.2), max: Some(0.8), ..PictureAxis::default() };
        let low = Scale::of([0.5].into_iter(), 10.0, narrow).unwrap();
        let texts: Vec<String> = low.labels(None).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["0.2", "0.8"], "there is no round number between them");
    }

    #[test]
    fn a_logarithmic_axis_goes_by_powers_of_ten() {
        let log = PictureAxis { log: true, ..PictureAxis::default() };
        assert_eq!(texts(&[0.02, 300.0, -1.0], log, None), ["0.01", "1", "100"]);
        assert!((scale(&[1.0, 100.0], log).share(10.0) - 0.5).abs() < 1e-9);
        assert_eq!(Scale::of([-5.0, 0.0].into_iter(), 150.0, log), None, "nothing is above zero");
        let narrow = PictureAxis { min: Some(0.2), max: Some(0.8), ..log };
        assert_eq!(texts(&[0.5], narrow, None), ["0.2", "0.8"]);
        assert!(scale(&[4e-305], log).holds(4e-305), "what is too small to tell from others has its place, too");
    }

    #[test]
    fn numbers_have_their_unit_as_long_as_it_tells_them_apart() {
        assert_eq!(texts(&[0.0, 0.3], PictureAxis::default(), Some("s")), ["0", "100ms", "200ms", "300ms"]);
        let far = texts(&[1_000_500_000.0, 1_000_600_000.0], PictureAxis::default(), Some("B"));
        assert!(far.windows(2).all(|pair| pair[0] != pair[1]), "{far:?}");
    }

    #[test]
    fn no_values_and_no_numbers_make_no_axis() {
        assert_eq!(Scale::of([].into_iter(), 100.0, PictureAxis::default()), None);
        assert_eq!(Scale::of([f64::NAN, f64::INFINITY].into_iter(), 100.0, PictureAxis::default()), None);
    }

    proptest! {
        #[test]
        fn every_value_has_its_place_on_an_axis_that_follows_the_values(
            values in proptest::collection::vec(proptest::num::f64::NORMAL, 1..9), (log, zero) in any::<(bool, bool)>(),
        ) {
            let wanted = PictureAxis { log, zero, ..PictureAxis::default() };
            if let Some(scale) = Scale::of(values.iter().copied(), 150.0, wanted) {
                for value in values.into_iter().filter(|value| scale.has_place(*value)) {
                    let share = scale.share(value);
                    prop_assert!((-1e-3..=1.0 + 1e-3).contains(&share), "{value} is at {share} of {scale:?}");
                }
                prop_assert!(scale.labels(Some("s")).len() <= 65);
            }
        }
    }
}
