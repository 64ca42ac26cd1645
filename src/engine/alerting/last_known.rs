//! Where alerts stood when a daemon last looked at them: for who asks while none runs.
//!
//! Each change, of their configuration too, is written to the file at once, and nothing that changes goes unwritten, so what
//! is in it held until the daemon ended. When that was the journal tells better than the file, which rests while nothing
//! happens. Where the file is gone or cannot be read, the journal knows at least what fires. Nothing is evaluated here: nobody
//! scrapes meanwhile.

use std::fs;
use std::sync::Arc;

use super::book::{Book, Known};
use super::file;
use crate::api::types::{AlertReport, AlertRow};
use crate::config::Settings;
use crate::disk::Layout;
use crate::engine::redact::Redactor;
use crate::monitor::alert::AlertRule;
use crate::pipeline::{AlertState, Moment, State};

/// What is known of alerts while no daemon runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastKnown {
    /// All configured alerts.
    pub reports: Vec<AlertReport>,
    /// The newest moment of which it is known that a daemon was there; `None` if none ever was.
    pub as_of: Option<Moment>,
}

/// Where the alerts of this configuration stood, told without its secrets. `state` is what the journal tells, `last_event`
/// the moment of its last event.
pub fn last_known(layout: &Layout, settings: &Settings, state: &State, last_event: Option<Moment>) -> LastKnown {
    let alerts = &settings.monitor.alerts;
    let read = Book::left(fs::read(file(layout)).ok().as_deref(), alerts);
    let as_of = read.as_ref().map(Book::evaluated_at).max(last_event);
    let is_read = read.is_some();
    let book = read.unwrap_or_else(|| Book::unread(alerts));
    let known = Known::of(state, Arc::new(Redactor::of(settings, layout.project())));
    let report = |rule: &AlertRule| {
        let mut report = book.report(rule, &known);
        if !is_read {
            add_firing(&mut report, state);
        }
        let expression = book.expression(&rule.rule.name);
        // The file knows each alert that was looked at.
        if as_of.is_none() || (is_read && expression.is_none()) {
            report.status.error = Some("no daemon has looked at it yet".to_owned());
        } else if expression.is_some_and(|known| known != rule.rule.expr) {
            report.status.error = Some("its expression was changed since a daemon last looked at it".to_owned());
        }
        report
    };
    LastKnown { reports: book.rules().iter().map(report).collect(), as_of }
}

/// What fires, as the journal tells it: without values.
fn add_firing(report: &mut AlertReport, state: &State) {
    let Some(firing) = state.alerts.firing.get(&report.status.name) else { return };
    let row = |(labels, firing): (&String, &crate::pipeline::Firing)| AlertRow {
        labels: labels.clone(),
        state: AlertState::Firing,
        value: String::new(),
        since: firing.fired,
        active_at: firing.since,
        fired_at: Some(firing.fired),
        resolved_at: None,
        summary: String::new(),
    };
    report.alerts = firing.iter().map(row).collect();
    report.status.state = AlertState::Firing;
    report.status.since = report.alerts.iter().map(|row| row.since).min();
}

#[cfg(test)]
mod tests {
    use super::super::book::Kept;
    use super::*;
    use crate::config::parse;
    use crate::monitor::Labels;
    use crate::monitor::promql::InstantSample;
    use crate::pipeline::{Event, Evidence, Reaction, Recorded};

    const ALERTS: &str = "[stages.test]\ncommand = [\"true\"]\n[[monitor.alerts]]\nname = \"Slow\"\nexpr = \"a > 1\"\n\
                          [[monitor.alerts]]\nname = \"Other\"\nexpr = \"b > 1\"\n";

    fn settings() -> Settings {
        parse(ALERTS, "trainyard.toml").unwrap()
    }

