//! Turns what the parser read into a checked plan, or says what is not supported.
//!
//! All refusals that depend on the text alone happen here, so that a panel or an alert is refused when it is configured
//! and not when it is first evaluated.

use std::time::Duration;

use promql_parser::parser::token::{
    T_ADD, T_AVG, T_BOTTOMK, T_COUNT, T_DIV, T_EQLC, T_GTE, T_GTR, T_LAND, T_LOR, T_LSS, T_LTE, T_LUNLESS, T_MAX,
    T_MIN, T_MOD, T_MUL, T_NEQ, T_POW, T_QUANTILE, T_SUB, T_SUM, T_TOPK, TokenType,
};
use promql_parser::parser::{
    AggregateExpr, BinModifier, BinaryExpr, Call, Expr, LabelModifier, Offset, VectorMatchCardinality, VectorSelector,
};

use crate::monitor::METRIC_NAME;

use super::error::PromqlError;
use super::plan::{
    Aggregation, Arithmetic, Cardinality, Comparison, ElementFunction, LabelChoice, Node, Operator, RangeFunction,
    ScalarNode, Selector, SetOperator, VectorNode,
};

/// Nesting beyond this is refused: evaluation is recursive, and the stack is not endless.
const DEEPEST: usize = 100;

/// Longer durations are cut to this (some 140 thousand years), so that adding them to a moment cannot overflow.
const LONGEST_MS: i64 = 1 << 52;

/// Every function that can be called.
pub(super) const SUPPORTED_FUNCTIONS: &[&str] = &[
    "abs",
    "avg_over_time",
    "ceil",
    "clamp_max",
    "clamp_min",
    "count_over_time",
    "delta",
    "floor",
    "histogram_quantile",
    "increase",
    "irate",
    "last_over_time",
    "max_over_time",
    "min_over_time",
    "rate",
    "round",
    "scalar",
    "sum_over_time",
    "time",
    "vector",
];

/// Every aggregation that can be used.
pub(super) const SUPPORTED_AGGREGATIONS: &[&str] =
    &["avg", "bottomk", "count", "max", "min", "quantile", "sum", "topk"];

/// A checked expression and the selectors in it.
pub(super) fn compile(text: &str, expression: &Expr) -> Result<(Node, Vec<Selector>), PromqlError> {
    let mut compiler = Compiler { text, selectors: Vec::new() };
    let root = compiler.node(expression, 0)?;
    Ok((root, compiler.selectors))
}

struct Compiler<'a> {
    text: &'a str,
    selectors: Vec<Selector>,
}

