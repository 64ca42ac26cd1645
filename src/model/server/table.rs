//! Records that came with a request, whatever their form: cells one after the other, in the order of the features.

use std::borrow::Cow;

use crate::model::data::cell::Cell;

/// How the records came, and so how the predictions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Shape {
    /// One record by itself.
    One,
    /// A list of records.
    List,
    /// `{"records": […]}`, or CSV.
    Records,
    /// `{"columns": {"a": […], …}}`
    Columns,
}

/// What a request holds.
#[derive(Debug, PartialEq)]
pub(in crate::model) struct Records<'a> {
    pub(in crate::model) shape: Shape,
    pub(in crate::model) table: Table<'a>,
}

/// Rows of cells.
#[derive(Debug, PartialEq)]
pub(in crate::model) struct Table<'a> {
    width: usize,
    cells: Vec<Cell<'a>>,
}

impl<'a> Table<'a> {
    /// An empty table of so many columns, one at least.
    pub(in crate::model) fn new(width: usize) -> Self {
        Self { width: width.max(1), cells: Vec::new() }
    }

    /// How many rows it has.
    pub(in crate::model) fn len(&self) -> usize {
        self.cells.len() / self.width
    }

    /// Its rows, in order.
    pub(in crate::model) fn rows(&self) -> impl Iterator<Item = &[Cell<'a>]> {
        self.cells.chunks_exact(self.width)
    }

    /// Appends cells of a row; a row is whole when there are as many as columns.
    pub(in crate::model) fn extend(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) {
        self.cells.extend(cells);
    }

    /// Adds a row without values, to be filled.
    pub(in crate::model) fn add_row(&mut self) -> &mut [Cell<'a>] {
        let start = self.cells.len();
        self.cells.resize(start + self.width, Cell::Missing);
        self.cells.get_mut(start..).unwrap_or_default()
    }

    /// The same without borrowing from the request.
    pub(in crate::model) fn into_owned(self) -> Table<'static> {
        Table { width: self.width, cells: self.cells.into_iter().map(owned).collect() }
    }
}

/// A cell that borrows nothing.
pub(in crate::model) fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Missing => Cell::Missing,
        Cell::Number(number) => Cell::Number(number),
        Cell::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Table};

    #[test]
    fn rows_come_back_as_they_were_put_in() {
        let mut table = Table::new(2);
        table.extend([Cell::Number(1.0), Cell::Text("a".into())]);
        table.add_row()[1] = Cell::Text("b".into());
        assert_eq!(table.len(), 2);
        let rows: Vec<&[Cell<'_>]> = table.rows().collect();
        assert_eq!(rows, [[Cell::Number(1.0), Cell::Text("a".into())], [Cell::Missing, Cell::Text("b".into())]]);
    }
}
