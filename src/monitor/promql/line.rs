//! The values of one series over the moments of an evaluation.
//!
//! An expression is evaluated for all moments at once, series by series, so that what depends on labels alone is done
//! once and not at every moment. Lines whose labels have become equal are one series as long as at most one of them has
//! a value at each moment; two values at one moment are an error, as in Prometheus.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::monitor::Labels;

use super::error::PromqlError;

/// One series: a value or none at each moment of a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) labels: Labels,
    pub(super) values: Vec<Option<f64>>,
}

impl Line {
    /// A series with a value at each moment.
    pub(super) fn whole(labels: Labels, values: Vec<f64>) -> Self {
        Self { labels, values: values.into_iter().map(Some).collect() }
    }

    /// The value at a step.
    pub(super) fn at(&self, step: usize) -> Option<f64> {
        self.values.get(step).copied().flatten()
    }

    /// Whether there is any value.
    pub(super) fn has_values(&self) -> bool {
        self.values.iter().any(Option::is_some)
    }

    /// The same series without its name and with other values.
    pub(super) fn changed(mut self, change: impl Fn(usize, f64) -> Option<f64>) -> Self {
        self.labels = self.labels.without_name();
        self.change(change);
        self
    }

    /// Changes each value, or takes it away.
    pub(super) fn change(&mut self, change: impl Fn(usize, f64) -> Option<f64>) {
        for (step, value) in self.values.iter_mut().enumerate() {
            *value = value.and_then(|value| change(step, value));
        }
    }
}

/// Makes one series of those with equal labels, and drops those without a value.
pub(super) fn merged(lines: Vec<Line>) -> Result<Vec<Line>, PromqlError> {
    let mut places: HashMap<Labels, usize> = HashMap::with_capacity(lines.len());
    let mut result: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines.into_iter().filter(Line::has_values) {
        match places.entry(line.labels.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(result.len());
                result.push(line);
            }
            Entry::Occupied(entry) => {
                if let Some(known) = result.get_mut(*entry.get()) {
                    join(known, &line)?;
                }
            }
        }
    }
    Ok(result)
}

fn join(known: &mut Line, other: &Line) -> Result<(), PromqlError> {
    for (mine, added) in known.values.iter_mut().zip(&other.values) {
        if added.is_none() {
            continue;
        }
        if mine.is_some() {
            return Err(PromqlError::DuplicateSeries { labels: known.labels.to_string() });
        }
        *mine = *added;
    }
    Ok(())
}

/// Whether some series has a value, for each step.
pub(super) fn presence(lines: &[Line], steps: usize) -> Vec<bool> {
    let mut present = vec![false; steps];
    for line in lines {
        for (is_present, value) in present.iter_mut().zip(&line.values) {
            *is_present |= value.is_some();
        }
    }
    present
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, values: &[Option<f64>]) -> Line {
        Line { labels: Labels::new([("x", name)]), values: values.to_vec() }
    }

    #[test]
    fn lines_that_never_meet_are_one_series() {
        let lines = vec![line("a", &[Some(1.0), None]), line("b", &[Some(9.0), None]), line("a", &[None, Some(2.0)])];
        let result = merged(lines).unwrap();
        assert_eq!(result, [line("a", &[Some(1.0), Some(2.0)]), line("b", &[Some(9.0), None])]);
    }

    #[test]
    fn two_values_at_one_moment_are_an_error() {
        let lines = vec![line("a", &[Some(1.0), None]), line("a", &[Some(2.0), None])];
        assert!(matches!(merged(lines), Err(PromqlError::DuplicateSeries { .. })));
    }

    #[test]
    fn what_has_no_value_is_dropped() {
        assert!(merged(vec![line("a", &[None, None])]).unwrap().is_empty());
    }
}
