//! Support vector machines with a gaussian kernel, by linfa.
//!
//! Each class has a machine against all others; two classes have one. A decision is no probability: it is made one by the
//! logistic function that fits best (Platt, *Probabilistic outputs for support vector machines*, 1999; the algorithm of Lin,
//! Lin and Weng, 2007, is linfa's). The decisions it is fitted on are those of rows that a first machine has not seen, one
//! in five; those of its own rows would be too sure. The machine that is kept has learned from all rows.

use linfa::composing::platt_scaling::{Platt, platt_newton_method};
use linfa::traits::Fit as _;
use linfa::{DatasetBase, ParamGuard as _};
use linfa_svm::{Svm, SvmError};
use ndarray::{Array1, Array2, Axis};

use crate::config::Algorithm;
use crate::model::learn::fit::Stop;
use crate::model::learn::learn_error::LearnError;
use crate::model::learn::learner::algorithm_name;
use crate::model::learn::linfa::no_solution;
use crate::model::learn::predictor::{Machine, Predictor};
use crate::model::learn::tree::generator::Generator;

/// The kernel of all pairs of rows is held in memory: 200 MB of so many.
const MOST_ROWS: usize = 5_000;
/// scikit-learn's, too: the next digits of a solution cost much and give nothing.
const TOLERANCE: f64 = 1e-3;
/// Errors below this share of a standard deviation cost nothing.
const MARGIN: f64 = 0.1;
/// A weight as small as this is zero, and its row not needed.
const LEAST_WEIGHT: f64 = 1e-12;
/// One row in so many calibrates.
const CALIBRATING: usize = 5;
/// Where no calibration is found, a decision of one is as good as 88 in 100.
const UNCALIBRATED: f64 = 2.0;

/// The hyper-parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub cost: f64,
    pub gamma: f64,
    pub seed: u64,
}

/// A weight for each row it learned from, and what is added to their sum.
struct Solution {
    weights: Vec<f64>,
    shift: f64,
}

pub(super) fn fit_classes(
    rows: &Array2<f64>,
    codes: &Array1<usize>,
    classes: usize,
    settings: Settings,
    stop: &Stop<'_>,
) -> Result<Predictor, LearnError> {
    few_enough(rows)?;
    let mut generator = Generator::new(settings.seed);
    let (apart, seen): (Vec<usize>, Vec<usize>) = (0..rows.nrows()).partition(|_| generator.below(CALIBRATING) == 0);
    let wanted = if classes == 2 { 1..2 } else { 0..classes };
    let mut solutions = Vec::new();
    for class in wanted {
        let is_in = codes.mapv(|code| code == class);
        if stop() {
            return Err(LearnError::Stopped);
        }
        let calibration = calibrate(rows, &is_in, &seen, &apart, settings);
        if stop() {
            return Err(LearnError::Stopped);
        }
        solutions.push((separate(rows, &is_in, settings)?, calibration));
    }
    Ok(predictor(rows, classes, settings.gamma, &solutions))
}

pub(super) fn fit_numbers(
    rows: &Array2<f64>,
    numbers: &Array1<f64>,
    settings: Settings,
) -> Result<Predictor, LearnError> {
    few_enough(rows)?;
    let centre = numbers.mean().unwrap_or(0.0);
    let deviation = Some(numbers.std(0.0)).filter(|deviation| deviation.is_normal()).unwrap_or(1.0);
    let targets = numbers.mapv(|number| (number - centre) / deviation);
    let fitted: Result<Svm<f64, f64>, SvmError> = Svm::<f64, f64>::params()
        .c_svr(settings.cost, Some(MARGIN))
        .gaussian_kernel(1.0 / settings.gamma)
        .eps(TOLERANCE)
        .fit(&DatasetBase::new(rows.view(), targets.view()));
    let fitted = fitted.map_err(|error| no_solution(Algorithm::Svm, &error))?;
    let solution = Solution { weights: fitted.alpha, shift: -fitted.rho };
    Ok(predictor(rows, 0, settings.gamma, &[(solution, (deviation, centre))]))
}

