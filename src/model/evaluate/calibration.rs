//! Whether a probability of 0.8 comes true eight times of ten.
//!
//! Ten bins of equal width, each with its upper end. With two classes the probability is that of the second class, and what comes true is that
//! class (scikit-learn's `calibration_curve`); with more it is that of the predicted class, and what comes true is that it
//! was right. The calibration error is the mean distance between the two, by rows (expected calibration error; Guo et al.,
//! *On Calibration of Modern Neural Networks*, 2017).

use super::weight;
use crate::api::types::CalibrationBin;
use crate::model::number::float;

const BINS: usize = 10;
/// Ends are multiples of this, as `NumPy`'s `linspace` makes them: the third is a digit above 0.3.
const WIDTH: f64 = 0.1;

/// A row with its bin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    bin: usize,
    probability: f64,
    came_true: bool,
}

/// Finds the bin of each row.
pub(super) fn place(truth: &[usize], predicted: &[usize], probabilities: &[&[f64]], classes: usize) -> Vec<Placed> {
    truth
        .iter()
        .zip(predicted)
        .zip(probabilities)
        .map(|((truth, predicted), row)| {
            let class = if classes == 2 { 1 } else { *predicted };
            let probability = row.get(class).copied().unwrap_or(0.0);
            let bin = (1..BINS).take_while(|bin| probability > float(*bin) * WIDTH).last().unwrap_or(0);
            Placed { bin, probability, came_true: *truth == class }
        })
        .collect()
}

/// The bins that have rows, ascending.
pub(super) fn bins(placed: &[Placed], weights: Option<&[u32]>) -> Vec<CalibrationBin> {
    let mut sums = [(0_u64, 0.0, 0.0); BINS];
    for (row, placed) in placed.iter().enumerate() {
        let weight = weight(weights, row);
        if let Some((rows, probability, came_true)) = sums.get_mut(placed.bin) {
            *rows += u64::from(weight);
            *probability += placed.probability * f64::from(weight);
            *came_true += if placed.came_true { f64::from(weight) } else { 0.0 };
        }
    }
    let filled = sums.into_iter().filter(|(rows, _, _)| *rows > 0);
    filled
        .map(|(rows, probability, came_true)| CalibrationBin {
            mean_probability: probability / count(rows),
            share: came_true / count(rows),
            rows,
        })
        .collect()
}

/// The mean distance between probability and share, by rows; not a number without rows.
pub(super) fn error(bins: &[CalibrationBin]) -> f64 {
    let rows: u64 = bins.iter().map(|bin| bin.rows).sum();
    let distance = |bin: &CalibrationBin| (bin.mean_probability - bin.share).abs() * count(bin.rows);
    bins.iter().map(distance).sum::<f64>() / count(rows)
}

#[expect(clippy::cast_precision_loss, reason = "weighted rows stay far below 2^53, where every integer is exact")]
fn count(rows: u64) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use super::{CalibrationBin, bins, error, place};

    fn of_two(truth: &[usize], of_second: &[f64]) -> Vec<CalibrationBin> {
        let rows: Vec<[f64; 2]> = of_second.iter().map(|second| [1.0 - second, *second]).collect();
        let rows: Vec<&[f64]> = rows.iter().map(<[f64; 2]>::as_slice).collect();
        bins(&place(truth, &vec![0; truth.len()], &rows, 2), None)
    }

    #[test]
    fn bins_hold_mean_probability_and_share_as_worked_out_by_hand() {
        let bins = of_two(&[0, 1, 1, 1], &[0.05, 0.05, 0.82, 0.88]);
        assert_eq!(bins.len(), 2);
        assert!((bins[0].mean_probability - 0.05).abs() < 1e-12 && (bins[0].share - 0.5).abs() < 1e-12);
        assert!((bins[1].mean_probability - 0.85).abs() < 1e-12 && (bins[1].share - 1.0).abs() < 1e-12);
        assert!((error(&bins) - (0.45 * 2.0 + 0.15 * 2.0) / 4.0).abs() < 1e-12);
    }

    #[test]
    fn an_end_belongs_to_the_bin_below_it() {
        // As scikit-learn's `calibration_curve`: shares of a hundred trees are often such ends.
        let bins = of_two(&[0, 1, 1, 1], &[0.1, 0.05, 0.3, 0.7]);
        let told: Vec<(f64, u64)> = bins.iter().map(|bin| (bin.share, bin.rows)).collect();
        assert_eq!(told, [(0.5, 2), (1.0, 1), (1.0, 1)]);
        assert!((bins[2].mean_probability - 0.7).abs() < 1e-12);
        assert_eq!(of_two(&[1, 1], &[0.7, 0.65]).len(), 1);
    }

    #[test]
    fn certainty_belongs_to_the_last_bin() {
        let bins = of_two(&[1, 1], &[1.0, 0.95]);
        assert_eq!((bins.len(), bins[0].rows), (1, 2));
    }
}
