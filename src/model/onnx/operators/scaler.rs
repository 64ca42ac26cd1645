//! `Scaler`: `(x − offset) · scale` by column, or with one offset and scale for all.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::{DatumType, TDim, TVec, Tensor, TractResult, bail};

use super::Operator;
use super::attributes::floats;
use super::rows::{self, Rows};

#[derive(Debug)]
pub(super) struct Scaler {
    offset: Vec<f64>,
    scale: Vec<f64>,
}

pub(super) fn read(node: &NodeProto) -> TractResult<Scaler> {
    let (offset, scale) = (floats(node, "offset")?, floats(node, "scale")?);
    if offset.is_empty() || scale.is_empty() {
        return node.bail("expected an offset and a scale");
    }
    Ok(Scaler { offset, scale })
}

impl Operator for Scaler {
    fn name(&self) -> &'static str {
        "Scaler"
    }

    fn outputs(&self, _kind: DatumType, shape: &[TDim]) -> TractResult<Vec<(DatumType, TVec<TDim>)>> {
        Ok(vec![(DatumType::F32, shape.iter().cloned().collect())])
    }

    fn apply(&self, input: &Tensor) -> TractResult<Vec<Tensor>> {
        let rows = Rows::read(input)?;
        let mut scaled = Vec::with_capacity(rows.numbers().len());
        for row in rows.iter() {
            for (column, number) in row.iter().enumerate() {
                let (Some(offset), Some(scale)) = (of_column(&self.offset, column), of_column(&self.scale, column))
                else {
                    bail!("the Scaler has {} offsets for {} columns", self.offset.len(), row.len());
                };
                scaled.push((number - offset) * scale);
            }
        }
        Ok(vec![rows::floats(input.shape(), &scaled)?])
    }
}

/// The value of a column; a list of one stands for all columns.
pub(super) fn of_column(values: &[f64], column: usize) -> Option<f64> {
    match values {
        [one] => Some(*one),
        _ => values.get(column).copied(),
    }
}
