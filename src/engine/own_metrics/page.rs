//! The text of trainyard's own metrics, in the Prometheus text format, version 0.0.4.
//!
//! Every counter that can grow is there from the start with 0, so that a rate over its first increase is right. Times are
//! written from whole milliseconds, so nothing is lost to rounding.

use std::fmt::{Display, Write as _};

use super::Present;
use crate::engine::disk_watch::DiskReading;
use crate::pipeline::{Delivery, Moment, Tally};

/// All that the page tells.
pub(super) struct Facts<'a> {
    pub(super) version: &'a str,
    pub(super) started: Moment,
    pub(super) present: Present,
    pub(super) tally: &'a Tally,
    pub(super) delivery: Delivery,
    /// Scrapes since the start, and how many of them failed.
    pub(super) scrapes: (u64, u64),
    pub(super) series: usize,
    pub(super) samples: u64,
    /// Alerts that fire; `None` where no rules are evaluated.
    pub(super) alerts_firing: Option<usize>,
    pub(super) disks: &'a [DiskReading],
}

/// The page.
pub(super) fn render(facts: &Facts<'_>) -> String {
    let mut page = Page { text: String::with_capacity(8192) };
    page.gauge("build_info", "The running program; always 1.");
    page.sample("build_info", &[("version", facts.version)], 1);
    page.gauge("daemon_start_timestamp_seconds", "When this daemon started.");
    page.sample("daemon_start_timestamp_seconds", &[], moment(facts.started));
    runs(&mut page, facts);
    stages(&mut page, facts.tally);
    releases(&mut page, facts);
    delivery(&mut page, &facts.delivery);
    monitor(&mut page, facts);
    disks(&mut page, facts.disks);
    page.text
}

fn runs(page: &mut Page, facts: &Facts<'_>) {
    page.counter("runs_total", "Runs that are over, by result.");
    for (result, count) in facts.tally.runs() {
        page.sample("runs_total", &[("result", result)], count);
    }
    page.heading("run_duration_seconds", "histogram", "Time of runs from their turn to their end.");
    for (bound, count) in facts.tally.run_buckets() {
        let bound = (bound / 1_000).to_string();
        page.sample("run_duration_seconds_bucket", &[("le", bound.as_str())], count);
    }
    let spent = facts.tally.run_time();
    page.sample("run_duration_seconds_bucket", &[("le", "+Inf")], spent.count);
    page.sample("run_duration_seconds_sum", &[], seconds(spent.milliseconds));
    page.sample("run_duration_seconds_count", &[], spent.count);
    page.gauge("queued_runs", "Runs that wait for their turn.");
    page.sample("queued_runs", &[], facts.present.queued);
    page.gauge("active_runs", "Runs whose turn it is: 0 or 1.");
    page.sample("active_runs", &[], u8::from(facts.present.active.is_some()));
    if let Some((run, started)) = facts.present.active {
        page.gauge("active_run_start_timestamp_seconds", "When the turn of the active run came, by its number.");
        let run = run.to_string();
        page.sample("active_run_start_timestamp_seconds", &[("run", run.as_str())], moment(started));
    }
}

fn stages(page: &mut Page, tally: &Tally) {
    // A family without a sample says nothing.
    if tally.attempts().next().is_none() {
        return;
    }
    page.heading("stage_duration_seconds", "summary", "Time of attempts of stages, by stage and result.");
    for (stage, result, spent) in tally.attempts() {
        let labels = [("stage", stage.as_str()), ("result", result)];
        page.sample("stage_duration_seconds_sum", &labels, seconds(spent.milliseconds));
        page.sample("stage_duration_seconds_count", &labels, spent.count);
    }
}

fn releases(page: &mut Page, facts: &Facts<'_>) {
    page.counter("releases_total", "Deploys that are over, by what became of the release then.");
    for (result, count) in facts.tally.releases() {
        page.sample("releases_total", &[("result", result)], count);
    }
    page.counter("rollbacks_total", "Rollbacks that were carried out, by who asked for them.");
    for (cause, count) in facts.tally.rollbacks() {
        page.sample("rollbacks_total", &[("cause", cause)], count);
    }
    if let Some((release, since)) = facts.present.live {
        page.gauge("release_live_number", "The number of the release that serves.");
        page.sample("release_live_number", &[], release);
        page.gauge("release_live_timestamp_seconds", "When the release that serves went live, by its number.");
        let release = release.to_string();
        page.sample("release_live_timestamp_seconds", &[("release", release.as_str())], moment(since));
    }
}

