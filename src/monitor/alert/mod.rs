//! Alerts: what an expression gives, turned into states as Prometheus has them.
//!
//! The arrangement, in the order of the data: an [`AlertRule`] is a configured alert with its parsed expression; it is looked
//! at over the store at a moment, and what it gives goes into [`AlertStates`], a state machine without a clock, which knows
//! one [`Alert`] for each set of labels: pending once it is there, firing once it was there for long enough, kept for a
//! while after it is gone. [`AlertRule::evidence`] says what the same expression gives for the live release *alone*:
//! automation acts on nothing else. [`AlertHistory`] remembers in which stretches of time each alert was pending or fired,
//! for the strips under charts. [`AlertSeries`] writes the states into the store, as the series `ALERTS` of Prometheus.
//!
//! States and history can be written down and restored: an alert that fires goes on firing over a restart, and one that is
//! pending does not lose what it has waited. What follows from an alert is decided in `pipeline`, never here.

mod evidence;
mod history;
mod rule;
mod series;
mod states;

#[cfg(test)]
mod tests;

pub use history::{AlertHistory, Span};
pub use rule::{AlertRule, Rule, short};
pub use series::{AlertSample, AlertSeries, alert_samples};
pub use states::{ALERT_NAME, Alert, AlertStates, Change, RESOLVED_KEPT_MS, Transition};
