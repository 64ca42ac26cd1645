//! The names of functions, aggregations and operators, and what they mean.

use promql_parser::parser::token::{
    T_ADD, T_ATAN2, T_AVG, T_BOTTOMK, T_COUNT, T_DIV, T_EQLC, T_GROUP, T_GTE, T_GTR, T_LAND, T_LOR, T_LSS, T_LTE,
    T_LUNLESS, T_MAX, T_MIN, T_MOD, T_MUL, T_NEQ, T_POW, T_QUANTILE, T_STDDEV, T_STDVAR, T_SUB, T_SUM, T_TOPK,
    TokenType,
};

use super::super::plan::{
    Aggregation, Arithmetic, Comparison, DatePart, ElementFunction, Operator, RangeFunction, SetOperator,
};

/// Functions of the samples in a window of time.
const RANGE_FUNCTIONS: &[(&str, RangeFunction)] = &[
    ("avg_over_time", RangeFunction::Average),
    ("changes", RangeFunction::Changes),
    ("count_over_time", RangeFunction::Count),
    ("delta", RangeFunction::Delta),
    ("deriv", RangeFunction::Derivative),
    ("first_over_time", RangeFunction::First),
    ("idelta", RangeFunction::InstantDelta),
    ("increase", RangeFunction::Increase),
    ("irate", RangeFunction::InstantRate),
    ("last_over_time", RangeFunction::Last),
    ("max_over_time", RangeFunction::Greatest),
    ("min_over_time", RangeFunction::Least),
    ("predict_linear", RangeFunction::PredictLinear),
    ("present_over_time", RangeFunction::Present),
    ("quantile_over_time", RangeFunction::Quantile),
    ("rate", RangeFunction::Rate),
    ("resets", RangeFunction::Resets),
    ("stddev_over_time", RangeFunction::StandardDeviation),
    ("stdvar_over_time", RangeFunction::Variance),
    ("sum_over_time", RangeFunction::Sum),
];

/// Functions of each value by itself.
const ELEMENT_FUNCTIONS: &[(&str, ElementFunction)] = &[
    ("abs", ElementFunction::Absolute),
    ("acos", ElementFunction::ArcCosine),
    ("acosh", ElementFunction::AreaCosine),
    ("asin", ElementFunction::ArcSine),
    ("asinh", ElementFunction::AreaSine),
    ("atan", ElementFunction::ArcTangent),
    ("atanh", ElementFunction::AreaTangent),
    ("ceil", ElementFunction::Ceiling),
    ("cos", ElementFunction::Cosine),
    ("cosh", ElementFunction::HyperbolicCosine),
    ("deg", ElementFunction::Degrees),
    ("exp", ElementFunction::Exponential),
    ("floor", ElementFunction::Floor),
    ("ln", ElementFunction::NaturalLogarithm),
    ("log10", ElementFunction::DecimalLogarithm),
    ("log2", ElementFunction::BinaryLogarithm),
    ("rad", ElementFunction::Radians),
    ("round", ElementFunction::Round),
    ("sgn", ElementFunction::Sign),
    ("sin", ElementFunction::Sine),
    ("sinh", ElementFunction::HyperbolicSine),
    ("sqrt", ElementFunction::SquareRoot),
    ("tan", ElementFunction::Tangent),
    ("tanh", ElementFunction::HyperbolicTangent),
];

/// Functions that give a part of a date.
const DATE_FUNCTIONS: &[(&str, DatePart)] = &[
    ("day_of_month", DatePart::DayOfMonth),
    ("day_of_week", DatePart::DayOfWeek),
    ("day_of_year", DatePart::DayOfYear),
    ("days_in_month", DatePart::DaysInMonth),
    ("hour", DatePart::Hour),
    ("minute", DatePart::Minute),
    ("month", DatePart::Month),
    ("year", DatePart::Year),
];

/// Functions that have a place of their own in the plan.
const OTHER_FUNCTIONS: &[&str] = &[
    "absent",
    "absent_over_time",
    "clamp",
    "clamp_max",
    "clamp_min",
    "histogram_fraction",
    "histogram_quantile",
    "label_join",
    "label_replace",
    "pi",
    "scalar",
    "sort",
    "sort_desc",
    "time",
    "timestamp",
    "vector",
];

/// Functions of native histograms alone.
const NATIVE_HISTOGRAM_FUNCTIONS: &[&str] =
    &["histogram_avg", "histogram_count", "histogram_stddev", "histogram_stdvar", "histogram_sum"];

