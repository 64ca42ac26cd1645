//! The data of the demo, as it is registered batch by batch, and as single wines to ask for.
//!
//! Where it is from and under which licence is said in `sample-data/README.md`.

use serde_json::{Map, Number, Value};

/// The column that the demo predicts.
const TARGET: &str = "quality";

/// A file of data, embedded in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// The name under which it is registered.
    pub name: &'static str,
    /// CSV with a header line.
    pub text: &'static str,
}

/// All batches in the order in which they are registered: the 1 599 red wines, in the order of the original.
pub const BATCHES: &[Batch] = &[
    Batch { name: "2023-spring.csv", text: include_str!("../../sample-data/wine-quality/2023-spring.csv") },
    Batch { name: "2023-autumn.csv", text: include_str!("../../sample-data/wine-quality/2023-autumn.csv") },
    Batch { name: "2024-spring.csv", text: include_str!("../../sample-data/wine-quality/2024-spring.csv") },
    Batch { name: "2024-autumn.csv", text: include_str!("../../sample-data/wine-quality/2024-autumn.csv") },
];

impl Batch {
    /// How many rows stand below the header.
    pub fn rows(&self) -> usize {
        self.text.lines().skip(1).filter(|line| !line.is_empty()).count()
    }

    fn header(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default()
    }

    fn wines(&self) -> impl Iterator<Item = Wine> {
        let header = self.header();
        self.text.lines().skip(1).filter_map(move |line| Wine::read(header, line))
    }
}

/// One wine.
#[derive(Debug, Clone, PartialEq)]
pub struct Wine {
    /// What the laboratory measured, by column: a record for `POST /predict`.
    pub record: Map<String, Value>,
    /// The grade that tasters gave it.
    pub grade: i64,
}

impl Wine {
    /// `None` for a line that is no row of the header's columns.
    fn read(header: &str, line: &str) -> Option<Self> {
        let mut record = Map::new();
        let mut grade = None;
        for (column, cell) in header.split(',').zip(line.split(',')) {
            if column == TARGET {
                grade = cell.parse().ok();
            } else {
                record.insert(column.to_owned(), Value::Number(Number::from_f64(cell.parse().ok()?)?));
            }
        }
        grade.map(|grade| Self { record, grade })
    }
}

/// The wines of all batches, registered or not.
pub fn wines() -> Vec<Wine> {
    BATCHES.iter().flat_map(Batch::wines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batches_are_the_whole_data_set_under_one_header() {
        assert_eq!(BATCHES.iter().map(Batch::rows).collect::<Vec<_>>(), [640, 320, 320, 319]);
        let header = BATCHES[0].header();
        assert_eq!(header.split(',').count(), 12);
        assert!(header.starts_with("fixed_acidity,") && header.ends_with(",quality"));
        assert!(BATCHES.iter().all(|batch| batch.header() == header && batch.text.ends_with('\n')));
    }

    #[test]
    fn every_row_is_a_wine_with_eleven_values_and_a_grade() {
        let wines = wines();
        assert_eq!(wines.len(), 1_599);
        assert!(wines.iter().all(|wine| wine.record.len() == 11 && (3..=8).contains(&wine.grade)));
        // As published: grades 3 to 8 were given 10, 53, 681, 638, 199 and 18 times.
        let given = [3, 4, 5, 6, 7, 8].map(|grade| wines.iter().filter(|wine| wine.grade == grade).count());
        assert_eq!(given, [10, 53, 681, 638, 199, 18]);
    }
}
