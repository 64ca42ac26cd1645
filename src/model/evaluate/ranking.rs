//! The area under the ROC curve: the chance that a row of the class is ranked above a row of another, where equals count
//! half (Hanley and McNeil, *Radiology* 143, 1982). It is scikit-learn's `roc_auc_score`, with `multi_class="ovr"` and the
//! plain mean for more than two classes. A class without rows, or without others, has none and is left out of the mean.
//!
//! Rows are sorted once; after that every weighting is one walk over them.

use super::weight;

/// Rows in ascending order of the probability of one class.
#[derive(Debug, Clone)]
pub(super) struct Ranking {
    rows: Vec<Ranked>,
}

#[derive(Debug, Clone, Copy)]
struct Ranked {
    row: usize,
    is_of_class: bool,
    /// Whether its probability is that of the row before.
    is_equal: bool,
}

/// The rankings that are looked at: of two classes the second, else each.
pub(super) fn rankings(truth: &[usize], probabilities: &[&[f64]], classes: usize) -> Vec<Ranking> {
    match classes {
        0 | 1 => Vec::new(),
        2 => vec![Ranking::new(truth, probabilities, 1)],
        _ => (0..classes).map(|class| Ranking::new(truth, probabilities, class)).collect(),
    }
}

impl Ranking {
    fn new(truth: &[usize], probabilities: &[&[f64]], class: usize) -> Self {
        let mut scored: Vec<(f64, usize, bool)> = truth
            .iter()
            .zip(probabilities)
            .enumerate()
            .map(|(row, (truth, row_of))| (row_of.get(class).copied().unwrap_or(0.0), row, *truth == class))
            .collect();
        scored.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let mut before: Option<f64> = None;
        let rows = scored.into_iter().map(|(score, row, is_of_class)| {
            let is_equal = before.is_some_and(|before| before.total_cmp(&score).is_eq());
            before = Some(score);
            Ranked { row, is_of_class, is_equal }
        });
        Self { rows: rows.collect() }
    }

    /// The area; `None` when one side has no rows.
    pub(super) fn area(&self, weights: Option<&[u32]>) -> Option<f64> {
        // Rows of equal probability are one group: its members of the class are above all others below the group, and
        // half above those within.
        let (mut below, mut members, mut others) = (0.0, 0.0, 0.0);
        let (mut all_members, mut wins) = (0.0, 0.0);
        for ranked in &self.rows {
            if !ranked.is_equal {
                wins += members * (below + others / 2.0);
                below += others;
                (members, others) = (0.0, 0.0);
            }
            let weight = f64::from(weight(weights, ranked.row));
            if ranked.is_of_class {
                members += weight;
                all_members += weight;
            } else {
                others += weight;
            }
        }
        wins += members * (below + others / 2.0);
        below += others;
        (all_members > 0.0 && below > 0.0).then(|| wins / (all_members * below))
    }
}

#[cfg(test)]
mod tests {
    use super::rankings;

    fn area(truth: &[usize], of_second: &[f64], weights: Option<&[u32]>) -> Option<f64> {
        let rows: Vec<[f64; 2]> = of_second.iter().map(|second| [1.0 - second, *second]).collect();
        let rows: Vec<&[f64]> = rows.iter().map(<[f64; 2]>::as_slice).collect();
        rankings(truth, &rows, 2)[0].area(weights)
    }

    #[test]
    fn pairs_are_counted_and_equals_count_half() {
        // The example of scikit-learn's documentation: 3 of 4 pairs are in order.
        assert_eq!(area(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8], None), Some(0.75));
        assert_eq!(area(&[0, 1], &[0.5, 0.5], None), Some(0.5));
        assert_eq!(area(&[0, 1, 1], &[0.5, 0.5, 0.9], None), Some(0.75));
    }

    #[test]
    fn one_side_alone_has_no_area() {
        assert_eq!(area(&[1, 1], &[0.2, 0.9], None), None);
        assert_eq!(area(&[0, 1], &[0.2, 0.9], Some(&[0, 3])), None);
    }

    #[test]
    fn a_weight_is_a_row_repeated() {
        let weighted = area(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8], Some(&[1, 2, 3, 1]));
        let repeated = area(&[0, 0, 0, 1, 1, 1, 1], &[0.1, 0.4, 0.4, 0.35, 0.35, 0.35, 0.8], None);
        assert_eq!(weighted, repeated);
    }
}