/// Every aggregation that can be used.
pub(in super::super) const SUPPORTED_AGGREGATIONS: &[&str] =
    &["avg", "bottomk", "count", "count_values", "group", "max", "min", "quantile", "stddev", "stdvar", "sum", "topk"];

/// Every function that can be called.
pub(in super::super) fn supported_functions() -> impl Iterator<Item = &'static str> {
    let ranges = RANGE_FUNCTIONS.iter().map(|(name, _)| *name);
    let elements = ELEMENT_FUNCTIONS.iter().map(|(name, _)| *name);
    let dates = DATE_FUNCTIONS.iter().map(|(name, _)| *name);
    ranges.chain(elements).chain(dates).chain(OTHER_FUNCTIONS.iter().copied())
}

/// What to write instead of a function that is not supported.
pub(in super::super) fn suggestion(name: &str) -> String {
    // Of two that are as near, the one that was begun to be typed.
    let with_distance =
        |known: &'static str| (strsim::damerau_levenshtein(name, known), !known.starts_with(name), known);
    match supported_functions().map(with_distance).filter(|(distance, ..)| *distance <= 2).min() {
        Some((.., known)) => format!("; did you mean `{known}`?"),
        None => "; https://prometheus.io/docs/prometheus/latest/querying/functions lists what there is".to_owned(),
    }
}

/// Whether a function makes sense for native histograms alone.
pub(super) fn is_of_native_histograms(name: &str) -> bool {
    NATIVE_HISTOGRAM_FUNCTIONS.contains(&name)
}

pub(super) fn range_function(name: &str) -> Option<RangeFunction> {
    found(RANGE_FUNCTIONS, name)
}

pub(super) fn element_function(name: &str) -> Option<ElementFunction> {
    found(ELEMENT_FUNCTIONS, name)
}

pub(super) fn date_part(name: &str) -> Option<DatePart> {
    found(DATE_FUNCTIONS, name)
}

fn found<Meaning: Copy>(table: &[(&str, Meaning)], name: &str) -> Option<Meaning> {
    table.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning)
}

pub(super) fn aggregation(token: TokenType) -> Option<Aggregation> {
    match token.id() {
        T_SUM => Some(Aggregation::Sum),
        T_AVG => Some(Aggregation::Average),
        T_MIN => Some(Aggregation::Least),
        T_MAX => Some(Aggregation::Greatest),
        T_COUNT => Some(Aggregation::Count),
        T_GROUP => Some(Aggregation::Group),
        T_STDDEV => Some(Aggregation::StandardDeviation),
        T_STDVAR => Some(Aggregation::Variance),
        T_TOPK => Some(Aggregation::TopK),
        T_BOTTOMK => Some(Aggregation::BottomK),
        T_QUANTILE => Some(Aggregation::Quantile),
        _ => None,
    }
}

pub(super) fn set_operator(token: TokenType) -> Option<SetOperator> {
    match token.id() {
        T_LAND => Some(SetOperator::And),
        T_LOR => Some(SetOperator::Or),
        T_LUNLESS => Some(SetOperator::Unless),
        _ => None,
    }
}

pub(super) fn operator(token: TokenType, gives_truth: bool) -> Option<Operator> {
    let comparison = match token.id() {
        T_ADD => return Some(Operator::Arithmetic(Arithmetic::Add)),
        T_SUB => return Some(Operator::Arithmetic(Arithmetic::Subtract)),
        T_MUL => return Some(Operator::Arithmetic(Arithmetic::Multiply)),
        T_DIV => return Some(Operator::Arithmetic(Arithmetic::Divide)),
        T_MOD => return Some(Operator::Arithmetic(Arithmetic::Remainder)),
        T_POW => return Some(Operator::Arithmetic(Arithmetic::Power)),
        T_ATAN2 => return Some(Operator::Arithmetic(Arithmetic::ArcTangent)),
        T_EQLC => Comparison::Equal,
        T_NEQ => Comparison::NotEqual,
        T_LSS => Comparison::Less,
        T_LTE => Comparison::LessOrEqual,
        T_GTR => Comparison::Greater,
        T_GTE => Comparison::GreaterOrEqual,
        _ => return None,
    };
    Some(if gives_truth { Operator::Truth(comparison) } else { Operator::Filter(comparison) })
}
