//! What is left of an expression once it has been checked: a tree in which every node is of a known type and supported.
//!
//! Whatever this tree can express, the evaluator can evaluate: there is no "cannot happen" behind it.

use promql_parser::label::Matcher;

use crate::monitor::{Labels, METRIC_NAME};

/// An expression: one number, or a set of series with a number each.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Scalar(ScalarNode),
    Vector(VectorNode),
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
    OverRange {
        function: RangeFunction,
        selector: usize,
        range_ms: i64,
    },
    FromScalar(Box<ScalarNode>),
    Negate(Box<VectorNode>),
    Map {
        function: ElementFunction,
        argument: Box<VectorNode>,
        parameter: Box<ScalarNode>,
    },
    HistogramQuantile {
        quantile: Box<ScalarNode>,
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
}

/// Which series are meant, and how far back.
#[derive(Debug, Clone)]
pub(super) struct Selector {
    /// The name of the metric, where it is fixed.
    pub(super) name: Option<String>,
    pub(super) matchers: Vec<Matcher>,
    pub(super) offset_ms: i64,
}

impl Selector {
    /// Whether the series with these labels is meant.
    pub(super) fn accepts(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|matcher| matcher.is_match(labels.get(&matcher.name).unwrap_or_default()))
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
    TopK,
    BottomK,
    Quantile,
}

/// A function of the samples in a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RangeFunction {
    Rate,
    InstantRate,
    Increase,
    Delta,
    Average,
    Least,
    Greatest,
    Sum,
    Count,
    Last,
}

/// A function of each value by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementFunction {
    Absolute,
    Ceiling,
    Floor,
    /// To the nearest multiple of the parameter.
    Round,
    ClampMin,
    ClampMax,
}
