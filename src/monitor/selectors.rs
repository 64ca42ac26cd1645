//! The selectors of an expression: of which series it speaks.

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, VectorSelector};

use super::labels::METRIC_NAME;

/// The matchers of a selector, its name among them; `None` of one that has alternatives.
pub(super) fn matchers_of(selector: &VectorSelector) -> Option<Vec<Matcher>> {
    if !selector.matchers.or_matchers.is_empty() {
        return None;
    }
    let mut all = selector.matchers.matchers.clone();
    all.extend(selector.name.as_deref().map(|name| Matcher::new(MatchOp::Equal, METRIC_NAME, name)));
    Some(all)
}

/// Visits every selector of an expression. How deep it goes is bounded by the length of an expression, which was parsed.
pub(super) fn each_selector(expression: &mut Expr, visit: &mut dyn FnMut(&mut VectorSelector)) {
    match expression {
        Expr::VectorSelector(selector) => visit(selector),
        Expr::MatrixSelector(matrix) => visit(&mut matrix.vs),
        Expr::Paren(inner) => each_selector(&mut inner.expr, visit),
        Expr::Unary(inner) => each_selector(&mut inner.expr, visit),
        Expr::Subquery(inner) => each_selector(&mut inner.expr, visit),
        Expr::Binary(binary) => {
            each_selector(&mut binary.lhs, visit);
            each_selector(&mut binary.rhs, visit);
        }
        Expr::Aggregate(aggregate) => {
            each_selector(&mut aggregate.expr, visit);
            if let Some(parameter) = &mut aggregate.param {
                each_selector(parameter, visit);
            }
        }
        Expr::Call(call) => {
            for argument in &mut call.args.args {
                each_selector(argument, visit);
            }
        }
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}
