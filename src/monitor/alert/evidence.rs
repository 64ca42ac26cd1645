//! What the expression of an alert says of one release alone, and whether there is data to say it of.
//!
//! The expression itself may look back to before the release was live: a rate over five minutes holds the errors of the
//! release before for five minutes. So each selector in it is narrowed to the series of the one release; where that has none,
//! to series that are of no release, such as those of a static target. That nothing is given means that all is well only if
//! the release is scraped and some input of the expression has data; an expression over series that nobody exposes gives
//! nothing for ever.

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, VectorSelector};

use crate::monitor::ReadStore;
use crate::monitor::promql::{self, Query};
use crate::monitor::selectors::each_selector;
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

/// The expression for one release.
#[derive(Debug, Clone)]
struct Narrowed {
    release: ReleaseId,
    /// Whether this release is scraped, and answers.
    up: Option<Query>,
    /// Each selector, as it is now, for this release alone.
    own: Vec<Option<Query>>,
    /// Which of them have data.
    has_own: Vec<bool>,
    /// The whole for these; `None` if it cannot be narrowed.
    query: Option<Query>,
    /// Since when it gives something.
    against_since: Option<Moment>,
}

impl Inputs {
    /// The inputs of an expression that can be parsed.
    pub(super) fn of(text: &str) -> Self {
        let Ok(mut expression) = promql_parser::parser::parse(text) else { return Self::default() };
        let (mut selectors, mut metrics) = (Vec::new(), Vec::new());
        each_selector(&mut expression, &mut |selector| {
            selectors.extend(present(selector.clone()));
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

    /// Nobody looks any more: what was seen does not count when somebody looks again.
    pub(super) fn forget(&mut self) {
        if let Some(narrowed) = &mut self.narrowed {
            narrowed.against_since = None;
        }
    }

    /// What the expression says of this release alone, at each look of those that want to know. A single scrape is no
    /// evidence where an alert must wait: it speaks against the release after `pending_for` milliseconds of it.
    pub(super) fn judge(
        &mut self,
        store: &impl ReadStore,
        at: Moment,
        release: ReleaseId,
        pending_for: u64,
    ) -> Evidence {
        let Self { expression: Some(expression), selectors, narrowed, .. } = self else { return Evidence::None };
        if selectors.is_empty() {
            // It speaks of no series, so of no release either.
            return Evidence::None;
        }
        if narrowed.as_ref().is_none_or(|known| known.release != release) {
            *narrowed = Some(Narrowed::to(release, expression));
        }
        let Some(narrowed) = narrowed else { return Evidence::None };
        narrowed.adapt(store, at, expression);
        let values = |query: &Query| query.instant(store, at).unwrap_or_default();
        let up = narrowed.up.as_ref().map(values).unwrap_or_default();
        let Some(query) = narrowed.query.as_ref().filter(|_| !up.is_empty()) else {
            narrowed.against_since = None;
            return Evidence::None;
        };
        match query.instant(store, at) {
            Ok(given) if !given.is_empty() => {
                let since = *narrowed.against_since.get_or_insert(at);
                if at.since(since) >= pending_for { Evidence::Against } else { Evidence::None }
            }
            Ok(_) => {
                narrowed.against_since = None;
                let is_up = up.iter().all(|sample| sample.value > 0.5);
                let has_data = |query: &Query| !values(query).is_empty();
                if is_up && selectors.iter().any(has_data) { Evidence::Clear } else { Evidence::None }
            }
            // Nothing is known, and nothing is forgotten.
            Err(_) => Evidence::None,
        }
    }
}

impl Narrowed {
    fn to(release: ReleaseId, expression: &Expr) -> Self {
        let mut own = Vec::new();
        each_selector(&mut expression.clone(), &mut |selector| {
            let mut selector = selector.clone();
            narrow(&mut selector, Matcher::new(MatchOp::Equal, RELEASE, &release.to_string()));
            own.push(present(selector));
        });
        let up = promql::parse(&format!("up{{{RELEASE}=\"{release}\"}}")).ok();
        Self { release, up, own, has_own: Vec::new(), query: None, against_since: None }
    }

    /// Each selector is narrowed to the release where that has such series, else to those of no release. So a target that
    /// has nothing to do with the release is not held against it where the release speaks for itself: `up == 0`.
    fn adapt(&mut self, store: &impl ReadStore, at: Moment, expression: &Expr) {
        let has_data = |query: &Query| query.instant(store, at).is_ok_and(|found| !found.is_empty());
        let has_own: Vec<bool> = self.own.iter().map(|own| own.as_ref().is_some_and(has_data)).collect();
        if self.query.is_some() && has_own == self.has_own {
            return;
        }
        let release = self.release.to_string();
        let mut expression = expression.clone();
        let mut owners = has_own.iter().map(|has_own| if *has_own { release.as_str() } else { "" });
        each_selector(&mut expression, &mut |selector| {
            // A label that is not there is empty.
            narrow(selector, Matcher::new(MatchOp::Equal, RELEASE, owners.next().unwrap_or_default()));
        });
        self.query = promql::parse(&expression.to_string()).ok();
        self.has_own = has_own;
    }
}

/// Adds a matcher; whoever names releases in the expression knows which are meant.
fn narrow(selector: &mut VectorSelector, matcher: Matcher) {
    let matchers = &mut selector.matchers;
    let mut all = matchers.matchers.iter().chain(matchers.or_matchers.iter().flatten());
    if all.any(|known| known.name == RELEASE) {
        return;
    }
    for alternative in &mut matchers.or_matchers {
        alternative.push(matcher.clone());
    }
    if matchers.or_matchers.is_empty() {
        matchers.matchers.push(matcher);
    }
}

/// A selector by itself, as it is now.
fn present(selector: VectorSelector) -> Option<Query> {
    promql::parse(&VectorSelector { offset: None, at: None, ..selector }.to_string()).ok()
}
