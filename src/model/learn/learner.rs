//! The algorithms with their hyper-parameters: what each is called, which suit a task, and what is usual.

use crate::config::{Algorithm, Task};
use crate::model::learn::learn_error::LearnError;
use crate::model::number::float;
use crate::pipeline::quantity::counted;

/// No tree gets deeper than this: it stands for no limit.
pub const FULL_DEPTH: u32 = 1_000;
/// Of fewer rows a fold may have too few to hold some back and be stopped by them (that takes a thousand), so boosting has
/// to do with a number of rounds that is safe.
const FEW_ROWS: usize = 2_000;
/// A full tree of more rows would be as large as they are: leaves grow with them from here on.
const MANY_ROWS: usize = 50_000;

/// An algorithm with all its hyper-parameters. How it is written stands in `learner_text`.
#[derive(Debug, Clone, PartialEq)]
pub enum Learner {
    /// Logistic regression.
    Logistic {
        /// The penalty on the squares of the weights. If no solution is found, ten and a hundred times as much are tried.
        penalty: f64,
    },
    /// Gaussian naive Bayes.
    NaiveBayes {
        /// The share of the greatest variance that is added to all.
        smoothing: f64,
    },
    /// Least squares.
    Linear,
    /// Least squares with penalties on the weights, counted in standard deviations of the target.
    ElasticNet {
        /// The penalty in all.
        penalty: f64,
        /// Its share on the sizes of the weights; the rest is on their squares.
        l1_ratio: f64,
    },
    /// Support vector machines with a gaussian kernel, for small sets.
    Svm {
        /// What a row on the wrong side costs.
        cost: f64,
        /// How fast rows lose their influence with the square of the distance.
        gamma: f64,
    },
    /// A random forest.
    Forest {
        /// How many trees.
        trees: u32,
        /// The most questions to a leaf; [`FULL_DEPTH`] is no limit.
        depth: u32,
        /// The least rows of a leaf.
        leaf: u32,
        /// The share of columns that a question is looked for in.
        features: f64,
    },
    /// Gradient boosting.
    Boosting {
        /// The most rounds; from a thousand rows on, fewer when rows that are held back get no better.
        rounds: u32,
        /// The share of each step that is taken.
        rate: f64,
        /// The most leaves of a tree.
        leaves: u32,
        /// The least rows of a leaf.
        leaf: u32,
        /// The penalty on the square of what a leaf says.
        l2: f64,
        /// The share of rows that a tree sees.
        rows: f64,
        /// The share of columns that a tree sees.
        columns: f64,
    },
    /// The mean of what several learners say.
    Blend {
        /// Those; none of them is a blend.
        parts: Vec<Learner>,
    },
}

