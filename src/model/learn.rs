//! The learners of linfa, and how what they learned becomes plain arrays.
//!
//! linfa's models are not stored: `GaussianNb` keeps its classes in a hash map, so its bytes differ from run to run,
//! and hides its parameters, which are therefore read out of its serialised form. Logistic regression has no
//! convergence flag and its line search may give up; then it is tried again with more regularisation. All of it is
//! deterministic: starts at zero, no sampling.

use std::collections::BTreeMap;

use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_bayes::{GaussianNb, NaiveBayesError};
use linfa_linear::{LinearError, LinearRegression};
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, Array2, Axis, Slice};
use serde::Deserialize;

use super::number::float;
use super::predictor::Predictor;
use crate::config::Algorithm;

/// Strengths of regularisation, the usual one first.
const PENALTIES: [f64; 3] = [1.0, 10.0, 100.0];
const MOST_ITERATIONS: u64 = 200;
/// Ridge for linear regression, a row: too small to be seen in a result, enough that collinear columns have one
/// solution.
const RIDGE: f64 = 1e-8;

/// Why an algorithm learned nothing.
#[derive(Debug, thiserror::Error)]
pub enum LearnError {
    /// The algorithm itself gave up.
    #[error("{algorithm} found no solution: {reason}; try another algorithm, or look for extreme values in the data")]
    NoSolution {
        /// Its name.
        algorithm: &'static str,
        /// What it said.
        reason: String,
    },
    /// Infinities or NaN came out.
    #[error("{algorithm} found no finite solution; look for extreme values in the data, or try another algorithm")]
    NotFinite {
        /// Its name.
        algorithm: &'static str,
    },
    /// A classifier for numbers, or the reverse.
    #[error("{algorithm} does not suit this task; use algorithms = [\"auto\"] for all that do")]
    Unsuitable {
        /// Its name.
        algorithm: &'static str,
    },
}

/// The name of an algorithm, as the configuration writes it.
pub fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Logistic => "logistic",
        Algorithm::NaiveBayes => "naive-bayes",
        Algorithm::Linear => "linear",
    }
}

/// Learns classes: `codes` are indices below `classes`, each of which is there at least once.
pub(super) fn fit_classes(
    algorithm: Algorithm,
    rows: &Array2<f64>,
    codes: &Array1<usize>,
    classes: usize,
) -> Result<Predictor, LearnError> {
    let predictor = match algorithm {
        Algorithm::Logistic => fit_logistic(rows, codes, classes)?,
        Algorithm::NaiveBayes => fit_naive_bayes(rows, codes)?,
        Algorithm::Linear => return Err(LearnError::Unsuitable { algorithm: algorithm_name(algorithm) }),
    };
    sound(algorithm, predictor, rows.ncols())
}

/// Learns numbers.
pub(super) fn fit_numbers(
    algorithm: Algorithm,
    rows: &Array2<f64>,
    numbers: &Array1<f64>,
) -> Result<Predictor, LearnError> {
    match algorithm {
        Algorithm::Linear => sound(algorithm, fit_linear(rows, numbers)?, rows.ncols()),
        Algorithm::Logistic | Algorithm::NaiveBayes => {
            Err(LearnError::Unsuitable { algorithm: algorithm_name(algorithm) })
        }
    }
}

fn sound(algorithm: Algorithm, predictor: Predictor, width: usize) -> Result<Predictor, LearnError> {
    if predictor.is_sound(width) {
        Ok(predictor)
    } else {
        Err(LearnError::NotFinite { algorithm: algorithm_name(algorithm) })
    }
}

fn no_solution(algorithm: Algorithm, reason: &impl ToString) -> LearnError {
    LearnError::NoSolution { algorithm: algorithm_name(algorithm), reason: reason.to_string() }
}

