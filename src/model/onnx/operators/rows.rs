//! Tables of numbers between the runtime's tensors and our arithmetic.

use tract_onnx::tract_hir::internal::{DatumType, TDim, TVec, Tensor, ToDim as _, TractResult};

/// A table, row after row. Whatever it came as, the arithmetic is that of `f64`, which holds each `f32` and each code.
pub(super) struct Rows {
    numbers: Vec<f64>,
    width: usize,
}

impl Rows {
    pub(super) fn read(input: &Tensor) -> TractResult<Self> {
        let numbers = input.cast_to::<f64>()?.try_as_plain_ram()?.as_slice::<f64>()?.to_vec();
        Ok(Self { numbers, width: input.shape().last().copied().unwrap_or(1).max(1) })
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len() / self.width
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.numbers.chunks_exact(self.width)
    }

    pub(super) fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    pub(super) fn into_numbers(self) -> Vec<f64> {
        self.numbers
    }
}

/// A tensor of single precision, as most operators give.
pub(super) fn floats(shape: &[usize], numbers: &[f64]) -> TractResult<Tensor> {
    let narrow: Vec<f32> = numbers.iter().map(|number| narrow(*number)).collect();
    Tensor::from_shape(shape, &narrow)
}

#[expect(clippy::cast_possible_truncation, reason = "the specification wants single precision here")]
fn narrow(number: f64) -> f32 {
    number as f32
}

/// The type and shape of a table with a row for each of `shape` and so many columns.
pub(super) fn table(kind: DatumType, shape: &[TDim], width: usize) -> (DatumType, TVec<TDim>) {
    let mut table = TVec::new();
    table.push(rows_of(shape));
    table.push(width.to_dim());
    (kind, table)
}

/// The type and shape of one value for each row of `shape`.
pub(super) fn column(kind: DatumType, shape: &[TDim]) -> (DatumType, TVec<TDim>) {
    let mut column = TVec::new();
    column.push(rows_of(shape));
    (kind, column)
}

/// A list alone is one row.
fn rows_of(shape: &[TDim]) -> TDim {
    match shape {
        [rows, _, ..] => rows.clone(),
        _ => 1.to_dim(),
    }
}
