//! What a model loses when a column says nothing any more: permutation importance (Breiman, *Random Forests*, 2001;
//! scikit-learn's `permutation_importance`). The cells of one column are exchanged among the held-out rows, five times, and
//! the metric is measured again; what it lost is the importance. It is of the model, not of the world: of two columns that
//! say the same, either may look idle.

use std::thread;

use super::evaluation::Request;
use super::{Measured, lower_is_better};
use crate::api::types::FeatureImportance;
use crate::model::data::cell::Cell;
use crate::model::data::column::Column;
use crate::model::learn::predictor::Output;
use crate::model::number::float;
use crate::model::random::Random;

const REPEATS: u64 = 5;
/// More rows would make the numbers steadier than they need to be.
const MOST_ROWS: usize = 2_000;
/// Predictions in all, so that many columns do not take minutes.
const MOST_PREDICTIONS: usize = 2_000_000;
const FEWEST_ROWS: usize = 100;
/// A table of more columns is no explanation, and measuring it takes too long.
const MOST_COLUMNS: usize = 500;
/// Streams of the generator that belong to columns.
const STREAM: u64 = 0x696d_706f_0000_0000;

/// The importance of each column by a metric, the greatest first.
pub(super) fn importance(request: &Request<'_>, metric: &str) -> Vec<FeatureImportance> {
    let features = &request.fitted.preprocessing.features;
    if features.is_empty() || features.len() > MOST_COLUMNS || metric.is_empty() {
        return Vec::new();
    }
    let columns: Vec<&Column> = features
        .iter()
        .filter_map(|feature| request.problem.columns.iter().copied().find(|column| column.name == feature.name))
        .collect();
    let rows = sample(request.held_out, features.len());
    let trial = Trial { request, columns: &columns, rows: &rows, metric };
    let Some(whole) = trial.score(None) else { return Vec::new() };
    let places: Vec<usize> = (0..columns.len()).collect();
    let threads = request.threads.max(1);
    let mut found: Vec<FeatureImportance> = thread::scope(|scope| {
        let trial = &trial;
        let parts: Vec<_> = places
            .chunks(places.len().div_ceil(threads).max(1))
            .map(|part| {
                scope.spawn(move || part.iter().filter_map(|place| trial.importance(*place, whole)).collect::<Vec<_>>())
            })
            .collect();
        let joined = parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.flatten().collect()
    });
    found.sort_by(|one, other| other.loss.total_cmp(&one.loss));
    found
}

/// Rows at even distances, so that what is sorted by time or class is not cut off.
fn sample(rows: &[usize], columns: usize) -> Vec<usize> {
    let repeats = usize::try_from(REPEATS).unwrap_or(1);
    let affordable = (MOST_PREDICTIONS / (columns.max(1) * repeats)).max(FEWEST_ROWS);
    let wanted = affordable.min(MOST_ROWS).min(rows.len());
    (0..wanted).filter_map(|index| rows.get(index * rows.len() / wanted.max(1)).copied()).collect()
}

/// One model on one sample of rows.
struct Trial<'a> {
    request: &'a Request<'a>,
    /// In the order of the features.
    columns: &'a [&'a Column],
    rows: &'a [usize],
    metric: &'a str,
}

impl Trial<'_> {
    fn importance(&self, place: usize, whole: f64) -> Option<FeatureImportance> {
        let mut losses = Vec::new();
        for repeat in 0..REPEATS {
            if (self.request.stop)() {
                return None;
            }
            let mut order: Vec<usize> = self.rows.to_vec();
            Random::new(self.request.seed, STREAM ^ (place as u64 * REPEATS + repeat)).shuffle(&mut order);
            let score = self.score(Some((place, &order)))?;
            losses.push(if lower_is_better(self.metric) { score - whole } else { whole - score });
        }
        let loss = losses.iter().sum::<f64>() / float(losses.len());
        let variance = losses.iter().map(|one| (one - loss).powi(2)).sum::<f64>() / float(losses.len());
        let feature = self.columns.get(place)?.name.clone();
        Some(FeatureImportance { feature, loss, deviation: variance.sqrt() })
    }

    /// The metric on the sample, where the column at a place, if one is named, has the cells of other rows.
    fn score(&self, exchanged: Option<(usize, &[usize])>) -> Option<f64> {
        let outputs: Vec<Output> = self
            .rows
            .iter()
            .enumerate()
            .map(|(index, row)| {
                let mut cells: Vec<Cell<'_>> = self.columns.iter().map(|column| column.cell(*row)).collect();
                if let Some((place, order)) = exchanged
                    && let (Some(cell), Some(column), Some(other)) =
                        (cells.get_mut(place), self.columns.get(place), order.get(index))
                {
                    *cell = column.cell(*other);
                }
                self.request.fitted.output(&cells)
            })
            .collect();
        Measured::new(&self.request.problem.labels, self.rows, &outputs).metrics(None).get(self.metric).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::sample;
    use crate::model::samples;

    #[test]
    fn what_says_nothing_is_less_important_than_what_decides() {
        let model = samples::model();
        let importance = &model.card().evaluation.importance;
        assert_eq!(importance.len(), 3);
        let loss = |name: &str| importance.iter().find(|one| one.feature == name).unwrap().loss;
        assert!(loss("colour") <= loss("height").max(loss("width")), "{importance:?}");
        assert!(importance.is_sorted_by(|one, other| one.loss >= other.loss), "{importance:?}");
        assert_eq!(model.card().evaluation.criterion, "accuracy");
    }

    #[test]
    fn a_sample_spans_all_rows_and_is_bounded() {
        let rows: Vec<usize> = (0..10_000).collect();
        let sampled = sample(&rows, 30);
        assert_eq!((sampled.len(), sampled[0], sampled[1999]), (2_000, 0, 9_995));
        assert_eq!(sample(&rows, 500).len(), 800);
        assert_eq!(sample(&rows[..7], 3), rows[..7]);
        assert!(sample(&[], 3).is_empty());
    }
}
