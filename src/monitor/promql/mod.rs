//! Questions about the stored series, in `PromQL` with the meaning it has in Prometheus 3.
//!
//! `read` lets promql-parser make a tree of the text; `compile` checks it and makes a `plan`, in which only what is
//! supported can be said; `evaluate` walks the plan with the help of `operators`, `aggregate`, `functions` and
//! `histogram`. A query takes what it needs from the store in one go ([`ReadStore`]) and is evaluated after, so that no lock
//! on a store is held meanwhile. It never changes the store and never reads a clock.
//!
//! Names of metrics are dropped where Prometheus drops them, at once; series that have become equal are one as long as
//! they never meet at one moment, as with its flag `promql-delayed-name-removal`, and an error where they do.
//!
//! Known gaps, each refused by name when the text is parsed: native histograms, what is experimental in Prometheus, and
//! `or` between label matchers.

mod aggregate;
mod budget;
mod compile;
mod error;
mod evaluate;
mod functions;
mod grid;
mod histogram;
mod line;
mod notice;
mod operators;
mod plan;
mod read;
mod regular_expression;
mod value;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

pub use error::PromqlError;
pub use notice::{Notice, Severity};
pub(in crate::monitor) use value::almost_equal;
pub use value::{InstantSample, RangeSeries, Value};

use promql_parser::label::Matcher;

use crate::pipeline::Moment;

use super::Labels;
use super::storage::{ReadStore, SeriesStore};
use compile::names::{SUPPORTED_AGGREGATIONS, supported_functions};
use evaluate::Evaluation;
use grid::{Grid, Span};
use line::Line;
use plan::{Node, Selector};

/// Every function and aggregation that can be written, sorted.
pub fn words() -> Vec<&'static str> {
    let mut words: Vec<&str> = supported_functions().chain(SUPPORTED_AGGREGATIONS.iter().copied()).collect();
    words.sort_unstable();
    words
}

/// The most steps of one range, as in Prometheus.
const MOST_STEPS: u64 = 11_000;

/// How far back the last sample of a series still counts, in milliseconds: five minutes, as Prometheus has it.
const LOOK_BACK_MS: i64 = 300_000;

/// A checked expression, ready to be evaluated any number of times.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
    root: Node,
    selectors: Vec<Selector>,
    look_back_ms: i64,
}

/// Which series a query looks at, and when.
#[derive(Debug, Clone)]
pub struct Reach<'query> {
    /// What the labels of the series must be; the name of the metric is one of them.
    pub matchers: &'query [Matcher],
    /// Samples after this moment are looked at …
    pub after: Moment,
    /// … up to and including this one.
    pub until: Moment,
    /// Whether native histograms among them would be passed over.
    pub is_of_floats: bool,
}

/// What a query gives, and what there is to say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The result; that of a range is a matrix.
    pub value: Value,
    /// Warnings and remarks.
    pub notices: Vec<Notice>,
}

/// Reads and checks an expression.
pub fn parse(text: &str) -> Result<Query, PromqlError> {
    let expression = read::read(text)?;
    let (root, selectors) = compile::compile(text, &expression)?;
    Ok(Query { text: text.to_owned(), root, selectors, look_back_ms: LOOK_BACK_MS })
}

impl Query {
    /// The expression as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the metric of that name is selected somewhere in the expression.
    pub fn mentions(&self, metric: &str) -> bool {
        self.selectors.iter().any(|selector| selector.name() == Some(metric))
    }

    /// The matchers of each selector in the expression.
    pub fn selectors(&self) -> impl Iterator<Item = &[Matcher]> {
        self.selectors.iter().map(|selector| selector.matchers.as_slice())
    }

    /// That it gives numbers, as a chart or an alert needs them, and not a range of samples or a text.
    pub fn check_numbers(&self) -> Result<(), PromqlError> {
        match self.root {
            Node::Scalar(_) | Node::Vector(_) => Ok(()),
            Node::Matrix(_) => Err(PromqlError::NotNumbers {
                found: "a range of samples",
                mend: "put it in a function, as in rate(x[1m])",
            }),
            Node::Text(_) => Err(PromqlError::NotNumbers { found: "a text", mend: "name a metric without quotes" }),
        }
    }

    /// The same query, for which the last sample of a series counts for so long.
    #[must_use]
    pub fn looking_back(self, milliseconds: i64) -> Self {
        Self { look_back_ms: milliseconds.max(1), ..self }
    }

    /// The series with a number each at one moment; a number gives one sample without labels.
    pub fn instant(&self, store: &impl ReadStore, at: Moment) -> Result<Vec<InstantSample>, PromqlError> {
        store.read(|store| self.gather_at(store, at)).instant()
    }

    /// The values at `start` and every `step_ms` after it up to and including `end`, sorted by labels.
    pub fn range(
        &self,
        store: &impl ReadStore,
        start: Moment,
        end: Moment,
        step_ms: u64,
    ) -> Result<Vec<RangeSeries>, PromqlError> {
        store.read(|store| self.gather_over(store, start, end, step_ms))?.series()
    }

    /// Whatever it gives at one moment.
    pub fn value(&self, store: &SeriesStore, at: Moment) -> Result<Value, PromqlError> {
        Ok(self.gather_at(store, at).answer()?.value)
    }

