//! How good a model is on parts of the held-out rows: those of each category of a column, or of each quarter of its
//! numbers. A mean hides where a model is weak; this shows it. The quarters are cut at the quartiles of the held-out rows,
//! and a quarter without rows, where numbers repeat, is not told of. Rows without a value are a part of their own.

use std::collections::BTreeMap;

use super::Measured;
use crate::api::types::MetricSlice;
use crate::model::data::cell::Cell;
use crate::model::data::column::Column;

/// The parts of each column. `measured` holds the judged `rows`, in their order.
pub(super) fn slices(columns: &[&Column], rows: &[usize], measured: &Measured) -> Vec<MetricSlice> {
    columns.iter().flat_map(|column| of_column(column, rows, measured)).collect()
}

fn of_column(column: &Column, rows: &[usize], measured: &Measured) -> Vec<MetricSlice> {
    let quartiles = quartiles(column, rows);
    let mut parts: BTreeMap<Part, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        parts.entry(part(&column.cell(*row), &quartiles)).or_default().push(index);
    }
    let slice = |(part, members): (Part, Vec<usize>)| {
        let mut weights = vec![0; rows.len()];
        for member in &members {
            if let Some(weight) = weights.get_mut(*member) {
                *weight = 1;
            }
        }
        MetricSlice {
            column: column.name.clone(),
            value: part.name(&quartiles),
            rows: members.len() as u64,
            metrics: measured.metrics(Some(&weights)),
        }
    };
    parts.into_iter().map(slice).collect()
}

/// In the order in which parts are told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Quarter(usize),
    Category(String),
    Missing,
}

impl Part {
    fn name(&self, quartiles: &[f64]) -> String {
        match self {
            Self::Category(category) => category.clone(),
            Self::Missing => "no value".to_owned(),
            Self::Quarter(quarter) => {
                let below = quarter.checked_sub(1).and_then(|before| quartiles.get(before));
                match (below, quartiles.get(*quarter)) {
                    (None, Some(upper)) => format!("up to {upper}"),
                    (Some(lower), Some(upper)) => format!("above {lower} up to {upper}"),
                    (Some(lower), None) => format!("above {lower}"),
                    (None, None) => "all".to_owned(),
                }
            }
        }
    }
}

fn part(cell: &Cell<'_>, quartiles: &[f64]) -> Part {
    match cell {
        Cell::Missing => Part::Missing,
        Cell::Text(text) => Part::Category(text.clone().into_owned()),
        Cell::Number(number) => Part::Quarter(quartiles.partition_point(|edge| edge < number)),
    }
}

/// The upper ends of all quarters but the last, ascending and different; none for a column without numbers.
fn quartiles(column: &Column, rows: &[usize]) -> Vec<f64> {
    let mut numbers: Vec<f64> = rows
        .iter()
        .filter_map(|row| if let Cell::Number(number) = column.cell(*row) { Some(number) } else { None })
        .collect();
    numbers.sort_by(f64::total_cmp);
    let edge = |quarter: usize| numbers.get((quarter * numbers.len() / 4).checked_sub(1)?).copied();
    let mut edges: Vec<f64> = (1..4).filter_map(edge).collect();
    edges.dedup_by(|one, other| one.total_cmp(other).is_eq());
    // What ends at the greatest number leaves nothing above it.
    if let (Some(last), Some(greatest)) = (edges.last(), numbers.last())
        && last >= greatest
    {
        edges.pop();
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::{Measured, slices};
    use crate::model::data::dataset::read;
    use crate::model::learn::predictor::Output;
    use crate::model::samples::Folder;

    #[test]
    fn categories_and_quarters_have_metrics_of_their_own() {
        let text = "c,n\na,1\na,2\nb,3\n,4\nb,5\nb,6\na,7\na,8\n";
        let data = read(&[Folder::new().write("a.csv", text)]).unwrap();
        let rows: Vec<usize> = (0..8).collect();
        // Rows of b are wrong.
        let outputs: Vec<Output> = rows
            .iter()
            .map(|row| Output::Probabilities(if [2, 4, 5].contains(row) { vec![0.2, 0.8] } else { vec![0.9, 0.1] }))
            .collect();
        let measured = Measured::of_classes(&[Some(0); 8], &outputs, 2);
        let columns = [data.column("c").unwrap(), data.column("n").unwrap()];
        let slices = slices(&columns, &rows, &measured);
        let told: Vec<(&str, &str, u64, f64)> = slices
            .iter()
            .map(|slice| (slice.column.as_str(), slice.value.as_str(), slice.rows, slice.metrics["accuracy"]))
            .collect();
        assert_eq!(
            told,
            [
                ("c", "a", 4, 1.0),
                ("c", "b", 3, 0.0),
                ("c", "no value", 1, 1.0),
                ("n", "up to 2", 2, 1.0),
                ("n", "above 2 up to 4", 2, 0.5),
                ("n", "above 4 up to 6", 2, 0.0),
                ("n", "above 6", 2, 1.0),
            ]
        );
    }

    #[test]
    fn repeated_numbers_make_fewer_quarters() {
        let data = read(&[Folder::new().write("a.csv", "n,m\n1,1\n1,2\n1,3\n1,4\n")]).unwrap();
        let rows: Vec<usize> = (0..4).collect();
        let measured = Measured::of_numbers(&[1.0; 4], &vec![Output::Value(1.0); 4]);
        let slices = slices(&[data.column("n").unwrap()], &rows, &measured);
        assert_eq!((slices.len(), slices[0].value.as_str(), slices[0].rows), (1, "all", 4));
    }
}
