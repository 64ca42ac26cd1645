//! From scores of pairs of classes to a probability for each class: the second method of Wu, Lin and Weng, *Probability
//! estimates for multi-class classification by pairwise coupling* (2004), which is what libsvm does.

use crate::model::number::float;

/// No pair is decided for certain.
const LEAST: f64 = 1e-7;

/// The probability of each class, from the score of each pair and the line by which it becomes a probability.
pub(super) fn probabilities(scores: &[f64], lines: &[(f64, f64)], classes: usize) -> Vec<f64> {
    // `pairwise[one][other]`: how probable `one` is if it is one of the two.
    let mut pairwise = vec![vec![0.0; classes]; classes];
    let each = (0..classes).flat_map(|one| (one + 1..classes).map(move |other| (one, other)));
    for ((one, other), (score, (slope, constant))) in each.zip(scores.iter().zip(lines)) {
        let share = (1.0 / (1.0 + (score * slope + constant).exp())).clamp(LEAST, 1.0 - LEAST);
        set(&mut pairwise, one, other, share);
        set(&mut pairwise, other, one, 1.0 - share);
    }
    couple(&pairwise)
}

fn set(table: &mut [Vec<f64>], row: usize, column: usize, value: f64) {
    if let Some(cell) = table.get_mut(row).and_then(|row| row.get_mut(column)) {
        *cell = value;
    }
}

fn couple(pairwise: &[Vec<f64>]) -> Vec<f64> {
    let classes = pairwise.len();
    let at = |row: usize, column: usize| pairwise.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0.0);
    let quadratic: Vec<Vec<f64>> = (0..classes)
        .map(|row| {
            (0..classes)
                .map(|column| {
                    if row == column {
                        (0..classes).filter(|other| *other != row).map(|other| at(other, row).powi(2)).sum()
                    } else {
                        -at(column, row) * at(row, column)
                    }
                })
                .collect()
        })
        .collect();
    let mut shares = vec![1.0 / float(classes.max(1)); classes];
    let tolerance = 0.005 / float(classes.max(1));
    for _ in 0..classes.max(100) {
        let mut products: Vec<f64> = quadratic.iter().map(|row| dot(row, &shares)).collect();
        let mut whole = dot(&shares, &products);
        if products.iter().all(|product| (product - whole).abs() < tolerance) {
            break;
        }
        for (class, row) in quadratic.iter().enumerate() {
            step(class, row, &mut shares, &mut products, &mut whole);
        }
    }
    shares
}

/// Improves the share of one class, and keeps products and their sum true to it.
fn step(class: usize, row: &[f64], shares: &mut [f64], products: &mut [f64], whole: &mut f64) {
    let (Some(own), Some(product)) = (row.get(class).copied(), products.get(class).copied()) else { return };
    let change = (-product + *whole) / own;
    if let Some(share) = shares.get_mut(class) {
        *share += change;
    }
    let sum = 1.0 + change;
    *whole = (*whole + change * (change * own + 2.0 * product)) / (sum * sum);
    for ((product, share), coefficient) in products.iter_mut().zip(shares).zip(row) {
        *product = (*product + change * coefficient) / sum;
        *share /= sum;
    }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::probabilities;

    #[test]
    fn of_two_classes_the_pair_itself_is_the_probability() {
        let found = probabilities(&[0.3], &[(-2.0, 0.1)], 2);
        let expected = 1.0 / (1.0 + (-0.5_f64).exp());
        assert!((found[0] - expected).abs() < 0.01 && (found[0] + found[1] - 1.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn equal_pairs_give_equal_classes() {
        let found = probabilities(&[0.0; 3], &[(-1.0, 0.0); 3], 3);
        assert!(found.iter().all(|share| (share - 1.0 / 3.0).abs() < 1e-9), "{found:?}");
    }
}
