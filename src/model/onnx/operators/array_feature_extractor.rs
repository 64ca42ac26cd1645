//! `ArrayFeatureExtractor`: picks columns of a table by their places. The runtime has one that keeps the shape of the list of
//! places; exporters count on what onnxruntime does, which flattens the list.

use tract_onnx::tract_hir::internal::{
    AxisOp, Expansion, InferenceResult, OutletId, Solver, SpecialOps as _, StaticName, TDim, TVec, TensorProxy,
    ToDim as _, TractResult, TypedModel, bail, check_input_arity, check_output_arity, expand,
};
use tract_onnx::tract_hir::tract_core::ops::array::Gather;

use super::Built;

#[derive(Debug, Clone)]
struct ArrayFeatureExtractor;

pub(super) fn build() -> Built {
    (expand(ArrayFeatureExtractor), Vec::new())
}

/// The rows of the table, and as many columns as there are places.
fn picked(table: &[TDim], places: &[TDim]) -> TVec<TDim> {
    let mut shape: TVec<TDim> = match table {
        [] | [_] => std::iter::once(1.to_dim()).collect(),
        [rows @ .., _] => rows.iter().cloned().collect(),
    };
    shape.push(places.iter().product());
    shape
}

impl Expansion for ArrayFeatureExtractor {
    fn name(&self) -> StaticName {
        "ArrayFeatureExtractor".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 2)?;
        check_output_arity(outputs, 1)?;
        let ([table, places], [output]) = (inputs, outputs) else { return Ok(()) };
        solver.equals(&table.datum_type, &output.datum_type)?;
        solver.given_2(&table.shape, &places.shape, move |solver, table, places| {
            solver.equals(&output.shape, picked(&table, &places))
        })
    }

    fn wire(&self, prefix: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let [table, places] = inputs else {
            bail!("ArrayFeatureExtractor takes two inputs, not {}", inputs.len());
        };
        let (mut table, mut places) = (*table, *places);
        if model.outlet_fact(table)?.rank() == 1 {
            table = first(&model.wire_node(format!("{prefix}.row"), AxisOp::Add(0), &[table])?)?;
        }
        let list = model.outlet_fact(places)?.shape.to_tvec();
        if list.len() != 1 {
            let flat: TVec<TDim> = std::iter::once(list.iter().product()).collect();
            let reshape = AxisOp::Reshape(0, list, flat);
            places = first(&model.wire_node(format!("{prefix}.places"), reshape, &[places])?)?;
        }
        let axis = model.outlet_fact(table)?.rank().saturating_sub(1);
        model.wire_node(prefix, Gather { axis, output_type: None }, &[table, places])
    }
}

fn first(outlets: &[OutletId]) -> TractResult<OutletId> {
    match outlets {
        [outlet, ..] => Ok(*outlet),
        [] => bail!("an operator without outputs"),
    }
}
