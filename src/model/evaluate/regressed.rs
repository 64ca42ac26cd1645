//! Judged rows of a regression, and the metrics that follow from them under any weights.

use super::{Metrics, named, weight};

/// The rows, prepared.
#[derive(Debug, Clone)]
pub(in crate::model) struct Regressed {
    truth: Vec<f64>,
    errors: Vec<f64>,
    /// Rows in ascending order of their error's size.
    by_error: Vec<usize>,
}

impl Regressed {
    /// Prepares rows: the true number and the predicted one.
    pub(super) fn new(truth: &[f64], predicted: &[f64]) -> Self {
        let errors: Vec<f64> = truth.iter().zip(predicted).map(|(truth, predicted)| predicted - truth).collect();
        let size = |row: &usize| errors.get(*row).map_or(0.0, |error| error.abs());
        let mut by_error: Vec<usize> = (0..errors.len()).collect();
        by_error.sort_by(|one, other| size(one).total_cmp(&size(other)));
        Self { truth: truth.to_vec(), by_error, errors }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.errors.len()
    }

    /// The metrics of the rows, each counted as often as its weight says. `r2` is absent when all true numbers are equal.
    pub(super) fn metrics(&self, weights: Option<&[u32]>) -> Metrics {
        let weighted = |numbers: &[f64], of: &dyn Fn(f64) -> f64| -> f64 {
            numbers.iter().enumerate().map(|(row, number)| of(*number) * f64::from(weight(weights, row))).sum()
        };
        let rows = weighted(&self.errors, &|_| 1.0);
        let squared = weighted(&self.errors, &|error| error * error);
        let centre = weighted(&self.truth, &|number| number) / rows;
        let spread = weighted(&self.truth, &|number| (number - centre).powi(2));
        // The mean of equal numbers may be off by a last digit, and a spread of such digits says nothing.
        let varies = self.varies(weights);
        named([
            ("mae", weighted(&self.errors, &f64::abs) / rows),
            ("median_absolute_error", self.median(weights, rows)),
            ("r2", if varies && spread > 0.0 { 1.0 - squared / spread } else { f64::NAN }),
            ("rmse", (squared / rows).sqrt()),
        ])
    }

    /// Whether the true numbers of the rows that count differ.
    fn varies(&self, weights: Option<&[u32]>) -> bool {
        let mut counted = self.truth.iter().enumerate().filter(|(row, _)| weight(weights, *row) > 0);
        let first = counted.next();
        first.is_some_and(|(_, first)| counted.any(|(_, number)| number.total_cmp(first).is_ne()))
    }

    /// The size of error that half of the rows do not exceed: the middle one, or the mean of the two in the middle.
    fn median(&self, weights: Option<&[u32]>, rows: f64) -> f64 {
        let (mut seen, mut lower) = (0.0, None);
        for row in &self.by_error {
            let size = self.errors.get(*row).map_or(0.0, |error| error.abs());
            let weight = f64::from(weight(weights, *row));
            if weight <= 0.0 {
                continue;
            }
            if let Some(lower) = lower {
                return f64::midpoint(lower, size);
            }
            seen += weight;
            if seen * 2.0 > rows {
                return size;
            }
            if seen * 2.0 >= rows {
                lower = Some(size);
            }
        }
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::Regressed;

    fn median(errors: &[f64], weights: Option<&[u32]>) -> f64 {
        Regressed::new(&vec![0.0; errors.len()], errors).metrics(weights)["median_absolute_error"]
    }

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_two_in_the_middle() {
        assert!((median(&[-3.0, 1.0, 2.0], None) - 2.0).abs() < 1e-12);
        assert!((median(&[-4.0, 1.0, 2.0, 3.0], None) - 2.5).abs() < 1e-12);
        assert!((median(&[1.0, 2.0, 3.0], Some(&[1, 0, 1])) - 2.0).abs() < 1e-12);
        assert!((median(&[1.0, 5.0], Some(&[1, 3])) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn equal_numbers_have_no_r2_even_when_their_mean_is_off_by_a_digit() {
        let truth = [0.1, 0.1, 0.1, 0.7];
        let regressed = Regressed::new(&truth, &[0.2, 0.1, 0.1, 0.7]);
        assert!(regressed.metrics(None).contains_key("r2"));
        let metrics = regressed.metrics(Some(&[1, 1, 1, 0]));
        assert!(!metrics.contains_key("r2") && metrics.contains_key("rmse"), "{metrics:?}");
    }

    #[test]
    fn a_weight_is_a_row_repeated() {
        let weighted = Regressed::new(&[1.0, 2.0, 5.0], &[1.5, 2.0, 4.0]).metrics(Some(&[2, 0, 1]));
        let repeated = Regressed::new(&[1.0, 1.0, 5.0], &[1.5, 1.5, 4.0]).metrics(None);
        for (name, value) in &repeated {
            assert!((weighted[name] - value).abs() < 1e-12, "{name} {weighted:?} {repeated:?}");
        }
    }
}
