//! In which stretches of time each alert was pending or fired: what the strips under charts are drawn of.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::pipeline::{AlertState, Moment};

/// Stretches that are kept of one alert.
const MOST_SPANS: usize = 1_000;

/// One stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Pending or firing.
    pub state: AlertState,
    /// When it began.
    pub from: Moment,
    /// When it ended; `None` while it lasts.
    pub until: Option<Moment>,
}

/// The stretches of all alerts, by the name of the rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertHistory {
    spans: BTreeMap<String, VecDeque<Span>>,
}

impl AlertHistory {
    /// The most urgent state of a rule's alerts at a moment.
    pub fn note(&mut self, rule: &str, state: AlertState, at: Moment) {
        if state == AlertState::Inactive && !self.spans.contains_key(rule) {
            return;
        }
        let spans = self.spans.entry(rule.to_owned()).or_default();
        if let Some(open) = spans.back_mut().filter(|span| span.until.is_none()) {
            if open.state == state {
                return;
            }
            open.until = Some(at);
        }
        if state != AlertState::Inactive {
            spans.push_back(Span { state, from: at, until: None });
        }
        while spans.len() > MOST_SPANS {
            spans.pop_front();
        }
    }

    /// Ends what lasted when an earlier process was last seen: nobody knows how it went on.
    #[must_use]
    pub fn restored(mut self, last_seen: Moment) -> Self {
        for span in self.spans.values_mut().filter_map(VecDeque::back_mut) {
            span.until.get_or_insert(last_seen.max(span.from));
        }
        self
    }

    /// Forgets rules that are not configured any more, and what ended before `oldest`.
    pub fn retain(&mut self, oldest: Moment, is_configured: impl Fn(&str) -> bool) {
        self.spans.retain(|name, spans| {
            while spans.front().is_some_and(|span| span.until.is_some_and(|until| until < oldest)) {
                spans.pop_front();
            }
            is_configured(name) && !spans.is_empty()
        });
    }

    /// The stretches of a rule that touch the time from `from` to `until`, in order.
    pub fn spans(&self, rule: &str, from: Moment, until: Moment) -> impl Iterator<Item = &Span> {
        let spans = self.spans.get(rule).into_iter().flatten();
        spans.filter(move |span| span.from <= until && span.until.is_none_or(|end| end >= from))
    }
}
