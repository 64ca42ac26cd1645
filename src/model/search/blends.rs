//! Which blends are worth a trial: of the best of each algorithm, as long as they are nearly as good as the best of all.
//!
//! Errors of different algorithms differ, so their mean is often better than each of them, and nearly always steadier: the
//! best of many trials on few rows is the luckiest, too (Caruana and others, *Ensemble Selection from Libraries of Models*,
//! 2004, whose weights are left out here: on few rows they would be chosen by chance).

use super::board::Standing;
use crate::config::Algorithm;
use crate::model::learn::learner::Learner;

/// The most parts of a blend.
const MOST: usize = 3;
/// A part may be behind the best by this share of what the best has reached.
const BEHIND: f64 = 0.04;

/// Blends of two and of three, from trials with the best first; `metric` is what they were compared by.
pub(super) fn blends(ranked: &[&Standing], metric: &str) -> Vec<Learner> {
    let reached = |standing: &Standing| standing.mean.get(metric).copied();
    let Some(best) = ranked.first().and_then(|best| reached(best)) else { return Vec::new() };
    let is_near =
        |standing: &Standing| reached(standing).is_some_and(|value| (value - best).abs() <= BEHIND * best.abs());
    let mut met: Vec<Algorithm> = Vec::new();
    let mut parts: Vec<Learner> = Vec::new();
    for standing in ranked {
        let algorithm = standing.learner.algorithm();
        if met.contains(&algorithm) || !is_near(standing) {
            continue;
        }
        met.push(algorithm);
        parts.push(standing.learner.clone());
    }
    (2..=parts.len().min(MOST))
        .map(|count| Learner::Blend { parts: parts.iter().take(count).cloned().collect() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Learner, Standing, blends};
    use crate::api::types::TrialState;
    use crate::model::evaluate::Metrics;

    const FOREST: Learner = Learner::Forest { trees: 10, depth: 4, leaf: 1, features: 0.5 };

    fn standing(learner: Learner, accuracy: f64) -> Standing {
        Standing {
            trial: 1,
            description: String::new(),
            learner,
            state: TrialState::Kept,
            rung: 1,
            mean: Metrics::from([("accuracy".to_owned(), accuracy)]),
            deviation: None,
            failure: None,
        }
    }

    fn found(standings: &[Standing]) -> Vec<String> {
        let ranked: Vec<&Standing> = standings.iter().collect();
        blends(&ranked, "accuracy").iter().map(Learner::describe).collect()
    }

    #[test]
    fn the_best_of_each_algorithm_answer_together() {
        let logistic = |penalty| Learner::Logistic { penalty };
        let ranked = [
            standing(logistic(1.0), 0.95),
            standing(logistic(0.1), 0.94),
            standing(FOREST, 0.93),
            standing(Learner::NaiveBayes { smoothing: 1e-9 }, 0.92),
        ];
        assert_eq!(found(&ranked), ["blend of logistic, forest", "blend of logistic, forest, naive-bayes"]);
    }

    #[test]
    fn what_is_far_behind_or_alone_has_no_part() {
        let ranked = [standing(FOREST, 0.9), standing(Learner::Logistic { penalty: 1.0 }, 0.8)];
        assert_eq!(found(&ranked), [""; 0]);
        assert_eq!(found(&ranked[..1]), [""; 0]);
        assert_eq!(found(&[]), [""; 0]);
    }
}
