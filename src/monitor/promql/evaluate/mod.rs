//! Evaluates a plan, for all moments of a grid at once.
//!
//! Each node gives a line a series, with a value or none at each moment. The series of every selector are taken from the
//! store before, as far back as its window, offset and subqueries reach; a selector stands once in a plan, so its series
//! are used up as they are read, from the earliest moment on. Nothing is remembered between two evaluations. `windows`
//! has what looks at ranges of samples.

mod windows;

use std::mem;

use crate::monitor::Labels;
use crate::monitor::storage::{Selected, SeriesStore};
use crate::pipeline::Moment;

use super::aggregate;
use super::budget::Budget;
use super::error::PromqlError;
use super::functions::{dates, elements, relabel};
use super::grid::{Grid, Span};
use super::histogram;
use super::line::{Line, merged, presence};
use super::notice::Notices;
use super::operators;
use super::plan::{RangeNode, ScalarNode, Selector, VectorNode};
use super::value::{RangeSeries, seconds};

/// The series that a query is about, and what evaluating it has used so far.
pub(super) struct Evaluation<'query> {
    selectors: &'query [Selector],
    members: Vec<Vec<Selected>>,
    span: Span,
    budget: Budget,
    pub(super) notices: Notices,
}

impl<'query> Evaluation<'query> {
    /// Takes the series of every selector from the store, as they are now.
    pub(super) fn new(store: &SeriesStore, selectors: &'query [Selector], grid: Grid, span: Span) -> Self {
        let members = |selector: &Selector| match selector.reach(grid, span) {
            Some((after, until)) => store.select(&selector.matchers, after, until),
            None => Vec::new(),
        };
        Self {
            selectors,
            members: selectors.iter().map(members).collect(),
            span,
            budget: Budget::default(),
            notices: Notices::default(),
        }
    }

    /// A number for each moment.
    pub(super) fn scalar(&mut self, node: &ScalarNode, grid: Grid) -> Result<Vec<f64>, PromqlError> {
        let held = self.budget.held();
        self.budget.check(grid.count)?;
        let numbers = match node {
            ScalarNode::Number(number) => vec![*number; grid.count],
            ScalarNode::Time => grid.moments().map(seconds).collect(),
            ScalarNode::FromVector(vector) => only_values(&self.vector(vector, grid)?, grid.count),
            ScalarNode::Negate(scalar) => {
                let mut numbers = self.scalar(scalar, grid)?;
                for number in &mut numbers {
                    *number = -*number;
                }
                numbers
            }
            ScalarNode::Binary { operator, left, right } => {
                let mut numbers = self.scalar(left, grid)?;
                let right = self.scalar(right, grid)?;
                for (number, right) in numbers.iter_mut().zip(right) {
                    // The parser refuses filters between numbers, so there is always a result.
                    *number = operator.apply(*number, right, *number).unwrap_or(f64::NAN);
                }
                numbers
            }
        };
        self.budget.settle_count(held, numbers.len())?;
        Ok(numbers)
    }

    /// Series with a value or none at each moment; no two have equal labels.
    pub(super) fn vector(&mut self, node: &VectorNode, grid: Grid) -> Result<Vec<Line>, PromqlError> {
        let held = self.budget.held();
        let lines = self.lines(node, grid)?;
        self.budget.settle(held, &lines)?;
        Ok(lines)
    }

