//! A fitted model as plain arrays, and the few lines that predict from them. No linfa: this is all a server needs.

use serde::{Deserialize, Serialize};

use crate::model::learn::tree::ensemble::Ensemble;
use crate::model::learn::tree::logistic;
use crate::model::number::float;

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
    /// Support vector machines with a gaussian kernel, `exp(−γ ‖x − s‖²)`: one a class, or one for two classes (of the
    /// second) and for numbers.
    Kernel {
        /// How many classes there are; none for a regression.
        classes: usize,
        /// γ.
        gamma: f64,
        /// The rows that are compared with, encoded.
        support: Vec<Vec<f64>>,
        /// What each machine makes of the comparisons.
        machines: Vec<Machine>,
    },
    /// A random forest: the mean of what its trees say.
    Forest {
        /// How many classes there are; none for a regression.
        classes: usize,
        /// The trees.
        trees: Ensemble,
    },
    /// Gradient boosting: scores are sums of what trees say. Two classes have one score, of which the logistic function is
    /// the probability of the second; more have one each, made probabilities by softmax.
    Boosting {
        /// How many classes there are; none for a regression.
        classes: usize,
        /// The scores before any tree.
        start: Vec<f64>,
        /// The trees; the scores take turns among them.
        trees: Ensemble,
    },
    /// A predictor of some of the classes; the others were not among the rows it learned from and are never predicted.
    Among {
        /// How many classes there are in all.
        classes: usize,
        /// Those it knows, ascending.
        known: Vec<usize>,
        /// The predictor, of so many classes.
        inner: Box<Predictor>,
    },
    /// The mean of what its parts say. It wants each row raw and, behind that, encoded.
    Blend {
        /// How many numbers of a row are raw.
        features: usize,
        /// The parts, of which none is a blend.
        parts: Vec<Predictor>,
    },
}

/// In which form a predictor wants a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A number a feature.
    Raw,
    /// As preprocessing encodes it.
    Encoded,
    /// Raw, and encoded behind that.
    Both,
}

