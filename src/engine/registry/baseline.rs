//! What always giving the same answer reaches on the held-out rows: by that a metric can be read.
//!
//! No card says it, but it follows from what every card holds: the confusion matrix has the true classes, and the spread of
//! the true numbers is in R² and RMSE together. So models that were made long ago have it too.

use std::collections::BTreeMap;

use crate::api::types::ConfusionMatrix;

/// Of a model with these metrics: the commonest class, or the mean.
pub(super) fn baseline(confusion: Option<&ConfusionMatrix>, metrics: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    confusion.map_or_else(|| of_numbers(metrics), of_classes)
}

fn of_classes(confusion: &ConfusionMatrix) -> BTreeMap<String, f64> {
    let rows: Vec<u64> = confusion.counts.iter().map(|counts| counts.iter().sum()).collect();
    let known = rows.iter().take(confusion.classes.len());
    let (total, most) = (rows.iter().sum::<u64>(), known.clone().max().copied().unwrap_or(0));
    let met = known.filter(|rows| **rows > 0).count();
    if total == 0 || met == 0 {
        return BTreeMap::new();
    }
    // Of the classes that occur, one is always found and the others never.
    let classes = u64::try_from(met).unwrap_or(u64::MAX);
    named([("accuracy", ratio(most, total)), ("balanced_accuracy", ratio(1, classes))])
}

fn of_numbers(metrics: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let (Some(&r2), Some(&rmse)) = (metrics.get("r2"), metrics.get("rmse")) else { return BTreeMap::new() };
    let spread = rmse / (1.0 - r2).sqrt();
    // Of a model without an error the spread cannot be told.
    let spread = (spread.is_finite() && rmse > 0.0).then_some(("rmse", spread));
    named([("r2", 0.0)].into_iter().chain(spread))
}

fn named(metrics: impl IntoIterator<Item = (&'static str, f64)>) -> BTreeMap<String, f64> {
    metrics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "held-out rows are far fewer than 2^53, where every integer is exact")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn the_commonest_class_is_right_as_often_as_it_occurs_and_classes_that_never_occur_do_not_count() {
        let confusion = ConfusionMatrix {
            classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
            counts: vec![vec![1, 1, 0], vec![2, 3, 0], vec![0, 0, 0], vec![2, 1, 0]],
        };
        let expected = metrics(&[("accuracy", 0.5), ("balanced_accuracy", 0.5)]);
        assert_eq!(baseline(Some(&confusion), &BTreeMap::new()), expected);
        let empty = ConfusionMatrix { classes: Vec::new(), counts: Vec::new() };
        assert_eq!(baseline(Some(&empty), &BTreeMap::new()), BTreeMap::new());
    }

    #[test]
    fn the_mean_errs_by_the_spread_of_the_numbers() {
        let found = baseline(None, &metrics(&[("r2", 0.75), ("rmse", 2.0)]));
        assert_eq!(found, metrics(&[("r2", 0.0), ("rmse", 4.0)]));
        assert_eq!(baseline(None, &metrics(&[("r2", 1.0), ("rmse", 0.0)])), metrics(&[("r2", 0.0)]));
        assert_eq!(baseline(None, &metrics(&[("accuracy", 0.7)])), BTreeMap::new());
    }
}
