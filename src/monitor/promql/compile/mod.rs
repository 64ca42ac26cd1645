//! Turns what the parser read into a checked plan, or says what is not supported.
//!
//! All refusals that depend on the text alone happen here, so that a panel or an alert is refused when it is configured
//! and not when it is first evaluated. `calls` has the functions, `names` the tables of names.

mod calls;
pub(super) mod names;

use std::time::{Duration, SystemTime};

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::token::{T_COUNT_VALUES, T_LIMIT_RATIO, T_LIMITK};
use promql_parser::parser::{
    AggregateExpr, AtModifier, BinModifier, BinaryExpr, Expr, LabelModifier, Offset, SubqueryExpr,
    VectorMatchCardinality, VectorSelector,
};

use crate::monitor::METRIC_NAME;

use super::error::PromqlError;
use super::grid::{Anchor, Placement, Stepping};
use super::plan::{Cardinality, LabelChoice, Node, Operator, RangeNode, ScalarNode, Selector, VectorNode};
use super::regular_expression;

/// Nesting beyond this is refused: evaluation is recursive, and the stack is not endless.
const DEEPEST: usize = 100;

/// The step of a subquery that names none, in milliseconds: Prometheus' default interval of evaluation.
const DEFAULT_STEP_MS: i64 = 60_000;

/// Longer durations are refused: as many milliseconds as Prometheus can hold in nanoseconds, 292 years.
const LONGEST_MS: i64 = i64::MAX / 1_000_000;

/// Moments are cut to this (some 140 thousand years), so that adding durations to them cannot overflow.
const FARTHEST_MS: i64 = 1 << 52;

/// A checked expression and the selectors in it.
pub(super) fn compile(text: &str, expression: &Expr) -> Result<(Node, Vec<Selector>), PromqlError> {
    let mut compiler = Compiler { text, selectors: Vec::new(), within: Vec::new() };
    let root = compiler.node(expression, 0)?;
    Ok((root, compiler.selectors))
}

struct Compiler<'a> {
    text: &'a str,
    selectors: Vec<Selector>,
    /// The subqueries around what is being compiled, the outermost first.
    within: Vec<Stepping>,
}

