//! The rows to learn from as bins, one byte a cell and column by column: all that the growing of trees looks at.
//!
//! A numeric column has a bin a value when it has at most [`MOST_BINS`] different ones, else bins with about equal shares of
//! the rows, by a sample of them when they are many. A categorical one has a bin a category. Missing values have a bin of
//! their own, the last.

use crate::model::learn::parallel;
use crate::model::learn::preprocess::{Encoding, Preprocessing, Reader};
use crate::model::learn::tree::draft::cut;
use crate::model::learn::tree::generator::Generator;

/// The most bins of a column beside that for missing values.
pub(super) const MOST_BINS: usize = 255;
/// Bins are as good by so many rows as by more.
const SAMPLE: usize = 200_000;

/// The rows to learn from.
#[derive(Debug)]
pub(in crate::model) struct Binned {
    /// In the order of the features.
    pub columns: Vec<BinnedColumn>,
    /// How many rows there are.
    pub rows: usize,
}

/// The cells of a column.
#[derive(Debug)]
pub(in crate::model) struct BinnedColumn {
    /// For each row its bin.
    pub codes: Vec<u8>,
    /// What the bins stand for.
    pub kind: Kind,
}

/// What the bins of a column stand for.
#[derive(Debug)]
pub(in crate::model) enum Kind {
    /// The upper edges (included) of all bins but the last, ascending.
    Numbers(Vec<f64>),
    /// So many categories, a bin each.
    Categories(usize),
}

impl BinnedColumn {
    /// How many bins there are beside that for missing values.
    pub fn bins(&self) -> usize {
        match &self.kind {
            Kind::Numbers(edges) => edges.len() + 1,
            Kind::Categories(count) => *count,
        }
    }

    /// The bin of missing values.
    pub fn missing(&self) -> u8 {
        u8::try_from(self.bins()).unwrap_or(u8::MAX)
    }

    /// The bin of a row.
    pub fn code(&self, row: u32) -> u8 {
        self.codes.get(row as usize).copied().unwrap_or_else(|| self.missing())
    }

    /// The number that parts values as their bins are parted.
    pub(super) fn threshold(&self, low: u8, high: Option<u8>) -> f64 {
        let (Kind::Numbers(edges), Some(high)) = (&self.kind, high) else { return f64::MAX };
        edges.get(usize::from(cut(low, high))).copied().unwrap_or(f64::MAX)
    }
}

impl Binned {
    /// Puts rows into bins; the readers are those of the features, in their order.
    pub fn new(
        preprocessing: &Preprocessing,
        readers: &[Reader<'_>],
        rows: &[usize],
        seed: u64,
        threads: usize,
    ) -> Self {
        let mut columns: Vec<Option<BinnedColumn>> = readers.iter().map(|_| None).collect();
        let generator = Generator::new(seed);
        parallel::each(threads, &mut columns, &|index, column| {
            let (Some(feature), Some(reader)) = (preprocessing.features.get(index), readers.get(index)) else { return };
            *column = Some(match &feature.encoding {
                Encoding::Numeric { .. } => bin_numbers(reader, rows, generator.split(index)),
                Encoding::Categorical { categories, .. } => bin_categories(reader, rows, categories.len()),
            });
        });
        Self { columns: columns.into_iter().flatten().collect(), rows: rows.len() }
    }
}

fn bin_numbers(reader: &Reader<'_>, rows: &[usize], generator: Generator) -> BinnedColumn {
    let edges = edges(sample(reader, rows, generator));
    let missing = u8::try_from(edges.len() + 1).unwrap_or(u8::MAX);
    let code = |value: f64| {
        if value.is_nan() {
            missing
        } else {
            u8::try_from(edges.partition_point(|edge| *edge < value)).unwrap_or(missing)
        }
    };
    BinnedColumn { codes: rows.iter().map(|row| code(reader.raw(*row))).collect(), kind: Kind::Numbers(edges) }
}

fn bin_categories(reader: &Reader<'_>, rows: &[usize], count: usize) -> BinnedColumn {
    let missing = u8::try_from(count).unwrap_or(u8::MAX);
    let codes = rows.iter().map(|row| category(reader.raw(*row)).filter(|code| *code < missing).unwrap_or(missing));
    BinnedColumn { codes: codes.collect(), kind: Kind::Categories(count) }
}

/// The category that a raw value stands for; missing and unknown ones (NaN and below zero) stand for none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
pub(super) fn category(value: f64) -> Option<u8> {
    (0.0..255.0).contains(&value).then_some(value as u8)
}

/// All numbers of a column, or one of each run of rows when there are many.
fn sample(reader: &Reader<'_>, rows: &[usize], mut generator: Generator) -> Vec<f64> {
    let drawn: Vec<f64> = if rows.len() <= SAMPLE {
        rows.iter().map(|row| reader.raw(*row)).collect()
    } else {
        let place = |index: usize| index * rows.len() / SAMPLE;
        (0..SAMPLE)
            .filter_map(|index| rows.get(place(index) + generator.below(place(index + 1) - place(index))))
            .map(|row| reader.raw(*row))
            .collect()
    };
    drawn.into_iter().filter(|value| !value.is_nan()).collect()
}

fn edges(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let mut distinct: Vec<(f64, usize)> = Vec::new();
    for value in values {
        match distinct.last_mut() {
            Some((last, count)) if last.total_cmp(&value).is_eq() => *count += 1,
            _ => distinct.push((value, 1)),
        }
    }
    let mut rows: usize = distinct.iter().map(|(_, count)| count).sum();
    let mut bins = if distinct.len() <= MOST_BINS { rows.max(1) } else { MOST_BINS };
    let mut edges = Vec::new();
    let mut inside = 0;
    for pair in distinct.windows(2) {
        let [(value, count), (next, _)] = pair else { continue };
        inside += count;
        // Each bin takes its share of the rows that are left, so one value of many rows does not starve the others.
        if bins > 1 && inside * bins >= rows {
            edges.push(between(*value, *next));
            rows -= inside;
            bins -= 1;
            inside = 0;
        }
    }
    edges
}

/// The middle of two numbers, of which the lower is never above it and the higher always.
fn between(low: f64, high: f64) -> f64 {
    let middle = f64::midpoint(low, high);
    if middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::{MOST_BINS, between, edges};

    #[test]
    fn few_values_have_a_bin_each_and_edges_half_way() {
        assert_eq!(edges(vec![4.0, 1.0, 2.0, 1.0]), [1.5, 3.0]);
        assert!(edges(vec![1.0, 1.0]).is_empty() && edges(Vec::new()).is_empty());
        assert_eq!(edges((0..255).map(f64::from).collect()).len(), MOST_BINS - 1);
    }

    #[test]
    fn many_values_share_bins_of_about_equal_size() {
        let edges = edges((0..100_000).map(f64::from).collect());
        assert_eq!(edges.len(), MOST_BINS - 1);
        let widths: Vec<f64> = edges.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(widths.iter().all(|width| (392.0..394.0).contains(width)), "{widths:?}");
    }

    #[test]
    fn a_value_of_many_rows_leaves_the_bins_to_the_others() {
        let mut values = vec![0.0; 100_000];
        values.extend((1..=1_000).map(f64::from));
        assert_eq!(edges(values).len(), MOST_BINS - 1);
    }

    #[test]
    fn neighbours_among_the_numbers_are_separated() {
        let (low, high) = (1.0, 1.0_f64.next_up());
        assert!(low <= between(low, high) && between(low, high) < high);
        assert!(between(-f64::MAX, f64::MAX).abs() < 1.0);
    }
}