impl Compiler<'_> {
    fn node(&mut self, expression: &Expr, depth: usize) -> Result<Node, PromqlError> {
        if depth >= DEEPEST {
            return Err(PromqlError::TooDeep { limit: DEEPEST });
        }
        let depth = depth + 1;
        match expression {
            Expr::Paren(inner) => self.node(&inner.expr, depth),
            Expr::NumberLiteral(number) => Ok(Node::Scalar(ScalarNode::Number(number.val))),
            Expr::Unary(unary) => Ok(match self.node(&unary.expr, depth)? {
                Node::Scalar(scalar) => Node::Scalar(ScalarNode::Negate(Box::new(scalar))),
                Node::Vector(vector) => Node::Vector(VectorNode::Negate(Box::new(vector))),
            }),
            Expr::VectorSelector(selector) => Ok(Node::Vector(VectorNode::Select(self.selector(selector)?))),
            Expr::Call(call) => self.call(call, depth),
            Expr::Binary(binary) => self.binary(binary, depth),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, depth).map(Node::Vector),
            Expr::MatrixSelector(_) => {
                Err(self.wrong("a range of samples must stand in a function, as in rate(x[1m])"))
            }
            Expr::StringLiteral(_) => Err(self.wrong("a string is not a value that can be charted")),
            Expr::Subquery(_) => Err(unsupported("a subquery")),
            Expr::Extension(_) => Err(unsupported("an extension of the language")),
        }
    }

    fn vector(&mut self, expression: &Expr, depth: usize) -> Result<Box<VectorNode>, PromqlError> {
        match self.node(expression, depth)? {
            Node::Vector(vector) => Ok(Box::new(vector)),
            Node::Scalar(_) => Err(self.wrong("series are expected where a number stands")),
        }
    }

    fn scalar(&mut self, expression: &Expr, depth: usize) -> Result<Box<ScalarNode>, PromqlError> {
        match self.node(expression, depth)? {
            Node::Scalar(scalar) => Ok(Box::new(scalar)),
            Node::Vector(_) => Err(self.wrong("a number is expected where series stand")),
        }
    }

    fn selector(&mut self, selector: &VectorSelector) -> Result<usize, PromqlError> {
        if selector.at.is_some() {
            return Err(unsupported("the @ modifier"));
        }
        if !selector.matchers.or_matchers.is_empty() {
            return Err(unsupported("`or` between label matchers"));
        }
        let matchers = selector.matchers.matchers.clone();
        let fixed = matchers
            .iter()
            .find(|matcher| matcher.name == METRIC_NAME && matches!(matcher.op, promql_parser::label::MatchOp::Equal));
        let name = selector.name.clone().or_else(|| fixed.map(|matcher| matcher.value.clone()));
        let offset_ms = match &selector.offset {
            None => 0,
            Some(Offset::Pos(back)) => milliseconds(*back),
            Some(Offset::Neg(ahead)) => -milliseconds(*ahead),
        };
        self.selectors.push(Selector { name, matchers, offset_ms });
        Ok(self.selectors.len() - 1)
    }

    fn call(&mut self, call: &Call, depth: usize) -> Result<Node, PromqlError> {
        let name = call.func.name;
        if let Some(function) = range_function(name) {
            return self.over_range(function, self.argument(call, 0)?, depth);
        }
        if let Some(function) = element_function(name) {
            let argument = self.vector(self.argument(call, 0)?, depth)?;
            let parameter = match call.args.args.get(1) {
                Some(parameter) => self.scalar(parameter, depth)?,
                None => Box::new(ScalarNode::Number(1.0)),
            };
            return Ok(Node::Vector(VectorNode::Map { function, argument, parameter }));
        }
        match name {
            "time" => Ok(Node::Scalar(ScalarNode::Time)),
            "scalar" => Ok(Node::Scalar(ScalarNode::FromVector(self.vector(self.argument(call, 0)?, depth)?))),
            "vector" => Ok(Node::Vector(VectorNode::FromScalar(self.scalar(self.argument(call, 0)?, depth)?))),
            "histogram_quantile" => {
                let quantile = self.scalar(self.argument(call, 0)?, depth)?;
                let buckets = self.vector(self.argument(call, 1)?, depth)?;
                Ok(Node::Vector(VectorNode::HistogramQuantile { quantile, buckets }))
            }
            _ => Err(PromqlError::UnsupportedFunction { name: name.to_owned() }),
        }
    }

    fn argument<'call>(&self, call: &'call Call, index: usize) -> Result<&'call Expr, PromqlError> {
        let argument = call.args.args.get(index);
        argument.map(|boxed| &**boxed).ok_or_else(|| self.wrong(&format!("`{}` lacks an argument", call.func.name)))
    }

    fn over_range(&mut self, function: RangeFunction, argument: &Expr, depth: usize) -> Result<Node, PromqlError> {
        match argument {
            Expr::Paren(inner) if depth < DEEPEST => self.over_range(function, &inner.expr, depth + 1),
            Expr::MatrixSelector(matrix) => {
                let selector = self.selector(&matrix.vs)?;
                let range_ms = milliseconds(matrix.range);
                Ok(Node::Vector(VectorNode::OverRange { function, selector, range_ms }))
            }
            Expr::Subquery(_) => Err(unsupported("a subquery")),
            _ => Err(self.wrong("a range of samples such as x[1m] is expected")),
        }
    }

    fn binary(&mut self, binary: &BinaryExpr, depth: usize) -> Result<Node, PromqlError> {
        let fallback = BinModifier::default();
        let modifier = binary.modifier.as_ref().unwrap_or(&fallback);
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            return Err(unsupported("a fill modifier"));
        }
        let matching = choice(modifier.matching.as_ref(), LabelChoice::AllBut(Vec::new()));
        if let Some(operator) = set_operator(binary.op) {
            let left = self.vector(&binary.lhs, depth)?;
            let right = self.vector(&binary.rhs, depth)?;
            return Ok(Node::Vector(VectorNode::Set { operator, left, right, matching }));
        }
        let operator = operator(binary.op, modifier.return_bool)
            .ok_or_else(|| unsupported(&format!("operator `{}`", binary.op)))?;
        let left = self.node(&binary.lhs, depth)?;
        let right = self.node(&binary.rhs, depth)?;
        Ok(match (left, right) {
            (Node::Scalar(left), Node::Scalar(right)) => {
                Node::Scalar(ScalarNode::Binary { operator, left: Box::new(left), right: Box::new(right) })
            }
            (Node::Vector(vector), Node::Scalar(scalar)) => with_scalar(operator, vector, scalar, false),
            (Node::Scalar(scalar), Node::Vector(vector)) => with_scalar(operator, vector, scalar, true),
            (Node::Vector(left), Node::Vector(right)) => Node::Vector(VectorNode::Pairwise {
                operator,
                left: Box::new(left),
                right: Box::new(right),
                matching,
                cardinality: cardinality(&modifier.card),
            }),
        })
    }

    fn aggregate(&mut self, aggregate: &AggregateExpr, depth: usize) -> Result<VectorNode, PromqlError> {
        let Some(aggregation) = aggregation(aggregate.op) else {
            return Err(PromqlError::UnsupportedAggregation { name: aggregate.op.to_string() });
        };
        let parameter = match &aggregate.param {
            Some(parameter) => self.scalar(parameter, depth)?,
            None => Box::new(ScalarNode::Number(f64::NAN)),
        };
        let argument = self.vector(&aggregate.expr, depth)?;
        let grouping = choice(aggregate.modifier.as_ref(), LabelChoice::Only(Vec::new()));
        Ok(VectorNode::Aggregate { aggregation, argument, parameter, grouping })
    }

    fn wrong(&self, reason: &str) -> PromqlError {
        PromqlError::Syntax { expression: self.text.to_owned(), reason: reason.to_owned() }
    }
}

