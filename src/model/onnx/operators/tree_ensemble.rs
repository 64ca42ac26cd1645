//! `TreeEnsembleClassifier` and `TreeEnsembleRegressor`: what forests and boosted trees are exported as.
//!
//! The specification leaves open what two classes with amounts for one of them mean. As onnxruntime does: the amount is the
//! probability of the second class if it is never negative, and else its score, whose negation is that of the first.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::{DatumType, TDim, TVec, Tensor, TractResult};

use super::Operator;
use super::attributes::{integers, numbers};
use super::rows::{self, Rows};
use super::tree_aggregate::{Aggregate, PostTransform, logistic};
use super::tree_nodes::{self, Trees};

#[derive(Debug)]
pub(super) struct Classifier {
    trees: Trees,
    /// The codes of the classes.
    labels: Vec<i64>,
    base: Vec<f64>,
    post: PostTransform,
    pair: Option<Pair>,
}

/// Two classes of which only one has amounts.
#[derive(Debug, Clone, Copy)]
struct Pair {
    /// The one that has.
    class: usize,
    is_probability: bool,
}

#[derive(Debug)]
pub(super) struct Regressor {
    trees: Trees,
    targets: usize,
    base: Vec<f64>,
    aggregate: Aggregate,
    post: PostTransform,
}

pub(super) fn classifier(context: &ParsingContext<'_>, node: &NodeProto) -> TractResult<Classifier> {
    let trees = tree_nodes::read(context, node, "class")?;
    let labels = integers(node, "classlabels_int64s")?;
    if labels.len() < 2 || trees.greatest().is_none_or(|class| class >= labels.len()) {
        return node.bail("expected a label for each class, and two at least");
    }
    let pair = pair(&trees, labels.len());
    let (base, post) = (numbers(context, node, "base_values")?, PostTransform::read(node)?);
    Ok(Classifier { trees, labels, base, post, pair })
}

/// Room is taken for every target of every row; nobody has more than this many.
const MOST_TARGETS: usize = 100_000;

pub(super) fn regressor(context: &ParsingContext<'_>, node: &NodeProto) -> TractResult<Regressor> {
    let trees = tree_nodes::read(context, node, "target")?;
    let targets = node.get_attr_opt::<usize>("n_targets")?.unwrap_or(1);
    if targets == 0 || targets > MOST_TARGETS || trees.greatest().is_none_or(|target| target >= targets) {
        return node.bail("expected leaves of targets that there are");
    }
    let (base, post) = (numbers(context, node, "base_values")?, PostTransform::read(node)?);
    Ok(Regressor { trees, targets, base, aggregate: Aggregate::read(node)?, post })
}

fn pair(trees: &Trees, classes: usize) -> Option<Pair> {
    let class = trees.greatest()?;
    let only_one = classes == 2 && trees.weights().all(|(other, _)| other == class);
    only_one.then(|| Pair { class, is_probability: trees.weights().all(|(_, amount)| amount >= 0.0) })
}

impl Classifier {
    fn scores(&self, row: &[f64]) -> Vec<f64> {
        let mut scores = Aggregate::Sum.of(&self.trees, row, self.labels.len());
        let Some(pair) = self.pair else {
            add(&mut scores, &self.base);
            self.post.apply(&mut scores);
            return scores;
        };
        let base = self.base.last().copied().unwrap_or(0.0);
        let score = scores.get(pair.class).copied().unwrap_or(0.0) + base;
        if self.post == PostTransform::Logistic {
            vec![logistic(-score), logistic(score)]
        } else if pair.is_probability {
            vec![1.0 - score, score]
        } else {
            vec![-score, score]
        }
    }
}

impl Operator for Classifier {
    fn name(&self) -> &'static str {
        "TreeEnsembleClassifier"
    }

    fn count(&self) -> usize {
        2
    }

    fn outputs(&self, _kind: DatumType, shape: &[TDim]) -> TractResult<Vec<(DatumType, TVec<TDim>)>> {
        Ok(vec![rows::column(DatumType::I64, shape), rows::table(DatumType::F32, shape, self.labels.len())])
    }

    fn apply(&self, input: &Tensor) -> TractResult<Vec<Tensor>> {
        let rows = Rows::read(input)?;
        let mut labels = Vec::with_capacity(rows.len());
        let mut table = Vec::with_capacity(rows.len() * self.labels.len());
        for row in rows.iter() {
            let scores = self.scores(row);
            labels.push(label(&self.labels, &scores));
            table.extend(scores);
        }
        Ok(vec![Tensor::from_shape(&[rows.len()], &labels)?, rows::floats(&[rows.len(), self.labels.len()], &table)?])
    }
}

impl Operator for Regressor {
    fn name(&self) -> &'static str {
        "TreeEnsembleRegressor"
    }

    fn outputs(&self, _kind: DatumType, shape: &[TDim]) -> TractResult<Vec<(DatumType, TVec<TDim>)>> {
        Ok(vec![rows::table(DatumType::F32, shape, self.targets)])
    }

    fn apply(&self, input: &Tensor) -> TractResult<Vec<Tensor>> {
        let rows = Rows::read(input)?;
        let mut table = Vec::with_capacity(rows.len() * self.targets);
        for row in rows.iter() {
            let mut scores = self.aggregate.of(&self.trees, row, self.targets);
            add(&mut scores, &self.base);
            self.post.apply(&mut scores);
            table.extend(scores);
        }
        Ok(vec![rows::floats(&[rows.len(), self.targets], &table)?])
    }
}

fn add(scores: &mut [f64], base: &[f64]) {
    for (score, base) in scores.iter_mut().zip(base) {
        *score += base;
    }
}

/// The label of the greatest score, the first of equals.
pub(super) fn label(labels: &[i64], scores: &[f64]) -> i64 {
    let greatest = scores.iter().enumerate().rev().max_by(|(_, one), (_, other)| one.total_cmp(other));
    greatest.and_then(|(place, _)| labels.get(place)).copied().unwrap_or_default()
}