fn fit_logistic(rows: &Array2<f64>, codes: &Array1<usize>, classes: usize) -> Result<Predictor, LearnError> {
    let mut last = None;
    for penalty in PENALTIES {
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
        LogisticRegression::<f64>::default().alpha(penalty).max_iterations(MOST_ITERATIONS).fit(&data);
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
        MultiLogisticRegression::<f64>::default().alpha(penalty).max_iterations(MOST_ITERATIONS).fit(&data);
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

fn fit_naive_bayes(rows: &Array2<f64>, codes: &Array1<usize>) -> Result<Predictor, LearnError> {
    let data = DatasetBase::new(rows.view(), codes.view());
    let fitted = GaussianNb::<f64, usize>::params()
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

/// Least squares on centred columns with a trace of ridge, which is written as extra rows: linfa's solver needs full
/// rank, and the one-hot columns of a category always sum to one.
fn fit_linear(rows: &Array2<f64>, numbers: &Array1<f64>) -> Result<Predictor, LearnError> {
    let (height, width) = rows.dim();
    let (Some(means), Some(centre)) = (rows.mean_axis(Axis(0)), numbers.mean()) else {
        return Err(no_solution(Algorithm::Linear, &"there are no rows"));
    };
    let mut records = Array2::<f64>::zeros((height + width, width));
    records.slice_axis_mut(Axis(0), Slice::from(..height)).assign(&(rows - &means));
    records.slice_axis_mut(Axis(0), Slice::from(height..)).diag_mut().fill((RIDGE * float(height)).sqrt());
    let mut targets = Array1::<f64>::zeros(height + width);
    targets.slice_axis_mut(Axis(0), Slice::from(..height)).assign(&(numbers - centre));
    let fitted = LinearRegression::new()
        .with_intercept(false)
        .fit(&DatasetBase::new(records, targets))
        .map_err(|error: LinearError<f64>| no_solution(Algorithm::Linear, &error))?;
    let intercept = centre - means.dot(fitted.params());
    Ok(Predictor::Line { weights: fitted.params().to_vec(), intercept })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, array};

    use super::{Algorithm, LearnError, Predictor, fit_classes, fit_numbers};
    use crate::model::predictor::{Output, most_probable};

    fn classified(predictor: &Predictor, rows: &Array2<f64>) -> Vec<usize> {
        rows.rows()
            .into_iter()
            .map(|row| match predictor.predict(&row.to_vec()) {
                Output::Probabilities(probabilities) => most_probable(&probabilities),
                Output::Value(_) => unreachable!("a classifier"),
            })
            .collect()
    }

    #[test]
    fn separable_classes_are_learned_by_every_classifier() {
        let rows = array![[0.0, 0.1], [0.2, -0.1], [3.0, 3.1], [3.2, 2.9], [-3.0, 3.0], [-3.1, 3.2]];
        for codes in [array![0_usize, 0, 1, 1, 2, 2], array![0_usize, 0, 1, 1, 1, 1], array![1_usize, 1, 0, 0, 0, 0]] {
            let classes = codes.iter().max().unwrap() + 1;
            for algorithm in [Algorithm::Logistic, Algorithm::NaiveBayes] {
                let predictor = fit_classes(algorithm, &rows, &codes, classes).unwrap();
                assert_eq!(classified(&predictor, &rows), codes.to_vec(), "{algorithm:?}");
            }
        }
    }

    #[test]
    fn learning_twice_gives_the_same_numbers_bit_by_bit() {
        let rows = array![[0.3, 0.1], [0.2, -0.1], [1.0, 2.1], [1.2, 1.9], [-1.0, 1.0], [-1.1, 0.2]];
        let codes = array![0_usize, 1, 1, 2, 2, 0];
        for algorithm in [Algorithm::Logistic, Algorithm::NaiveBayes] {
            assert_eq!(
                fit_classes(algorithm, &rows, &codes, 3).unwrap(),
                fit_classes(algorithm, &rows, &codes, 3).unwrap()
            );
        }
    }

    #[test]
    fn a_line_is_found_even_through_collinear_columns_and_few_rows() {
        let rows = array![[1.0, 0.0, 1.0], [0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [0.0, 1.0, 5.0]];
        let numbers: Array1<f64> = rows.rows().into_iter().map(|row| 3.0 * row[0] - 2.0 * row[2] + 1.0).collect();
        let predictor = fit_numbers(Algorithm::Linear, &rows, &numbers).unwrap();
        for (row, number) in rows.rows().into_iter().zip(&numbers) {
            let Output::Value(value) = predictor.predict(&row.to_vec()) else { unreachable!("a regression") };
            assert!((value - number).abs() < 1e-4, "{value} {number}");
        }
    }

    #[test]
    fn a_line_cannot_learn_classes() {
        let result = fit_classes(Algorithm::Linear, &array![[0.0], [1.0]], &array![0, 1], 2);
        assert!(matches!(result, Err(LearnError::Unsuitable { algorithm: "linear" })));
    }
}
