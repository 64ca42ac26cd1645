//! The hyper-parameters of each algorithm: forms known to be good, and the space that is drawn from.
//!
//! | algorithm | hyper-parameter | space |
//! |---|---|---|
//! | logistic | penalty | 0.001 to 100, logarithmic |
//! | naive Bayes | smoothing | 1e-12 to 0.01, logarithmic |
//! | elastic net | penalty; share of L1 | 0.0001 to 1, logarithmic; 0.05, 0.2, 0.5, 0.8, 0.95 or 1 |
//! | SVM | cost; gamma | 0.1 to 100, logarithmic; a tenth to ten times the usual one, logarithmic |
//! | forest | rows in a leaf; share of columns at a split | 1, 2, 3, 5 or 10; 0.2 to 1 |
//! | boosting | rate and rounds | 0.02 with 1 000 rounds to 0.3 with 100; of few rows a third for more than 7 leaves |
//! | | leaves; rows in a leaf | 7, 15, 31 or 63; 5, 10, 20 or 40 |
//! | | L2; rows and columns drawn a round | 0.001 to 10, logarithmic; 0.6, 0.8 or 1; 0.4, 0.6, 0.8 or 1 |
//!
//! Linear regression has none. What is not named keeps its usual value. Where leaves of forests have usually more rows than
//! one, for the rows are many, all have so many times more.

use crate::model::learn::learner::Learner;
use crate::model::random::Random;

/// Learning rates, each with rounds that are enough for it; boosting stops early by itself.
const RATES: [(f64, u32); 6] = [(0.02, 1_000), (0.03, 800), (0.05, 500), (0.1, 300), (0.2, 150), (0.3, 100)];
/// The usual rounds that go with these numbers. Where fewer are usual nothing stops boosting early, and other rounds are fewer
/// by as much: all of them would learn the rows by heart, and take their time.
const ROUNDS: u32 = 300;
/// Trees of no more leaves learn slowly, so they keep their rounds: on rows with little noise these are better.
const FEW_LEAVES: u32 = 7;

/// Good forms beside the usual one, the best first.
pub(super) fn known(usual: &Learner) -> Vec<Learner> {
    match usual {
        Learner::Linear | Learner::Blend { .. } => Vec::new(),
        Learner::Logistic { penalty } => {
            [0.1, 10.0].map(|factor| Learner::Logistic { penalty: penalty * factor }).to_vec()
        }
        Learner::NaiveBayes { .. } => vec![Learner::NaiveBayes { smoothing: 1e-3 }],
        Learner::ElasticNet { .. } => {
            [(0.001, 0.5), (0.1, 0.95)].map(|(penalty, l1_ratio)| Learner::ElasticNet { penalty, l1_ratio }).to_vec()
        }
        Learner::Svm { gamma, .. } => {
            [(10.0, 1.0), (10.0, 0.3)].map(|(cost, factor)| Learner::Svm { cost, gamma: gamma * factor }).to_vec()
        }
        Learner::Forest { trees, depth, leaf, .. } => [(1, 0.5), (3, 0.3)]
            .map(|(rows, features)| {
                let leaf = leaf.saturating_mul(rows);
                Learner::Forest { trees: *trees, depth: *depth, leaf, features }
            })
            .to_vec(),
        Learner::Boosting { rounds: usual, .. } => [
            (500, 0.05, 15, 10, 1.0, 1.0, 0.6),
            (300, 0.1, 7, 10, 1.0, 0.8, 0.8),
            (800, 0.03, 31, 20, 1.0, 0.8, 0.6),
            (500, 0.05, 63, 20, 3.0, 0.8, 0.6),
        ]
        .map(|(rounds, rate, leaves, leaf, l2, rows, columns)| {
            let rounds = enough(rounds, leaves, *usual);
            Learner::Boosting { rounds, rate, leaves, leaf, l2, rows, columns }
        })
        .to_vec(),
    }
}

/// Rounds of this space for trees of so many leaves where so many rounds are usual.
fn enough(rounds: u32, leaves: u32, usual: u32) -> u32 {
    if leaves <= FEW_LEAVES { rounds } else { (rounds.saturating_mul(usual) / ROUNDS).max(1) }
}

