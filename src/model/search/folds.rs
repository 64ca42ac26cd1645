//! Parts of the training rows that are learned from and judged by in turn.
//!
//! A row's fold, and whether it belongs to a smaller rung, follow from its hash and the seed alone. The rows of a smaller
//! rung are among those of every larger one.

use crate::model::learn::problem::Labels;
use crate::model::random::{mix, place};

/// Above so many training rows one part judges.
const MOST_ROTATED: usize = 50_000;
/// That part is one of so many.
const PARTS: u64 = 5;
/// Apart from the held-out split, which is by the same hashes and seed.
const FOLD: u64 = 0x666f_6c64_0000_0001;
const RUNG: u64 = 0x7275_6e67_0000_0001;

/// Rows to learn from and rows to judge by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct Fold {
    /// Rows to learn from, ascending.
    pub(super) train: Vec<usize>,
    /// Rows to judge by, ascending.
    pub(super) judge: Vec<usize>,
}

/// The folds of the training rows. Those that teach fewer than two classes, or have no rows to judge by, are left out; so
/// there may be none, which means that the rows are too few to compare anything.
pub(in crate::model) fn folds(
    row_hashes: &[u64],
    rows: &[usize],
    labels: &Labels,
    wanted: u32,
    seed: u64,
) -> Vec<Fold> {
    let key = mix(seed ^ FOLD);
    let (parts, held_back) =
        if rows.len() > MOST_ROTATED { (PARTS, 1) } else { (u64::from(wanted.max(2)), u64::from(wanted.max(2))) };
    let part = |row: &usize| row_hashes.get(*row).map_or(0, |hash| mix(hash ^ key) % parts);
    let fold = |index: u64| {
        let (judge, train) = rows.iter().copied().partition(|row| part(row) == index);
        Fold { train, judge }
    };
    (0..held_back).map(fold).filter(|fold| !fold.judge.is_empty() && teaches(labels, &fold.train)).collect()
}

impl Fold {
    /// A share of the rows to learn from; all of them when the share would teach nothing.
    pub(super) fn share(&self, row_hashes: &[u64], labels: &Labels, share: f64, seed: u64) -> Vec<usize> {
        let key = mix(seed ^ RUNG);
        let is_in = |row: &&usize| row_hashes.get(**row).is_some_and(|hash| place(mix(hash ^ key)) < share);
        let chosen: Vec<usize> = self.train.iter().filter(is_in).copied().collect();
        if teaches(labels, &chosen) { chosen } else { self.train.clone() }
    }
}

/// Whether there is something to tell apart among the rows.
fn teaches(labels: &Labels, rows: &[usize]) -> bool {
    match labels {
        Labels::Numbers(_) => rows.len() > 1,
        Labels::Classes { codes, .. } => {
            let mut found = rows.iter().filter_map(|row| codes.get(*row));
            found.next().is_some_and(|first| found.any(|other| other != first))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fold, Labels, folds};
    use crate::model::random::mix;

    fn hashes(rows: usize) -> Vec<u64> {
        (0..rows as u64).map(mix).collect()
    }

    fn of(rows: usize, wanted: u32) -> Vec<Fold> {
        let labels = Labels::Numbers(vec![0.0; rows]);
        folds(&hashes(rows), &(0..rows).collect::<Vec<_>>(), &labels, wanted, 7)
    }

    #[test]
    fn every_row_is_judged_once_and_learned_from_otherwise() {
        let folds = of(300, 3);
        let mut judged: Vec<usize> = folds.iter().flat_map(|fold| fold.judge.clone()).collect();
        judged.sort_unstable();
        assert_eq!(judged, (0..300).collect::<Vec<_>>());
        assert!(folds.iter().all(|fold| fold.train.len() + fold.judge.len() == 300));
        assert!(folds.iter().all(|fold| fold.train.iter().all(|row| !fold.judge.contains(row))));
    }

    #[test]
    fn many_rows_are_judged_by_one_part() {
        let folds = of(60_000, 3);
        assert_eq!(folds.len(), 1);
        assert!((11_000..13_000).contains(&folds[0].judge.len()), "{}", folds[0].judge.len());
    }

    #[test]
    fn smaller_shares_are_within_larger_ones() {
        let labels = Labels::Numbers(vec![0.0; 900]);
        let folds = of(900, 3);
        let (third, ninth) =
            (folds[0].share(&hashes(900), &labels, 1.0 / 3.0, 7), folds[0].share(&hashes(900), &labels, 1.0 / 9.0, 7));
        assert!(ninth.iter().all(|row| third.contains(row)));
        assert!(
            (150..250).contains(&third.len()) && (40..100).contains(&ninth.len()),
            "{} {}",
            third.len(),
            ninth.len()
        );
    }

    #[test]
    fn a_fold_that_teaches_one_class_is_left_out() {
        let labels = Labels::Classes { codes: vec![0, 0, 0, 1], count: 2 };
        let folds = folds(&hashes(4), &[0, 1, 2, 3], &labels, 2, 7);
        assert!(folds.len() < 2, "{folds:?}");
    }
}
