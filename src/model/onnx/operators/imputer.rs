//! `Imputer`: puts a value by column in the place of one that stands for "no value". Type and shape stay.

use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::{DatumType, TDim, TVec, Tensor, TractResult, bail};

use super::Operator;
use super::attributes::{float, floats, integers};
use super::rows::Rows;
use super::scaler::of_column;

#[derive(Debug)]
pub(super) struct Imputer {
    /// What is put in, by column.
    values: Vec<f64>,
    /// What it is put in place of; NaN is equal to NaN here.
    replaced: f64,
}

pub(super) fn read(node: &NodeProto) -> TractResult<Imputer> {
    let values = floats(node, "imputed_value_floats")?;
    if !values.is_empty() {
        let replaced = node.get_attr_opt::<f32>("replaced_value_float")?.unwrap_or(0.0);
        return Ok(Imputer { values, replaced: f64::from(replaced) });
    }
    let values: Vec<f64> = integers(node, "imputed_value_int64s")?.into_iter().map(float).collect();
    if values.is_empty() {
        return node.bail("expected values to put in");
    }
    let replaced = node.get_attr_opt::<i64>("replaced_value_int64")?.unwrap_or(0);
    Ok(Imputer { values, replaced: float(replaced) })
}

impl Imputer {
    fn is_replaced(&self, number: f64) -> bool {
        number.total_cmp(&self.replaced).is_eq() || (number.is_nan() && self.replaced.is_nan())
    }
}

impl Operator for Imputer {
    fn name(&self) -> &'static str {
        "Imputer"
    }

    fn outputs(&self, kind: DatumType, shape: &[TDim]) -> TractResult<Vec<(DatumType, TVec<TDim>)>> {
        Ok(vec![(kind_of(kind), shape.iter().cloned().collect())])
    }

    fn apply(&self, input: &Tensor) -> TractResult<Vec<Tensor>> {
        let rows = Rows::read(input)?;
        let mut imputed = Vec::with_capacity(rows.numbers().len());
        for row in rows.iter() {
            for (column, number) in row.iter().enumerate() {
                let Some(value) = of_column(&self.values, column) else {
                    bail!("the Imputer has {} values for {} columns", self.values.len(), row.len());
                };
                imputed.push(if self.is_replaced(*number) { value } else { *number });
            }
        }
        let wide = Tensor::from_shape(input.shape(), &imputed)?;
        Ok(vec![wide.cast_to_dt(kind_of(input.datum_type()))?.into_owned()])
    }
}

/// Integers that the runtime keeps as dimensions come out as plain ones.
fn kind_of(kind: DatumType) -> DatumType {
    if kind == DatumType::TDim { DatumType::I64 } else { kind }
}
