//! Aggregations: many series of one moment into one for each group.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::monitor::Labels;

use super::plan::{Aggregation, LabelChoice};
use super::value::{InstantSample, as_float, greatest, least, mean, quantile, total, whole};

/// Aggregates `elements` by the labels which `grouping` chooses. `parameter` is the first argument of `topk`, `bottomk`
/// and `quantile`; the others do not look at it.
pub(super) fn aggregate(
    aggregation: Aggregation,
    elements: Vec<InstantSample>,
    parameter: f64,
    grouping: &LabelChoice,
) -> Vec<InstantSample> {
    let mut groups: BTreeMap<Labels, Vec<InstantSample>> = BTreeMap::new();
    for element in elements {
        groups.entry(grouping.of(&element.labels)).or_default().push(element);
    }
    groups.into_iter().flat_map(|(labels, members)| of_group(aggregation, labels, members, parameter)).collect()
}

fn of_group(
    aggregation: Aggregation,
    labels: Labels,
    members: Vec<InstantSample>,
    parameter: f64,
) -> Vec<InstantSample> {
    let values = || members.iter().map(|member| member.value);
    let value = match aggregation {
        Aggregation::Sum => total(values()),
        Aggregation::Average => mean(&values().collect::<Vec<_>>()),
        Aggregation::Least => least(values()),
        Aggregation::Greatest => greatest(values()),
        Aggregation::Count => as_float(members.len()),
        Aggregation::Quantile => quantile(parameter, values().collect()),
        Aggregation::TopK => return first(members, parameter, |left, right| right.total_cmp(&left)),
        Aggregation::BottomK => return first(members, parameter, |left, right| left.total_cmp(&right)),
    };
    vec![InstantSample { labels, value }]
}

/// The first `count` members in the given order, which keep all their labels. NaN comes last.
fn first(mut members: Vec<InstantSample>, count: f64, order: impl Fn(f64, f64) -> Ordering) -> Vec<InstantSample> {
    members.sort_by(|left, right| {
        let (left, right) = (left.value, right.value);
        left.is_nan().cmp(&right.is_nan()).then_with(|| order(left, right))
    });
    members.truncate(whole(count));
    members
}
