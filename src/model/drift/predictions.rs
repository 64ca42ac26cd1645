//! How what a model says of known rows is spread, so that a change of its answers shows even where no label ever comes:
//! classes by their shares, numbers by the quantiles of what was predicted.

use serde::{Deserialize, Serialize};

use super::{are_shares, count, quantile_edges};
use crate::model::learn::predictor::{Output, most_probable};
use crate::model::number::share;

/// How the predictions for known rows were spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum PredictionReference {
    /// The share of rows for which each class was the most probable one.
    Classes {
        /// In the order of the classes.
        shares: Vec<f64>,
    },
    /// The share of predicted numbers in each bin.
    Values {
        /// The upper edges (included) of all bins but the last, ascending.
        edges: Vec<f64>,
        /// One more than there are edges.
        shares: Vec<f64>,
    },
}

impl PredictionReference {
    /// Measures what was predicted; `None` of nothing.
    pub(in crate::model) fn fit(outputs: &[Output]) -> Option<Self> {
        let mut reference = match outputs.first()? {
            Output::Probabilities(probabilities) => Self::Classes { shares: vec![0.0; probabilities.len()] },
            Output::Value(_) => {
                let numbers = outputs.iter().filter_map(|output| match output {
                    Output::Value(value) => Some(*value),
                    Output::Probabilities(_) => None,
                });
                let edges = quantile_edges(numbers.collect());
                let shares = vec![0.0; edges.len() + 1];
                Self::Values { edges, shares }
            }
        };
        let mut counts = vec![0; reference.shares().len()];
        for place in outputs.iter().filter_map(|output| reference.place(output)) {
            count(&mut counts, place);
        }
        let measured = counts.into_iter().map(|count| share(count, outputs.len())).collect();
        match &mut reference {
            Self::Classes { shares } | Self::Values { shares, .. } => *shares = measured,
        }
        Some(reference)
    }

    /// The share of each bin.
    pub fn shares(&self) -> &[f64] {
        match self {
            Self::Classes { shares } | Self::Values { shares, .. } => shares,
        }
    }

    /// The bounds between predicted numbers; none for classes.
    pub fn edges(&self) -> &[f64] {
        match self {
            Self::Classes { .. } => &[],
            Self::Values { edges, .. } => edges,
        }
    }

    /// The bin of an answer; `None` for an answer of the other kind.
    pub(in crate::model) fn place(&self, output: &Output) -> Option<usize> {
        match (self, output) {
            (Self::Classes { .. }, Output::Probabilities(probabilities)) => Some(most_probable(probabilities)),
            (Self::Values { edges, .. }, Output::Value(value)) => Some(edges.partition_point(|edge| edge < value)),
            (Self::Classes { .. }, Output::Value(_)) | (Self::Values { .. }, Output::Probabilities(_)) => None,
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        let fits = match self {
            Self::Classes { .. } => true,
            Self::Values { edges, shares } => {
                shares.len() == edges.len() + 1 && edges.iter().all(|edge| edge.is_finite()) && edges.is_sorted()
            }
        };
        fits && are_shares(self.shares())
    }
}

#[cfg(test)]
mod tests {
    use super::{Output, PredictionReference};

    #[test]
    fn classes_are_counted_by_the_most_probable_one() {
        let outputs = [vec![0.9, 0.1], vec![0.8, 0.2], vec![0.3, 0.7], vec![0.6, 0.4]].map(Output::Probabilities);
        let reference = PredictionReference::fit(&outputs).unwrap();
        assert_eq!(reference, PredictionReference::Classes { shares: vec![0.75, 0.25] });
    }

    #[test]
    fn numbers_have_ten_bins_of_equal_shares() {
        let outputs: Vec<Output> = (1..=100).map(|number| Output::Value(f64::from(number))).collect();
        let reference = PredictionReference::fit(&outputs).unwrap();
        assert_eq!(reference.edges(), [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0]);
        assert!(reference.shares().iter().all(|share| (share - 0.1).abs() < 1e-12), "{:?}", reference.shares());
        assert!(reference.is_sound());
    }

    #[test]
    fn nothing_predicted_is_no_reference_and_unfit_numbers_are_unsound() {
        assert_eq!(PredictionReference::fit(&[]), None);
        assert!(!PredictionReference::Values { edges: vec![1.0], shares: vec![1.0] }.is_sound());
        assert!(!PredictionReference::Values { edges: vec![2.0, 1.0], shares: vec![0.5, 0.2, 0.3] }.is_sound());
        assert!(!PredictionReference::Classes { shares: vec![f64::NAN] }.is_sound());
    }
}