/// Another form of the same algorithm; `None` when it has no hyper-parameters.
pub(super) fn draw(usual: &Learner, random: &mut Random) -> Option<Learner> {
    match usual {
        Learner::Linear | Learner::Blend { .. } => None,
        Learner::Logistic { .. } => Some(Learner::Logistic { penalty: random.logarithmic(1e-3, 1e2) }),
        Learner::NaiveBayes { .. } => Some(Learner::NaiveBayes { smoothing: random.logarithmic(1e-12, 1e-2) }),
        Learner::ElasticNet { .. } => Some(Learner::ElasticNet {
            penalty: random.logarithmic(1e-4, 1.0),
            l1_ratio: random.choose(&[0.05, 0.2, 0.5, 0.8, 0.95, 1.0])?,
        }),
        Learner::Svm { gamma, .. } => Some(Learner::Svm {
            cost: random.logarithmic(0.1, 100.0),
            gamma: random.logarithmic(gamma * 0.1, gamma * 10.0),
        }),
        Learner::Forest { trees, depth, leaf, .. } => Some(Learner::Forest {
            trees: *trees,
            depth: *depth,
            leaf: leaf.saturating_mul(random.choose(&[1, 2, 3, 5, 10])?),
            features: random.choose(&[0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0])?,
        }),
        Learner::Boosting { rounds: usual, .. } => {
            let (rate, rounds) = random.choose(&RATES)?;
            let leaves = random.choose(&[7, 15, 31, 63])?;
            Some(Learner::Boosting {
                rounds: enough(rounds, leaves, *usual),
                rate,
                leaves,
                leaf: random.choose(&[5, 10, 20, 40])?,
                l2: random.logarithmic(1e-3, 10.0),
                rows: random.choose(&[0.6, 0.8, 1.0])?,
                columns: random.choose(&[0.4, 0.6, 0.8, 1.0])?,
            })
        }
    }
}

/// The learner with half of its rounds or trees, for the rungs below the last.
pub(super) fn halved(learner: &Learner) -> Learner {
    let mut halved = learner.clone();
    match &mut halved {
        Learner::Boosting { rounds, .. } => *rounds = rounds.div_ceil(2),
        Learner::Forest { trees, .. } => *trees = trees.div_ceil(2),
        Learner::Logistic { .. }
        | Learner::NaiveBayes { .. }
        | Learner::Linear
        | Learner::ElasticNet { .. }
        | Learner::Svm { .. }
        | Learner::Blend { .. } => {}
    }
    halved
}

#[cfg(test)]
mod tests {
    use super::{draw, known};
    use crate::config::{Algorithm, Task};
    use crate::model::learn::learner::Learner;
    use crate::model::random::Random;

    /// The usual form for so many rows, and others.
    fn forms(algorithm: Algorithm, rows: usize) -> (Learner, Vec<Learner>) {
        let usual = Learner::usual(algorithm, Task::Classification, rows, 30);
        let mut random = Random::new(1, 1);
        let mut forms = known(&usual);
        forms.extend((0..200).filter_map(|_| draw(&usual, &mut random)));
        (usual, forms)
    }

    #[test]
    fn no_forest_of_many_rows_is_as_large_as_they_are() {
        let (usual, forms) = forms(Algorithm::Forest, 800_000);
        let rows_of = |learner: &Learner| {
            let Learner::Forest { leaf, .. } = learner else { unreachable!("only forests are asked for") };
            *leaf
        };
        assert_eq!(rows_of(&usual), 16);
        assert!(forms.iter().all(|form| rows_of(form) >= 16), "{forms:?}");
    }

    #[test]
    fn only_small_trees_boost_few_rows_further_than_the_usual_form() {
        let far = |learner: &Learner| {
            let Learner::Boosting { rounds, rate, .. } = learner else { unreachable!("only boosting is asked for") };
            f64::from(*rounds) * rate
        };
        let is_small = |learner: &Learner| matches!(learner, Learner::Boosting { leaves: 7, .. });
        // Of 1 300 rows a fold learns from fewer than a thousand, and holds none back.
        for rows in [300, 1_300] {
            let (usual, forms) = forms(Algorithm::Boosting, rows);
            assert!(far(&usual) < 10.1, "{usual:?}");
            let (small, large): (Vec<&Learner>, Vec<&Learner>) = forms.iter().partition(|form| is_small(form));
            assert!(large.len() > 100 && large.iter().all(|form| far(form) < 10.1), "{large:?}");
            assert!(small.len() > 20 && small.iter().all(|form| far(form) > 19.9), "{small:?}");
        }
        let (usual, forms) = forms(Algorithm::Boosting, 2_000);
        assert!(far(&usual) > 29.9 && forms.iter().all(|form| far(form) > 19.9), "{forms:?}");
    }
}
