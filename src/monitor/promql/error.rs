//! Why an expression was refused or could not be evaluated.

use super::compile::{SUPPORTED_AGGREGATIONS, SUPPORTED_FUNCTIONS};

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
    #[error("function `{name}` is not supported; use one of {}", SUPPORTED_FUNCTIONS.join(", "))]
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
    /// Another part of the language that is not evaluated here.
    #[error("{what} is not supported; write the expression without it")]
    Unsupported {
        /// The part.
        what: String,
    },
    /// A binary operation met several series where only one may stand.
    #[error(
        "several series match {labels} on the {side} side of a binary operation; \
         name more labels with on(…), or allow many on one side with group_left or group_right"
    )]
    ManyMatches {
        /// The labels by which they were matched.
        labels: String,
        /// `left` or `right`.
        side: &'static str,
    },
    /// A result has two series with equal labels.
    #[error("the result has two series with the labels {labels}; aggregate them, for instance with sum by (…)")]
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
}
