//! What columns are taken for, cell by cell.

use super::column::{Column, ColumnKind, DateTrouble, Place, Values};
use super::column_builder::ColumnBuilder;
use super::date::DateFormat;
use crate::model::data::cell::Cell;

fn column<'a>(cells: impl IntoIterator<Item = &'a str>) -> Column {
    let mut builder = ColumnBuilder::new("c");
    for (cell, line) in cells.into_iter().zip(2..) {
        builder.push(cell, || Place { file: 0, line });
    }
    builder.finish()
}

#[test]
fn numbers_with_gaps_are_numeric() {
    let column = column(["1", "NA", "2.5"]);
    assert_eq!(column.kind, ColumnKind::Number);
    assert_eq!((column.cell(0), column.cell(1)), (Cell::Number(1.0), Cell::Missing));
    assert_eq!(column.first_missing, Some(Place { file: 0, line: 3 }));
}

#[test]
fn categories_are_sorted_whatever_the_order_of_rows() {
    let column = column(["red", "", "blue", "red"]);
    let Values::Categorical { categories, codes } = column.values else { unreachable!("text is categorical") };
    assert_eq!(categories, ["blue", "red"]);
    assert_eq!(codes, [Some(1), None, Some(0), Some(1)]);
}

#[test]
fn one_wrong_cell_is_remembered_with_its_line() {
    let column = column(["1", "oops", "3"]);
    assert_eq!(column.first_text, Some((Place { file: 0, line: 3 }, "oops".to_owned())));
    assert_eq!(column.numbers, 2);
}

#[test]
fn more_than_64_different_texts_are_not_kept_but_counted() {
    let cells: Vec<String> = (0..70).map(|number| format!("name {}", number % 66)).collect();
    let column = column(cells.iter().map(String::as_str));
    assert_eq!(column.values, Values::Text);
    let texts = column.texts.unwrap();
    assert_eq!((texts.count, texts.exact, texts.repeated), (66, true, true));
}

#[test]
fn more_texts_than_are_told_apart_are_told_as_more() {
    let cells: Vec<String> = (0..10_002).map(|number| format!("name {number}")).collect();
    let texts = column(cells.iter().map(String::as_str)).texts.unwrap();
    assert_eq!((texts.count, texts.exact, texts.repeated), (10_000, false, false));
}

#[test]
fn yes_and_no_in_one_spelling_stay_as_they_are_written() {
    let column = column(["yes", "no", "", "yes"]);
    assert_eq!(column.kind, ColumnKind::Boolean);
    let Values::Categorical { categories, codes } = column.values else { unreachable!("two categories") };
    assert_eq!(categories, ["no", "yes"]);
    assert_eq!(codes, [Some(1), Some(0), None, Some(1)]);
}

#[test]
fn spellings_of_true_and_false_are_one_category_each() {
    let column = column(["True", "false", "TRUE", "no"]);
    let Values::Categorical { categories, codes } = column.values else { unreachable!("two categories") };
    assert_eq!(categories, ["false", "true"]);
    assert_eq!(codes, [Some(1), Some(0), Some(1), Some(0)]);
}

#[test]
fn zeros_and_ones_are_numbers_and_yes_beside_maybe_is_a_category() {
    assert_eq!(column(["0", "1"]).kind, ColumnKind::Number);
    assert_eq!(column(["yes", "maybe"]).kind, ColumnKind::Category);
}

#[test]
fn dates_are_days_with_gaps() {
    let column = column(["", "1970-01-02", "NA", "1970-01-03T12:00:00Z"]);
    assert_eq!(column.kind, ColumnKind::Date(DateFormat::Iso));
    assert_eq!(
        (0..4).map(|row| column.cell(row)).collect::<Vec<_>>(),
        [Cell::Missing, Cell::Number(1.0), Cell::Missing, Cell::Number(2.5)]
    );
}

#[test]
fn one_day_beyond_the_twelfth_decides_for_the_whole_column() {
    let day_first = column(["02/01/1970", "31/01/1970"]);
    assert_eq!(day_first.kind, ColumnKind::Date(DateFormat::DayFirst));
    assert_eq!((day_first.cell(0), day_first.cell(1)), (Cell::Number(1.0), Cell::Number(30.0)));
    let month_first = column(["02/01/1970", "", "01/31/1970", "02/02/1970"]);
    assert_eq!(month_first.kind, ColumnKind::Date(DateFormat::MonthFirst));
    assert_eq!((month_first.cell(0), month_first.cell(2)), (Cell::Number(31.0), Cell::Number(30.0)));
    assert_eq!((month_first.cell(1), month_first.cell(3)), (Cell::Missing, Cell::Number(32.0)));
}

#[test]
fn a_column_that_leaves_the_order_open_is_not_guessed() {
    let column = column(["01/01/2024", "02/03/2024"]);
    assert_eq!(column.values, Values::Text);
    assert_eq!(column.date_trouble, Some(DateTrouble::Ambiguous { example: "02/03/2024".to_owned() }));
}

#[test]
fn two_formats_of_dates_are_told_with_the_first_that_differs() {
    let mixed = |cells: [&'static str; 3]| match column(cells).date_trouble {
        Some(DateTrouble::Mixed { first, other: (place, _), written }) => (first, place.line, written),
        trouble => unreachable!("{trouble:?}"),
    };
    assert_eq!(mixed(["2024-01-31", "2024-02-01", "01.02.2024"]), ("YYYY-MM-DD", 4, "DD.MM.YYYY"));
    assert_eq!(mixed(["31/01/2024", "01/31/2024", "2024/01/31"]), ("DD/MM/YYYY", 3, "MM/DD/YYYY"));
}

#[test]
fn a_word_among_dates_makes_categories_of_them() {
    let column = column(["2024-01-31", "soon", "2024-01-31"]);
    assert_eq!((column.kind, column.date_trouble), (ColumnKind::Category, None));
}

#[test]
fn infinity_is_no_number() {
    let column = column(["1", "inf", "2"]);
    assert_eq!(column.first_text, Some((Place { file: 0, line: 3 }, "inf".to_owned())));
}
