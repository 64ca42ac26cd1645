//! A fitted model as plain arrays, and the few lines that predict from them. No linfa: this is all a server needs.

use serde::{Deserialize, Serialize};

/// What was learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Predictor {
    /// Logistic regression: one line a class, made probabilities by softmax. With two classes the line of one is zero,
    /// which is the logistic function of the other.
    Softmax {
        /// For each class the weight of each encoded number.
        weights: Vec<Vec<f64>>,
        /// For each class the constant.
        intercepts: Vec<f64>,
    },
    /// Gaussian naive Bayes: one normal distribution a class and encoded number.
    Gaussian {
        /// For each class the logarithm of its share.
        log_priors: Vec<f64>,
        /// For each class the mean of each encoded number.
        means: Vec<Vec<f64>>,
        /// For each class the variance of each encoded number, above zero.
        variances: Vec<Vec<f64>>,
    },
    /// Linear regression.
    Line {
        /// The weight of each encoded number.
        weights: Vec<f64>,
        /// The constant.
        intercept: f64,
    },
}

/// What a predictor says of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// For each class its probability; they sum to 1.
    Probabilities(Vec<f64>),
    /// The number.
    Value(f64),
}

impl Predictor {
    /// Predicts from an encoded row, whose width the caller has checked.
    pub fn predict(&self, row: &[f64]) -> Output {
        match self {
            Self::Softmax { weights, intercepts } => {
                let scores = weights.iter().zip(intercepts).map(|(weights, intercept)| dot(weights, row) + intercept);
                Output::Probabilities(softmax(scores.collect()))
            }
            Self::Gaussian { log_priors, means, variances } => {
                let scores = log_priors
                    .iter()
                    .zip(means.iter().zip(variances))
                    .map(|(prior, (means, variances))| prior + log_density(row, means, variances));
                Output::Probabilities(softmax(scores.collect()))
            }
            Self::Line { weights, intercept } => Output::Value(dot(weights, row) + intercept),
        }
    }

    /// How many classes there are; none for a regression.
    pub fn classes(&self) -> usize {
        match self {
            Self::Softmax { intercepts, .. } => intercepts.len(),
            Self::Gaussian { log_priors, .. } => log_priors.len(),
            Self::Line { .. } => 0,
        }
    }

    /// Whether all arrays fit an encoded row of that width, and all numbers are finite.
    pub fn is_sound(&self, width: usize) -> bool {
        let finite = |numbers: &[f64]| numbers.iter().all(|number| number.is_finite());
        let table = |rows: &[Vec<f64>]| {
            rows.len() == self.classes() && rows.iter().all(|row| row.len() == width && finite(row))
        };
        match self {
            Self::Softmax { weights, intercepts } => table(weights) && finite(intercepts),
            Self::Gaussian { log_priors, means, variances } => {
                table(means)
                    && table(variances)
                    && finite(log_priors)
                    && variances.iter().flatten().all(|variance| *variance > 0.0)
            }
            Self::Line { weights, intercept } => weights.len() == width && finite(weights) && intercept.is_finite(),
        }
    }
}

/// The index of the greatest probability, the first of equals.
pub(super) fn most_probable(probabilities: &[f64]) -> usize {
    probabilities.iter().enumerate().rev().max_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(index, _)| index)
}

fn dot(weights: &[f64], row: &[f64]) -> f64 {
    weights.iter().zip(row).map(|(weight, value)| weight * value).sum()
}

/// The logarithm of the density of independent normal distributions.
fn log_density(row: &[f64], means: &[f64], variances: &[f64]) -> f64 {
    row.iter()
        .zip(means.iter().zip(variances))
        .map(|(value, (mean, variance))| {
            -0.5 * ((std::f64::consts::TAU * variance).ln() + (value - mean).powi(2) / variance)
        })
        .sum()
}

/// `exp(s) / Σ exp(s)`, with the greatest score subtracted first, so that nothing overflows.
fn softmax(mut scores: Vec<f64>) -> Vec<f64> {
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for score in &mut scores {
        *score = (*score - greatest).exp();
    }
    let sum: f64 = scores.iter().sum();
    for score in &mut scores {
        *score /= sum;
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::{Output, Predictor, most_probable};

    #[test]
    fn probabilities_sum_to_one_even_for_extreme_scores() {
        let predictor = Predictor::Softmax { weights: vec![vec![1e6], vec![-1e6]], intercepts: vec![0.0, 0.0] };
        assert_eq!(predictor.predict(&[1.0]), Output::Probabilities(vec![1.0, 0.0]));
    }

    #[test]
    fn the_nearer_normal_distribution_is_more_probable() {
        let predictor = Predictor::Gaussian {
            log_priors: vec![0.5_f64.ln(); 2],
            means: vec![vec![0.0], vec![4.0]],
            variances: vec![vec![1.0], vec![1.0]],
        };
        let Output::Probabilities(probabilities) = predictor.predict(&[1.0]) else { unreachable!("a classifier") };
        // exp(−0.5) against exp(−4.5)
        assert!((probabilities[1] / probabilities[0] - (-4.0_f64).exp()).abs() < 1e-12);
    }

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(most_probable(&[0.2, 0.4, 0.4]), 1);
    }

    #[test]
    fn arrays_of_another_width_or_with_infinities_are_unsound() {
        let line = |weight| Predictor::Line { weights: vec![weight], intercept: 0.0 };
        assert!(line(1.0).is_sound(1));
        assert!(!line(1.0).is_sound(2));
        assert!(!line(f64::INFINITY).is_sound(1));
    }
}
