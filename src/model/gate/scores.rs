//! What two models answer on the same rows, kept so that a metric of any drawing of those rows costs one pass over it.
//!
//! The metrics that are asked for most are made from sums; any other is left to `evaluate`, whose definitions all follow.

use std::collections::BTreeMap;

use crate::model::data::cell::Cell;
use crate::model::data::column::Column;
use crate::model::data::dataset::DataSet;
use crate::model::data::target::{Target, resolve};
use crate::model::envelope::SavedModel;
use crate::model::evaluate;
use crate::model::learn::predictor::{Output, most_probable};
use crate::model::number::{float, share};

/// As in `evaluate`: a probability of zero would make the log loss infinite.
const LEAST_PROBABILITY: f64 = f64::EPSILON;

/// The truth and what a model says of it, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answers {
    /// Classes, by their index among those of the data and of both models.
    Classes {
        /// The class of each row.
        truth: Vec<usize>,
        /// The most probable class of each row.
        predicted: Vec<usize>,
        /// For each row the probability of each class.
        probabilities: Vec<Vec<f64>>,
        /// How many classes there are.
        count: usize,
    },
    /// Numbers.
    Numbers {
        /// The number of each row.
        truth: Vec<f64>,
        /// What was predicted.
        predicted: Vec<f64>,
    },
}

impl Answers {
    /// The answers of two models of the same target on `rows`.
    pub(super) fn of_both(
        one: &SavedModel,
        other: &SavedModel,
        data: &DataSet,
        rows: &[usize],
    ) -> Result<[Self; 2], String> {
        let card = one.card();
        let target = resolve(data, &card.target, Some(card.task)).map_err(|error| error.to_string())?;
        let known = Labels::of(&target, [one, other]);
        Ok([Self::of(one, data, rows, &target, &known)?, Self::of(other, data, rows, &target, &known)?])
    }

    fn of(model: &SavedModel, data: &DataSet, rows: &[usize], target: &Target, known: &Labels) -> Result<Self, String> {
        let columns: Vec<&Column> = model
            .card()
            .features
            .iter()
            .map(|feature| {
                data.column(&feature.name).ok_or_else(|| format!("the data has no column \"{}\"", feature.name))
            })
            .collect::<Result<_, _>>()?;
        let outputs = rows.iter().map(|row| {
            let cells: Vec<Cell<'_>> = columns.iter().map(|column| column.cell(*row)).collect();
            model.output(&cells)
        });
        match target {
            Target::Numbers(numbers) => {
                let truth = rows.iter().map(|row| numbers.get(*row).copied().unwrap_or(f64::NAN)).collect();
                let predicted = outputs.map(|output| if let Output::Value(value) = output { value } else { f64::NAN });
                Ok(Self::Numbers { truth, predicted: predicted.collect() })
            }
            Target::Classes { labels, codes, .. } => {
                let of_row = |row: &usize| codes.get(*row).and_then(|code| labels.get(*code));
                let truth =
                    rows.iter().map(|row| of_row(row).map_or(known.count(), |label| known.index(label))).collect();
                let classes: Vec<usize> = model.card().classes.iter().map(|class| known.index(class)).collect();
                let probabilities: Vec<Vec<f64>> =
                    outputs.map(|output| spread(output, &classes, known.count())).collect();
                let predicted = probabilities.iter().map(|row| most_probable(row)).collect();
                Ok(Self::Classes { truth, predicted, probabilities, count: known.count() })
            }
        }
    }

    /// A metric of the drawn rows, which may be drawn more than once; `None` where it is not defined for them.
    pub(super) fn value(&self, metric: &str, drawn: &[usize]) -> Option<f64> {
        match self {
            Self::Numbers { truth, predicted } => numbers(metric, truth, predicted, drawn),
            Self::Classes { truth, predicted, probabilities, count } => match metric {
                "accuracy" => {
                    let right = drawn.iter().filter(|row| truth.get(**row) == predicted.get(**row)).count();
                    Some(share(right, drawn.len()))
                }
                "log_loss" => {
                    let probability = |row: &usize| probabilities.get(*row)?.get(*truth.get(*row)?).copied();
                    let loss = |row: &usize| -probability(row).unwrap_or(0.0).clamp(LEAST_PROBABILITY, 1.0).ln();
                    Some(drawn.iter().map(loss).sum::<f64>() / float(drawn.len()))
                }
                "balanced_accuracy" | "f1" => by_class(metric, truth, predicted, *count, drawn),
                _ => {
                    let truth: Vec<Option<usize>> = drawn.iter().map(|row| truth.get(*row).copied()).collect();
                    let rows: Vec<Vec<f64>> = drawn.iter().filter_map(|row| probabilities.get(*row).cloned()).collect();
                    evaluate::classification(&truth, &rows).get(metric).copied()
                }
            },
        }
    }

