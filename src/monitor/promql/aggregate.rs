//! Aggregations: many series into one for each group, or the first few of each group.
//!
//! The group of a series depends on its labels alone and is found once for all moments.

use std::collections::{BTreeMap, HashMap};

use crate::monitor::Labels;

use super::budget::Budget;
use super::error::PromqlError;
use super::functions::elements::ordered;
use super::line::{Line, merged};
use super::notice::Notices;
use super::plan::{Aggregation, LabelChoice};
use super::value::{Mean, Sum, greater, lesser, quantile, whole};

/// The first number of series that Prometheus cannot hold in its 64 bits.
const LARGEST_COUNT: f64 = 9_223_372_036_854_775_808.0;

/// Aggregates series by the labels which `grouping` chooses. `parameters` are those of `topk`, `bottomk` and `quantile`, a
/// number for each moment; the others do not look at them.
pub(super) fn aggregate(
    aggregation: Aggregation,
    lines: Vec<Line>,
    parameters: &[f64],
    grouping: &LabelChoice,
    notices: &mut Notices,
) -> Result<Vec<Line>, PromqlError> {
    let lines = match aggregation {
        Aggregation::TopK => return first("topk", lines, parameters, grouping, true),
        Aggregation::BottomK => return first("bottomk", lines, parameters, grouping, false),
        Aggregation::Quantile => {
            notices.check_quantiles(parameters);
            quantiles(&lines, parameters, grouping)
        }
        _ => accumulated(aggregation, &lines, grouping),
    };
    Ok(lines)
}

/// The groups of series: their labels, and the series in each, both in the order in which they come.
fn groups(lines: &[Line], grouping: &LabelChoice) -> Vec<(Labels, Vec<usize>)> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut groups: Vec<(Labels, Vec<usize>)> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let labels = grouping.of(&line.labels);
        let next = groups.len();
        let place = *places.entry(labels.clone()).or_insert(next);
        if place == next {
            groups.push((labels, Vec::new()));
        }
        if let Some((_, members)) = groups.get_mut(place) {
            members.push(index);
        }
    }
    groups
}

/// What a group has come to at one moment.
#[derive(Debug, Clone, Copy)]
enum Accumulator {
    Sum(Sum),
    Mean(Mean),
    Number(f64),
    Spread { count: f64, mean: f64, squares: f64 },
}

impl Accumulator {
    fn of(aggregation: Aggregation, value: f64) -> Self {
        match aggregation {
            Aggregation::Sum => Self::Sum(Sum::of(value)),
            Aggregation::Average => Self::Mean(Mean::of(value)),
            Aggregation::Count | Aggregation::Group => Self::Number(1.0),
            Aggregation::StandardDeviation | Aggregation::Variance => {
                let squares = if value.is_finite() { 0.0 } else { f64::NAN };
                Self::Spread { count: 1.0, mean: value, squares }
            }
            _ => Self::Number(value),
        }
    }

    fn add(&mut self, aggregation: Aggregation, value: f64) {
        match self {
            Self::Sum(sum) => sum.add(value),
            Self::Mean(mean) => mean.add(value),
            Self::Number(number) => match aggregation {
                Aggregation::Least => *number = lesser(*number, value),
                Aggregation::Greatest => *number = greater(*number, value),
                Aggregation::Count => *number += 1.0,
                _ => {}
            },
            Self::Spread { count, mean, squares } => {
                *count += 1.0;
                let distance = value - *mean;
                *mean += distance / *count;
                *squares += distance * (value - *mean);
            }
        }
    }

    fn value(self, aggregation: Aggregation) -> f64 {
        match self {
            Self::Sum(sum) => sum.kept(),
            Self::Mean(mean) => mean.value(),
            Self::Number(number) => number,
            Self::Spread { count, squares, .. } if aggregation == Aggregation::StandardDeviation => {
                (squares / count).sqrt()
            }
            Self::Spread { count, squares, .. } => squares / count,
        }
    }
}

