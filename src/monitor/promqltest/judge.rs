//! Evaluates an expression of a test file and compares what comes out with what is expected.

use std::collections::BTreeMap;

use crate::monitor::Labels;
use crate::monitor::promql::{
    self, Answer, InstantSample, Notice, PromqlError, Query, RangeSeries, Severity, Value, almost_equal,
};
use crate::pipeline::Moment;

use super::Verdict;
use super::script::{Eval, Expectation, Expected, Steps, When};
use super::series::{Description, Point};
use super::world::World;

/// Values may differ by this share of their size, as in Prometheus' own runner.
const TOLERANCE: f64 = 0.000_001;

/// How far around a moment the same is evaluated over a range, in milliseconds.
const AROUND: i64 = 60_000;

/// How an evaluation goes.
pub(super) fn judge(world: &World, eval: &Eval) -> Verdict {
    let answer = match evaluated(world, eval) {
        Ok(Some(answer)) => answer,
        Ok(None) => return unsupported("it looks at native histograms".to_owned(), false),
        Err(error) if error.is_unsupported() => return unsupported(error.to_string(), !error.is_experimental()),
        Err(error) => return judge_error(eval, &error),
    };
    match check(world, eval, &answer) {
        Ok(()) => Verdict::Passed,
        Err(fault) => Verdict::Failed(fault),
    }
}

fn unsupported(reason: String, is_classic: bool) -> Verdict {
    Verdict::Unsupported { reason, is_classic }
}

fn judge_error(eval: &Eval, error: &PromqlError) -> Verdict {
    match &eval.failure {
        Some(wording) if wording.fits(&error.in_prometheus_words()) => Verdict::Passed,
        Some(_) => Verdict::Failed(format!("another error is expected than: {}", error.in_prometheus_words())),
        None => Verdict::Failed(error.to_string()),
    }
}

/// What an evaluation gives; none where native histograms are in its way.
fn evaluated(world: &World, eval: &Eval) -> Result<Option<Answer>, PromqlError> {
    let query = promql::parse(&eval.expression)?;
    let (start, end, step) = match eval.when {
        When::At(at) => (Moment(at), Moment(at), 1),
        When::Over(steps) => (Moment(steps.start), Moment(steps.end), u64::try_from(steps.step).unwrap_or(0)),
    };
    let is_seen = query.reaches(start, end, step)?.iter().any(|reach| world.has_histograms_within(reach));
    let is_expected = match &eval.expected {
        Expected::Series(series) => series.iter().any(|described| described.points.contains(&Point::Histogram)),
        Expected::Scalar(_) | Expected::Text(_) => false,
    };
    if is_seen || is_expected {
        return Ok(None);
    }
    let gathered = match eval.when {
        When::At(at) => query.gather_at(&world.store, Moment(at)),
        When::Over(_) => query.gather_over(&world.store, start, end, step)?,
    };
    gathered.answer().map(Some)
}

fn check(world: &World, eval: &Eval, answer: &Answer) -> Result<(), String> {
    if eval.failure.is_some() {
        return Err("an error is expected".to_owned());
    }
    check_notices(&eval.warnings, Severity::Warning, &answer.notices)?;
    check_notices(&eval.remarks, Severity::Info, &answer.notices)?;
    compare(eval, &answer.value)?;
    match eval.when {
        When::At(at) if eval.window.is_none() && !matches!(eval.expected, Expected::Text(_)) => {
            check_around(world, eval, at, &answer.value)
        }
        _ => Ok(()),
    }
}

fn check_notices(expectation: &Expectation, severity: Severity, notices: &[Notice]) -> Result<(), String> {
    let texts: Vec<&str> =
        notices.iter().filter(|notice| notice.severity == severity).map(|notice| notice.text.as_str()).collect();
    if expectation.none && !texts.is_empty() {
        return Err(format!("no {severity:?} is expected, but there are {texts:?}"));
    }
    if expectation.some.is_empty() {
        return Ok(());
    }
    let is_told = expectation.some.iter().all(|wording| texts.iter().any(|text| wording.fits(text)));
    let is_expected = texts.iter().all(|text| expectation.some.iter().any(|wording| wording.fits(text)));
    if is_told && is_expected { Ok(()) } else { Err(format!("another {severity:?} is expected than {texts:?}")) }
}

