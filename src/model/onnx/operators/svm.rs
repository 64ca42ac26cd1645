//! `SVMRegressor` and `SVMClassifier`, as libsvm's machines are exported: sums over support vectors, for a classifier one a
//! pair of classes, made probabilities where the machine was trained for them (`svm_pairs`).
//!
//! Classifiers without support vectors (a line a class) are not read: exporters write `LinearClassifier` for them.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::{DatumType, TDim, TVec, Tensor, TractResult};

use super::Operator;
use super::attributes::{floats, integers, places};
use super::rows::{self, Rows};
use super::support_vectors::{Kernel, SupportVectors};
use super::svm_pairs::probabilities;
use super::tree_aggregate::PostTransform;
use super::tree_ensemble::label;

#[derive(Debug)]
pub(super) struct Regressor {
    vectors: SupportVectors,
    kernel: Kernel,
    coefficients: Vec<f64>,
    constant: f64,
}

#[derive(Debug)]
pub(super) struct Classifier {
    vectors: SupportVectors,
    kernel: Kernel,
    labels: Vec<i64>,
    /// Where the support vectors of each class begin, and at last where they end.
    starts: Vec<usize>,
    /// One list of coefficients for each class but one.
    coefficients: Vec<Vec<f64>>,
    /// One constant a pair.
    constants: Vec<f64>,
    /// For each pair the line by which its score becomes a probability; without them scores are given.
    lines: Vec<(f64, f64)>,
}

pub(super) fn regressor(node: &NodeProto) -> TractResult<Regressor> {
    let count = node.get_attr_opt::<usize>("n_supports")?.unwrap_or(0);
    let coefficients = floats(node, "coefficients")?;
    if node.get_attr_opt::<i64>("one_class")?.unwrap_or(0) != 0 {
        return node.bail("machines of one class find outliers and predict nothing; they are not supported");
    }
    if coefficients.len() != count || PostTransform::read(node)? != PostTransform::None {
        return node.bail("expected a coefficient for each support vector, and no post transform");
    }
    let constant = floats(node, "rho")?.first().copied().unwrap_or(0.0);
    Ok(Regressor { vectors: SupportVectors::read(node, count)?, kernel: Kernel::read(node)?, coefficients, constant })
}

pub(super) fn classifier(node: &NodeProto) -> TractResult<Classifier> {
    let labels = integers(node, "classlabels_ints")?;
    let classes = labels.len();
    let by_class = places(node, "vectors_per_class")?;
    if classes < 2 || by_class.len() != classes {
        return node.bail("expected support vectors and a label for each class, and two classes at least");
    }
    let mut starts = vec![0];
    let mut count = 0_usize;
    for vectors in by_class {
        count = count.saturating_add(vectors);
        starts.push(count);
    }
    let vectors = SupportVectors::read(node, count)?;
    let coefficients: Vec<Vec<f64>> = floats(node, "coefficients")?.chunks(count).map(<[f64]>::to_vec).collect();
    let constants = floats(node, "rho")?;
    let lines: Vec<(f64, f64)> = floats(node, "prob_a")?.into_iter().zip(floats(node, "prob_b")?).collect();
    let pairs = classes * (classes - 1) / 2;
    let lists_fit = coefficients.len() == classes - 1 && coefficients.iter().all(|list| list.len() == count);
    if !lists_fit || constants.len() != pairs || !(lines.is_empty() || lines.len() == pairs) {
        return node.bail("expected coefficients for each class but one, and a constant for each pair");
    }
    if PostTransform::read(node)? != PostTransform::None {
        return node.bail("a post transform of a support vector machine is not supported");
    }
    Ok(Classifier { vectors, kernel: Kernel::read(node)?, labels, starts, coefficients, constants, lines })
}

impl Operator for Regressor {
    fn name(&self) -> &'static str {
        "SVMRegressor"
    }

    fn outputs(&self, _kind: DatumType, shape: &[TDim]) -> TractResult<Vec<(DatumType, TVec<TDim>)>> {
        Ok(vec![rows::table(DatumType::F32, shape, 1)])
    }

    fn apply(&self, input: &Tensor) -> TractResult<Vec<Tensor>> {
        let rows = Rows::read(input)?;
        let values: Vec<f64> = rows
            .iter()
            .map(|row| dot(&self.coefficients, &self.vectors.kernels(&self.kernel, row)) + self.constant)
            .collect();
        Ok(vec![rows::floats(&[rows.len(), 1], &values)?])
    }
}

impl Classifier {
    /// How many numbers a row has: one a class, or, of machines without probabilities, one a pair. The one score of two
    /// classes is given for both.
    fn width(&self) -> usize {
        if self.lines.is_empty() && self.labels.len() > 2 { self.constants.len() } else { self.labels.len() }
    }

    /// The score of each pair of classes, in the order (0, 1), (0, 2), …, (1, 2), …
    fn pairs(&self, row: &[f64]) -> Vec<f64> {
        let kernels = self.vectors.kernels(&self.kernel, row);
        let part = |list: usize, class: usize| {
            let (start, end) = (self.starts.get(class)?, self.starts.get(class + 1)?);
            Some(dot(self.coefficients.get(list)?.get(*start..*end)?, kernels.get(*start..*end)?))
        };
        let classes = self.labels.len();
        let each = (0..classes).flat_map(|one| (one + 1..classes).map(move |other| (one, other)));
        each.zip(&self.constants)
            .map(|((one, other), constant)| {
                part(other - 1, one).unwrap_or(0.0) + part(one, other).unwrap_or(0.0) + constant
            })
            .collect()
    }

    fn scores(&self, row: &[f64]) -> Vec<f64> {
        let pairs = self.pairs(row);
        if !self.lines.is_empty() {
            return probabilities(&pairs, &self.lines, self.labels.len());
        }
        match pairs.as_slice() {
            [score] => vec![-score, *score],
            _ => pairs,
        }
    }
}

impl Operator for Classifier {
    fn name(&self) -> &'static str {
        "SVMClassifier"
    }

    fn count(&self) -> usize {
        2
    }

    fn outputs(&self, _kind: DatumType, shape: &[TDim]) -> TractResult<Vec<(DatumType, TVec<TDim>)>> {
        Ok(vec![rows::column(DatumType::I64, shape), rows::table(DatumType::F32, shape, self.width())])
    }

    fn apply(&self, input: &Tensor) -> TractResult<Vec<Tensor>> {
        let rows = Rows::read(input)?;
        let mut labels = Vec::with_capacity(rows.len());
        let mut table = Vec::with_capacity(rows.len() * self.width());
        for row in rows.iter() {
            let scores = self.scores(row);
            labels.push(label(&self.labels, &scores));
            table.extend(scores);
        }
        Ok(vec![Tensor::from_shape(&[rows.len()], &labels)?, rows::floats(&[rows.len(), self.width()], &table)?])
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}
