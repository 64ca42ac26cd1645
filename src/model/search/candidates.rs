//! What is tried: the usual form of each algorithm, forms that are known to be good, then draws.
//!
//! The order of trials decides between equals, so simpler algorithms stand first. When there are fewer trials than usual
//! forms, the stronger algorithms are the ones that are tried.

use super::space;
use crate::config::{Algorithm, Task};
use crate::model::learn::learner::Learner;
use crate::model::random::Random;

/// Streams of the generator that belong to draws.
const STREAM: u64 = 0x7370_6163_0000_0000;
/// So many draws in a row that were there already mean that the space is used up.
const MOST_REPEATS: usize = 50;

/// At most `trials` different learners of the given algorithms, for a training set of that size. The same for equal
/// arguments; there is at least one when an algorithm is given.
pub(in crate::model) fn candidates(
    algorithms: &[Algorithm],
    task: Task,
    (rows, columns): (usize, usize),
    trials: usize,
    seed: u64,
) -> Vec<Learner> {
    let mut strongest: Vec<Algorithm> = algorithms.to_vec();
    strongest.sort_by_key(|algorithm| std::cmp::Reverse(strength(*algorithm)));
    let usual = |algorithm: Algorithm| Learner::usual(algorithm, task, rows, columns);
    let mut found: Vec<Learner> = Vec::new();
    let known: Vec<Vec<Learner>> = strongest
        .iter()
        .map(|algorithm| {
            let usual = usual(*algorithm);
            let mut known = space::known(&usual);
            known.insert(0, usual);
            known
        })
        .collect();
    let deepest = known.iter().map(Vec::len).max().unwrap_or_default();
    for learner in (0..deepest).flat_map(|depth| known.iter().filter_map(move |of| of.get(depth))) {
        if !found.contains(learner) {
            found.push(learner.clone());
        }
    }
    let weighted: Vec<Algorithm> =
        strongest.iter().flat_map(|algorithm| std::iter::repeat_n(*algorithm, appeal(*algorithm))).collect();
    let mut random = Random::new(seed, STREAM);
    let mut repeats = 0;
    while found.len() < trials && repeats < MOST_REPEATS {
        let Some(algorithm) = random.choose(&weighted) else { break };
        match space::draw(&usual(algorithm), &mut random) {
            Some(drawn) if !found.contains(&drawn) => {
                found.push(drawn);
                repeats = 0;
            }
            _ => repeats += 1,
        }
    }
    found.truncate(trials.max(1));
    found.sort_by_key(|learner| strength(learner.algorithm()));
    found
}

/// How much an algorithm can learn; the simplest first.
pub(super) fn strength(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Logistic | Algorithm::Linear => 0,
        Algorithm::NaiveBayes => 1,
        Algorithm::ElasticNet => 2,
        Algorithm::Svm => 3,
        Algorithm::Forest => 4,
        Algorithm::Boosting => 5,
        Algorithm::Blend => 6,
    }
}

/// How often an algorithm is drawn beside others: the more there is to choose in it, and the more that changes.
fn appeal(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Logistic | Algorithm::Linear | Algorithm::NaiveBayes | Algorithm::Blend => 1,
        Algorithm::ElasticNet | Algorithm::Svm | Algorithm::Forest => 2,
        Algorithm::Boosting => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::candidates;
    use crate::config::{Algorithm, Task};
    use crate::model::learn::learner::automatic;

    #[test]
    fn the_usual_form_of_each_algorithm_is_among_the_first() {
        let found = candidates(automatic(Task::Classification), Task::Classification, (500, 8), 4, 1);
        let algorithms: Vec<Algorithm> = found.iter().map(super::Learner::algorithm).collect();
        assert_eq!(algorithms, automatic(Task::Classification));
    }

    #[test]
    fn a_single_trial_is_the_strongest_algorithm() {
        let found = candidates(automatic(Task::Regression), Task::Regression, (500, 8), 1, 1);
        assert_eq!(found.iter().map(super::Learner::algorithm).collect::<Vec<_>>(), [Algorithm::Boosting]);
    }

    #[test]
    fn what_has_nothing_to_choose_is_tried_once() {
        assert_eq!(candidates(&[Algorithm::Linear], Task::Regression, (500, 8), 24, 1).len(), 1);
    }

    #[test]
    fn equal_seeds_give_equal_candidates_and_no_candidate_is_there_twice() {
        let of = |seed| candidates(automatic(Task::Classification), Task::Classification, (500, 8), 40, seed);
        let found = of(1);
        assert_eq!(found, of(1));
        assert_ne!(found, of(2));
        assert_eq!(found.len(), 40);
        for (index, learner) in found.iter().enumerate() {
            assert!(!found[..index].contains(learner), "{learner:?}");
        }
    }
}
