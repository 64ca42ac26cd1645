//! Why an expression was refused or could not be evaluated.

use super::compile::names::{SUPPORTED_AGGREGATIONS, suggestion};

/// What is wrong with an expression, or with what it met in the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromqlError {
    /// The text is not `PromQL`, or its types do not fit.
    #[error("`{expression}` is not a valid expression: {reason}")]
    Syntax {
        /// The expression, as it was given.
        expression: String,
        /// What the parser says.
        reason: String,
    },
    /// The expression is longer than is read.
    #[error("the expression has {length} bytes, and at most {limit} are read; split it")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that is read.
        limit: usize,
    },
    /// The expression is nested too deeply.
    #[error("the expression is nested more than {limit} levels deep; split it")]
    TooDeep {
        /// The deepest level that is read.
        limit: usize,
    },
    /// A function that is not evaluated here.
    #[error("function `{name}` is not supported{}", suggestion(.name))]
    UnsupportedFunction {
        /// The function.
        name: String,
    },
    /// An aggregation that is not evaluated here.
    #[error("aggregation `{name}` is not supported; use one of {}", SUPPORTED_AGGREGATIONS.join(", "))]
    UnsupportedAggregation {
        /// The aggregation.
        name: String,
    },
    /// A part of the language that Prometheus itself keeps behind a flag.
    #[error("{what} is experimental in Prometheus and not supported here; write the expression without it")]
    Experimental {
        /// The part.
        what: String,
    },
    /// Another part of the language that is not evaluated here.
    #[error("{what} is not supported; write the expression without it")]
    Unsupported {
        /// The part.
        what: String,
    },
    /// A regular expression that cannot be compiled.
    #[error("`{pattern}` is not a valid regular expression: {reason}")]
    BadRegularExpression {
        /// As it was given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A label that a function was told to write or read and that cannot be one.
    #[error("`{label}` is not a name of a label; give {function} one that is not empty")]
    BadLabel {
        /// The name that was given.
        label: String,
        /// The function or aggregation.
        function: &'static str,
    },
    /// A range of samples or a text where numbers are asked for.
    #[error("the expression gives {found}, not numbers; {mend}")]
    NotNumbers {
        /// What it gives.
        found: &'static str,
        /// How to mend it.
        mend: &'static str,
    },
    /// A parameter of an aggregation that is no count.
    #[error("the first argument of `{aggregation}` is {found}; give a number of series")]
    BadCount {
        /// `topk` or `bottomk`.
        aggregation: &'static str,
        /// What it was.
        found: String,
    },
    /// A binary operation met several series on the side where only one may stand.
    #[error(
        "several series match {group} on the {side} side of a binary operation, {one} and {other} among them; \
         name more labels with on(…), or allow many on that side with group_left or group_right"
    )]
    ManyMatches {
        /// The labels by which they were matched.
        group: String,
        /// `left` or `right`.
        side: &'static str,
        /// One of them.
        one: String,
        /// Another.
        other: String,
    },
    /// A binary operation met several series on one side, and was not told that there may be many.
    #[error(
        "several series on the left side of a binary operation match {group}; \
         name more labels with on(…), or allow many on the left with group_left"
    )]
    ManyToOne {
        /// The labels by which they were matched.
        group: String,
    },
    /// With `group_left` or `group_right`, two results of one match have equal labels.
    #[error("a binary operation with a group modifier gives {labels} twice; take over fewer labels")]
    AmbiguousGroup {
        /// The labels of the results.
        labels: String,
    },
    /// A result has two series with equal labels at one moment.
    #[error("two series have the labels {labels} once their names are gone; aggregate them, as with sum by (…)")]
    DuplicateSeries {
        /// The labels that are there twice.
        labels: String,
    },
    /// A range that cannot be walked.
    #[error(
        "a range of {range_ms} ms in steps of {step_ms} ms cannot be evaluated; at most {limit} steps are, forwards"
    )]
    BadRange {
        /// From start to end, in milliseconds.
        range_ms: i64,
        /// From step to step, in milliseconds.
        step_ms: u64,
        /// The most steps that are evaluated.
        limit: u64,
    },
    /// The query would hold too many samples in memory.
    #[error(
        "the query would hold more than {limit} samples at once; choose fewer series, a shorter range or wider steps"
    )]
    TooManySamples {
        /// The most that are held.
        limit: usize,
    },
    /// The query would take too long.
    #[error("the query would go over more than {limit} samples; choose fewer series, shorter windows or wider steps")]
    TooMuchWork {
        /// The most samples that are gone over, each as often as a window holds it.
        limit: u64,
    },
    /// A label that a function would write is too long.
    #[error("{function} would write a label of more than {limit} bytes; let it write less")]
    LabelTooLong {
        /// The function.
        function: &'static str,
        /// The most bytes of a label.
        limit: usize,
    },
}

impl PromqlError {
    /// Whether the expression may well be right and is only not supported here.
    pub fn is_unsupported(&self) -> bool {
        matches!(
            self,
            Self::UnsupportedFunction { .. }
                | Self::UnsupportedAggregation { .. }
                | Self::Experimental { .. }
                | Self::Unsupported { .. }
        )
    }

    /// Whether it is refused for being experimental in Prometheus too.
    pub fn is_experimental(&self) -> bool {
        matches!(self, Self::Experimental { .. })
    }

    /// The same in the words of Prometheus, where it has words of its own: its test files ask for them.
    pub fn in_prometheus_words(&self) -> String {
        match self {
            Self::DuplicateSeries { .. } => "vector cannot contain metrics with the same labelset".to_owned(),
            Self::ManyMatches { group, side, one, other } => format!(
                "found duplicate series for the match group {group} on the {side} hand-side of the operation: \
                 [{one}, {other}];many-to-many matching not allowed: matching labels must be unique on one side"
            ),
            Self::ManyToOne { .. } => {
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)".to_owned()
            }
            Self::AmbiguousGroup { .. } => {
                "multiple matches for labels: grouping labels must ensure unique matches".to_owned()
            }
            Self::BadCount { found, .. } if found == "NaN" => "Parameter value is NaN".to_owned(),
            other => other.to_string(),
        }
    }
}
