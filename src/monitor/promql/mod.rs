//! Questions about the stored series, in `PromQL` with the meaning it has in Prometheus 3.
//!
//! `promql-parser` reads the text; `compile` checks it and makes a `plan`, in which only what is supported can be said;
//! `evaluate` walks the plan with the help of `operators`, `aggregate`, `functions` and `histogram`. A query never
//! changes the store and never reads a clock.
//!
//! Known gaps, each refused by name when the text is parsed: subqueries, the `@` and fill modifiers, native histograms,
//! and the functions and aggregations that the error message does not list.

mod aggregate;
mod compile;
mod error;
mod evaluate;
mod functions;
mod histogram;
mod operators;
mod plan;
mod value;

#[cfg(test)]
mod tests;

pub use error::PromqlError;
pub use value::InstantSample;

use std::collections::{BTreeMap, HashSet};
use std::panic;

use serde::Serialize;

use crate::pipeline::Moment;

use super::{Labels, SeriesStore};
use evaluate::Evaluation;
use plan::{Node, Selector};

/// The longest expression that is read, in bytes: the parser builds a tree that is taken down by recursion.
const LONGEST: usize = 4096;

/// The most steps of one range, as in Prometheus.
const MOST_STEPS: u64 = 11_000;

/// One series over a range of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RangeSeries {
    /// The labels of the series, with its name if the expression keeps it.
    pub labels: Labels,
    /// Moments and values, in order, only where there is a value.
    pub points: Vec<(Moment, f64)>,
}

/// A checked expression, ready to be evaluated any number of times.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
    root: Node,
    selectors: Vec<Selector>,
}

/// Reads and checks an expression.
pub fn parse(text: &str) -> Result<Query, PromqlError> {
    if text.len() > LONGEST {
        return Err(PromqlError::TooLong { length: text.len(), limit: LONGEST });
    }
    // promql-parser 0.11.1 panics on a duration beyond the range of `Duration`, such as `x[1e300]`.
    let read = panic::catch_unwind(|| promql_parser::parser::parse(text))
        .unwrap_or_else(|_| Err("a number in it is out of range".to_owned()));
    let expression = read.map_err(|reason| refusal(text, reason))?;
    let (root, selectors) = compile::compile(text, &expression)?;
    Ok(Query { text: text.to_owned(), root, selectors })
}

/// Names an unknown function like a known one that is not supported, so that the user sees what there is.
fn refusal(text: &str, reason: String) -> PromqlError {
    let unknown = reason.strip_prefix("unknown function with name '").and_then(|rest| rest.strip_suffix('\''));
    match unknown {
        Some(name) => PromqlError::UnsupportedFunction { name: name.to_owned() },
        None => PromqlError::Syntax { expression: text.to_owned(), reason },
    }
}

impl Query {
    /// The expression as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the metric of that name is selected somewhere in the expression.
    pub fn mentions(&self, metric: &str) -> bool {
        self.selectors.iter().any(|selector| selector.name.as_deref() == Some(metric))
    }

    /// The value at one moment; a number gives one sample without labels.
    pub fn instant(&self, store: &SeriesStore, at: Moment) -> Result<Vec<InstantSample>, PromqlError> {
        self.evaluate(&Evaluation::new(store, &self.selectors), at.0)
    }

    /// The values at `start` and every `step_ms` after it up to and including `end`, sorted by labels.
    pub fn range(
        &self,
        store: &SeriesStore,
        start: Moment,
        end: Moment,
        step_ms: u64,
    ) -> Result<Vec<RangeSeries>, PromqlError> {
        let evaluation = Evaluation::new(store, &self.selectors);
        let mut found: BTreeMap<Labels, Vec<(Moment, f64)>> = BTreeMap::new();
        for step in 0..steps(start, end, step_ms)? {
            let at = start.plus(step.saturating_mul(step_ms));
            for sample in self.evaluate(&evaluation, at.0)? {
                found.entry(sample.labels).or_default().push((at, sample.value));
            }
        }
        Ok(found.into_iter().map(|(labels, points)| RangeSeries { labels, points }).collect())
    }

    fn evaluate(&self, evaluation: &Evaluation<'_>, at: i64) -> Result<Vec<InstantSample>, PromqlError> {
        let samples = evaluation.node(&self.root, at)?;
        match repeated(&samples) {
            Some(labels) => Err(PromqlError::DuplicateSeries { labels: labels.to_string() }),
            None => Ok(samples),
        }
    }
}

/// The first labels that stand twice: taking the names away may make two series one.
fn repeated(samples: &[InstantSample]) -> Option<&Labels> {
    let mut known = HashSet::with_capacity(samples.len());
    samples.iter().map(|sample| &sample.labels).find(|labels| !known.insert(*labels))
}

fn steps(start: Moment, end: Moment, step_ms: u64) -> Result<u64, PromqlError> {
    let steps = if end < start { None } else { end.since(start).checked_div(step_ms) };
    match steps {
        Some(steps) if steps < MOST_STEPS => Ok(steps + 1),
        Some(_) | None => {
            let range_ms = end.0.saturating_sub(start.0);
            Err(PromqlError::BadRange { range_ms, step_ms, limit: MOST_STEPS })
        }
    }
}
