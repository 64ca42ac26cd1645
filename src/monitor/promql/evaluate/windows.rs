//! Functions of the samples in windows of time, which move along the series with the moments of evaluation.
//!
//! A sample is read from the store once, however many windows it lies in.

use crate::monitor::storage::Selected;

use super::super::error::PromqlError;
use super::super::functions::ranges::{Window, over_range};
use super::super::grid::{Grid, Placement, Span, Stepping};
use super::super::line::{Line, merged};
use super::super::plan::{RangeFunction, RangeNode, ScalarNode, VectorNode};
use super::{Budget, Evaluation, number_at};

impl Evaluation<'_> {
    /// A function of ranges, for every series.
    pub(super) fn over_range(
        &mut self,
        function: RangeFunction,
        argument: &RangeNode,
        parameter: &ScalarNode,
        grid: Grid,
    ) -> Result<Vec<Line>, PromqlError> {
        let parameters = self.scalar(parameter, grid)?;
        let compute = |step, window: &Window<'_>| over_range(function, window, number_at(&parameters, step));
        let lines = self.over_windows(argument, grid, compute)?;
        match function {
            RangeFunction::Quantile if !lines.is_empty() => self.notices.check_quantiles(&parameters),
            RangeFunction::Rate | RangeFunction::Increase => {
                for line in &lines {
                    self.notices.check_counter(line.labels.name());
                }
            }
            // These give what a series was at another moment.
            RangeFunction::First | RangeFunction::Last => return Ok(lines),
            _ => {}
        }
        merged(lines.into_iter().map(|line| Line { labels: line.labels.without_name(), ..line }).collect())
    }

    /// What `compute` gives for each window in which there is a sample, by step; the labels stay what they are.
    pub(super) fn over_windows(
        &mut self,
        argument: &RangeNode,
        grid: Grid,
        mut compute: impl FnMut(usize, &Window<'_>) -> Option<f64>,
    ) -> Result<Vec<Line>, PromqlError> {
        let span = self.span;
        let mut lines = Vec::new();
        match argument {
            RangeNode::Select { selector, range_ms } => {
                let selectors = self.selectors;
                let Some(placement) = selectors.get(*selector).map(|selector| selector.placement) else {
                    return Ok(lines);
                };
                let frame = Frame { placement, range_ms: *range_ms, span, grid };
                for mut member in self.take(*selector) {
                    let labels = member.labels.clone();
                    let values = frame.walk(&mut self.budget, &mut Samples::Stored(&mut member), &mut compute)?;
                    lines.push(Line { labels, values });
                    self.budget.hold(grid.count)?;
                }
            }
            RangeNode::Subquery { inner, stepping } => {
                let frame = Frame { placement: stepping.placement, range_ms: stepping.range_ms, span, grid };
                let (inner, steps) = self.subquery(inner, *stepping, grid)?;
                for line in inner {
                    let points = points(&line, steps);
                    let values = frame.walk(&mut self.budget, &mut Samples::Points(&points), &mut compute)?;
                    lines.push(Line { labels: line.labels, values });
                    self.budget.hold(grid.count)?;
                }
            }
        }
        lines.retain(Line::has_values);
        Ok(lines)
    }

    /// What stands inside of a subquery, at the steps of the subquery.
    pub(super) fn subquery(
        &mut self,
        inner: &VectorNode,
        stepping: Stepping,
        grid: Grid,
    ) -> Result<(Vec<Line>, Grid), PromqlError> {
        let steps = stepping.grid(grid, self.span);
        self.budget.check(steps.count)?;
        Ok((self.vector(inner, steps)?, steps))
    }
}

/// The values of a line with their moments.
pub(super) fn points(line: &Line, grid: Grid) -> Vec<(i64, f64)> {
    grid.moments().zip(&line.values).filter_map(|(at, value)| Some((at, (*value)?))).collect()
}

/// Where samples are read from.
enum Samples<'a> {
    Stored(&'a mut Selected),
    /// In the order of time.
    Points(&'a [(i64, f64)]),
}

impl Samples<'_> {
    /// Appends the samples after `after` up to and including `until`.
    fn read(&mut self, after: i64, until: i64, into: &mut Vec<(i64, f64)>) {
        match self {
            Self::Stored(selected) => selected.window(after, until, into),
            Self::Points(points) => {
                let start = points.partition_point(|(at, _)| *at <= after);
                let end = points.partition_point(|(at, _)| *at <= until);
                into.extend_from_slice(points.get(start..end).unwrap_or_default());
            }
        }
    }
}

/// The windows over one series.
#[derive(Clone, Copy)]
struct Frame {
    placement: Placement,
    range_ms: i64,
    span: Span,
    grid: Grid,
}

impl Frame {
    fn walk(
        self,
        budget: &mut Budget,
        samples: &mut Samples<'_>,
        compute: &mut impl FnMut(usize, &Window<'_>) -> Option<f64>,
    ) -> Result<Vec<Option<f64>>, PromqlError> {
        let mut values = Vec::with_capacity(self.grid.count);
        // The samples that lie in the window begin at `head`; those before it wait to be cleared away together.
        let mut buffer: Vec<(i64, f64)> = Vec::new();
        let mut head = 0;
        let mut read_until = None;
        for (step, at) in self.grid.moments().enumerate() {
            let until = self.placement.moment(at, self.span);
            let after = until.saturating_sub(self.range_ms);
            if read_until != Some(until) {
                samples.read(read_until.map_or(after, |reached: i64| reached.max(after)), until, &mut buffer);
                read_until = Some(until);
                while buffer.get(head).is_some_and(|(at, _)| *at <= after) {
                    head += 1;
                }
                if head * 2 > buffer.len() {
                    buffer.drain(..head);
                    head = 0;
                }
                budget.check(buffer.len())?;
            }
            let window = Window { samples: buffer.get(head..).unwrap_or_default(), after, until, at };
            budget.look_at(window.samples.len())?;
            values.push(if window.samples.is_empty() { None } else { compute(step, &window) });
        }
        Ok(values)
    }
}