fn delivery(page: &mut Page, delivery: &Delivery) {
    page.gauge("delivery_window_seconds", "The time over which the figures of delivery are taken.");
    page.sample("delivery_window_seconds", &[], u64::from(delivery.over_days) * 86_400);
    page.gauge("delivery_releases_per_day", "Releases that went live in a day, without rollbacks.");
    page.sample("delivery_releases_per_day", &[], delivery.releases_per_day);
    if let Some(lead) = delivery.lead_time_ms {
        page.gauge("delivery_lead_time_seconds", "Median time from the sight of new inputs to their release.");
        page.sample("delivery_lead_time_seconds", &[], seconds(lead));
    }
    if let Some(rate) = delivery.failure_rate {
        page.gauge("delivery_change_failure_ratio", "Share of releases that were rejected or gone back from.");
        page.sample("delivery_change_failure_ratio", &[], rate);
    }
    if let Some(restore) = delivery.restore_ms {
        page.gauge("delivery_time_to_restore_seconds", "Median time that a release served that was gone back from.");
        page.sample("delivery_time_to_restore_seconds", &[], seconds(restore));
    }
}

fn monitor(page: &mut Page, facts: &Facts<'_>) {
    let (scrapes, failures) = facts.scrapes;
    page.counter("scrapes_total", "Scrapes of targets since this daemon started.");
    page.sample("scrapes_total", &[], scrapes);
    page.counter("scrape_failures_total", "Scrapes of targets that failed since this daemon started.");
    page.sample("scrape_failures_total", &[], failures);
    page.gauge("stored_series", "Series that are held.");
    page.sample("stored_series", &[], facts.series);
    page.gauge("stored_samples", "Samples that are held.");
    page.sample("stored_samples", &[], facts.samples);
    page.counter("journal_events_total", "Events in the journal.");
    page.sample("journal_events_total", &[], facts.present.sequence);
    if let Some(firing) = facts.alerts_firing {
        page.gauge("alerts_firing", "Alerts that fire.");
        page.sample("alerts_firing", &[], firing);
    }
}

fn disks(page: &mut Page, disks: &[DiskReading]) {
    // A family without a sample says nothing.
    if disks.is_empty() {
        return;
    }
    page.gauge("disk_free_bytes", "Bytes that are free on the disk of a folder of the project.");
    for disk in disks {
        page.sample("disk_free_bytes", &[("folder", disk.folder.as_str())], disk.space.free);
    }
}

/// The text as it grows. All names begin with `trainyard_`.
struct Page {
    text: String,
}

impl Page {
    fn counter(&mut self, name: &str, help: &str) {
        self.heading(name, "counter", help);
    }

    fn gauge(&mut self, name: &str, help: &str) {
        self.heading(name, "gauge", help);
    }

    fn heading(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(self.text, "# HELP trainyard_{name} {help}\n# TYPE trainyard_{name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.text, "trainyard_{name}");
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{label}=\"{}\"", escaped(text));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{end} {value}");
    }
}

/// A label value: backslash, quotation mark and line end are escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}