    fn lines(&mut self, node: &VectorNode, grid: Grid) -> Result<Vec<Line>, PromqlError> {
        match node {
            VectorNode::Select(selector) => self.select(*selector, grid, |(_, value)| value),
            VectorNode::SelectTimestamps(selector) => {
                unnamed(self.select(*selector, grid, |(at, _)| seconds(at))?, |_, taken_at| Some(taken_at))
            }
            VectorNode::Timestamps(argument) => {
                unnamed(self.vector(argument, grid)?, |step, _| Some(seconds(grid.moment(step))))
            }
            VectorNode::OverRange { function, argument, parameter } => {
                self.over_range(*function, argument, parameter, grid)
            }
            VectorNode::Absent { argument, labels } => {
                Ok(absence(labels, &presence(&self.vector(argument, grid)?, grid.count)))
            }
            VectorNode::AbsentOverRange { argument, labels } => {
                let lines = self.over_windows(argument, grid, |_, _| Some(1.0))?;
                Ok(absence(labels, &presence(&lines, grid.count)))
            }
            VectorNode::FromScalar(scalar) => Ok(unlabelled(self.scalar(scalar, grid)?)),
            VectorNode::Negate(argument) => unnamed(self.vector(argument, grid)?, |_, value| Some(-value)),
            VectorNode::Map { function, argument, parameter } => {
                let parameters = self.scalar(parameter, grid)?;
                let change = |step, value| Some(elements::of_element(*function, value, number_at(&parameters, step)));
                unnamed(self.vector(argument, grid)?, change)
            }
            VectorNode::Clamp { argument, least, most } => {
                let (least, most) = (self.scalar(least, grid)?, self.scalar(most, grid)?);
                let change = |step, value| elements::clamp(value, number_at(&least, step), number_at(&most, step));
                unnamed(self.vector(argument, grid)?, change)
            }
            VectorNode::Date { part, argument: Some(argument) } => {
                unnamed(self.vector(argument, grid)?, |_, value| Some(dates::part_of(*part, value)))
            }
            VectorNode::Date { part, argument: None } => {
                Ok(unlabelled(grid.moments().map(|at| dates::part_of(*part, seconds(at))).collect()))
            }
            VectorNode::Sort { argument, is_descending, place } => {
                if grid.count > 1 {
                    self.notices.sort_in_range(place);
                }
                Ok(elements::sorted(self.vector(argument, grid)?, *is_descending, grid.count))
            }
            VectorNode::Relabel { argument, change } => {
                merged(relabel::relabelled(self.vector(argument, grid)?, change)?)
            }
            VectorNode::HistogramQuantile { quantile, buckets } => {
                let shares = self.scalar(quantile, grid)?;
                self.notices.check_quantiles(&shares);
                merged(histogram::quantiles(&shares, &self.vector(buckets, grid)?, &mut self.notices))
            }
            VectorNode::HistogramFraction { lower, upper, buckets } => {
                let (lower, upper) = (self.scalar(lower, grid)?, self.scalar(upper, grid)?);
                merged(histogram::fractions(&lower, &upper, &self.vector(buckets, grid)?, &mut self.notices))
            }
            VectorNode::WithScalar { operator, vector, scalar, scalar_on_left } => {
                let (lines, numbers) = (self.vector(vector, grid)?, self.scalar(scalar, grid)?);
                merged(operators::with_scalar(*operator, lines, &numbers, *scalar_on_left))
            }
            VectorNode::Pairwise { operator, left, right, matching, cardinality } => {
                let (left, right) = (self.vector(left, grid)?, self.vector(right, grid)?);
                operators::pairwise(*operator, left, right, matching, cardinality, grid.count)
            }
            VectorNode::Set { operator, left, right, matching } => {
                let (left, right) = (self.vector(left, grid)?, self.vector(right, grid)?);
                merged(operators::set(*operator, left, right, matching, grid.count))
            }
            VectorNode::Aggregate { aggregation, argument, parameter, grouping } => {
                let (parameters, lines) = (self.scalar(parameter, grid)?, self.vector(argument, grid)?);
                aggregate::aggregate(*aggregation, lines, &parameters, grouping, &mut self.notices)
            }
            VectorNode::CountValues { label, argument, grouping } => {
                let lines = self.vector(argument, grid)?;
                aggregate::count_values(label, &lines, grouping, grid.count, &self.budget)
            }
        }
    }

