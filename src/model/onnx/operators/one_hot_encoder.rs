//! `OneHotEncoder`: one number a category, 1 for the one that is there, in one more dimension at the end.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::{DatumType, TDim, TVec, Tensor, ToDim as _, TractResult, bail};

use super::Operator;
use super::attributes::{float, integers};
use super::rows::{self, Rows};

#[derive(Debug)]
pub(super) struct OneHotEncoder {
    categories: Vec<f64>,
    /// Whether a value that is none of the categories is all zeros; else it is an error.
    zeros: bool,
}

pub(super) fn read(node: &NodeProto) -> TractResult<OneHotEncoder> {
    let categories: Vec<f64> = integers(node, "cats_int64s")?.into_iter().map(float).collect();
    if categories.is_empty() {
        return node.bail("expected categories");
    }
    Ok(OneHotEncoder { categories, zeros: node.get_attr_opt::<i64>("zeros")?.unwrap_or(1) != 0 })
}

impl Operator for OneHotEncoder {
    fn name(&self) -> &'static str {
        "OneHotEncoder"
    }

    fn outputs(&self, _kind: DatumType, shape: &[TDim]) -> TractResult<Vec<(DatumType, TVec<TDim>)>> {
        let mut longer: TVec<TDim> = shape.iter().cloned().collect();
        longer.push(self.categories.len().to_dim());
        Ok(vec![(DatumType::F32, longer)])
    }

    fn apply(&self, input: &Tensor) -> TractResult<Vec<Tensor>> {
        let numbers = Rows::read(input)?.into_numbers();
        let mut encoded = Vec::with_capacity(numbers.len() * self.categories.len());
        for number in numbers {
            // The specification casts to integers, so 2.0 and 2.7 are both category 2.
            let whole = number.trunc();
            let mut found = false;
            for category in &self.categories {
                let is_there = category.total_cmp(&(whole + 0.0)).is_eq();
                found |= is_there;
                encoded.push(if is_there { 1.0 } else { 0.0 });
            }
            if !found && !self.zeros {
                bail!("the OneHotEncoder does not know a category, and is told to refuse such");
            }
        }
        let mut shape = input.shape().to_vec();
        shape.push(self.categories.len());
        Ok(vec![rows::floats(&shape, &encoded)?])
    }
}
