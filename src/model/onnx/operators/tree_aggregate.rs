//! From the leaves of all trees to one number a class or target, and from numbers to probabilities.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::TractResult;

use super::tree_nodes::Trees;

/// How the trees are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregate {
    Sum,
    Average,
    Least,
    Greatest,
}

impl Aggregate {
    pub(super) fn read(node: &NodeProto) -> TractResult<Self> {
        Ok(match node.get_attr_opt::<&str>("aggregate_function")?.unwrap_or("SUM") {
            "SUM" => Self::Sum,
            "AVERAGE" => Self::Average,
            "MIN" => Self::Least,
            "MAX" => Self::Greatest,
            other => return node.bail(&format!("the aggregate function {other} is not one of the specification")),
        })
    }

    /// One number a target, before base values.
    pub(super) fn of(self, trees: &Trees, row: &[f64], count: usize) -> Vec<f64> {
        let mut totals: Vec<Option<f64>> = vec![None; count];
        for (target, amount) in trees.leaves(row).flatten() {
            let Some(total) = totals.get_mut(*target) else { continue };
            *total = Some(match (self, *total) {
                (_, None) => *amount,
                (Self::Sum | Self::Average, Some(total)) => total + amount,
                (Self::Least, Some(total)) => total.min(*amount),
                (Self::Greatest, Some(total)) => total.max(*amount),
            });
        }
        let share = if self == Self::Average { 1.0 / crate::model::number::float(trees.len().max(1)) } else { 1.0 };
        totals.into_iter().map(|total| total.unwrap_or(0.0) * share).collect()
    }
}

/// What is made of the numbers in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PostTransform {
    None,
    Softmax,
    /// As softmax, but what is zero stays zero.
    SoftmaxZero,
    Logistic,
}

impl PostTransform {
    pub(super) fn read(node: &NodeProto) -> TractResult<Self> {
        Ok(match node.get_attr_opt::<&str>("post_transform")?.unwrap_or("NONE") {
            "NONE" => Self::None,
            "SOFTMAX" => Self::Softmax,
            "SOFTMAX_ZERO" => Self::SoftmaxZero,
            "LOGISTIC" => Self::Logistic,
            other => return node.bail(&format!("the post transform {other} is not supported")),
        })
    }

    pub(super) fn apply(self, scores: &mut [f64]) {
        match self {
            Self::None => {}
            Self::Logistic => scores.iter_mut().for_each(|score| *score = logistic(*score)),
            Self::Softmax => softmax(scores, |_| true),
            Self::SoftmaxZero => softmax(scores, |score| score.abs() > 1e-7),
        }
    }
}

pub(super) fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

fn softmax(scores: &mut [f64], takes_part: impl Fn(f64) -> bool) {
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = if takes_part(*score) { (*score - greatest).exp() } else { 0.0 };
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
}