fn few_enough(rows: &Array2<f64>) -> Result<(), LearnError> {
    if rows.nrows() <= MOST_ROWS {
        return Ok(());
    }
    Err(LearnError::TooManyRows { algorithm: algorithm_name(Algorithm::Svm), rows: rows.nrows(), limit: MOST_ROWS })
}

fn separate(rows: &Array2<f64>, is_in: &Array1<bool>, settings: Settings) -> Result<Solution, LearnError> {
    let fitted: Result<Svm<f64, bool>, SvmError> = Svm::<f64, bool>::params()
        .pos_neg_weights(settings.cost, settings.cost)
        .gaussian_kernel(1.0 / settings.gamma)
        .eps(TOLERANCE)
        .fit(&DatasetBase::new(rows.view(), is_in.view()));
    let fitted = fitted.map_err(|error| no_solution(Algorithm::Svm, &error))?;
    Ok(Solution { weights: fitted.alpha, shift: -fitted.rho })
}

/// The scale and offset that make decisions scores, from rows that a machine of the others has not seen.
fn calibrate(
    rows: &Array2<f64>,
    is_in: &Array1<bool>,
    seen: &[usize],
    apart: &[usize],
    settings: Settings,
) -> (f64, f64) {
    let both = |part: &[usize]| {
        let inside = part.iter().filter(|row| is_in.get(**row) == Some(&true)).count();
        inside > 0 && inside < part.len()
    };
    if !both(seen) || !both(apart) {
        return (UNCALIBRATED, 0.0);
    }
    let (learned, labels) = (rows.select(Axis(0), seen), is_in.select(Axis(0), seen));
    let Ok(solution) = separate(&learned, &labels, settings) else { return (UNCALIBRATED, 0.0) };
    let decide = |row: &usize| {
        let of = |(other, weight): (ndarray::ArrayView1<'_, f64>, &f64)| {
            let distance: f64 = rows.row(*row).iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum();
            weight * (-settings.gamma * distance).exp()
        };
        learned.rows().into_iter().zip(&solution.weights).map(of).sum::<f64>() + solution.shift
    };
    let decisions: Array1<f64> = apart.iter().map(decide).collect();
    let truth = is_in.select(Axis(0), apart);
    let platt = Platt::<f64, ()>::params();
    let fitted = platt.check_ref().and_then(|platt| platt_newton_method(decisions.view(), truth.view(), platt));
    match fitted {
        // linfa's is 1 / (1 + exp(a d + b)); a machine that is worse than none keeps its direction.
        Ok((a, b)) if a < 0.0 && a.is_finite() && b.is_finite() => (-a, -b),
        _ => (UNCALIBRATED, 0.0),
    }
}

/// Machines share the rows that they compare with; those that no machine needs are left out.
fn predictor(rows: &Array2<f64>, classes: usize, gamma: f64, solutions: &[(Solution, (f64, f64))]) -> Predictor {
    let weight = |solution: &Solution, row: usize| {
        solution.weights.get(row).copied().filter(|weight| weight.abs() > LEAST_WEIGHT).unwrap_or(0.0)
    };
    let needed: Vec<usize> = (0..rows.nrows())
        .filter(|row| solutions.iter().any(|(solution, _)| weight(solution, *row).abs() > 0.0))
        .collect();
    let machines = solutions
        .iter()
        .map(|(solution, (scale, offset))| Machine {
            weights: needed.iter().map(|row| weight(solution, *row)).collect(),
            shift: solution.shift,
            scale: *scale,
            offset: *offset,
        })
        .collect();
    let support = needed.iter().map(|row| rows.row(*row).to_vec()).collect();
    Predictor::Kernel { classes, gamma, support, machines }
}
