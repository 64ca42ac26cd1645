//! Logistic regression and naive Bayes, by linfa.
//!
//! `GaussianNb` keeps its classes in a hash map, so its bytes differ from run to run, and hides its parameters, which are
//! therefore read out of its serialised form. Logistic regression has no convergence flag, and its line search may give up,
//! which loses all that was found; then it is tried again with more regularisation. All of it is deterministic: starts at zero, no sampling.

use std::collections::BTreeMap;

use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_bayes::{GaussianNb, NaiveBayesError};
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, Array2, ArrayViewMut1};
use serde::Deserialize;

use crate::config::Algorithm;
use crate::model::learn::fit::Stop;
use crate::model::learn::learn_error::LearnError;
use crate::model::learn::linfa::no_solution;
use crate::model::learn::predictor::Predictor;

/// How much more regularisation is tried when no solution is found.
const HARDER: [f64; 3] = [1.0, 10.0, 100.0];
/// How many steps are taken at the most.
const STEPS: u64 = 100;

/// Columns whose numbers lie further out, in standard deviations, are drawn in so far. A column that is zero in nearly every row
/// has such numbers, and linfa's line search stops among them after a few steps, far from the best weights, and says nothing.
const FARTHEST: f64 = 16.0;

/// Draws columns in, in place, and returns by what they were multiplied.
fn draw_in(rows: &mut Array2<f64>) -> Vec<f64> {
    let scale = |mut column: ArrayViewMut1<'_, f64>| {
        let farthest = column.iter().fold(0.0_f64, |farthest, number| farthest.max(number.abs()));
        if farthest <= FARTHEST {
            return 1.0;
        }
        let scale = FARTHEST / farthest;
        column.mapv_inplace(|number| number * scale);
        scale
    };
    rows.columns_mut().into_iter().map(scale).collect()
}

/// Learns from rows that are drawn in on the way; what is learned is for rows as they come.
pub(super) fn fit_logistic(
    rows: &mut Array2<f64>,
    codes: &Array1<usize>,
    classes: usize,
    penalty: f64,
    stop: &Stop<'_>,
) -> Result<Predictor, LearnError> {
    let scales = draw_in(rows);
    let mut predictor = fit_drawn_in(rows, codes, classes, penalty, stop)?;
    if let Predictor::Softmax { weights, .. } = &mut predictor {
        for (weight, scale) in weights.iter_mut().flat_map(|line| line.iter_mut().zip(&scales)) {
            *weight *= scale;
        }
    }
    Ok(predictor)
}

fn fit_drawn_in(
    rows: &Array2<f64>,
    codes: &Array1<usize>,
    classes: usize,
    penalty: f64,
    stop: &Stop<'_>,
) -> Result<Predictor, LearnError> {
    let mut last = None;
    for harder in HARDER {
        if stop() {
            return Err(LearnError::Stopped);
        }
        let penalty = penalty * harder;
        let fitted =
            if classes == 2 { fit_two_classes(rows, codes, penalty) } else { fit_many_classes(rows, codes, penalty) };
        match fitted {
            Ok(predictor) => return Ok(predictor),
            Err(error) => last = Some(error),
        }
    }
    let reason = last.map(|error| error.to_string()).unwrap_or_default();
    Err(no_solution(Algorithm::Logistic, &reason))
}

fn fit_two_classes(
    rows: &Array2<f64>,
    codes: &Array1<usize>,
    penalty: f64,
) -> Result<Predictor, linfa_logistic::error::Error> {
    let data = DatasetBase::new(rows.view(), codes.view());
    let fitted: Result<_, linfa_logistic::error::Error> =
        LogisticRegression::<f64>::default().alpha(penalty).max_iterations(STEPS).fit(&data);
    let fitted = fitted?;
    // linfa calls the more frequent class positive, whatever its code.
    let positive = fitted.labels().pos.class;
    let weights = fitted.params().to_vec();
    let zeros = vec![0.0; weights.len()];
    let lines =
        [0, 1].map(|code| if code == positive { (weights.clone(), fitted.intercept()) } else { (zeros.clone(), 0.0) });
    let (weights, intercepts) = lines.into_iter().unzip();
    Ok(Predictor::Softmax { weights, intercepts })
}