/// The same over a range around the moment: its middle must be the same.
fn check_around(world: &World, eval: &Eval, at: i64, value: &Value) -> Result<(), String> {
    let told = |error: PromqlError| format!("over a range: {error}");
    let query: Query = promql::parse(&eval.expression).map_err(told)?;
    let (start, end) = (Moment(at.saturating_sub(AROUND)), Moment(at.saturating_add(AROUND)));
    let series = query.range(&world.store, start, end, AROUND.unsigned_abs()).map_err(told)?;
    if eval.is_ordered || is_of_the_range(&eval.expression) {
        return Ok(());
    }
    let sample = |series: &RangeSeries| {
        let (_, value) = series.points.iter().find(|(moment, _)| moment.0 == at)?;
        Some(InstantSample { labels: series.labels.clone(), value: *value })
    };
    let middle: Vec<InstantSample> = series.iter().filter_map(sample).collect();
    let middle = match (value, middle.as_slice()) {
        (Value::Scalar(_), [only]) => Value::Scalar(only.value),
        _ => Value::Vector(middle),
    };
    compare(eval, &middle).map_err(|fault| format!("over a range: {fault}"))
}

/// Whether an expression gives something else over another range.
fn is_of_the_range(expression: &str) -> bool {
    ["start()", "end()", "range()", "step()"].iter().any(|call| expression.contains(call))
}

fn compare(eval: &Eval, value: &Value) -> Result<(), String> {
    match (value, &eval.expected) {
        (Value::Scalar(found), Expected::Scalar(expected)) if almost_equal(*found, *expected, TOLERANCE) => Ok(()),
        (Value::Text(found), Expected::Text(expected)) if found == expected => Ok(()),
        (Value::Vector(samples), Expected::Series(expected)) => compare_samples(samples, expected, eval.is_ordered),
        (Value::Matrix(_), Expected::Series(_)) if eval.is_ordered => Err("a range has no order of values".to_owned()),
        (Value::Matrix(series), Expected::Series(expected)) => match (eval.when, eval.window) {
            (When::Over(steps), _) | (When::At(_), Some(steps)) => compare_series(series, expected, steps),
            (When::At(_), None) => Err("a range of samples is not expected".to_owned()),
        },
        (found, Expected::Scalar(expected)) => Err(format!("{expected} is expected, found {found:?}")),
        (found, Expected::Text(expected)) => Err(format!("{expected:?} is expected, found {found:?}")),
        (found, Expected::Series(_)) => Err(format!("series are expected, found {found:?}")),
    }
}

/// What is expected of each series, with its place; of two descriptions of one series the later counts.
fn by_labels(expected: &[Description]) -> BTreeMap<&Labels, (usize, &[Point])> {
    expected.iter().enumerate().map(|(place, one)| (&one.labels, (place, one.points.as_slice()))).collect()
}

fn compare_samples(samples: &[InstantSample], expected: &[Description], is_ordered: bool) -> Result<(), String> {
    let mut expected = by_labels(expected);
    for (place, sample) in samples.iter().enumerate() {
        let Some((expected_place, points)) = expected.remove(&sample.labels) else {
            return Err(format!("{} with {} is not expected", sample.labels, sample.value));
        };
        if is_ordered && expected_place != place {
            return Err(format!("{} stands in another place", sample.labels));
        }
        match points.first() {
            Some(Point::Value(value)) if almost_equal(sample.value, *value, TOLERANCE) => {}
            other => return Err(format!("{} is {}, expected {other:?}", sample.labels, sample.value)),
        }
    }
    none_left(&expected)
}

fn compare_series(series: &[RangeSeries], expected: &[Description], steps: Steps) -> Result<(), String> {
    let mut expected = by_labels(expected);
    for found in series {
        let Some((_, points)) = expected.remove(&found.labels) else {
            return Err(format!("{} with {:?} is not expected", found.labels, found.points));
        };
        let mut wanted: Vec<(i64, f64)> = Vec::new();
        for (point, index) in points.iter().zip(0_i64..) {
            let at = steps.start.saturating_add(steps.step.saturating_mul(index));
            if at > steps.end {
                return Err(format!("{} has more values in the file than there are steps", found.labels));
            }
            match point {
                Point::Value(value) => wanted.push((at, *value)),
                Point::Omitted => {}
                Point::Stale | Point::Histogram => return Err("only numbers can be expected".to_owned()),
            }
        }
        let is_equal = wanted.len() == found.points.len()
            && wanted
                .iter()
                .zip(&found.points)
                .all(|((at, value), (found_at, found))| *at == found_at.0 && almost_equal(*found, *value, TOLERANCE));
        if !is_equal {
            return Err(format!("{} is {:?}, expected {wanted:?}", found.labels, found.points));
        }
    }
    none_left(&expected)
}

fn none_left(expected: &BTreeMap<&Labels, (usize, &[Point])>) -> Result<(), String> {
    match expected.keys().next() {
        Some(labels) => Err(format!("{labels} is missing")),
        None => Ok(()),
    }
}