    fn project() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        (folder, layout)
    }

    /// Leaves what a daemon leaves in whose time `Slow` began to fire.
    fn fired(layout: &Layout, at: Moment) {
        let rule = AlertRule::from_settings(settings().monitor.alerts.first().unwrap());
        let mut kept = Kept::default();
        let given = vec![InstantSample { labels: Labels::new([("path", "/a")]), value: 1.5 }];
        kept.states.evaluate(&rule.rule, at, Ok(given.clone()));
        // However long it waits, it has waited long enough.
        kept.states.evaluate(&rule.rule, at.plus(rule.rule.pending_for), Ok(given));
        fs::write(file(layout), serde_json::to_vec(&kept).unwrap()).unwrap();
    }

    #[test]
    fn what_fired_when_the_daemon_ended_is_told_with_the_time_of_which_it_is_known() {
        let (_folder, layout) = project();
        fired(&layout, Moment(5_000));
        let told = last_known(&layout, &settings(), &State::default(), Some(Moment(9_000_000_000)));
        assert_eq!(told.as_of, Some(Moment(9_000_000_000)), "the journal is newer");
        let slow = told.reports.first().unwrap();
        let row = slow.alerts.first().unwrap();
        assert_eq!((slow.status.state, row.value.as_str()), (AlertState::Firing, "1.5"));
        assert_eq!((row.labels.as_str(), &slow.status.error), ("{path=\"/a\"}", &None));
        let other = &told.reports.get(1).unwrap().status;
        assert_eq!(
            (other.state, other.error.as_deref()),
            (AlertState::Inactive, Some("no daemon has looked at it yet"))
        );
    }

    #[test]
    fn no_secret_is_told_while_no_daemon_runs_either() {
        let (_folder, layout) = project();
        fired(&layout, Moment(5_000));
        fs::write(layout.project().join("token"), "{path=\"/a\"}").unwrap();
        let text = format!("[project]\nsecrets = {{ TOKEN = \"token\" }}\n{ALERTS}");
        let told = last_known(&layout, &parse(&text, "trainyard.toml").unwrap(), &State::default(), None);
        let row = told.reports.first().unwrap().alerts.first().unwrap();
        assert_eq!(row.labels, "[secret TOKEN]");
    }

    #[test]
    fn without_any_daemon_so_far_nothing_is_known_and_a_changed_expression_is_told() {
        let (_folder, layout) = project();
        let told = last_known(&layout, &settings(), &State::default(), None);
        assert_eq!(told.as_of, None);
        let errors: Vec<_> = told.reports.iter().filter_map(|report| report.status.error.as_deref()).collect();
        assert_eq!(errors, ["no daemon has looked at it yet"; 2]);
        fired(&layout, Moment(5_000));
        let mut changed = settings();
        changed.monitor.alerts.first_mut().unwrap().expr = "a > 2".to_owned();
        let told = last_known(&layout, &changed, &State::default(), None);
        let error = told.reports.first().unwrap().status.error.clone().unwrap();
        assert!(error.contains("was changed"), "{error}");
    }

    #[test]
    fn where_the_file_is_lost_the_journal_knows_what_fires() {
        let (_folder, layout) = project();
        fs::write(file(&layout), "{").unwrap();
        let event = Event::AlertFired {
            name: "Slow".to_owned(),
            labels: "{path=\"/a\"}".to_owned(),
            value: "2".to_owned(),
            summary: String::new(),
            since: Moment(1_000),
            release: None,
            evidence: Evidence::None,
            then: Reaction::Notify,
            answer: crate::pipeline::Answer::Told,
        };
        let mut state = State::default();
        state.apply(&Recorded { sequence: 1, at: Moment(3_000), event }).unwrap();
        let told = last_known(&layout, &settings(), &state, Some(Moment(3_000)));
        let slow = told.reports.first().unwrap();
        assert_eq!((slow.status.state, slow.status.since), (AlertState::Firing, Some(Moment(3_000))));
        assert_eq!(slow.alerts.first().map(|row| (row.active_at, row.value.as_str())), Some((Moment(1_000), "")));
    }
}
