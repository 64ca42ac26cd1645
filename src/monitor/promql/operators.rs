//! Operators between numbers, between series and a number, and between series and series.
//!
//! Matching follows Prometheus 3 (`promql/engine.go`, `VectorBinop` and its kin): elements of two sides belong together
//! when the labels chosen by `on` or `ignoring` are equal, and only one side may have several of them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::monitor::Labels;

use super::error::PromqlError;
use super::plan::{Arithmetic, Cardinality, Comparison, LabelChoice, Operator, SetOperator};
use super::value::InstantSample;

impl Arithmetic {
    fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Remainder => left % right,
            Self::Power => left.powf(right),
        }
    }
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "the language compares exactly")]
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

impl Operator {
    /// The result; none if a filter drops the element, and `kept` if it does not.
    pub(super) fn apply(self, left: f64, right: f64, kept: f64) -> Option<f64> {
        match self {
            Self::Arithmetic(arithmetic) => Some(arithmetic.apply(left, right)),
            Self::Filter(comparison) => comparison.holds(left, right).then_some(kept),
            Self::Truth(comparison) => Some(if comparison.holds(left, right) { 1.0 } else { 0.0 }),
        }
    }

    /// The labels of an element after this operator: what is calculated no longer bears the name of the metric.
    fn relabel(self, labels: &Labels) -> Labels {
        match self {
            Self::Arithmetic(_) | Self::Truth(_) => labels.without_name(),
            Self::Filter(_) => labels.clone(),
        }
    }
}

/// Each element with the same number. A filter keeps the value of the element, whichever side it stands on.
pub(super) fn with_scalar(
    operator: Operator,
    elements: Vec<InstantSample>,
    scalar: f64,
    scalar_on_left: bool,
) -> Vec<InstantSample> {
    let calculate = |element: InstantSample| {
        let (left, right) = if scalar_on_left { (scalar, element.value) } else { (element.value, scalar) };
        let value = operator.apply(left, right, element.value)?;
        Some(InstantSample { labels: operator.relabel(&element.labels), value })
    };
    elements.into_iter().filter_map(calculate).collect()
}

/// Elements of both sides that match.
pub(super) fn pairwise(
    operator: Operator,
    left: Vec<InstantSample>,
    right: Vec<InstantSample>,
    matching: &LabelChoice,
    cardinality: &Cardinality,
) -> Result<Vec<InstantSample>, PromqlError> {
    let many_on_right = matches!(cardinality, Cardinality::OneToMany(_));
    let (many, one, one_side, many_side) =
        if many_on_right { (right, left, "left", "right") } else { (left, right, "right", "left") };
    let partners = by_key(one, matching, one_side)?;
    let mut taken = HashSet::new();
    let mut results = Vec::new();
    for element in many {
        let key = matching.of(&element.labels);
        let Some(partner) = partners.get(&key) else { continue };
        let (left, right) = if many_on_right { (partner.value, element.value) } else { (element.value, partner.value) };
        let Some(value) = operator.apply(left, right, left) else { continue };
        let labels = joined(operator, &element.labels, &partner.labels, matching, cardinality);
        let identity = if matches!(cardinality, Cardinality::OneToOne) { &key } else { &labels };
        if !taken.insert(identity.clone()) {
            return Err(PromqlError::ManyMatches { labels: identity.to_string(), side: many_side });
        }
        results.push(InstantSample { labels, value });
    }
    Ok(results)
}

/// `and`, `or`, `unless`.
pub(super) fn set(
    operator: SetOperator,
    left: Vec<InstantSample>,
    right: Vec<InstantSample>,
    matching: &LabelChoice,
) -> Vec<InstantSample> {
    let keys = |side: &[InstantSample]| -> HashSet<Labels> {
        side.iter().map(|element| matching.of(&element.labels)).collect()
    };
    match operator {
        SetOperator::And => {
            let right = keys(&right);
            left.into_iter().filter(|element| right.contains(&matching.of(&element.labels))).collect()
        }
        SetOperator::Unless => {
            let right = keys(&right);
            left.into_iter().filter(|element| !right.contains(&matching.of(&element.labels))).collect()
        }
        SetOperator::Or => {
            let known = keys(&left);
            let added = right.into_iter().filter(|element| !known.contains(&matching.of(&element.labels)));
            left.into_iter().chain(added).collect()
        }
    }
}

fn by_key(
    elements: Vec<InstantSample>,
    matching: &LabelChoice,
    side: &'static str,
) -> Result<HashMap<Labels, InstantSample>, PromqlError> {
    let mut found = HashMap::new();
    for element in elements {
        match found.entry(matching.of(&element.labels)) {
            Entry::Vacant(entry) => entry.insert(element),
            Entry::Occupied(entry) => {
                return Err(PromqlError::ManyMatches { labels: entry.key().to_string(), side });
            }
        };
    }
    Ok(found)
}

/// The labels of a pair: what was matched on, or all of the side with many and what it takes over from the other.
fn joined(
    operator: Operator,
    many: &Labels,
    one: &Labels,
    matching: &LabelChoice,
    cardinality: &Cardinality,
) -> Labels {
    let base = operator.relabel(many);
    match cardinality {
        Cardinality::OneToOne => match matching {
            LabelChoice::Only(_) => matching.of(&base),
            // Unlike the key, the result keeps the name where the operator does.
            LabelChoice::AllBut(ignored) => base.keep(|label| ignored.iter().all(|name| name != label)),
        },
        Cardinality::ManyToOne(taken_over) | Cardinality::OneToMany(taken_over) => {
            taken_over.iter().fold(base, |labels, label| labels.with(label, one.get(label).unwrap_or_default()))
        }
    }
}