/// A support vector machine: `scale · (Σ weight · kernel + shift) + offset` is a number, or a score whose logistic function
/// is a probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The weight of each row that is compared with.
    pub weights: Vec<f64>,
    /// What is added to their sum.
    pub shift: f64,
    /// What that is multiplied with.
    pub scale: f64,
    /// What is added in the end.
    pub offset: f64,
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
    /// In which form it wants rows.
    pub fn wants(&self) -> Form {
        match self {
            Self::Forest { .. } | Self::Boosting { .. } => Form::Raw,
            Self::Among { inner, .. } => inner.wants(),
            Self::Softmax { .. } | Self::Gaussian { .. } | Self::Line { .. } | Self::Kernel { .. } => Form::Encoded,
            Self::Blend { .. } => Form::Both,
        }
    }

    /// Predicts from one row in the form that it wants, whose width the caller has checked.
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
            Self::Kernel { classes, gamma, support, machines } => {
                let kernels: Vec<f64> =
                    support.iter().map(|other| (-gamma * squared_distance(row, other)).exp()).collect();
                let scores = machines.iter().map(|machine| machine.score(&kernels));
                if *classes == 0 {
                    return Output::Value(scores.sum());
                }
                let probabilities: Vec<f64> = scores.map(logistic).collect();
                Output::Probabilities(match probabilities.as_slice() {
                    [second] => vec![1.0 - second, *second],
                    _ => to_one(probabilities),
                })
            }
            Self::Forest { .. } | Self::Boosting { .. } => {
                self.predict_block(row, row.len()).pop().unwrap_or(Output::Value(f64::NAN))
            }
            Self::Among { classes, known, inner } => spread(inner.predict(row), *classes, known),
            Self::Blend { features, parts } => {
                mean(parts.iter().map(|part| part.predict(part.own_part(row, *features))).collect())
            }
        }
    }

    /// Predicts from many rows, one behind the other, so many numbers each. Trees are walked through one by one, each by
    /// all rows, which is faster and gives the same.
    pub fn predict_block(&self, rows: &[f64], width: usize) -> Vec<Output> {
        match self {
            Self::Forest { classes, trees } => {
                let lanes = trees.width();
                let mut sums = vec![0.0; lanes * (rows.len() / width.max(1))];
                trees.accumulate(rows, width, &mut sums, lanes);
                let count = float(trees.trees()).max(1.0);
                let answer = |sums: &[f64]| match sums {
                    [sum] if *classes == 0 => Output::Value(sum / count),
                    _ => Output::Probabilities(to_one(sums.to_vec())),
                };
                sums.chunks_exact(lanes.max(1)).map(answer).collect()
            }
            Self::Boosting { classes, start, trees } => {
                let mut scores = start.repeat(rows.len() / width.max(1));
                trees.accumulate(rows, width, &mut scores, start.len());
                let answer = |scores: &[f64]| match scores {
                    [score] if *classes == 0 => Output::Value(*score),
                    [score] => {
                        let second = logistic(*score);
                        Output::Probabilities(vec![1.0 - second, second])
                    }
                    _ => Output::Probabilities(softmax(scores.to_vec())),
                };
                scores.chunks_exact(start.len().max(1)).map(answer).collect()
            }
            Self::Among { classes, known, inner } => {
                inner.predict_block(rows, width).into_iter().map(|output| spread(output, *classes, known)).collect()
            }
            Self::Softmax { .. } | Self::Gaussian { .. } | Self::Line { .. } | Self::Kernel { .. } => {
                rows.chunks_exact(width.max(1)).map(|row| self.predict(row)).collect()
            }
            Self::Blend { features, parts } => {
                let mut said: Vec<Vec<Output>> = vec![Vec::with_capacity(parts.len()); rows.len() / width.max(1)];
                for part in parts {
                    let own = |row| part.own_part(row, *features);
                    let block: Vec<f64> = rows.chunks_exact(width.max(1)).flat_map(own).copied().collect();
                    let width = block.len() / said.len().max(1);
                    for (said, output) in said.iter_mut().zip(part.predict_block(&block, width)) {
                        said.push(output);
                    }
                }
                said.into_iter().map(mean).collect()
            }
        }
    }

    /// Of a row in both forms the one that this part of a blend wants.
    fn own_part<'a>(&self, row: &'a [f64], features: usize) -> &'a [f64] {
        let (raw, encoded) = row.split_at(features.min(row.len()));
        if self.wants() == Form::Raw { raw } else { encoded }
    }

    /// How many classes there are; none for a regression.
    pub fn classes(&self) -> usize {
        match self {
            Self::Softmax { intercepts, .. } => intercepts.len(),
            Self::Gaussian { log_priors, .. } => log_priors.len(),
            Self::Line { .. } => 0,
            Self::Kernel { classes, .. }
            | Self::Forest { classes, .. }
            | Self::Boosting { classes, .. }
            | Self::Among { classes, .. } => *classes,
            Self::Blend { parts, .. } => parts.first().map_or(0, Self::classes),
        }
    }

    /// Whether all arrays fit a row that has so many numbers encoded and so many features raw, and all numbers are finite.
    pub fn is_sound(&self, width: usize, features: usize) -> bool {
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
            Self::Kernel { classes, gamma, support, machines } => {
                machines.len() == scores_of(*classes)
                    && *gamma >= 0.0
                    && gamma.is_finite()
                    && support.iter().all(|row| row.len() == width && finite(row))
                    && machines.iter().all(|machine| machine.is_sound(support.len()))
            }
            Self::Forest { classes, trees } => trees.width() == (*classes).max(1) && trees.is_sound(features),
            Self::Boosting { classes, start, trees } => {
                start.len() == scores_of(*classes) && finite(start) && trees.width() == 1 && trees.is_sound(features)
            }
            Self::Among { classes, known, inner } => {
                inner.classes() == known.len()
                    && !known.is_empty()
                    && known.is_sorted_by(|one, other| one < other)
                    && known.iter().all(|class| class < classes)
                    && !matches!(**inner, Self::Among { .. } | Self::Blend { .. })
                    && inner.is_sound(width, features)
            }
            Self::Blend { features: raw, parts } => {
                let is_part = |part: &Self| {
                    !matches!(part, Self::Blend { .. })
                        && part.classes() == self.classes()
                        && part.is_sound(width, features)
                };
                *raw == features && parts.len() > 1 && parts.iter().all(is_part)
            }
        }
    }
}

impl Machine {
    fn score(&self, kernels: &[f64]) -> f64 {
        self.scale * (dot(&self.weights, kernels) + self.shift) + self.offset
    }

    fn is_sound(&self, support: usize) -> bool {
        self.weights.len() == support && finite(&self.weights) && finite(&[self.shift, self.scale, self.offset])
    }
}

/// How many scores tell so many classes apart, or give a number.
fn scores_of(classes: usize) -> usize {
    if classes > 2 { classes } else { 1 }
}

fn finite(numbers: &[f64]) -> bool {
    numbers.iter().all(|number| number.is_finite())
}

/// Probabilities of some classes among those of all.
fn spread(output: Output, classes: usize, known: &[usize]) -> Output {
    let Output::Probabilities(probabilities) = output else { return output };
    let mut all = vec![0.0; classes];
    for (class, probability) in known.iter().zip(probabilities) {
        if let Some(place) = all.get_mut(*class) {
            *place = probability;
        }
    }
    Output::Probabilities(all)
}