fn accumulated(aggregation: Aggregation, lines: &[Line], grouping: &LabelChoice) -> Vec<Line> {
    let steps = lines.first().map_or(0, |line| line.values.len());
    let of_group = |(labels, members): (Labels, Vec<usize>)| {
        let mut accumulators: Vec<Option<Accumulator>> = vec![None; steps];
        for line in members.iter().filter_map(|member| lines.get(*member)) {
            for (accumulator, value) in accumulators.iter_mut().zip(&line.values) {
                let Some(value) = value else { continue };
                match accumulator {
                    Some(known) => known.add(aggregation, *value),
                    None => *accumulator = Some(Accumulator::of(aggregation, *value)),
                }
            }
        }
        let value = |accumulator: Option<Accumulator>| Some(accumulator?.value(aggregation));
        Line { labels, values: accumulators.into_iter().map(value).collect() }
    };
    groups(lines, grouping).into_iter().map(of_group).collect()
}

fn quantiles(lines: &[Line], shares: &[f64], grouping: &LabelChoice) -> Vec<Line> {
    let of_group = |(labels, members): (Labels, Vec<usize>)| {
        let at_step = |(step, share): (usize, &f64)| {
            let member = |member: &usize| lines.get(*member).and_then(|line| line.at(step));
            let values: Vec<f64> = members.iter().filter_map(member).collect();
            (!values.is_empty()).then(|| quantile(*share, values))
        };
        let values = shares.iter().enumerate().map(at_step).collect();
        Line { labels, values }
    };
    groups(lines, grouping).into_iter().map(of_group).collect()
}

/// The first members of each group by value, which keep all their labels; group by group.
fn first(
    aggregation: &'static str,
    mut lines: Vec<Line>,
    counts: &[f64],
    grouping: &LabelChoice,
    is_descending: bool,
) -> Result<Vec<Line>, PromqlError> {
    if counts.iter().all(|count| *count < 1.0) {
        return Ok(Vec::new());
    }
    if let Some(count) = counts.iter().find(|count| count.is_nan() || count.abs() >= LARGEST_COUNT) {
        return Err(PromqlError::BadCount { aggregation, found: count.to_string() });
    }
    let groups = groups(&lines, grouping);
    let mut order: Vec<usize> = Vec::with_capacity(lines.len());
    for (_, members) in &groups {
        for (step, count) in counts.iter().enumerate() {
            let value = |member: usize| lines.get(member).and_then(|line| line.at(step));
            let mut ranked: Vec<(usize, f64)> =
                members.iter().filter_map(|member| Some((*member, value(*member)?))).collect();
            ranked.sort_by(|(_, left), (_, right)| ordered(*left, *right, is_descending));
            if step == 0 {
                order.extend(ranked.iter().map(|(member, _)| *member));
            }
            for (member, _) in ranked.iter().skip(whole(*count)) {
                if let Some(slot) = lines.get_mut(*member).and_then(|line| line.values.get_mut(step)) {
                    *slot = None;
                }
            }
        }
    }
    // At one moment the order of the result is that of the values.
    if counts.len() == 1 {
        let mut by_rank: Vec<Option<Line>> = lines.into_iter().map(Some).collect();
        let ranked = order.into_iter().filter_map(|member| by_rank.get_mut(member).and_then(Option::take));
        lines = ranked.collect();
    }
    lines.retain(Line::has_values);
    Ok(lines)
}

