//! What the expression of an alert says of one release alone, and whether there is data to say it of.
//!
//! The expression itself may look back to before the release was live: a rate over five minutes holds the errors of the
//! release before for five minutes. So each selector in it is narrowed to the series of the one release, and to series that
//! are of no release, such as those of a static target. That nothing is given means that all is well only if the release is
//! scraped and some input of the expression has data; an expression over series that nobody exposes gives nothing for ever.

use promql_parser::label::Matcher;
use promql_parser::parser::token::T_EQL_REGEX;
use promql_parser::parser::{Expr, VectorSelector};

use crate::monitor::SeriesStore;
use crate::monitor::promql::{self, Query};
use crate::pipeline::{Evidence, Moment, ReleaseId};

/// The label that says of which release a series is.
const RELEASE: &str = "release";

/// What an expression looks at.
#[derive(Debug, Clone, Default)]
pub(super) struct Inputs {
    expression: Option<Expr>,
    /// Each selector by itself, as it is now.
    selectors: Vec<Query>,
    metrics: Vec<String>,
    /// The expression for one release, kept until another is live.
    narrowed: Option<Narrowed>,
}

#[derive(Debug, Clone)]
struct Narrowed {
    release: ReleaseId,
    /// `None` if it cannot be narrowed.
    query: Option<Query>,
    up: Option<Query>,
}

impl Inputs {
    /// The inputs of an expression that can be parsed.
    pub(super) fn of(text: &str) -> Self {
        let Ok(mut expression) = promql_parser::parser::parse(text) else { return Self::default() };
        let (mut selectors, mut metrics) = (Vec::new(), Vec::new());
        each_selector(&mut expression, &mut |selector| {
            let mut now = selector.clone();
            now.offset = None;
            now.at = None;
            selectors.extend(promql::parse(&now.to_string()).ok());
            metrics.extend(selector.name.clone());
        });
        metrics.sort();
        metrics.dedup();
        Self { expression: Some(expression), selectors, metrics, narrowed: None }
    }

    /// The metrics that are named in it.
    pub(super) fn metrics(&self) -> &[String] {
        &self.metrics
    }

    /// What the expression says of this release alone.
    pub(super) fn judge(&mut self, store: &SeriesStore, at: Moment, release: ReleaseId) -> Evidence {
        if self.selectors.is_empty() {
            // It speaks of no series, so of no release either.
            return Evidence::None;
        }
        let Self { expression, selectors, narrowed, .. } = self;
        if narrowed.as_ref().is_none_or(|known| known.release != release) {
            *narrowed = Some(Narrowed::to(release, expression.as_ref()));
        }
        let Some(Narrowed { query: Some(query), up: Some(up), .. }) = narrowed else { return Evidence::None };
        let up = up.instant(store, at).unwrap_or_default();
        if up.is_empty() {
            return Evidence::None;
        }
        match query.instant(store, at) {
            Ok(given) if !given.is_empty() => Evidence::Against,
            Ok(_) => {
                let is_up = up.iter().all(|sample| sample.value > 0.5);
                let has_data = |query: &Query| query.instant(store, at).is_ok_and(|found| !found.is_empty());
                if is_up && selectors.iter().any(has_data) { Evidence::Clear } else { Evidence::None }
            }
            Err(_) => Evidence::None,
        }
    }
}

impl Narrowed {
    fn to(release: ReleaseId, expression: Option<&Expr>) -> Self {
        let query = expression.and_then(|expression| narrow(expression.clone(), release));
        let up = promql::parse(&format!("up{{{RELEASE}=~\"{release}|\"}}")).ok();
        Self { release, query, up }
    }
}

/// The expression with every selector narrowed to this release, and to what is of none: a label that is not there is empty.
fn narrow(mut expression: Expr, release: ReleaseId) -> Option<Query> {
    let own = Matcher::new_matcher(T_EQL_REGEX, RELEASE.to_owned(), format!("{release}|")).ok()?;
    each_selector(&mut expression, &mut |selector| {
        let matchers = &mut selector.matchers;
        // Whoever names releases in the expression knows which are meant.
        let mut all = matchers.matchers.iter().chain(matchers.or_matchers.iter().flatten());
        let is_named = all.any(|known| known.name == RELEASE);
        if is_named {
            return;
        }
        if matchers.or_matchers.is_empty() {
            matchers.matchers.push(own.clone());
        }
        for alternative in &mut matchers.or_matchers {
            alternative.push(own.clone());
        }
    });
    promql::parse(&expression.to_string()).ok()
}

/// Visits every selector of an expression. How deep it goes is bounded by the length of an expression, which was parsed.
fn each_selector(expression: &mut Expr, visit: &mut dyn FnMut(&mut VectorSelector)) {
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
