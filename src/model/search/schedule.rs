//! The rungs of a search and who goes on from one to the next.

use std::collections::BTreeSet;

use crate::config::Algorithm;
use crate::model::number::float;

/// Of so many trials one goes on.
const REDUCTION: usize = 3;
/// The most rungs.
const MOST_RUNGS: usize = 4;
/// A rung of fewer rows would choose by chance.
const LEAST_ROWS: f64 = 2_000.0;

/// The share of the rows that each rung gives, ascending; the last is all of them. A single trial needs no other.
pub(super) fn rungs(trials: usize, rows: usize) -> Vec<f64> {
    let mut shares = vec![1.0];
    let mut left = trials;
    while left > 1 && shares.len() < MOST_RUNGS {
        let Some(share) = shares.last().map(|share| share / float(REDUCTION)) else { break };
        if share * float(rows) < LEAST_ROWS {
            break;
        }
        shares.push(share);
        left = left.div_ceil(REDUCTION);
    }
    shares.reverse();
    shares
}

/// Which of the ranked trials go on: the best third, and from the first rung the best of each algorithm. The order stays.
pub(super) fn survivors(ranked: &[(usize, Algorithm)], is_first: bool) -> Vec<usize> {
    let most = ranked.len().div_ceil(REDUCTION);
    let mut seen: Vec<Algorithm> = Vec::new();
    let mut chosen = BTreeSet::new();
    for (place, (_, algorithm)) in ranked.iter().enumerate() {
        let is_best_of_its_kind = !seen.contains(algorithm);
        if is_best_of_its_kind {
            seen.push(*algorithm);
        }
        if place < most || (is_first && is_best_of_its_kind) {
            chosen.insert(place);
        }
    }
    ranked.iter().enumerate().filter(|(place, _)| chosen.contains(place)).map(|(_, (trial, _))| *trial).collect()
}

#[cfg(test)]
mod tests {
    use super::{rungs, survivors};
    use crate::config::Algorithm::{Boosting, Forest, Logistic};

    #[test]
    fn small_sets_have_one_rung_and_large_ones_four() {
        assert_eq!(rungs(24, 1_000), [1.0]);
        assert_eq!(rungs(24, 7_000).len(), 2);
        let shares = rungs(40, 1_000_000);
        assert_eq!(shares.len(), 4);
        assert!((shares[0] - 1.0 / 27.0).abs() < 1e-12 && shares.is_sorted());
        assert_eq!(rungs(1, 1_000_000), [1.0]);
    }

    #[test]
    fn few_trials_need_few_rungs() {
        assert_eq!(rungs(4, 1_000_000).len(), 3);
    }

    #[test]
    fn the_best_third_goes_on_and_at_first_the_best_of_each_algorithm() {
        let ranked = [(5, Logistic), (3, Logistic), (0, Logistic), (4, Boosting), (1, Boosting), (2, Forest)];
        assert_eq!(survivors(&ranked, false), [5, 3]);
        assert_eq!(survivors(&ranked, true), [5, 3, 4, 2]);
        assert_eq!(survivors(&ranked[..1], false), [5]);
    }
}