/// For each group, how many series have which value; the value is written into a label.
pub(super) fn count_values(
    label: &str,
    lines: &[Line],
    grouping: &LabelChoice,
    steps: usize,
    budget: &Budget,
) -> Result<Vec<Line>, PromqlError> {
    let grouping = match grouping {
        LabelChoice::Only(names) => LabelChoice::Only(names.iter().cloned().chain([label.to_owned()]).collect()),
        LabelChoice::AllBut(names) => LabelChoice::AllBut(names.clone()),
    };
    let mut counts: BTreeMap<Labels, Vec<Option<f64>>> = BTreeMap::new();
    for line in lines {
        for (step, value) in line.values.iter().enumerate() {
            let Some(value) = value else { continue };
            let labels = grouping.of(&line.labels.with(label, &written(*value)));
            let count = counts.len() + 1;
            let values = counts.entry(labels).or_insert_with(|| vec![None; steps]);
            if let Some(slot) = values.get_mut(step) {
                *slot = Some(slot.unwrap_or(0.0) + 1.0);
            }
            budget.check(count.saturating_mul(steps))?;
        }
    }
    merged(counts.into_iter().map(|(labels, values)| Line { labels, values }).collect())
}

/// A number as Prometheus writes it into a label.
fn written(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(values: &[f64]) -> Vec<Line> {
        let line = |(index, value): (usize, &f64)| Line::whole(Labels::new([("x", index.to_string())]), vec![*value]);
        values.iter().enumerate().map(line).collect()
    }

    fn value(aggregation: Aggregation, parameter: f64, values: &[f64]) -> f64 {
        let everything = LabelChoice::Only(Vec::new());
        let result = aggregate(aggregation, lines(values), &[parameter], &everything, &mut Notices::default()).unwrap();
        assert_eq!(result.len(), 1);
        result[0].at(0).unwrap()
    }

    fn is(actual: f64, expected: f64) -> bool {
        (actual - expected).abs() < 1e-9
    }

    #[test]
    fn a_group_comes_to_one_number() {
        let values = [1.0, 5.0, f64::NAN, 3.0];
        assert!(
            is(value(Aggregation::Least, 0.0, &values), 1.0) && is(value(Aggregation::Greatest, 0.0, &values), 5.0)
        );
        assert!(is(value(Aggregation::Count, 0.0, &values), 4.0) && is(value(Aggregation::Group, 0.0, &values), 1.0));
        assert!(value(Aggregation::Sum, 0.0, &values).is_nan() && value(Aggregation::Variance, 0.0, &values).is_nan());
        assert!(is(value(Aggregation::Sum, 0.0, &[1.0, 1e100, 1.0, -1e100]), 2.0));
        assert!(is(value(Aggregation::Average, 0.0, &[1.0, 5.0, 3.0]), 3.0));
        assert!(is(value(Aggregation::Variance, 0.0, &[1.0, 2.0]), 0.25));
        assert!(is(value(Aggregation::StandardDeviation, 0.0, &[1.0, 2.0]), 0.5));
        assert!(is(value(Aggregation::Quantile, 0.5, &[1.0, 2.0, 4.0]), 2.0));
    }

    #[test]
    fn the_first_few_come_in_the_order_of_their_values() {
        let everything = LabelChoice::Only(Vec::new());
        let top = first("topk", lines(&[1.0, f64::NAN, 3.0, 2.0]), &[3.0], &everything, true).unwrap();
        let values: Vec<f64> = top.iter().filter_map(|line| line.at(0)).collect();
        assert_eq!(values, [3.0, 2.0, 1.0]);
        assert!(first("topk", lines(&[1.0]), &[0.5], &everything, true).unwrap().is_empty());
        let error = first("topk", lines(&[1.0]), &[f64::NAN], &everything, true).unwrap_err();
        assert_eq!(error.in_prometheus_words(), "Parameter value is NaN");
    }

    #[test]
    fn values_are_counted_under_the_label_that_holds_them() {
        let everything = LabelChoice::Only(Vec::new());
        let counted =
            count_values("v", &lines(&[6.0, 6.0, f64::INFINITY]), &everything, 1, &Budget::default()).unwrap();
        let found: Vec<(Option<&str>, Option<f64>)> =
            counted.iter().map(|line| (line.labels.get("v"), line.at(0))).collect();
        assert_eq!(found, [(Some("+Inf"), Some(1.0)), (Some("6"), Some(2.0))]);
    }
}