impl Learner {
    /// Which algorithm it is.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Logistic { .. } => Algorithm::Logistic,
            Self::NaiveBayes { .. } => Algorithm::NaiveBayes,
            Self::Linear => Algorithm::Linear,
            Self::ElasticNet { .. } => Algorithm::ElasticNet,
            Self::Svm { .. } => Algorithm::Svm,
            Self::Blend { .. } => Algorithm::Blend,
            Self::Forest { .. } => Algorithm::Forest,
            Self::Boosting { .. } => Algorithm::Boosting,
        }
    }

    /// What is good for most data sets of that size. A blend has nothing usual: it is made of what others turned out to be.
    pub fn usual(algorithm: Algorithm, task: Task, rows: usize, columns: usize) -> Self {
        let width = float(columns).max(1.0);
        match algorithm {
            Algorithm::Logistic => Self::Logistic { penalty: 1.0 },
            Algorithm::NaiveBayes => Self::NaiveBayes { smoothing: 1e-9 },
            Algorithm::Linear => Self::Linear,
            Algorithm::ElasticNet => Self::ElasticNet { penalty: 0.01, l1_ratio: 0.5 },
            Algorithm::Svm => Self::Svm { cost: 1.0, gamma: 1.0 / width },
            Algorithm::Forest => Self::Forest {
                trees: 100,
                depth: FULL_DEPTH,
                leaf: u32::try_from(rows / MANY_ROWS).unwrap_or(u32::MAX).max(1),
                features: match task {
                    Task::Classification => width.sqrt() / width,
                    Task::Regression => ((width / 3.0).max(3.0) / width).min(1.0),
                },
            },
            Algorithm::Boosting => Self::Boosting {
                rounds: if rows < FEW_ROWS { 100 } else { 300 },
                rate: 0.1,
                leaves: 31,
                leaf: if rows < FEW_ROWS { u32::try_from(rows / 50).unwrap_or(20).clamp(3, 20) } else { 20 },
                l2: 1.0,
                rows: 1.0,
                columns: 1.0,
            },
            Algorithm::Blend => Self::Blend { parts: Vec::new() },
        }
    }

    /// A few words for people.
    pub fn describe(&self) -> String {
        let name = algorithm_name(self.algorithm());
        match self {
            Self::Logistic { penalty } => format!("{name}, penalty {}", shown(*penalty)),
            Self::NaiveBayes { smoothing } => format!("{name}, smoothing {}", shown(*smoothing)),
            Self::Linear => name.to_owned(),
            Self::ElasticNet { penalty, l1_ratio } => {
                format!("{name}, penalty {} with {} of it on sizes", shown(*penalty), shown(*l1_ratio))
            }
            Self::Svm { cost, gamma } => format!("{name}, cost {}, gamma {}", shown(*cost), shown(*gamma)),
            Self::Forest { trees, depth, leaf, features } => {
                let depth = if *depth >= FULL_DEPTH { String::new() } else { format!(" of depth {depth}") };
                let share = shown(*features);
                let rows = counted(*leaf, "row");
                format!("{name}, {trees} trees{depth}, leaves of {rows}, {share} of the columns a question")
            }
            Self::Boosting { rounds, rate, leaves, .. } => {
                format!("{name}, {rounds} rounds of {leaves} leaves at rate {}", shown(*rate))
            }
            Self::Blend { parts } => {
                let parts: Vec<&str> = parts.iter().map(|part| algorithm_name(part.algorithm())).collect();
                format!("{name} of {}", parts.join(", "))
            }
        }
    }

    /// Whether it can learn at all.
    pub(in crate::model) fn check(&self) -> Result<(), LearnError> {
        const NOT_NEGATIVE: Range = ("zero or more", |value| value >= 0.0 && value.is_finite());
        const POSITIVE: Range = ("above zero", |value| value > 0.0 && value.is_finite());
        const SHARE: Range = ("above zero and at most 1", |value| value > 0.0 && value <= 1.0);
        const PART: Range = ("between 0 and 1", |value| (0.0..=1.0).contains(&value));
        const ONE: Range = ("1 or more", |value| value >= 1.0);
        const TWO: Range = ("2 or more", |value| value >= 2.0);
        let checks: Vec<(&'static str, f64, Range)> = match *self {
            Self::Blend { ref parts } => vec![("parts", float(parts.len()), TWO)],
            Self::Logistic { penalty } => vec![("penalty", penalty, NOT_NEGATIVE)],
            Self::NaiveBayes { smoothing } => vec![("smoothing", smoothing, NOT_NEGATIVE)],
            Self::Linear => vec![],
            Self::ElasticNet { penalty, l1_ratio } => {
                vec![("penalty", penalty, NOT_NEGATIVE), ("l1_ratio", l1_ratio, PART)]
            }
            Self::Svm { cost, gamma } => vec![("cost", cost, POSITIVE), ("gamma", gamma, POSITIVE)],
            Self::Forest { trees, leaf, features, .. } => {
                vec![("trees", f64::from(trees), ONE), ("leaf", f64::from(leaf), ONE), ("features", features, SHARE)]
            }
            Self::Boosting { rounds, rate, leaves, leaf, l2, rows, columns } => vec![
                ("rounds", f64::from(rounds), ONE),
                ("rate", rate, POSITIVE),
                ("leaves", f64::from(leaves), TWO),
                ("leaf", f64::from(leaf), ONE),
                ("l2", l2, NOT_NEGATIVE),
                ("rows", rows, SHARE),
                ("columns", columns, SHARE),
            ],
        };
        match checks.into_iter().find(|(_, value, (_, holds))| !holds(*value)) {
            None => Ok(()),
            Some((what, value, (expected, _))) => {
                Err(LearnError::Parameter { algorithm: algorithm_name(self.algorithm()), what, value, expected })
            }
        }
    }
}