    /// Takes from the store what is needed to evaluate at one moment.
    pub fn gather_at(&self, store: &SeriesStore, at: Moment) -> Gathered<'_> {
        let grid = Grid { first: at.0, step: 1, count: 1 };
        self.gathered(store, grid, self.span(at, at), false)
    }

    /// Takes from the store what is needed to evaluate over a range.
    pub fn gather_over(
        &self,
        store: &SeriesStore,
        start: Moment,
        end: Moment,
        step_ms: u64,
    ) -> Result<Gathered<'_>, PromqlError> {
        Ok(self.gathered(store, grid_of(start, end, step_ms)?, self.span(start, end), true))
    }

    /// What is looked at when it is evaluated over a range.
    pub fn reaches(&self, start: Moment, end: Moment, step_ms: u64) -> Result<Vec<Reach<'_>>, PromqlError> {
        let (grid, span) = (grid_of(start, end, step_ms)?, self.span(start, end));
        let reaches = self.selectors.iter().filter_map(|selector| {
            let (after, until) = selector.reach(grid, span)?;
            let (after, until) = (Moment(after), Moment(until));
            Some(Reach { matchers: &selector.matchers, after, until, is_of_floats: selector.is_of_floats })
        });
        Ok(reaches.collect())
    }

    fn span(&self, start: Moment, end: Moment) -> Span {
        Span { start: start.0, end: end.0, look_back_ms: self.look_back_ms }
    }

    fn gathered(&self, store: &SeriesStore, grid: Grid, span: Span, is_range: bool) -> Gathered<'_> {
        let evaluation = Evaluation::new(store, &self.selectors, grid, span);
        Gathered { query: self, evaluation, grid, is_range }
    }
}

/// A query with all samples that it needs; the store may change or go away meanwhile.
pub struct Gathered<'query> {
    query: &'query Query,
    evaluation: Evaluation<'query>,
    grid: Grid,
    is_range: bool,
}

impl Gathered<'_> {
    /// The series with a number each at the first moment.
    pub fn instant(mut self) -> Result<Vec<InstantSample>, PromqlError> {
        Ok(samples(self.lines()?))
    }

    /// The series over the range, sorted by labels.
    pub fn series(mut self) -> Result<Vec<RangeSeries>, PromqlError> {
        let lines = self.lines()?;
        Ok(series(lines, self.grid))
    }

    /// Whatever the query gives, with what there is to say about it.
    pub fn answer(mut self) -> Result<Answer, PromqlError> {
        let value = if self.is_range {
            let lines = self.lines()?;
            Value::Matrix(series(lines, self.grid))
        } else {
            self.value()?
        };
        Ok(Answer { value, notices: self.evaluation.notices.into_vec() })
    }

    fn value(&mut self) -> Result<Value, PromqlError> {
        let query = self.query;
        Ok(match &query.root {
            Node::Scalar(scalar) => {
                let numbers = self.evaluation.scalar(scalar, self.grid)?;
                Value::Scalar(numbers.first().copied().unwrap_or(f64::NAN))
            }
            Node::Vector(vector) => Value::Vector(samples(self.evaluation.vector(vector, self.grid)?)),
            Node::Matrix(range) => Value::Matrix(self.evaluation.matrix(range, self.grid.first)?),
            Node::Text(text) => Value::Text(text.clone()),
        })
    }

    fn lines(&mut self) -> Result<Vec<Line>, PromqlError> {
        let query = self.query;
        query.check_numbers()?;
        match &query.root {
            Node::Scalar(scalar) => {
                Ok(vec![Line::whole(Labels::default(), self.evaluation.scalar(scalar, self.grid)?)])
            }
            Node::Vector(vector) => self.evaluation.vector(vector, self.grid),
            Node::Matrix(_) | Node::Text(_) => Ok(Vec::new()),
        }
    }
}

/// What lines are at their first moment.
fn samples(lines: Vec<Line>) -> Vec<InstantSample> {
    let sample = |line: Line| Some(InstantSample { value: line.at(0)?, labels: line.labels });
    lines.into_iter().filter_map(sample).collect()
}

/// What lines are at all moments, sorted by labels.
fn series(mut lines: Vec<Line>, grid: Grid) -> Vec<RangeSeries> {
    lines.sort_by(|left, right| left.labels.cmp(&right.labels));
    let series = |line: Line| {
        let point = |(at, value): (i64, &Option<f64>)| Some((Moment(at), (*value)?));
        let points = grid.moments().zip(&line.values).filter_map(point).collect();
        RangeSeries { labels: line.labels, points }
    };
    lines.into_iter().map(series).collect()
}

fn grid_of(start: Moment, end: Moment, step_ms: u64) -> Result<Grid, PromqlError> {
    let steps = if end < start { None } else { end.since(start).checked_div(step_ms) };
    let count = steps.filter(|steps| *steps < MOST_STEPS).and_then(|steps| usize::try_from(steps + 1).ok());
    match count {
        Some(count) => Ok(Grid { first: start.0, step: i64::try_from(step_ms).unwrap_or(i64::MAX), count }),
        None => {
            let range_ms = end.0.saturating_sub(start.0);
            Err(PromqlError::BadRange { range_ms, step_ms, limit: MOST_STEPS })
        }
    }
}
