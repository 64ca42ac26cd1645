//! `LabelEncoder`: looks each value up in a table of keys and values, of the versions 2 and 4 of the operator.

use std::collections::BTreeMap;

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_hir::internal::{DatumType, TDim, TVec, Tensor, TractResult};

use super::Operator;
use super::attributes::{float, floats, integers, tensor};
use super::rows::Rows;

#[derive(Debug)]
pub(super) struct LabelEncoder {
    /// From the bits of a key to its value.
    values: BTreeMap<u64, f64>,
    unknown: f64,
    kind: DatumType,
}

pub(super) fn read(context: &ParsingContext<'_>, node: &NodeProto) -> TractResult<LabelEncoder> {
    let (keys, _) = list(context, node, "keys")?;
    let (values, kind) = list(context, node, "values")?;
    if keys.is_empty() || keys.len() != values.len() {
        return node.bail("expected as many values as keys, and one at least");
    }
    let unknown = match tensor(context, node, "default_tensor")?.as_deref() {
        Some([unknown, ..]) => *unknown,
        Some([]) | None if kind == DatumType::I64 => float(node.get_attr_opt::<i64>("default_int64")?.unwrap_or(-1)),
        Some([]) | None => f64::from(node.get_attr_opt::<f32>("default_float")?.unwrap_or(-0.0)),
    };
    // The first of equal keys counts.
    let mut table = BTreeMap::new();
    for (key, value) in keys.into_iter().zip(values) {
        table.entry(bits(key)).or_insert(value);
    }
    Ok(LabelEncoder { values: table, unknown, kind })
}

/// A list that comes as integers, as numbers or as a tensor; with its type.
fn list(context: &ParsingContext<'_>, node: &NodeProto, name: &str) -> TractResult<(Vec<f64>, DatumType)> {
    let whole = integers(node, &format!("{name}_int64s"))?;
    if !whole.is_empty() {
        return Ok((whole.into_iter().map(float).collect(), DatumType::I64));
    }
    if let Some(numbers) = tensor(context, node, &format!("{name}_tensor"))? {
        // Types of tensors other than these two are not written by exporters.
        let proto: &tract_onnx::pb::TensorProto = node.get_attr(&format!("{name}_tensor"))?;
        let is_float = proto.data_type == tract_onnx::pb::tensor_proto::DataType::Float as i32
            || proto.data_type == tract_onnx::pb::tensor_proto::DataType::Double as i32;
        return Ok((numbers, if is_float { DatumType::F32 } else { DatumType::I64 }));
    }
    Ok((floats(node, &format!("{name}_floats"))?, DatumType::F32))
}

/// All NaN are one key, and so are both zeros.
fn bits(number: f64) -> u64 {
    if number.is_nan() { f64::NAN.to_bits() } else { (number + 0.0).to_bits() }
}

impl Operator for LabelEncoder {
    fn name(&self) -> &'static str {
        "LabelEncoder"
    }

    fn outputs(&self, _kind: DatumType, shape: &[TDim]) -> TractResult<Vec<(DatumType, TVec<TDim>)>> {
        Ok(vec![(self.kind, shape.iter().cloned().collect())])
    }

    fn apply(&self, input: &Tensor) -> TractResult<Vec<Tensor>> {
        let found: Vec<f64> = Rows::read(input)?
            .numbers()
            .iter()
            .map(|number| self.values.get(&bits(*number)).copied().unwrap_or(self.unknown))
            .collect();
        let wide = Tensor::from_shape(input.shape(), &found)?;
        Ok(vec![wide.cast_to_dt(self.kind)?.into_owned()])
    }
}
