//! What is left of an expression once it has been checked: a tree in which every node is of a known type and supported.
//!
//! Whatever this tree can express, the evaluator can evaluate: there is no "cannot happen" behind it.

use promql_parser::label::{MatchOp, Matcher};
use regex::Regex;

use crate::monitor::{Labels, METRIC_NAME};

use super::grid::{Grid, Placement, Span, Stepping};

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Scalar(ScalarNode),
    Vector(VectorNode),
    Matrix(RangeNode),
    Text(String),
}

/// What gives one number.
#[derive(Debug, Clone)]
pub(super) enum ScalarNode {
    Number(f64),
    /// The moment of evaluation, in seconds.
    Time,
    /// The value of the only element, else NaN.
    FromVector(Box<VectorNode>),
    Negate(Box<ScalarNode>),
    Binary {
        operator: Operator,
        left: Box<ScalarNode>,
        right: Box<ScalarNode>,
    },
}

/// What gives a set of series with a number each. Selectors are kept apart and stand here by their number.
#[derive(Debug, Clone)]
pub(super) enum VectorNode {
    Select(usize),
    /// `timestamp` of a selector: when the sample was taken.
    SelectTimestamps(usize),
    /// `timestamp` of anything else: the moment of evaluation.
    Timestamps(Box<VectorNode>),
    OverRange {
        function: RangeFunction,
        argument: RangeNode,
        parameter: ScalarNode,
    },
    Absent {
        argument: Box<VectorNode>,
        labels: Labels,
    },
    AbsentOverRange {
        argument: RangeNode,
        labels: Labels,
    },
    FromScalar(Box<ScalarNode>),
    Negate(Box<VectorNode>),
    Map {
        function: ElementFunction,
        argument: Box<VectorNode>,
        parameter: Box<ScalarNode>,
    },
    Clamp {
        argument: Box<VectorNode>,
        least: Box<ScalarNode>,
        most: Box<ScalarNode>,
    },
    /// A part of the date of each value, or of the moment of evaluation.
    Date {
        part: DatePart,
        argument: Option<Box<VectorNode>>,
    },
    Sort {
        argument: Box<VectorNode>,
        is_descending: bool,
        /// Line and column of the function in the expression.
        place: String,
    },
    Relabel {
        argument: Box<VectorNode>,
        change: Box<Relabeling>,
    },
    HistogramQuantile {
        quantile: Box<ScalarNode>,
        buckets: Box<VectorNode>,
    },
    HistogramFraction {
        lower: Box<ScalarNode>,
        upper: Box<ScalarNode>,
        buckets: Box<VectorNode>,
    },
    WithScalar {
        operator: Operator,
        vector: Box<VectorNode>,
        scalar: Box<ScalarNode>,
        scalar_on_left: bool,
    },
    Pairwise {
        operator: Operator,
        left: Box<VectorNode>,
        right: Box<VectorNode>,
        matching: LabelChoice,
        cardinality: Cardinality,
    },
    Set {
        operator: SetOperator,
        left: Box<VectorNode>,
        right: Box<VectorNode>,
        matching: LabelChoice,
    },
    Aggregate {
        aggregation: Aggregation,
        argument: Box<VectorNode>,
        parameter: Box<ScalarNode>,
        grouping: LabelChoice,
    },
    CountValues {
        /// The label that gets the value.
        label: String,
        argument: Box<VectorNode>,
        grouping: LabelChoice,
    },
}

/// What gives a set of series with the samples of a window of time.
#[derive(Debug, Clone)]
pub(super) enum RangeNode {
    Select { selector: usize, range_ms: i64 },
    Subquery { inner: Box<VectorNode>, stepping: Stepping },
}

/// Which series are meant, and when.
#[derive(Debug, Clone)]
pub(super) struct Selector {
    /// The name of the metric is one of them.
    pub(super) matchers: Vec<Matcher>,
    pub(super) placement: Placement,
    /// The window; none where the last sample is meant.
    pub(super) range_ms: Option<i64>,
    /// The subqueries around it, the outermost first.
    pub(super) within: Vec<Stepping>,
    /// Whether it stands in a function that takes no notice of native histograms.
    pub(super) is_of_floats: bool,
}