    /// The samples of a range, as they are at one moment, sorted by labels.
    pub(super) fn matrix(&mut self, node: &RangeNode, at: i64) -> Result<Vec<RangeSeries>, PromqlError> {
        let grid = Grid { first: at, step: 1, count: 1 };
        let mut found: Vec<(Labels, Vec<(i64, f64)>)> = Vec::new();
        match node {
            RangeNode::Select { selector, range_ms } => {
                let selectors = self.selectors;
                let Some(placement) = selectors.get(*selector).map(|selector| selector.placement) else {
                    return Ok(Vec::new());
                };
                let until = placement.moment(at, self.span);
                for mut member in self.take(*selector) {
                    let mut samples = Vec::new();
                    member.window(until.saturating_sub(*range_ms), until, &mut samples);
                    self.budget.hold(samples.len())?;
                    found.push((member.labels.clone(), samples));
                }
            }
            RangeNode::Subquery { inner, stepping } => {
                let (lines, steps) = self.subquery(inner, *stepping, grid)?;
                found.extend(lines.into_iter().map(|line| (line.labels.clone(), windows::points(&line, steps))));
            }
        }
        found.retain(|(_, samples)| !samples.is_empty());
        found.sort_by(|(left, _), (right, _)| left.cmp(right));
        let series = |(labels, samples): (Labels, Vec<(i64, f64)>)| RangeSeries {
            labels,
            points: samples.into_iter().map(|(at, value)| (Moment(at), value)).collect(),
        };
        Ok(found.into_iter().map(series).collect())
    }

    /// The series of a selector.
    fn select(&mut self, index: usize, grid: Grid, take: fn((i64, f64)) -> f64) -> Result<Vec<Line>, PromqlError> {
        let (selectors, span) = (self.selectors, self.span);
        let Some(placement) = selectors.get(index).map(|selector| selector.placement) else { return Ok(Vec::new()) };
        let mut lines = Vec::new();
        for mut member in self.take(index) {
            let values: Vec<Option<f64>> = if placement.is_fixed() {
                let moment = placement.moment(grid.first, span);
                vec![member.at(moment, span.look_back_ms).map(take); grid.count]
            } else {
                let value = |at| member.at(placement.moment(at, span), span.look_back_ms).map(take);
                grid.moments().map(value).collect()
            };
            let line = Line { labels: member.labels.clone(), values };
            if line.has_values() {
                self.budget.hold(grid.count)?;
                lines.push(line);
            }
        }
        Ok(lines)
    }

    /// The series of a selector, which are read once.
    fn take(&mut self, index: usize) -> Vec<Selected> {
        self.members.get_mut(index).map(mem::take).unwrap_or_default()
    }
}

/// Every series with other values and without the name of the metric, which no longer says what it is.
fn unnamed(lines: Vec<Line>, change: impl Fn(usize, f64) -> Option<f64>) -> Result<Vec<Line>, PromqlError> {
    merged(lines.into_iter().map(|line| line.changed(&change)).collect())
}

/// The number at a step.
fn number_at(numbers: &[f64], step: usize) -> f64 {
    numbers.get(step).copied().unwrap_or(f64::NAN)
}

/// One series without labels; none where there is no moment.
fn unlabelled(numbers: Vec<f64>) -> Vec<Line> {
    if numbers.is_empty() { Vec::new() } else { vec![Line::whole(Labels::default(), numbers)] }
}

/// 1 wherever nothing is present.
fn absence(labels: &Labels, present: &[bool]) -> Vec<Line> {
    let values = present.iter().map(|is_present| (!is_present).then_some(1.0)).collect();
    let line = Line { labels: labels.clone(), values };
    if line.has_values() { vec![line] } else { Vec::new() }
}

/// At each moment the value of the only series that has one, else NaN.
fn only_values(lines: &[Line], steps: usize) -> Vec<f64> {
    let only = |step: usize| {
        let mut values = lines.iter().filter_map(|line| line.at(step));
        match (values.next(), values.next()) {
            (Some(value), None) => value,
            _ => f64::NAN,
        }
    };
    (0..steps).map(only).collect()
}
