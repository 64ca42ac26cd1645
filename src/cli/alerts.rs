//! `trainyard alerts`: where alerts stand, or stood when a daemon last looked, and who wants to hear nothing of which.

use std::io::Write;
use std::path::Path;

use super::failure::{Failure, failed};
use super::harmless::note;
use super::project::{block_on, client, layout};
use super::show::{clock, duration, json};
use super::table::{print, print_line, terminal_width};
use crate::api::client::{Client, ClientError};
use crate::api::types::{AlertReport, AlertRow, SilenceRequest, UnsilenceRequest};
use crate::config::{HumanDuration, load};
use crate::disk::{Layout, now};
use crate::engine::alerting::{LastKnown, last_known};
use crate::engine::journal::Journal;
use crate::pipeline::{AlertState, Moment, State};

/// What is asked of alerts.
#[derive(Debug, Clone, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AlertsArguments {
    /// Something else than to show them
    #[command(subcommand)]
    pub action: Option<AlertsAction>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be done with an alert.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum AlertsAction {
    /// Hear nothing of an alert for some time, nor let anything follow from it; ends by itself
    #[command(after_help = "Example: trainyard alerts silence ErrorRate --for 2h --message 'known, mended today'")]
    Silence {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// For how long
        #[arg(long = "for", value_name = "DURATION", default_value = "2h")]
        length: HumanDuration,
        /// Why, for whoever reads the events
        #[arg(short, long, value_name = "WHY")]
        message: Option<String>,
    },
    /// End a silence before its time
    #[command(after_help = "Example: trainyard alerts unsilence ErrorRate")]
    Unsilence {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Shows alerts, silences one, or ends a silence.
pub fn run(folder: &Path, arguments: &AlertsArguments, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let client = client(&layout)?;
    match &arguments.action {
        None => show(&layout, &client, arguments.json, out),
        Some(AlertsAction::Silence { name, length, message }) => {
            let milliseconds = u64::try_from(length.0.as_millis()).unwrap_or(u64::MAX);
            let (alert, message) = (name.clone(), message.clone().unwrap_or_default());
            let request = SilenceRequest { alert, milliseconds, message };
            let silence = block_on(async { Ok(client.silence(&request).await?) })?;
            writeln!(out, "alert {name} is silenced until {}", clock(silence.until))?;
            Ok(())
        }
        Some(AlertsAction::Unsilence { name }) => {
            let request = UnsilenceRequest { alert: name.clone() };
            block_on(async { Ok(client.unsilence(&request).await?) })?;
            writeln!(out, "alert {name} is heard again")?;
            Ok(())
        }
    }
}

fn show(layout: &Layout, client: &Client, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let (reports, said) = match block_on(async { Ok(client.alerts().await) })? {
        Ok(reports) => (reports, None),
        Err(ClientError::NotRunning(_)) => {
            let LastKnown { reports, as_of } = resting(layout)?;
            (reports, Some(without_daemon(as_of)))
        }
        Err(error) => return Err(error.into()),
    };
    if as_json {
        // The same list as with a daemon: what has to be said of it stands beside it.
        if let Some(said) = &said {
            note(said);
        }
        return json(&reports, out);
    }
    let width = terminal_width();
    if reports.is_empty() {
        return Ok(print_line("no alerts are configured: add [[monitor.alerts]] to trainyard.toml", width, out)?);
    }
    if let Some(said) = &said {
        print_line(said, width, out)?;
    }
    let now = now();
    let cells: Vec<[String; 8]> = reports.iter().flat_map(|report| rows(report, now)).collect();
    Ok(print(["alert", "state", "since", "value", "then", "labels", "silenced", "summary"], &cells, width, out)?)
}

/// What the last daemon left of its alerts.
fn resting(layout: &Layout) -> Result<LastKnown, Failure> {
    let settings = load(&layout.configuration()).map_err(|error| Failure::Usage(error.to_string()))?;
    let (state, last_event) = if layout.journal().is_file() {
        let (journal, state) = Journal::open(&layout.journal()).map_err(failed)?;
        let last = journal.after(state.sequence.saturating_sub(1), 1).map_err(failed)?;
        (state, last.last().map(|recorded| recorded.at))
    } else {
        (State::default(), None)
    };
    Ok(last_known(layout, &settings, &state, last_event))
}

fn without_daemon(as_of: Option<Moment>) -> String {
    match as_of {
        Some(as_of) => format!("as of {}; no daemon runs, `trainyard up` starts one", clock(as_of)),
        None => "no daemon runs, and none has looked at alerts yet; `trainyard up` starts one".to_owned(),
    }
}

/// One row a series; one for the alert itself where it has none.
fn rows(report: &AlertReport, now: Moment) -> Vec<[String; 8]> {
    let status = &report.status;
    let silenced = status.silence.as_ref().map(|silence| {
        let left = duration(silence.until.since(now));
        if silence.message.is_empty() {
            format!("{left} more by {}", silence.by)
        } else {
            format!("{left} more by {}: {}", silence.by, silence.message)
        }
    });
    let silenced = silenced.unwrap_or_default();
    let row = |state: &str, since: Option<Moment>, value: &str, labels: &str, summary: &str| {
        let since = since.map(|since| format!("{} ago", duration(now.since(since)))).unwrap_or_default();
        let then = status.then.word();
        [status.name.as_str(), state, &since, value, then, labels, &silenced, summary].map(str::to_owned)
    };
    if let Some(error) = &status.error {
        return vec![row("not known", None, "", "", error)];
    }
    if report.alerts.is_empty() {
        return vec![row(AlertState::Inactive.word(), None, "", "", "")];
    }
    let of = |alert: &AlertRow| row(word(alert), Some(alert.since), &alert.value, &alert.labels, &alert.summary);
    report.alerts.iter().map(of).collect()
}

/// What is inactive and still in the list was resolved a while ago.
fn word(alert: &AlertRow) -> &'static str {
    match alert.state {
        AlertState::Inactive => "resolved",
        AlertState::Pending | AlertState::Firing => alert.state.word(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::AlertStatus;
    use crate::pipeline::{Evidence, Reaction, Silence};

    fn report(alerts: Vec<AlertRow>) -> AlertReport {
        let status = AlertStatus {
            name: "ErrorRate".to_owned(),
            state: AlertState::Firing,
            since: Some(Moment(0)),
            severity: None,
            then: Reaction::Rollback,
            silence: None,
            error: None,
        };
        let (expr, evidence) = ("errors > 5".to_owned(), Evidence::Against);
        AlertReport { status, expr, pending_for: 0, keep_firing_for: 0, cooldown: 0, evidence, alerts }
    }

    fn row(labels: &str, state: AlertState) -> AlertRow {
        AlertRow {
            labels: labels.to_owned(),
            state,
            value: "0.41".to_owned(),
            since: Moment(1_000),
            active_at: Moment(0),
            fired_at: Some(Moment(1_000)),
            resolved_at: None,
            summary: "0.41 of all requests are refused".to_owned(),
        }
    }

    fn told(report: &AlertReport) -> Vec<String> {
        rows(report, Moment(6_000)).iter().map(|cells| cells.join("|")).collect()
    }

    #[test]
    fn each_series_has_its_row_and_what_is_inactive_was_resolved() {
        let found = report(vec![row("{path=\"/a\"}", AlertState::Firing), row("{path=\"/b\"}", AlertState::Inactive)]);
        assert_eq!(
            told(&found),
            [
                "ErrorRate|firing|5.0s ago|0.41|rollback|{path=\"/a\"}||0.41 of all requests are refused",
                "ErrorRate|resolved|5.0s ago|0.41|rollback|{path=\"/b\"}||0.41 of all requests are refused",
            ]
        );
    }

    #[test]
    fn an_alert_without_series_has_a_row_too_with_its_silence_and_what_is_wrong_with_it() {
        let mut found = report(Vec::new());
        let silence =
            Silence { by: "mina".to_owned(), message: "known".to_owned(), since: Moment(0), until: Moment(66_000) };
        found.status.silence = Some(silence);
        assert_eq!(told(&found), ["ErrorRate|inactive|||rollback||1m00s more by mina: known|"]);
        found.status.error = Some("no".to_owned());
        assert_eq!(told(&found), ["ErrorRate|not known|||rollback||1m00s more by mina: known|no"]);
    }
}