    /// How many rows only the one and only the other predicts rightly.
    pub(super) fn disagreements(one: &Self, other: &Self) -> (u64, u64) {
        let (mut only, mut others) = (0, 0);
        if let (Self::Classes { truth, predicted, .. }, Self::Classes { predicted: second, .. }) = (one, other) {
            for ((truth, first), second) in truth.iter().zip(predicted).zip(second) {
                match (truth == first, truth == second) {
                    (true, false) => only += 1,
                    (false, true) => others += 1,
                    (true, true) | (false, false) => {}
                }
            }
        }
        (only, others)
    }
}

/// The classes of the data and of both models under one numbering.
struct Labels(BTreeMap<String, usize>);

impl Labels {
    fn of(target: &Target, models: [&SavedModel; 2]) -> Self {
        let of_data = match target {
            Target::Classes { labels, .. } => labels.as_slice(),
            Target::Numbers(_) => &[],
        };
        let all = of_data.iter().chain(models.iter().flat_map(|model| &model.card().classes));
        let mut known: BTreeMap<String, usize> = all.map(|label| (label.clone(), 0)).collect();
        for (place, index) in known.values_mut().enumerate() {
            *index = place;
        }
        Self(known)
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    fn index(&self, label: &str) -> usize {
        self.0.get(label).copied().unwrap_or(self.0.len())
    }
}

/// The probabilities of a model's own classes as those of all classes; a class that it does not know has none.
fn spread(output: Output, classes: &[usize], count: usize) -> Vec<f64> {
    let mut row = vec![0.0; count];
    if let Output::Probabilities(probabilities) = output {
        for (class, probability) in classes.iter().zip(probabilities) {
            if let Some(place) = row.get_mut(*class) {
                *place = probability;
            }
        }
    }
    row
}

/// Recall and F1 as means over the classes that occur, each counted alike.
fn by_class(metric: &str, truth: &[usize], predicted: &[usize], count: usize, drawn: &[usize]) -> Option<f64> {
    // Actual, predicted, right.
    let mut tallies = vec![(0_usize, 0_usize, 0_usize); count];
    for row in drawn {
        let (truth, predicted) = (truth.get(*row)?, predicted.get(*row)?);
        tallies.get_mut(*truth)?.0 += 1;
        tallies.get_mut(*predicted)?.1 += 1;
        if truth == predicted {
            tallies.get_mut(*truth)?.2 += 1;
        }
    }
    let values: Vec<f64> = if metric == "f1" {
        let occurring = tallies.iter().filter(|(actual, predicted, _)| actual + predicted > 0);
        occurring.map(|(actual, predicted, right)| share(2 * right, actual + predicted)).collect()
    } else {
        let occurring = tallies.iter().filter(|(actual, ..)| *actual > 0);
        occurring.map(|(actual, _, right)| share(*right, *actual)).collect()
    };
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / float(values.len()))
}

fn numbers(metric: &str, truth: &[f64], predicted: &[f64], drawn: &[usize]) -> Option<f64> {
    let pair = |row: &usize| Some((*truth.get(*row)?, *predicted.get(*row)?));
    let pairs = || drawn.iter().filter_map(pair);
    let count = float(drawn.len());
    let squared = || pairs().map(|(truth, predicted)| (predicted - truth).powi(2)).sum::<f64>();
    match metric {
        "mae" => Some(pairs().map(|(truth, predicted)| (predicted - truth).abs()).sum::<f64>() / count),
        "rmse" => Some((squared() / count).sqrt()),
        "r2" => {
            let centre = pairs().map(|(truth, _)| truth).sum::<f64>() / count;
            let spread: f64 = pairs().map(|(truth, _)| (truth - centre).powi(2)).sum();
            (spread > 0.0).then(|| 1.0 - squared() / spread)
        }
        _ => {
            let (truth, predicted): (Vec<f64>, Vec<f64>) = pairs().unzip();
            evaluate::regression(&truth, &predicted).get(metric).copied()
        }
    }
}

/// The metrics that are made from sums, for the tests.
#[cfg(test)]
pub(super) fn fast(task: crate::config::Task) -> &'static [&'static str] {
    match task {
        crate::config::Task::Classification => &["accuracy", "balanced_accuracy", "f1", "log_loss"],
        crate::config::Task::Regression => &["mae", "r2", "rmse"],
    }
}