impl Selector {
    /// The name of the metric, where it is fixed.
    pub(super) fn name(&self) -> Option<&str> {
        let is_fixed = |matcher: &&Matcher| matcher.name == METRIC_NAME && matches!(matcher.op, MatchOp::Equal);
        self.matchers.iter().find(is_fixed).map(|matcher| matcher.value.as_str())
    }

    /// The time in which samples are looked at: after the first moment, up to and including the second.
    pub(super) fn reach(&self, grid: Grid, span: Span) -> Option<(i64, i64)> {
        let grid = self.within.iter().fold(grid, |outer, stepping| stepping.grid(outer, span));
        let until = self.placement.moment(grid.last()?, span);
        let first = self.placement.moment(grid.first, span);
        Some((first.saturating_sub(self.range_ms.unwrap_or(span.look_back_ms)), until))
    }
}

/// A selection among labels, for grouping and for matching.
#[derive(Debug, Clone)]
pub(super) enum LabelChoice {
    /// `by` and `on`.
    Only(Vec<String>),
    /// `without` and `ignoring`; these leave out the name too.
    AllBut(Vec<String>),
}

impl LabelChoice {
    /// The chosen ones of `labels`.
    pub(super) fn of(&self, labels: &Labels) -> Labels {
        match self {
            Self::Only(names) => labels.keep(|label| names.iter().any(|name| name == label)),
            Self::AllBut(names) => labels.keep(|label| label != METRIC_NAME && names.iter().all(|name| name != label)),
        }
    }
}

/// Which side of a vector operation may have several series for one on the other.
#[derive(Debug, Clone)]
pub(super) enum Cardinality {
    OneToOne,
    /// `group_left`, with the labels taken over from the right.
    ManyToOne(Vec<String>),
    /// `group_right`, with the labels taken over from the left.
    OneToMany(Vec<String>),
}

/// An operator between two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Arithmetic(Arithmetic),
    /// Keeps or drops an element.
    Filter(Comparison),
    /// With `bool`: gives 1 or 0.
    Truth(Comparison),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    /// The angle of the point whose ordinate stands on the left.
    ArcTangent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetOperator {
    And,
    Or,
    Unless,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregation {
    Sum,
    Average,
    Least,
    Greatest,
    Count,
    Group,
    StandardDeviation,
    Variance,
    TopK,
    BottomK,
    Quantile,
}

/// A function of the samples in a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RangeFunction {
    Rate,
    Increase,
    Delta,
    InstantRate,
    InstantDelta,
    Derivative,
    /// The parameter says how many seconds ahead.
    PredictLinear,
    Changes,
    Resets,
    Average,
    Least,
    Greatest,
    Sum,
    Count,
    First,
    Last,
    Present,
    /// The parameter says which.
    Quantile,
    StandardDeviation,
    Variance,
}

/// A function of each value by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementFunction {
    Absolute,
    Ceiling,
    Floor,
    /// To the nearest multiple of the parameter.
    Round,
    Exponential,
    NaturalLogarithm,
    BinaryLogarithm,
    DecimalLogarithm,
    SquareRoot,
    Sign,
    Sine,
    Cosine,
    Tangent,
    ArcSine,
    ArcCosine,
    ArcTangent,
    HyperbolicSine,
    HyperbolicCosine,
    HyperbolicTangent,
    AreaSine,
    AreaCosine,
    AreaTangent,
    Degrees,
    Radians,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DatePart {
    Minute,
    Hour,
    DayOfWeek,
    DayOfMonth,
    DayOfYear,
    DaysInMonth,
    Month,
    Year,
}

/// A change of labels that looks at no value.
#[derive(Debug, Clone)]
pub(super) enum Relabeling {
    /// `label_replace`.
    Replace { target: String, replacement: String, source: String, pattern: Regex },
    /// `label_join`.
    Join { target: String, separator: String, sources: Vec<String> },
}