impl Compiler<'_> {
    fn node(&mut self, expression: &Expr, depth: usize) -> Result<Node, PromqlError> {
        if depth >= DEEPEST {
            return Err(PromqlError::TooDeep { limit: DEEPEST });
        }
        let depth = depth + 1;
        match unwrapped(expression) {
            Expr::NumberLiteral(number) => Ok(Node::Scalar(ScalarNode::Number(number.val))),
            Expr::StringLiteral(text) => Ok(Node::Text(text.val.clone())),
            Expr::Unary(unary) => match self.node(&unary.expr, depth)? {
                Node::Scalar(scalar) => Ok(Node::Scalar(ScalarNode::Negate(Box::new(scalar)))),
                Node::Vector(vector) => Ok(Node::Vector(VectorNode::Negate(Box::new(vector)))),
                Node::Matrix(_) | Node::Text(_) => Err(self.wrong("only numbers and series can be negated")),
            },
            Expr::VectorSelector(selector) => {
                Ok(Node::Vector(VectorNode::Select(self.selector(selector, None, false)?)))
            }
            Expr::Call(call) => self.call(call, depth),
            Expr::Binary(binary) => self.binary(binary, depth),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, depth).map(Node::Vector),
            matrix @ (Expr::MatrixSelector(_) | Expr::Subquery(_)) => self.range(matrix, depth).map(Node::Matrix),
            // The parser makes none; parentheses were taken away.
            Expr::Extension(_) | Expr::Paren(_) => Err(unsupported("an extension of the language")),
        }
    }

    fn vector(&mut self, expression: &Expr, depth: usize) -> Result<Box<VectorNode>, PromqlError> {
        match self.node(expression, depth)? {
            Node::Vector(vector) => Ok(Box::new(vector)),
            Node::Scalar(_) | Node::Matrix(_) | Node::Text(_) => {
                Err(self.wrong("series with a number each are expected where something else stands"))
            }
        }
    }

    /// The argument of a function that takes no notice of native histograms.
    fn vector_of_floats(&mut self, expression: &Expr, depth: usize) -> Result<Box<VectorNode>, PromqlError> {
        match unwrapped(expression) {
            Expr::VectorSelector(selector) => Ok(Box::new(VectorNode::Select(self.selector(selector, None, true)?))),
            other => self.vector(other, depth),
        }
    }

    fn scalar(&mut self, expression: &Expr, depth: usize) -> Result<Box<ScalarNode>, PromqlError> {
        match self.node(expression, depth)? {
            Node::Scalar(scalar) => Ok(Box::new(scalar)),
            Node::Vector(_) | Node::Matrix(_) | Node::Text(_) => {
                Err(self.wrong("a number is expected where something else stands"))
            }
        }
    }

    fn literal(&self, expression: &Expr) -> Result<String, PromqlError> {
        match unwrapped(expression) {
            Expr::StringLiteral(text) => Ok(text.val.clone()),
            _ => Err(self.wrong("a text in quotes is expected where something else stands")),
        }
    }

    fn range(&mut self, expression: &Expr, depth: usize) -> Result<RangeNode, PromqlError> {
        match unwrapped(expression) {
            Expr::MatrixSelector(matrix) => {
                let range_ms = self.duration(matrix.range)?;
                let selector = self.selector(&matrix.vs, Some(range_ms), false)?;
                Ok(RangeNode::Select { selector, range_ms })
            }
            Expr::Subquery(subquery) => self.subquery(subquery, depth),
            _ => Err(self.wrong("a range of samples such as x[1m] is expected")),
        }
    }

    fn subquery(&mut self, subquery: &SubqueryExpr, depth: usize) -> Result<RangeNode, PromqlError> {
        let step_ms = match subquery.step {
            Some(step) => self.duration(step)?,
            None => DEFAULT_STEP_MS,
        };
        let placement = self.placement(subquery.at.as_ref(), subquery.offset.as_ref())?;
        let stepping = Stepping { range_ms: self.duration(subquery.range)?, step_ms, placement };
        self.within.push(stepping);
        let inner = self.vector(&subquery.expr, depth);
        self.within.pop();
        Ok(RangeNode::Subquery { inner: inner?, stepping })
    }

    fn selector(
        &mut self,
        selector: &VectorSelector,
        range_ms: Option<i64>,
        is_of_floats: bool,
    ) -> Result<usize, PromqlError> {
        if !selector.matchers.or_matchers.is_empty() {
            return Err(unsupported("`or` between label matchers"));
        }
        let named = selector.name.iter().map(|name| Ok(Matcher::new(MatchOp::Equal, METRIC_NAME, name)));
        let others = selector.matchers.matchers.iter().map(regular_expression::settled);
        let matchers = named.chain(others).collect::<Result<Vec<_>, PromqlError>>()?;
        let placement = self.placement(selector.at.as_ref(), selector.offset.as_ref())?;
        let within = self.within.clone();
        self.selectors.push(Selector { matchers, placement, range_ms, within, is_of_floats });
        Ok(self.selectors.len() - 1)
    }

    fn placement(&self, at: Option<&AtModifier>, offset: Option<&Offset>) -> Result<Placement, PromqlError> {
        let anchor = at.map(|at| match at {
            AtModifier::Start => Anchor::Start,
            AtModifier::End => Anchor::End,
            AtModifier::At(time) => Anchor::Moment(moment(*time)),
        });
        let offset_ms = match offset {
            None => 0,
            Some(Offset::Pos(back)) => self.bounded(*back)?,
            Some(Offset::Neg(ahead)) => -self.bounded(*ahead)?,
        };
        Ok(Placement { anchor, offset_ms })
    }

    /// A duration in milliseconds, at least one.
    fn duration(&self, duration: Duration) -> Result<i64, PromqlError> {
        match self.bounded(duration)? {
            0 => Err(self.wrong("a duration must be at least a millisecond")),
            milliseconds => Ok(milliseconds),
        }
    }

    fn bounded(&self, duration: Duration) -> Result<i64, PromqlError> {
        let milliseconds = i64::try_from(duration.as_millis()).ok().filter(|milliseconds| *milliseconds <= LONGEST_MS);
        milliseconds.ok_or_else(|| self.wrong("a duration is longer than 292 years"))
    }

    fn binary(&mut self, binary: &BinaryExpr, depth: usize) -> Result<Node, PromqlError> {
        let fallback = BinModifier::default();
        let modifier = binary.modifier.as_ref().unwrap_or(&fallback);
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            return Err(PromqlError::Experimental { what: "a fill modifier".to_owned() });
        }
        let matching = choice(modifier.matching.as_ref(), LabelChoice::AllBut(Vec::new()));
        if let Some(operator) = names::set_operator(binary.op) {
            let left = self.vector(&binary.lhs, depth)?;
            let right = self.vector(&binary.rhs, depth)?;
            return Ok(Node::Vector(VectorNode::Set { operator, left, right, matching }));
        }
        let operator = names::operator(binary.op, modifier.return_bool)
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
            (Node::Matrix(_) | Node::Text(_), _) | (_, Node::Matrix(_) | Node::Text(_)) => {
                return Err(self.wrong("an operator must stand between numbers or series"));
            }
        })
    }

    fn aggregate(&mut self, aggregate: &AggregateExpr, depth: usize) -> Result<VectorNode, PromqlError> {
        let grouping = choice(aggregate.modifier.as_ref(), LabelChoice::Only(Vec::new()));
        if matches!(aggregate.op.id(), T_LIMITK | T_LIMIT_RATIO) {
            return Err(PromqlError::Experimental { what: format!("aggregation `{}`", aggregate.op) });
        }
        if aggregate.op.id() == T_COUNT_VALUES {
            let parameter = aggregate.param.as_ref().ok_or_else(|| self.wrong("`count_values` lacks a label"))?;
            let label = label("count_values", self.literal(parameter)?)?;
            let argument = self.vector(&aggregate.expr, depth)?;
            return Ok(VectorNode::CountValues { label, argument, grouping });
        }
        let Some(aggregation) = names::aggregation(aggregate.op) else {
            return Err(PromqlError::UnsupportedAggregation { name: aggregate.op.to_string() });
        };
        let parameter = match &aggregate.param {
            Some(parameter) => self.scalar(parameter, depth)?,
            None => Box::new(ScalarNode::Number(0.0)),
        };
        let argument = self.vector(&aggregate.expr, depth)?;
        Ok(VectorNode::Aggregate { aggregation, argument, parameter, grouping })
    }

    fn wrong(&self, reason: &str) -> PromqlError {
        PromqlError::Syntax { expression: self.text.to_owned(), reason: reason.to_owned() }
    }
}

/// An expression without the parentheses around it.
fn unwrapped(mut expression: &Expr) -> &Expr {
    while let Expr::Paren(inner) = expression {
        expression = &inner.expr;
    }
    expression
}

/// A name that a label can have.
fn label(function: &'static str, name: String) -> Result<String, PromqlError> {
    if name.is_empty() { Err(PromqlError::BadLabel { label: name, function }) } else { Ok(name) }
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

/// Milliseconds since the epoch.
fn moment(time: SystemTime) -> i64 {
    let milliseconds = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(FARTHEST_MS).min(FARTHEST_MS);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => milliseconds(after),
        Err(before) => -milliseconds(before.duration()),
    }
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
