//! Attributes of nodes that may come in more than one form.

use tract_onnx::model::ParsingContext;
use tract_onnx::pb::{NodeProto, TensorProto};
use tract_onnx::tract_hir::internal::TractResult;

/// A list of numbers; empty when it is not there.
pub(super) fn floats(node: &NodeProto, name: &str) -> TractResult<Vec<f64>> {
    let floats = node.get_attr_opt_slice::<f32>(name)?.unwrap_or_default();
    Ok(floats.iter().map(|number| f64::from(*number)).collect())
}

/// A list of integers; empty when it is not there.
pub(super) fn integers(node: &NodeProto, name: &str) -> TractResult<Vec<i64>> {
    Ok(node.get_attr_opt_slice::<i64>(name)?.unwrap_or_default().to_vec())
}

/// A list of places; empty when it is not there.
pub(super) fn places(node: &NodeProto, name: &str) -> TractResult<Vec<usize>> {
    Ok(node.get_attr_opt_vec::<usize>(name)?.unwrap_or_default())
}

/// A tensor of numbers; `None` when it is not there.
pub(super) fn tensor(context: &ParsingContext<'_>, node: &NodeProto, name: &str) -> TractResult<Option<Vec<f64>>> {
    let Some(proto) = node.get_attr_opt::<&TensorProto>(name)? else { return Ok(None) };
    let tensor = context.load_tensor(proto)?;
    Ok(Some(tensor.cast_to::<f64>()?.try_as_plain_ram()?.as_slice::<f64>()?.to_vec()))
}

/// A list of numbers in single precision, or as a tensor of double precision under `NAME_as_tensor`.
pub(super) fn numbers(context: &ParsingContext<'_>, node: &NodeProto, name: &str) -> TractResult<Vec<f64>> {
    let single = floats(node, name)?;
    if !single.is_empty() {
        return Ok(single);
    }
    Ok(tensor(context, node, &format!("{name}_as_tensor"))?.unwrap_or_default())
}

/// An integer as a number. Codes and categories are far below 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "codes and categories stay far below 2^53, where every integer is exact"
)]
pub(super) fn float(integer: i64) -> f64 {
    integer as f64
}
