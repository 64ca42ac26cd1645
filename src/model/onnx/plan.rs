//! The runtime's plan of a graph, and how it is run: rows in, a table of numbers out.
//!
//! A plan is made for any number of rows where the graph allows it, so that the records of a request are one run; of graphs
//! that were made for one row, and of those whose shapes the runtime cannot follow, each row is a run. Panics of the runtime
//! end here: they become errors, as files from outside must not end a server.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use tract_onnx::Onnx;
use tract_onnx::pb::ModelProto;
use tract_onnx::tract_hir::internal::{
    InferenceFact, InferenceModelExt as _, IntoTValue as _, TDim, TValue, TVec, Tensor, ToDim as _, TractResult,
    TypedSimplePlan, bail,
};

use super::value_types::{Input, InputKind};

/// What a plan is made of.
pub(super) struct Source<'a> {
    pub(super) onnx: &'a Onnx,
    pub(super) model: &'a ModelProto,
    /// Where weights lie that exporters put beside the graph; the runtime reads nothing outside of it.
    pub(super) folder: &'a Path,
}

/// A graph that can be run.
#[derive(Debug)]
pub(super) struct Plan {
    runnable: Arc<TypedSimplePlan>,
    inputs: Vec<PlannedInput>,
    one_row: bool,
}

/// An input with the width that was settled.
#[derive(Debug, Clone)]
pub(super) struct PlannedInput {
    pub(super) kind: InputKind,
    pub(super) width: usize,
    pub(super) is_list: bool,
}

impl PlannedInput {
    pub(super) fn new(input: &Input, width: usize) -> Self {
        Self { kind: input.kind, width, is_list: input.is_list }
    }

    fn shape<T>(&self, rows: T, width: impl FnOnce(usize) -> T) -> Vec<T> {
        if self.is_list { vec![rows] } else { vec![rows, width(self.width)] }
    }
}

/// The values of an input for some rows, row after row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Values {
    Floats(Vec<f64>),
    Integers(Vec<i64>),
}

/// Numbers for rows, row after row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answers {
    pub(super) numbers: Vec<f64>,
    pub(super) width: usize,
}

impl Plan {
    /// Makes the plan and tries it with `sample`, two rows of values that a record could have. Also how wide answers are.
    pub(super) fn new(
        source: &Source<'_>,
        inputs: &[PlannedInput],
        one_row: bool,
        sample: &[Values],
    ) -> Result<(Self, usize), String> {
        let ways: &[bool] = if one_row { &[true] } else { &[false, true] };
        let mut first_reason = None;
        for one_row in ways.iter().copied() {
            let planned = guarded(|| plan(source, inputs, one_row)).and_then(|plan| {
                let plan = Self { runnable: plan, inputs: inputs.to_vec(), one_row };
                let width = plan.run(sample, 2)?.width;
                Ok((plan, width))
            });
            match planned {
                Ok(planned) => return Ok(planned),
                // The plan for many rows is the one that is wanted, so what is wrong with it is told.
                Err(reason) => first_reason = first_reason.or(Some(reason)),
            }
        }
        Err(first_reason.unwrap_or_default())
    }

    /// Runs rows. The values of each input are `rows` times its width.
    pub(super) fn run(&self, values: &[Values], rows: usize) -> Result<Answers, String> {
        if !self.one_row || rows == 1 {
            return guarded(|| self.run_at_once(values, rows));
        }
        let mut all = Answers { numbers: Vec::new(), width: 1 };
        for row in 0..rows {
            let one: Vec<Values> =
                values.iter().zip(&self.inputs).map(|(values, input)| values.row(row, input.width)).collect();
            let answer = guarded(|| self.run_at_once(&one, 1))?;
            all.numbers.extend(answer.numbers);
            all.width = answer.width;
        }
        Ok(all)
    }

    fn run_at_once(&self, values: &[Values], rows: usize) -> TractResult<Answers> {
        let mut tensors: TVec<TValue> = TVec::new();
        for (values, input) in values.iter().zip(&self.inputs) {
            let shape = input.shape(rows, |width| width);
            tensors.push(values.tensor(&shape, input.kind)?.into_tvalue());
        }
        let outputs = self.runnable.run(tensors)?;
        let Some(output) = outputs.first() else { bail!("it gave nothing") };
        let numbers = output.cast_to::<f64>()?.try_as_plain_ram()?.as_slice::<f64>()?.to_vec();
        if rows == 0 || numbers.is_empty() || !numbers.len().is_multiple_of(rows) {
            bail!("it gave {} numbers for {rows} records", numbers.len());
        }
        let width = numbers.len() / rows;
        let is_table = match output.shape() {
            [] => rows == 1,
            // Of a graph that was made for one record it may be the record's list.
            [length] => *length == rows || rows == 1,
            [length, rest @ ..] => *length == rows && rest.iter().filter(|length| **length > 1).count() < 2,
        };
        if !is_table {
            bail!("it gave something of the shape {:?} for {rows} records", output.shape());
        }
        Ok(Answers { numbers, width })
    }
}

impl Values {
    fn tensor(&self, shape: &[usize], kind: InputKind) -> TractResult<Tensor> {
        let wide = match self {
            Self::Integers(integers) if kind == InputKind::Truth => {
                let truths: Vec<bool> = integers.iter().map(|integer| *integer != 0).collect();
                return Tensor::from_shape(shape, &truths);
            }
            Self::Floats(floats) => Tensor::from_shape(shape, floats)?,
            Self::Integers(integers) => Tensor::from_shape(shape, integers)?,
        };
        Ok(wide.cast_to_dt(kind.datum_type())?.into_owned())
    }

    fn row(&self, row: usize, width: usize) -> Self {
        let range = row * width..(row + 1) * width;
        match self {
            Self::Floats(floats) => Self::Floats(floats.get(range).unwrap_or_default().to_vec()),
            Self::Integers(integers) => Self::Integers(integers.get(range).unwrap_or_default().to_vec()),
        }
    }
}

fn plan(source: &Source<'_>, inputs: &[PlannedInput], one_row: bool) -> TractResult<Arc<TypedSimplePlan>> {
    let parsed = source.onnx.parse(source.model, source.folder.to_str())?;
    if let Some(name) = parsed.unresolved_inputs.first() {
        bail!("nothing in it gives the value \"{name}\"");
    }
    let mut graph = parsed.model;
    let rows: TDim = if one_row { 1.to_dim() } else { graph.symbols.sym("records").into() };
    for (place, input) in inputs.iter().enumerate() {
        let shape = input.shape(rows.clone(), |width| width.to_dim());
        graph.set_input_fact(place, InferenceFact::dt_shape(input.kind.datum_type(), shape))?;
    }
    TypedSimplePlan::new(graph.into_optimized()?)
}

/// Runs what the runtime does, and makes a panic of it an error.
fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(format!("{error:#}")),
        Err(panic) => {
            let said =
                panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("the runtime gave up: {}", said.unwrap_or("it did not say why")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_of_the_runtime_is_an_error_with_its_words() {
        let error = guarded::<()>(|| panic!("index {} of {}", 3, 2)).unwrap_err();
        assert_eq!(error, "the runtime gave up: index 3 of 2");
    }
}