fn unsupported(what: &str) -> PromqlError {
    PromqlError::Unsupported { what: what.to_owned() }
}

fn with_scalar(operator: Operator, vector: VectorNode, scalar: ScalarNode, scalar_on_left: bool) -> Node {
    Node::Vector(VectorNode::WithScalar {
        operator,
        vector: Box::new(vector),
        scalar: Box::new(scalar),
        scalar_on_left,
    })
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(LONGEST_MS).min(LONGEST_MS)
}

fn choice(modifier: Option<&LabelModifier>, otherwise: LabelChoice) -> LabelChoice {
    match modifier {
        None => otherwise,
        Some(LabelModifier::Include(names)) => LabelChoice::Only(names.labels.clone()),
        Some(LabelModifier::Exclude(names)) => LabelChoice::AllBut(names.labels.clone()),
    }
}

fn cardinality(cardinality: &VectorMatchCardinality) -> Cardinality {
    match cardinality {
        // Many-to-many is what the parser calls set operators, which do not come here.
        VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany => Cardinality::OneToOne,
        VectorMatchCardinality::ManyToOne(names) => Cardinality::ManyToOne(names.labels.clone()),
        VectorMatchCardinality::OneToMany(names) => Cardinality::OneToMany(names.labels.clone()),
    }
}

fn set_operator(token: TokenType) -> Option<SetOperator> {
    match token.id() {
        T_LAND => Some(SetOperator::And),
        T_LOR => Some(SetOperator::Or),
        T_LUNLESS => Some(SetOperator::Unless),
        _ => None,
    }
}

fn operator(token: TokenType, gives_truth: bool) -> Option<Operator> {
    let comparison = match token.id() {
        T_ADD => return Some(Operator::Arithmetic(Arithmetic::Add)),
        T_SUB => return Some(Operator::Arithmetic(Arithmetic::Subtract)),
        T_MUL => return Some(Operator::Arithmetic(Arithmetic::Multiply)),
        T_DIV => return Some(Operator::Arithmetic(Arithmetic::Divide)),
        T_MOD => return Some(Operator::Arithmetic(Arithmetic::Remainder)),
        T_POW => return Some(Operator::Arithmetic(Arithmetic::Power)),
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

fn aggregation(token: TokenType) -> Option<Aggregation> {
    match token.id() {
        T_SUM => Some(Aggregation::Sum),
        T_AVG => Some(Aggregation::Average),
        T_MIN => Some(Aggregation::Least),
        T_MAX => Some(Aggregation::Greatest),
        T_COUNT => Some(Aggregation::Count),
        T_TOPK => Some(Aggregation::TopK),
        T_BOTTOMK => Some(Aggregation::BottomK),
        T_QUANTILE => Some(Aggregation::Quantile),
        _ => None,
    }
}

fn range_function(name: &str) -> Option<RangeFunction> {
    match name {
        "rate" => Some(RangeFunction::Rate),
        "irate" => Some(RangeFunction::InstantRate),
        "increase" => Some(RangeFunction::Increase),
        "delta" => Some(RangeFunction::Delta),
        "avg_over_time" => Some(RangeFunction::Average),
        "min_over_time" => Some(RangeFunction::Least),
        "max_over_time" => Some(RangeFunction::Greatest),
        "sum_over_time" => Some(RangeFunction::Sum),
        "count_over_time" => Some(RangeFunction::Count),
        "last_over_time" => Some(RangeFunction::Last),
        _ => None,
    }
}

fn element_function(name: &str) -> Option<ElementFunction> {
    match name {
        "abs" => Some(ElementFunction::Absolute),
        "ceil" => Some(ElementFunction::Ceiling),
        "floor" => Some(ElementFunction::Floor),
        "round" => Some(ElementFunction::Round),
        "clamp_min" => Some(ElementFunction::ClampMin),
        "clamp_max" => Some(ElementFunction::ClampMax),
        _ => None,
    }
}
