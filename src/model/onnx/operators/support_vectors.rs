//! The kernels of support vector machines.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::TractResult;

use super::attributes::floats;

/// How alike two rows are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kernel {
    kind: Kind,
    gamma: f64,
    constant: f64,
    degree: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Polynomial,
    Gaussian,
    Sigmoid,
}

impl Kernel {
    pub(super) fn read(node: &NodeProto) -> TractResult<Self> {
        let parameters = floats(node, "kernel_params")?;
        let parameter = |place: usize| parameters.get(place).copied().unwrap_or(0.0);
        let kind = match node.get_attr_opt::<&str>("kernel_type")?.unwrap_or("LINEAR") {
            "LINEAR" => Kind::Linear,
            "POLY" => Kind::Polynomial,
            "RBF" => Kind::Gaussian,
            "SIGMOID" => Kind::Sigmoid,
            other => return node.bail(&format!("the kernel {other} is not one of the specification")),
        };
        Ok(Self { kind, gamma: parameter(0), constant: parameter(1), degree: parameter(2) })
    }

    pub(super) fn of(&self, one: &[f64], other: &[f64]) -> f64 {
        let product = || one.iter().zip(other).map(|(one, other)| one * other).sum::<f64>();
        match self.kind {
            Kind::Linear => product(),
            Kind::Polynomial => (self.gamma * product() + self.constant).powf(self.degree),
            Kind::Sigmoid => (self.gamma * product() + self.constant).tanh(),
            Kind::Gaussian => {
                let distance: f64 = one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum();
                (-self.gamma * distance).exp()
            }
        }
    }
}

/// Rows that were kept of the training.
#[derive(Debug)]
pub(super) struct SupportVectors {
    numbers: Vec<f64>,
    width: usize,
}

impl SupportVectors {
    /// So many rows of equal width.
    pub(super) fn read(node: &NodeProto, count: usize) -> TractResult<Self> {
        let numbers = floats(node, "support_vectors")?;
        if count == 0 || numbers.is_empty() || !numbers.len().is_multiple_of(count) {
            return node.bail("expected support vectors of equal width");
        }
        let width = numbers.len() / count;
        Ok(Self { numbers, width })
    }

    /// How alike each of them is to a row.
    pub(super) fn kernels(&self, kernel: &Kernel, row: &[f64]) -> Vec<f64> {
        self.numbers.chunks_exact(self.width).map(|vector| kernel.of(vector, row)).collect()
    }
}