fn fit_many_classes(
    rows: &Array2<f64>,
    codes: &Array1<usize>,
    penalty: f64,
) -> Result<Predictor, linfa_logistic::error::Error> {
    let data = DatasetBase::new(rows.view(), codes.view());
    let fitted: Result<_, linfa_logistic::error::Error> =
        MultiLogisticRegression::<f64>::default().alpha(penalty).max_iterations(STEPS).fit(&data);
    let fitted = fitted?;
    // linfa sorts the classes; as every code is there, its order is that of the codes.
    Ok(Predictor::Softmax {
        weights: fitted.params().columns().into_iter().map(|column| column.to_vec()).collect(),
        intercepts: fitted.intercept().to_vec(),
    })
}

/// The serialised form of `GaussianNb`, as far as it is needed.
#[derive(Deserialize)]
struct LearnedClasses {
    class_info: BTreeMap<usize, LearnedClass>,
}

#[derive(Deserialize)]
struct LearnedClass {
    prior: f64,
    theta: LearnedNumbers,
    sigma: LearnedNumbers,
}

#[derive(Deserialize)]
struct LearnedNumbers {
    data: Vec<f64>,
}

pub(super) fn fit_naive_bayes(
    rows: &Array2<f64>,
    codes: &Array1<usize>,
    smoothing: f64,
) -> Result<Predictor, LearnError> {
    let data = DatasetBase::new(rows.view(), codes.view());
    let fitted = GaussianNb::<f64, usize>::params()
        .var_smoothing(smoothing)
        .fit(&data)
        .map_err(|error: NaiveBayesError| no_solution(Algorithm::NaiveBayes, &error))?;
    let learned: LearnedClasses = serde_json::to_value(&fitted)
        .and_then(serde_json::from_value)
        // An infinity or NaN is null there.
        .map_err(|error| no_solution(Algorithm::NaiveBayes, &error))?;
    let mut predictor = (Vec::new(), Vec::new(), Vec::new());
    for class in learned.class_info.into_values() {
        predictor.0.push(class.prior.ln());
        predictor.1.push(class.theta.data);
        predictor.2.push(class.sigma.data);
    }
    let (log_priors, means, variances) = predictor;
    Ok(Predictor::Gaussian { log_priors, means, variances })
}

#[cfg(test)]
mod tests {
    use ndarray::Array;

    use super::*;

    #[test]
    fn far_numbers_are_drawn_in_and_the_weights_are_for_rows_as_they_come() {
        // The first column lies far out in one row, as one does that is zero in nearly every other.
        let far = |row: usize| if row == 0 { 40.0 } else { -0.1 };
        let rows =
            Array::from_shape_fn((60, 2), |(row, column)| if column == 0 { far(row) } else { f64::from(row % 3 == 0) });
        let codes: Array1<usize> = (0..60).map(|row| usize::from(row % 3 == 0)).collect();
        let learned = fit_logistic(&mut rows.clone(), &codes, 2, 1.0, &|| false).unwrap();

        let mut near = rows.clone();
        assert_eq!(draw_in(&mut near), [0.4, 1.0]);
        assert!((near[[0, 0]] - FARTHEST).abs() < 1e-12);
        let (Predictor::Softmax { weights, intercepts }, Predictor::Softmax { weights: drawn, intercepts: same }) =
            (learned, fit_drawn_in(&near, &codes, 2, 1.0, &|| false).unwrap())
        else {
            unreachable!("logistic regression is lines")
        };
        assert_eq!(intercepts, same);
        for (line, drawn) in weights.iter().zip(&drawn) {
            assert!((line[0] - 0.4 * drawn[0]).abs() < 1e-12 && (line[1] - drawn[1]).abs() < 1e-12, "{weights:?}");
        }
    }
}