/// The mean of what several say of one row; they speak of the same classes, or all of a number.
fn mean(said: Vec<Output>) -> Output {
    let count = float(said.len()).max(1.0);
    let mut said = said.into_iter();
    let Some(mut mean) = said.next() else { return Output::Value(f64::NAN) };
    for other in said {
        match (&mut mean, other) {
            (Output::Value(sum), Output::Value(value)) => *sum += value,
            (Output::Probabilities(sums), Output::Probabilities(values)) => {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value;
                }
            }
            (Output::Value(_), Output::Probabilities(_)) | (Output::Probabilities(_), Output::Value(_)) => {}
        }
    }
    match &mut mean {
        Output::Value(sum) => *sum /= count,
        Output::Probabilities(sums) => sums.iter_mut().for_each(|sum| *sum /= count),
    }
    mean
}

/// Shares of their sum; equal shares when that is zero.
fn to_one(mut shares: Vec<f64>) -> Vec<f64> {
    let sum: f64 = shares.iter().sum();
    let equal = 1.0 / float(shares.len()).max(1.0);
    for share in &mut shares {
        *share = if sum > 0.0 { *share / sum } else { equal };
    }
    shares
}

/// The index of the greatest probability, the first of equals.
pub(in crate::model) fn most_probable(probabilities: &[f64]) -> usize {
    probabilities.iter().enumerate().rev().max_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(index, _)| index)
}

fn dot(weights: &[f64], row: &[f64]) -> f64 {
    weights.iter().zip(row).map(|(weight, value)| weight * value).sum()
}

fn squared_distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other) * (one - other)).sum()
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
pub(in crate::model) fn softmax(mut scores: Vec<f64>) -> Vec<f64> {
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
    use super::{Machine, Output, Predictor, most_probable};

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
    fn classes_that_were_not_learned_are_never_predicted() {
        let inner = Predictor::Softmax { weights: vec![vec![1.0], vec![0.0]], intercepts: vec![0.0, 0.0] };
        let among =
            |known: &[usize]| Predictor::Among { classes: 4, known: known.to_vec(), inner: Box::new(inner.clone()) };
        assert_eq!(among(&[1, 3]).predict(&[0.0]), Output::Probabilities(vec![0.0, 0.5, 0.0, 0.5]));
        assert_eq!(among(&[1, 3]).predict_block(&[0.0, 0.0], 1).len(), 2);
        assert!(among(&[1, 3]).is_sound(1, 1));
        for known in [&[3, 1][..], &[1, 4], &[1], &[1, 1]] {
            assert!(!among(known).is_sound(1, 1), "{known:?}");
        }
    }

    #[test]
    fn a_blend_says_the_mean_of_its_parts_each_of_its_own_form_of_the_row() {
        // Two numbers raw, three encoded.
        let line = |weights: [f64; 3]| Predictor::Line { weights: weights.to_vec(), intercept: 0.0 };
        let blend = |parts| Predictor::Blend { features: 2, parts };
        let of_lines = blend(vec![line([1.0, 0.0, 0.0]), line([0.0, 0.0, 3.0])]);
        let row = [70.0, 80.0, 1.0, 2.0, 5.0];
        assert_eq!(of_lines.predict(&row), Output::Value(8.0));
        assert_eq!(of_lines.predict_block(&[row, row].concat(), 5), [Output::Value(8.0), Output::Value(8.0)]);
        assert!(of_lines.is_sound(3, 2) && !of_lines.is_sound(3, 3) && !of_lines.is_sound(2, 2));
        let softmax = Predictor::Softmax { weights: vec![vec![0.0; 3]; 2], intercepts: vec![0.0; 2] };
        assert!(!blend(vec![line([0.0; 3]), softmax]).is_sound(3, 2), "a number and classes");
        assert!(!blend(vec![line([0.0; 3])]).is_sound(3, 2), "one alone");
        assert!(!blend(vec![of_lines.clone(), of_lines]).is_sound(3, 2), "a blend of blends");
    }

    #[test]
    fn a_kernel_machine_says_what_is_worked_out_by_hand() {
        let machine = Machine { weights: vec![2.0], shift: -1.0, scale: 3.0, offset: 0.5 };
        let kernel = |classes| Predictor::Kernel {
            classes,
            gamma: 0.5,
            support: vec![vec![1.0]],
            machines: vec![machine.clone()],
        };
        let score = 3.0 * (2.0 * (-0.5_f64 * 4.0).exp() - 1.0) + 0.5;
        assert_eq!(kernel(0).predict(&[3.0]), Output::Value(score));
        let Output::Probabilities(probabilities) = kernel(2).predict(&[3.0]) else { unreachable!("a classifier") };
        assert!((probabilities[1] - 1.0 / (1.0 + (-score).exp())).abs() < 1e-12);
        assert!(kernel(2).is_sound(1, 1) && !kernel(3).is_sound(1, 1) && !kernel(2).is_sound(2, 1));
    }

    #[test]
    fn arrays_of_another_width_or_with_infinities_are_unsound() {
        let line = |weight| Predictor::Line { weights: vec![weight], intercept: 0.0 };
        assert!(line(1.0).is_sound(1, 1));
        assert!(!line(1.0).is_sound(2, 1));
        assert!(!line(f64::INFINITY).is_sound(1, 1));
    }
}
