//! Least squares, plain and with penalties, by linfa.

use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_elasticnet::{ElasticNet, ElasticNetError};
use linfa_linear::{LinearError, LinearRegression};
use ndarray::{Array1, Array2, Axis, ShapeBuilder as _, Slice};

use crate::config::Algorithm;
use crate::model::learn::learn_error::LearnError;
use crate::model::learn::linfa::no_solution;
use crate::model::learn::predictor::Predictor;
use crate::model::number::float;

/// Ridge for linear regression, a row: too small to be seen in a result, enough that collinear columns have one
/// solution.
const RIDGE: f64 = 1e-8;
/// Coordinate descent ends when weights move by less than this share, or after so many rounds.
const TOLERANCE: f64 = 1e-5;
const MOST_ROUNDS: u32 = 2_000;

/// Least squares on centred columns with a trace of ridge, which is written as extra rows: linfa's solver needs full
/// rank, and the one-hot columns of a category always sum to one.
pub(super) fn fit_linear(rows: &Array2<f64>, numbers: &Array1<f64>) -> Result<Predictor, LearnError> {
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

/// Least squares with penalties. The target is standardised first, so that a penalty means the same whatever its unit, and
/// the columns lie one behind the other, as coordinate descent reads them.
pub(super) fn fit_elastic_net(
    rows: &Array2<f64>,
    numbers: &Array1<f64>,
    penalty: f64,
    l1_ratio: f64,
) -> Result<Predictor, LearnError> {
    let (Some(means), Some(centre)) = (rows.mean_axis(Axis(0)), numbers.mean()) else {
        return Err(no_solution(Algorithm::ElasticNet, &"there are no rows"));
    };
    let deviation = Some(numbers.std(0.0)).filter(|deviation| deviation.is_normal()).unwrap_or(1.0);
    let mut records = Array2::<f64>::zeros(rows.dim().f());
    records.assign(&(rows - &means));
    let targets = numbers.mapv(|number| (number - centre) / deviation);
    let fitted = ElasticNet::<f64>::params()
        .penalty(penalty)
        .l1_ratio(l1_ratio)
        .with_intercept(false)
        .tolerance(TOLERANCE)
        .max_iterations(MOST_ROUNDS)
        .fit(&DatasetBase::new(records, targets))
        .map_err(|error: ElasticNetError| no_solution(Algorithm::ElasticNet, &error))?;
    let weights = fitted.hyperplane().mapv(|weight| weight * deviation);
    let intercept = centre - means.dot(&weights);
    Ok(Predictor::Line { weights: weights.to_vec(), intercept })
}
