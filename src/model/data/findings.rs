//! What is odd about a data set, in sentences: equal rows, columns that say nothing, that number the rows, or that say
//! too much.
//!
//! Findings never stop anything; what stops is a [`crate::model::data::dataset_error::DatasetError`].

use crate::model::data::column::{Column, ColumnKind, Distinct, Values};
use crate::model::data::dataset::DataSet;
use crate::model::data::leak::leak;
use crate::model::data::target::resolve;
use crate::model::number::share;

/// With fewer rows, different values in all of them are no sign of anything.
const FEWEST_ROWS: usize = 50;
/// A share of equal rows below this is not worth a word.
const FEW_DUPLICATES: f64 = 0.001;

/// All that is odd, in the order of the columns, of which `distinct` says how many different values each has. Without a
/// target that can be learned, nothing is said of leaks.
pub(in crate::model) fn findings(data: &DataSet, target: &str, distinct: &[Option<Distinct>]) -> Vec<String> {
    let mut found = Vec::new();
    let repeated = duplicates(&data.row_hashes);
    if share(repeated, data.rows()) >= FEW_DUPLICATES {
        found.push(format!(
            "{repeated} of {} rows are equal to an earlier one in every cell; they stay together when rows are held out",
            data.rows()
        ));
    }
    let target_values = resolve(data, target, None).ok();
    let counted = data.columns.iter().zip(distinct.iter().copied());
    for (column, distinct) in counted.filter(|(column, _)| column.name != target) {
        found.extend(data.reading_note(column));
        let name = &column.name;
        if column.missing == data.rows() {
            found.push(format!("column \"{name}\" has no value in any row; remove it, or leave it out by `exclude`"));
        } else if distinct.is_some_and(|distinct| distinct.exact && distinct.count == 1) {
            found.push(format!("column \"{name}\" has the same value in every row that has one; it says nothing"));
        } else if is_identifier(column, distinct, data.rows()) {
            found.push(format!(
                "column \"{name}\" names its rows (no value comes twice); leave it out by `exclude`, for nothing follows from it"
            ));
        } else if let Some(measured) =
            target_values.as_ref().and_then(|target_values| leak(column, target_values, data.rows()))
        {
            found.push(format!(
                "column \"{name}\" alone predicts \"{target}\" almost perfectly ({measured}); if it is only known afterwards, leave it out by `exclude`"
            ));
        }
    }
    found
}

/// How many rows are equal to an earlier one in every cell.
pub(in crate::model) fn duplicates(row_hashes: &[u64]) -> usize {
    let mut sorted = row_hashes.to_vec();
    sorted.sort_unstable();
    let rows = sorted.len();
    sorted.dedup();
    rows - sorted.len()
}

/// Texts and whole numbers of which none comes twice. Measured numbers and dates seldom come twice either and may say a
/// lot.
fn is_identifier(column: &Column, distinct: Option<Distinct>, rows: usize) -> bool {
    let may_be = match (&column.values, column.kind) {
        // Numbers among which one odd cell stands are no names: it is to be mended, and the column kept.
        (Values::Text, _) => column.date_trouble.is_none() && column.numbers * 2 <= rows,
        (Values::Numeric(numbers), ColumnKind::Number) => {
            numbers.iter().all(|number| number.is_nan() || number.fract().abs() < f64::EPSILON)
        }
        _ => false,
    };
    may_be && rows - column.missing >= FEWEST_ROWS && distinct.is_some_and(|distinct| !distinct.repeated)
}

#[cfg(test)]
mod tests {
    use crate::model::data::dataset::read;
    use crate::model::profile::Profile;
    use crate::model::samples::Folder;

    /// What is found beside what a profile counts.
    fn found(text: &str) -> Vec<String> {
        Profile::of(&read(&[Folder::new().write("a.csv", text)]).unwrap(), "y").notes
    }

    #[test]
    fn what_is_odd_is_told_column_by_column() {
        let rows: String =
            (0..100).map(|row| format!("{row},row {row},5,,{},{}\n", row * 37 % 11, ["a", "b"][row % 2])).collect();
        assert_eq!(
            found(&format!("id,name,constant,empty,fine,y\n{rows}")),
            [
                "column \"id\" names its rows (no value comes twice); leave it out by `exclude`, for nothing follows from it",
                "column \"name\" is left out: it is text with more than 64 different values (first \"row 0\" in a.csv, line 2)",
                "column \"name\" names its rows (no value comes twice); leave it out by `exclude`, for nothing follows from it",
                "column \"constant\" has the same value in every row that has one; it says nothing",
                "column \"empty\" has no value in any row; remove it, or leave it out by `exclude`",
            ]
        );
    }

    #[test]
    fn numbers_that_one_odd_cell_spoils_are_not_taken_for_names() {
        let rows: String = (0..100).map(|row| format!("{row}.5,{}\n", ["a", "b"][row % 2])).collect();
        assert_eq!(
            found(&format!("measured,y\n{rows}inf,a\n")),
            [
                "column \"measured\" is left out: \"inf\" in a.csv, line 102 is no number, and most of its cells are; mend that cell, or leave it empty"
            ]
        );
    }

    #[test]
    fn rows_that_are_equal_in_every_cell_are_counted() {
        let rows = "1,a\n2,b\n1,a\n1,b\n1,a\n";
        assert_eq!(
            found(&format!("x,y\n{rows}")),
            ["2 of 5 rows are equal to an earlier one in every cell; they stay together when rows are held out"]
        );
    }

    #[test]
    fn a_leak_is_told_with_its_measure() {
        let rows: String = (0..200).map(|row| format!("{},{row}.25,{}\n", row % 2, ["a", "b"][row % 2])).collect();
        assert_eq!(
            found(&format!("after,measured,y\n{rows}")),
            [
                "column \"after\" alone predicts \"y\" almost perfectly (0 errors in 200 rows, where the most frequent class alone makes 100); if it is only known afterwards, leave it out by `exclude`"
            ]
        );
    }
}
