//! What a training is to do, and what its model must reach.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `uses = "train"`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainSettings {
    /// The column to predict.
    pub target: String,
    /// What is tried; empty means `auto`: all that suit the task. The best in cross-validation on the training rows wins.
    pub algorithms: Vec<Algorithm>,
    /// `None` means: found from the target column.
    pub task: Option<Task>,
    /// Columns that are left out.
    pub exclude: Vec<String>,
    /// Share of rows held out for evaluation, between 0 and 1.
    pub holdout: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// How rows are held out.
    pub split: SplitSettings,
    /// What the new model must reach.
    pub gate: Option<GateSettings>,
    /// How far hyper-parameters are looked for.
    pub search: SearchSettings,
    /// Columns by whose values the evaluation is cut into parts.
    pub slices: Vec<String>,
    /// Whether it learns from the labelled rows that releases have collected, too.
    pub feedback: bool,
}

/// A family of learners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Logistic regression (two classes) or its multinomial form.
    Logistic,
    /// Gaussian naive Bayes.
    NaiveBayes,
    /// Ordinary least squares.
    Linear,
    /// Least squares with penalties on the weights.
    ElasticNet,
    /// Support vector machines with a gaussian kernel, for small sets.
    Svm,
    /// A random forest.
    Forest,
    /// Gradient boosting.
    Boosting,
    /// The mean of what the best of several others say.
    Blend,
}

impl Algorithm {
    /// The only task that it can do; `None` for one that can do both.
    pub fn task(self) -> Option<Task> {
        match self {
            Self::Logistic | Self::NaiveBayes => Some(Task::Classification),
            Self::Linear | Self::ElasticNet => Some(Task::Regression),
            Self::Svm | Self::Forest | Self::Boosting | Self::Blend => None,
        }
    }
}

/// What is to be predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One of a few classes.
    Classification,
    /// A number.
    Regression,
}

/// `search = { trials, time, folds }`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchSettings {
    /// The most learners that are tried; with one, nothing is searched.
    pub trials: u32,
    /// How long is searched at the most; `None` means until every trial is done, and equal inputs then give equal models.
    pub time: Option<Duration>,
    /// Parts of the training rows, each of which judges what was learned from the others.
    pub folds: u32,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self { trials: 24, time: None, folds: 3 }
    }
}

/// `split`: which rows are held out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitSettings {
    /// Those that a hash of the row itself names, so that they stay the same as data grows.
    #[default]
    Hash,
    /// The latest ones.
    Time {
        /// The column that says when.
        column: String,
    },
}

/// `gate = { metric, min, champion, tolerance }`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateSettings {
    /// The name of a metric that training reports.
    pub metric: String,
    /// The least value that passes (the greatest, for errors such as `rmse`).
    pub min: Option<f64>,
    /// How it must stand beside the champion. One of this and `min` is always there.
    pub champion: Option<ChampionRule>,
    /// By how much it may be worse and still be no worse, in the unit of the metric.
    pub tolerance: f64,
}

/// How a new model must stand beside the champion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChampionRule {
    /// Not worse by more than the tolerance.
    NoWorse,
    /// Better, and not by chance: the whole interval of the difference lies above zero.
    Better,
}