/// Nothing happened before the epoch.
fn moment(at: Moment) -> String {
    seconds(at.since(Moment(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::DiskSpace;
    use crate::pipeline::{
        Attempt, DataSet, Digest, Event, Fingerprint, Inputs, Outcome, Outputs, Recorded, ReleaseId, RunId, RunResult,
        Selection, SourceState, StageName, Trigger, Why,
    };

    fn inputs() -> Inputs {
        let digest = || Digest("d".to_owned());
        Inputs {
            data: DataSet { digest: digest(), count: 0, rows: 0, files: Vec::new() },
            source: SourceState { digest: digest(), commit: None, branch: None, dirty: false },
            stage_sources: std::collections::BTreeMap::new(),
        }
    }

    /// One run of one stage that deploys release 1, from its inputs to its end.
    fn tally() -> Tally {
        let (run, stage) = (RunId(1), StageName::from("put \"live\""));
        let fingerprint = Fingerprint {
            definition: Digest("d".to_owned()),
            data: None,
            source: None,
            needs: std::collections::BTreeMap::new(),
        };
        let events = [
            (1_000, Event::InputsObserved { inputs: inputs() }),
            (
                1_000,
                Event::RunCreated {
                    run,
                    trigger: Trigger::FirstStart,
                    selection: Selection::default(),
                    inputs: inputs(),
                },
            ),
            (2_000, Event::RunStarted { run }),
            (
                2_000,
                Event::StageStarted {
                    run,
                    stage: stage.clone(),
                    attempt: Attempt(1),
                    why: Why::FirstTime,
                    fingerprint,
                    deadline: None,
                    model: None,
                    release: Some(ReleaseId(1)),
                },
            ),
            (
                4_250,
                Event::StageFinished {
                    run,
                    stage,
                    attempt: Attempt(1),
                    outcome: Outcome::Passed,
                    outputs: Outputs::default(),
                    output_held: false,
                },
            ),
            (5_500, Event::RunFinished { run, result: RunResult::Passed }),
        ];
        let mut tally = Tally::default();
        for (sequence, (at, event)) in (1..).zip(events) {
            tally.apply(&Recorded { sequence, at: Moment(at), event });
        }
        tally
    }

    fn rendered(tally: &Tally, active: Option<(RunId, Moment)>) -> String {
        let space = DiskSpace { free: 1 << 30, total: 1 << 40 };
        let disks = [DiskReading { folder: ".trainyard".to_owned(), space }];
        let present = Present { sequence: 6, queued: 0, active, live: Some((ReleaseId(1), Moment(4_250))), firing: 0 };
        render(&Facts {
            version: "0.1.0",
            started: Moment(500),
            present,
            tally,
            delivery: tally.delivery(Moment(10_000)),
            scrapes: (7, 2),
            series: 3,
            samples: 21,
            alerts_firing: None,
            disks: &disks,
        })
    }

    #[test]
    fn the_page_tells_what_happened() {
        let text = rendered(&tally(), Some((RunId(2), Moment(9_001))));
        for line in [
            "trainyard_build_info{version=\"0.1.0\"} 1",
            "trainyard_runs_total{result=\"passed\"} 1",
            "trainyard_runs_total{result=\"failed\"} 0",
            "trainyard_run_duration_seconds_bucket{le=\"1\"} 0",
            "trainyard_run_duration_seconds_bucket{le=\"5\"} 1",
            "trainyard_run_duration_seconds_bucket{le=\"+Inf\"} 1",
            "trainyard_run_duration_seconds_sum 3.500",
            "trainyard_stage_duration_seconds_sum{stage=\"put \\\"live\\\"\",result=\"passed\"} 2.250",
            "trainyard_active_run_start_timestamp_seconds{run=\"2\"} 9.001",
            "trainyard_releases_total{result=\"live\"} 1",
            "trainyard_rollbacks_total{cause=\"alert\"} 0",
            "trainyard_release_live_timestamp_seconds{release=\"1\"} 4.250",
            "trainyard_delivery_lead_time_seconds 3.250",
            "trainyard_delivery_change_failure_ratio 0",
            "trainyard_delivery_releases_per_day 1",
            "trainyard_scrape_failures_total 2",
            "trainyard_stored_samples 21",
            "trainyard_journal_events_total 6",
            "trainyard_disk_free_bytes{folder=\".trainyard\"} 1073741824",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("time_to_restore"), "what never happened is not measured:\n{text}");
        assert!(!text.contains("alerts_firing"), "without rules nothing fires:\n{text}");
    }

    #[test]
    fn every_family_has_help_and_type_before_its_samples_and_stands_once() {
        let text = rendered(&tally(), None);
        let mut families: Vec<&str> = Vec::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let name = rest.split(' ').next().unwrap();
                assert!(!families.contains(&name), "{name} stands twice");
                assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help");
                families.push(name);
            } else if !line.starts_with('#') {
                let name = line.split(['{', ' ']).next().unwrap();
                let family = *families.last().unwrap();
                assert!(name.starts_with(family), "{line} does not belong to {family}");
            }
        }
        assert!(families.len() > 15, "{families:?}");
    }

    #[test]
    fn the_whole_text_is_one_that_prometheus_can_parse() {
        let text = rendered(&Tally::default(), None);
        let scrape = prometheus_parse::Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
        assert!(scrape.samples.iter().any(|sample| sample.metric == "trainyard_runs_total"));
    }
}
