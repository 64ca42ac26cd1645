//! Evaluates a plan at moments of time.
//!
//! The series of each selector are looked up once for a whole range of moments; at each moment only their samples are
//! searched, by bisection. Nothing is remembered between two evaluations.

use crate::monitor::Labels;
use crate::monitor::series::{Series, SeriesStore};

use super::aggregate::aggregate;
use super::error::PromqlError;
use super::functions::{of_element, over_range};
use super::histogram::histogram_quantile;
use super::operators;
use super::plan::{Node, RangeFunction, ScalarNode, Selector, VectorNode};
use super::value::{InstantSample, seconds};

/// How far back the last sample of a series still counts, in milliseconds: five minutes, as Prometheus has it.
const LOOK_BACK_MS: i64 = 300_000;

/// The series that a query is about, found and ready to be looked at in many moments.
pub(super) struct Evaluation<'a> {
    selections: Vec<Selection<'a>>,
}

struct Selection<'a> {
    offset_ms: i64,
    members: Vec<Member<'a>>,
}

struct Member<'a> {
    labels: &'a Labels,
    /// Made once, because rates need it at every moment.
    unnamed: Labels,
    series: &'a Series,
}

impl<'a> Evaluation<'a> {
    /// Looks up the series of every selector.
    pub(super) fn new(store: &'a SeriesStore, selectors: &[Selector]) -> Self {
        let select = |selector: &Selector| Selection {
            offset_ms: selector.offset_ms,
            members: store
                .select(selector.name.as_deref(), |labels| selector.accepts(labels))
                .into_iter()
                .map(|(labels, series)| Member { labels, unnamed: labels.without_name(), series })
                .collect(),
        };
        Self { selections: selectors.iter().map(select).collect() }
    }

    /// The value of an expression at a moment, in milliseconds; a number is an element without labels.
    pub(super) fn node(&self, node: &Node, at: i64) -> Result<Vec<InstantSample>, PromqlError> {
        match node {
            Node::Scalar(scalar) => {
                Ok(vec![InstantSample { labels: Labels::default(), value: self.scalar(scalar, at)? }])
            }
            Node::Vector(vector) => self.vector(vector, at),
        }
    }

    fn scalar(&self, node: &ScalarNode, at: i64) -> Result<f64, PromqlError> {
        Ok(match node {
            ScalarNode::Number(number) => *number,
            ScalarNode::Time => seconds(at),
            ScalarNode::FromVector(vector) => match self.vector(vector, at)?.as_slice() {
                [only] => only.value,
                _ => f64::NAN,
            },
            ScalarNode::Negate(scalar) => -self.scalar(scalar, at)?,
            ScalarNode::Binary { operator, left, right } => {
                let (left, right) = (self.scalar(left, at)?, self.scalar(right, at)?);
                // The parser refuses filters between numbers, so there is always a result.
                operator.apply(left, right, left).unwrap_or(f64::NAN)
            }
        })
    }

    fn vector(&self, node: &VectorNode, at: i64) -> Result<Vec<InstantSample>, PromqlError> {
        Ok(match node {
            VectorNode::Select(selector) => self.select(*selector, at),
            VectorNode::OverRange { function, selector, range_ms } => {
                self.over_range(*function, *selector, *range_ms, at)
            }
            VectorNode::FromScalar(scalar) => {
                vec![InstantSample { labels: Labels::default(), value: self.scalar(scalar, at)? }]
            }
            VectorNode::Negate(argument) => unnamed(self.vector(argument, at)?, |value| -value),
            VectorNode::Map { function, argument, parameter } => {
                let parameter = self.scalar(parameter, at)?;
                unnamed(self.vector(argument, at)?, |value| of_element(*function, value, parameter))
            }
            VectorNode::HistogramQuantile { quantile, buckets } => {
                histogram_quantile(self.scalar(quantile, at)?, &self.vector(buckets, at)?)
            }
            VectorNode::WithScalar { operator, vector, scalar, scalar_on_left } => {
                let (elements, scalar) = (self.vector(vector, at)?, self.scalar(scalar, at)?);
                operators::with_scalar(*operator, elements, scalar, *scalar_on_left)
            }
            VectorNode::Pairwise { operator, left, right, matching, cardinality } => {
                let (left, right) = (self.vector(left, at)?, self.vector(right, at)?);
                operators::pairwise(*operator, left, right, matching, cardinality)?
            }
            VectorNode::Set { operator, left, right, matching } => {
                operators::set(*operator, self.vector(left, at)?, self.vector(right, at)?, matching)
            }
            VectorNode::Aggregate { aggregation, argument, parameter, grouping } => {
                let (elements, parameter) = (self.vector(argument, at)?, self.scalar(parameter, at)?);
                aggregate(*aggregation, elements, parameter, grouping)
            }
        })
    }

    fn select(&self, selector: usize, at: i64) -> Vec<InstantSample> {
        let Some(selection) = self.selections.get(selector) else { return Vec::new() };
        let moment = at.saturating_sub(selection.offset_ms);
        let present = |member: &Member<'a>| {
            let value = member.series.at(moment, LOOK_BACK_MS)?;
            Some(InstantSample { labels: member.labels.clone(), value })
        };
        selection.members.iter().filter_map(present).collect()
    }

    fn over_range(&self, function: RangeFunction, selector: usize, range_ms: i64, at: i64) -> Vec<InstantSample> {
        let Some(selection) = self.selections.get(selector) else { return Vec::new() };
        let end = at.saturating_sub(selection.offset_ms);
        let start = end.saturating_sub(range_ms);
        let present = |member: &Member<'a>| {
            let value = over_range(function, &member.series.window(start, end), start, end)?;
            let keeps_name = function == RangeFunction::Last;
            let labels = if keeps_name { member.labels.clone() } else { member.unnamed.clone() };
            Some(InstantSample { labels, value })
        };
        selection.members.iter().filter_map(present).collect()
    }
}

/// Every element with a new value and without the name of the metric, which no longer says what it is.
fn unnamed(elements: Vec<InstantSample>, change: impl Fn(f64) -> f64) -> Vec<InstantSample> {
    let changed =
        |element: InstantSample| InstantSample { labels: element.labels.without_name(), value: change(element.value) };
    elements.into_iter().map(changed).collect()
}