/// What a hyper-parameter may be, in words and as a question.
type Range = (&'static str, fn(f64) -> bool);

/// A number with as many digits as say something.
fn shown(number: f64) -> String {
    if number > 0.0 && number < 1e-3 {
        return format!("{number:e}");
    }
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The name of an algorithm, as the configuration writes it.
pub fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Logistic => "logistic",
        Algorithm::NaiveBayes => "naive-bayes",
        Algorithm::Linear => "linear",
        Algorithm::ElasticNet => "elastic-net",
        Algorithm::Svm => "svm",
        Algorithm::Forest => "forest",
        Algorithm::Boosting => "boosting",
        Algorithm::Blend => "blend",
    }
}

/// The algorithms that suit a task. All but the last, which is for small sets, are what `auto` tries.
pub fn suitable(task: Task) -> &'static [Algorithm] {
    match task {
        Task::Classification => {
            &[Algorithm::Logistic, Algorithm::NaiveBayes, Algorithm::Forest, Algorithm::Boosting, Algorithm::Svm]
        }
        Task::Regression => {
            &[Algorithm::Linear, Algorithm::ElasticNet, Algorithm::Forest, Algorithm::Boosting, Algorithm::Svm]
        }
    }
}

/// What `auto` tries, in this order.
pub fn automatic(task: Task) -> &'static [Algorithm] {
    match suitable(task) {
        [automatic @ .., Algorithm::Svm] => automatic,
        all => all,
    }
}

#[cfg(test)]
mod tests {
    use super::{Learner, automatic, suitable};
    use crate::config::{Algorithm, Task};

    #[test]
    fn what_is_usual_can_learn_and_is_of_the_algorithm_that_was_asked_for() {
        for task in [Task::Classification, Task::Regression] {
            for algorithm in suitable(task) {
                for (rows, columns) in [(1, 1), (200, 4), (1_000_000, 10_000)] {
                    let learner = Learner::usual(*algorithm, task, rows, columns);
                    assert_eq!(learner.algorithm(), *algorithm);
                    learner.check().unwrap();
                }
            }
        }
        assert_eq!(automatic(Task::Regression).last(), Some(&Algorithm::Boosting));
    }

    #[test]
    fn learners_are_described_in_a_few_words() {
        let told: Vec<String> = [
            Algorithm::Logistic,
            Algorithm::NaiveBayes,
            Algorithm::Linear,
            Algorithm::ElasticNet,
            Algorithm::Svm,
            Algorithm::Forest,
            Algorithm::Boosting,
        ]
        .into_iter()
        .map(|algorithm| Learner::usual(algorithm, Task::Classification, 5_000, 16).describe())
        .collect();
        assert_eq!(
            told,
            [
                "logistic, penalty 1",
                "naive-bayes, smoothing 1e-9",
                "linear",
                "elastic-net, penalty 0.01 with 0.5 of it on sizes",
                "svm, cost 1, gamma 0.0625",
                "forest, 100 trees, leaves of 1 row, 0.25 of the columns a question",
                "boosting, 300 rounds of 31 leaves at rate 0.1",
            ]
        );
    }

    #[test]
    fn what_cannot_learn_is_refused_by_name() {
        let learner = Learner::Svm { cost: f64::NAN, gamma: 1.0 };
        assert_eq!(learner.check().unwrap_err().to_string(), "svm cannot learn with cost = NaN; it must be above zero");
    }
}
