//! What the expression of an alert says of one release alone, and whether there is data to say it of.
//!
//! The expression itself may look back to before the release was live: a rate over five minutes holds the errors of the
//! release before for five minutes. So each selector in it is narrowed to the series of the one release; where that has none,
//! to series that are of no release, such as those of a static target. That nothing is given means that all is well only if
//! the release is scraped and some input of the expression has data; an expression over series that nobody exposes gives
//! nothing for ever.
//!
//! An alert itself does not end when its cause does: the window of its expression, and `keep_firing_for`, reach over the deploy
//! of the release that mended it, and so into the life of the next one, which may be a bad one too. To blame that one the
//! alert must have begun with it, and by its own moment it did not. So it is remembered when the live release was *seen clear*:
//! its own series showed nothing, at each look for as long as an alert must wait, and two scrapes of it or more stood behind
//! that, for a rate of one is nothing for want of data. What an alert shows later has begun behind that moment, whatever its
//! window still holds. While a release is deployed the one before is live and looked at; so a bad release behind a good one is
//! known by that the good one was clear when the deploy had begun. Where no release was seen clear the cause may lie outside of
//! all of them, and nobody is blamed.

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
    /// At the last look the live release was seen clear.
    is_seen_clear: bool,
}

/// The expression for one release.
#[derive(Debug, Clone)]
struct Narrowed {
    release: ReleaseId,
    /// Whether this release is scraped, and answers.
    up: Option<Query>,
    /// Whether all that it runs as was scraped more than once.
    again: Option<Query>,
    /// Each selector, as it is now, for this release alone.
    own: Vec<Option<Query>>,
    /// Which of them have data.
    has_own: Vec<bool>,
    /// The whole for these; `None` if it cannot be narrowed.
    query: Option<Query>,
    /// Since when it gives something.
    against_since: Option<Moment>,
    /// Since when it gives nothing, and there is data.
    clear_since: Option<Moment>,
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
        Self { expression: Some(expression), selectors, metrics, narrowed: None, is_seen_clear: false }
    }

    /// The metrics that are named in it.
    pub(super) fn metrics(&self) -> &[String] {
        &self.metrics
    }

    /// Nobody looks any more: what was seen does not count when somebody looks again.
    pub(super) fn forget(&mut self) {
        self.is_seen_clear = false;
        if let Some(narrowed) = &mut self.narrowed {
            narrowed.against_since = None;
            narrowed.clear_since = None;
        }
    }

    /// Whether the last look found the release clear, and not for the first time or for want of data.
    pub(super) fn is_seen_clear(&self) -> bool {
        self.is_seen_clear
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
        self.is_seen_clear = false;
        let Self { expression: Some(expression), selectors, narrowed, is_seen_clear, .. } = self else {
            return Evidence::None;
        };
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
            narrowed.clear_since = None;
            return Evidence::None;
        };
        match query.instant(store, at) {
            Ok(given) if !given.is_empty() => {
                narrowed.clear_since = None;
                let since = *narrowed.against_since.get_or_insert(at);
                if at.since(since) >= pending_for { Evidence::Against } else { Evidence::None }
            }
            Ok(_) => {
                narrowed.against_since = None;
                let is_up = up.iter().all(|sample| sample.value > 0.5);
                let has_data = |query: &Query| !values(query).is_empty();
                if !(is_up && selectors.iter().any(has_data)) {
                    narrowed.clear_since = None;
                    return Evidence::None;
                }
                let since = *narrowed.clear_since.get_or_insert(at);
                *is_seen_clear = at.since(since) >= pending_for && narrowed.again.as_ref().is_some_and(has_data);
                Evidence::Clear
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
        let up = format!("up{{{RELEASE}=\"{release}\"}}");
        let again = promql::parse(&format!("min(count_over_time({up}[5m])) > 1")).ok();
        let up = promql::parse(&up).ok();
        let (against_since, clear_since) = (None, None);
        Self { release, up, again, own, has_own: Vec::new(), query: None, against_since, clear_since }
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
