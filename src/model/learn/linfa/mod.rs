//! The learners of linfa, and how what they learned becomes plain arrays. linfa's own models are never stored.

mod classes;
mod lines;
mod machines;

use ndarray::{Array1, Array2};

use crate::config::Algorithm;
use crate::model::learn::fit::Stop;
use crate::model::learn::predictor::Predictor;
use crate::model::learn::problem::Lesson;

pub use crate::model::learn::learn_error::LearnError;
use crate::model::learn::learner::Learner;
pub use crate::model::learn::learner::algorithm_name;

/// Learns from encoded rows, which may be changed on the way. `seed` is for the rows that calibrate probabilities.
pub(in crate::model) fn fit(
    learner: &Learner,
    rows: &mut Array2<f64>,
    lesson: &Lesson,
    seed: u64,
    stop: &Stop<'_>,
) -> Result<Predictor, LearnError> {
    match lesson {
        Lesson::Classes { codes, known, .. } => {
            let codes = Array1::from_vec(codes.clone());
            match *learner {
                Learner::Logistic { penalty } => classes::fit_logistic(rows, &codes, known.len(), penalty, stop),
                Learner::NaiveBayes { smoothing } => classes::fit_naive_bayes(rows, &codes, smoothing),
                Learner::Svm { cost, gamma } => {
                    let settings = machines::Settings { cost, gamma, seed };
                    machines::fit_classes(rows, &codes, known.len(), settings, stop)
                }
                _ => Err(unsuitable(learner)),
            }
        }
        Lesson::Numbers(numbers) => {
            let numbers = Array1::from_vec(numbers.clone());
            match *learner {
                Learner::Linear => lines::fit_linear(rows, &numbers),
                Learner::ElasticNet { penalty, l1_ratio } => lines::fit_elastic_net(rows, &numbers, penalty, l1_ratio),
                Learner::Svm { cost, gamma } => {
                    machines::fit_numbers(rows, &numbers, machines::Settings { cost, gamma, seed })
                }
                _ => Err(unsuitable(learner)),
            }
        }
    }
}

fn unsuitable(learner: &Learner) -> LearnError {
    LearnError::Unsuitable { algorithm: algorithm_name(learner.algorithm()) }
}

