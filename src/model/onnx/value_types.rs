//! What inputs and outputs of a graph are made of.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Length;
use tract_onnx::pb::type_proto::{Tensor, Value};
use tract_onnx::pb::{GraphProto, ValueInfoProto};
use tract_onnx::tract_hir::internal::DatumType;

use super::onnx_error::OnnxError;

/// What an output holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elements {
    /// Numbers with fractions: probabilities, scores, values.
    Numbers,
    /// Integers or text: names of classes.
    Labels,
    /// Anything else.
    Other,
}

pub(super) fn elements(value: &ValueInfoProto) -> Elements {
    match tensor(value).and_then(|tensor| DataType::try_from(tensor.elem_type).ok()) {
        Some(DataType::Float | DataType::Double | DataType::Float16) => Elements::Numbers,
        Some(DataType::Int64 | DataType::Int32 | DataType::String | DataType::Bool) => Elements::Labels,
        _ => Elements::Other,
    }
}

/// An input: a column, or several side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) kind: InputKind,
    /// How many columns; `None` where the graph takes any number.
    pub(super) width: Option<usize>,
    /// Whether it is a list, one value a record, and no table.
    pub(super) is_list: bool,
    /// Whether the graph was made for one record at a time.
    pub(super) one_row: bool,
}

/// What an input takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputKind {
    Single,
    Double,
    Long,
    Int,
    Truth,
    Text,
}

impl InputKind {
    /// The type of its tensor. Text goes in as codes.
    pub(super) fn datum_type(self) -> DatumType {
        match self {
            Self::Single => DatumType::F32,
            Self::Double => DatumType::F64,
            Self::Long | Self::Text => DatumType::I64,
            Self::Int => DatumType::I32,
            Self::Truth => DatumType::Bool,
        }
    }
}

/// The inputs, in their order; asked before text is made codes.
pub(super) fn inputs(graph: &GraphProto) -> Result<Vec<Input>, OnnxError> {
    graph.input.iter().map(input).collect()
}

fn input(value: &ValueInfoProto) -> Result<Input, OnnxError> {
    let wrong = |reason: &str| OnnxError::Input { input: value.name.clone(), reason: reason.to_owned() };
    let Some(tensor) = tensor(value) else { return Err(wrong("is no tensor")) };
    let kind = match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Float) => InputKind::Single,
        Ok(DataType::Double) => InputKind::Double,
        Ok(DataType::Int64) => InputKind::Long,
        Ok(DataType::Int32) => InputKind::Int,
        Ok(DataType::Bool) => InputKind::Truth,
        Ok(DataType::String) => InputKind::Text,
        _ => return Err(wrong("takes neither float, double, int64, int32, bool nor string")),
    };
    let lengths: Option<Vec<Option<usize>>> = tensor.shape.as_ref().map(|shape| {
        let length = |dimension: &Dimension| match &dimension.value {
            Some(Length::DimValue(value)) => usize::try_from(*value).ok(),
            Some(Length::DimParam(_)) | None => None,
        };
        shape.dim.iter().map(length).collect()
    });
    let (rows, width, is_list) = match lengths.as_deref() {
        Some([rows]) => (*rows, Some(1), true),
        Some([rows, width]) => (*rows, *width, false),
        None => (None, None, false),
        Some(other) => return Err(wrong(&format!("has {} dimensions", other.len()))),
    };
    match rows {
        None | Some(1) => Ok(Input { name: value.name.clone(), kind, width, is_list, one_row: rows.is_some() }),
        Some(rows) => Err(wrong(&format!(
            "takes {rows} records at once, neither more nor less; export it with a dynamic first axis"
        ))),
    }
}

fn tensor(value: &ValueInfoProto) -> Option<&Tensor> {
    match value.r#type.as_ref()?.value.as_ref()? {
        Value::TensorType(tensor) => Some(tensor),
    }
}