fn no_solution(algorithm: Algorithm, reason: &impl ToString) -> LearnError {
    LearnError::NoSolution { algorithm: algorithm_name(algorithm), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::{LearnError, Learner, Lesson, Predictor, fit};
    use crate::model::learn::predictor::{Output, most_probable};

    const LOGISTIC: Learner = Learner::Logistic { penalty: 1.0 };
    const NAIVE_BAYES: Learner = Learner::NaiveBayes { smoothing: 1e-9 };
    const SVM: Learner = Learner::Svm { cost: 10.0, gamma: 0.5 };

    fn learned(learner: &Learner, rows: &Array2<f64>, lesson: &Lesson) -> Predictor {
        fit(learner, &mut rows.clone(), lesson, 1, &|| false).unwrap()
    }

    fn classes(codes: &[usize]) -> Lesson {
        let count = codes.iter().max().unwrap() + 1;
        Lesson::Classes { codes: codes.to_vec(), known: (0..count).collect(), count }
    }

    fn classified(predictor: &Predictor, rows: &Array2<f64>) -> Vec<usize> {
        rows.rows()
            .into_iter()
            .map(|row| match predictor.predict(&row.to_vec()) {
                Output::Probabilities(probabilities) => most_probable(&probabilities),
                Output::Value(_) => unreachable!("a classifier"),
            })
            .collect()
    }

    fn value(predictor: &Predictor, row: &[f64]) -> f64 {
        let Output::Value(value) = predictor.predict(row) else { unreachable!("a regression") };
        value
    }

    #[test]
    fn separable_classes_are_learned_by_every_classifier() {
        let rows = array![[0.0, 0.1], [0.2, -0.1], [3.0, 3.1], [3.2, 2.9], [-3.0, 3.0], [-3.1, 3.2]];
        for codes in [[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 1, 1], [1, 1, 0, 0, 0, 0]] {
            for learner in [LOGISTIC, NAIVE_BAYES] {
                let predictor = learned(&learner, &rows, &classes(&codes));
                assert_eq!(classified(&predictor, &rows), codes, "{learner:?}");
            }
        }
    }

    #[test]
    fn rings_are_learned_by_machines_with_probabilities_that_sum_to_one() {
        let angle = |row: usize| std::f64::consts::TAU * crate::model::number::float(row) / 60.0;
        let radius = |row: usize| [1.0, 2.5, 4.0][row % 3];
        let rows = Array2::from_shape_fn((120, 2), |(row, column)| {
            radius(row) * if column == 0 { angle(row).cos() } else { angle(row).sin() }
        });
        for count in [2, 3] {
            let codes: Vec<usize> = (0..120).map(|row| (row % 3).min(count - 1)).collect();
            let predictor = learned(&SVM, &rows, &classes(&codes));
            let found = classified(&predictor, &rows);
            let wrong = found.iter().zip(&codes).filter(|(found, code)| found != code).count();
            assert!(wrong <= 6, "{wrong} of 120 with {count} classes");
            let Output::Probabilities(probabilities) = predictor.predict(&[0.5, 0.5]) else {
                unreachable!("a classifier")
            };
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn learning_twice_gives_the_same_numbers_bit_by_bit() {
        let rows = array![[0.3, 0.1], [0.2, -0.1], [1.0, 2.1], [1.2, 1.9], [-1.0, 1.0], [-1.1, 0.2]];
        let lesson = classes(&[0, 1, 1, 2, 2, 0]);
        for learner in [LOGISTIC, NAIVE_BAYES, SVM] {
            assert_eq!(learned(&learner, &rows, &lesson), learned(&learner, &rows, &lesson));
        }
    }

    #[test]
    fn a_line_is_found_even_through_collinear_columns_and_few_rows() {
        let rows = array![[1.0, 0.0, 1.0], [0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [0.0, 1.0, 5.0]];
        let numbers: Vec<f64> = rows.rows().into_iter().map(|row| 3.0 * row[0] - 2.0 * row[2] + 1.0).collect();
        let net = Learner::ElasticNet { penalty: 1e-7, l1_ratio: 0.5 };
        for (learner, tolerance) in [(Learner::Linear, 1e-4), (net, 0.2)] {
            let predictor = learned(&learner, &rows, &Lesson::Numbers(numbers.clone()));
            for (row, number) in rows.rows().into_iter().zip(&numbers) {
                let value = value(&predictor, &row.to_vec());
                assert!((value - number).abs() < tolerance, "{learner:?} {value} {number}");
            }
        }
    }

    #[test]
    fn a_penalty_on_sizes_drops_the_column_that_says_nothing() {
        let rows = Array2::from_shape_fn((50, 2), |(row, column)| {
            let row = i32::try_from(row).unwrap();
            if column == 0 { f64::from(row - 25) / 15.0 } else { f64::from(row * 7 % 5 - 2) }
        });
        let numbers: Vec<f64> = rows.rows().into_iter().map(|row| 100.0 * row[0]).collect();
        let learner = Learner::ElasticNet { penalty: 0.1, l1_ratio: 1.0 };
        let Predictor::Line { weights, .. } = learned(&learner, &rows, &Lesson::Numbers(numbers)) else {
            unreachable!("a line")
        };
        assert!(weights[0] > 80.0 && weights[0] < 100.0 && weights[1].abs() < 1e-9, "{weights:?}");
    }

    #[test]
    fn machines_follow_a_curve() {
        let rows = Array2::from_shape_fn((80, 1), |(row, _)| crate::model::number::float(row) / 10.0 - 4.0);
        let numbers: Vec<f64> = rows.rows().into_iter().map(|row| 50.0 + 20.0 * row[0].sin()).collect();
        let predictor = learned(&SVM, &rows, &Lesson::Numbers(numbers.clone()));
        for (row, number) in rows.rows().into_iter().zip(&numbers) {
            let value = value(&predictor, &row.to_vec());
            assert!((value - number).abs() < 5.0, "{value} {number}");
        }
    }

    #[test]
    fn a_line_cannot_learn_classes_and_machines_not_many_rows() {
        let result = fit(&Learner::Linear, &mut array![[0.0], [1.0]], &classes(&[0, 1]), 1, &|| false);
        assert!(matches!(result, Err(LearnError::Unsuitable { algorithm: "linear" })));
        let mut rows = Array2::<f64>::zeros((5_001, 1));
        let result = fit(&SVM, &mut rows, &Lesson::Numbers(vec![0.0; 5_001]), 1, &|| false);
        assert!(matches!(result, Err(LearnError::TooManyRows { rows: 5_001, limit: 5_000, .. })));
    }
}
