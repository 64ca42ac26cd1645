//! Lines that are selected to be copied: of the log, of the events, or of what a view tells in detail. Of the log only the
//! places of its rows are here; its lines stay with the daemon until they are copied.

use super::app::{Model, Pane, View};
use super::clipboard::{Yank, plain};
use super::event_list;
use super::log_view::stamps::Stamps;
use super::metrics::explorer::Explorer;
use super::models;
use crate::api::types::{LogAddress, LogFilter, LogRowsRequest};
use crate::pipeline::{Release, Run, narrate};

/// The most lines that are copied at once.
pub(super) const MOST_LINES: u64 = 100_000;
/// The most bytes.
pub(super) const MOST_BYTES: usize = 8 << 20;

/// Of what lines are selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lines {
    /// Of a log, or of what passes a filter there, by the places of the rows from 0.
    Log(LogAddress, LogFilter),
    /// Of the events, by their numbers.
    Events,
    /// Of what a view tells in detail, by the places of the rows from 0.
    Detail(View),
}

/// The selected lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineSelection {
    /// Of what.
    pub(super) of: Lines,
    /// Where it began.
    pub(super) anchor: u64,
    /// Where it ends, before or behind that; the keys move it.
    pub(super) head: u64,
}

impl LineSelection {
    /// The first and the last line.
    pub(super) fn range(&self) -> (u64, u64) {
        (self.anchor.min(self.head), self.anchor.max(self.head))
    }
}

/// Selected rows of a log, to be asked of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GatherRequest {
    /// Of which log.
    pub(super) log: LogAddress,
    /// The first.
    pub(super) first: u64,
    /// The last.
    pub(super) last: u64,
    /// Where those that pass a filter are, as many as are copied at once; `None` where all lines are shown.
    pub(super) rows: Option<LogRowsRequest>,
    /// The times before them, if they are shown.
    pub(super) stamps: Option<Stamps>,
}

/// Whether lines can be selected here.
pub(super) fn can_select(model: &Model) -> bool {
    match model.view {
        View::Board | View::Logs => model.log.address.is_some() && model.log.rows() > 0,
        View::Events => model.shown_events().next().is_some(),
        View::Runs | View::Models | View::Releases | View::Metrics => model.detail_text.rows() > 0,
    }
}

/// Why none can be.
pub(super) fn why_not(model: &Model) -> &'static str {
    match model.view {
        View::Board | View::Logs => match &model.log.filter {
            Some(table) if table.is_whole() => "nothing to select: no line passes the filter",
            Some(_) => "nothing to select yet: the log is still looked through",
            None => "nothing to select: there are no lines here",
        },
        View::Metrics => "nothing to select: no table is shown; z gives the selected chart the screen",
        View::Runs | View::Models | View::Releases | View::Events => "nothing to select: there are no lines here",
    }
}

/// Where the selected events begin and end among `rows`, the numbers of those that are shown.
pub(super) fn of_events(model: &Model, rows: &[u64]) -> Option<(usize, usize)> {
    let lines = model.lines.as_ref().filter(|lines| lines.of == Lines::Events)?;
    event_list::between(rows, lines.anchor, lines.head)
}

/// What is under the cursor, as something to copy.
pub(super) fn thing(model: &Model) -> Option<Yank> {
    match model.view {
        View::Board => match model.focus {
            Pane::Pipeline => model.board_run().map(|run| number_of(run)),
            Pane::Log => log_line(model),
            Pane::Release => model.state.releases.get(&model.state.live?).and_then(|release| address_of(release)),
        },
        View::Logs => log_line(model),
        View::Runs if model.is_in_detail => model.chosen_run().and_then(|run| commit_of(run)),
        View::Runs => model.chosen_run().map(|run| number_of(run)),
        View::Models => {
            let version = models::chosen(model)?.version();
            Some(Yank { what: format!("the number of model {version}"), text: version.to_string() })
        }
        View::Releases => model.chosen_release().and_then(|release| address_of(release)),
        View::Metrics => {
            let panel = model.metrics.charts.panels.get(model.metrics.selected)?;
            let expression = panel.expression.clone();
            (!expression.is_empty())
                .then(|| Yank { what: format!("the expression of {}", panel.title), text: expression })
        }
        View::Events => {
            let event = event_list::chosen(model)?;
            Some(Yank { what: format!("event {}", event.sequence), text: plain(&narrate(&event.event)) })
        }
    }
}

fn number_of(run: &Run) -> Yank {
    Yank { what: format!("the number of run {}", run.id), text: run.id.to_string() }
}

fn commit_of(run: &Run) -> Option<Yank> {
    let commit = run.inputs.source.commit.clone()?;
    Some(Yank { what: format!("the commit of run {}", run.id), text: commit })
}

/// Where a release answers, else its commit.
fn address_of(release: &Release) -> Option<Yank> {
    let id = release.id;
    let address = release.address.clone().map(|text| Yank { what: format!("the address of release {id}"), text });
    let commit = || Yank { what: format!("the commit of release {id}"), text: release.commit.clone() };
    address.or_else(|| (!release.commit.is_empty()).then(commit))
}

/// The line that was found or gone to, if it is on the screen; else the last one that is followed, or the first one shown.
fn log_line(model: &Model) -> Option<Yank> {
    let row = model.log.row(cursor(model)?)?;
    Some(Yank { what: format!("line {}", row.number + 1), text: plain(&row.line.text) })
}

/// The row of the log from which a selection begins.
pub(super) fn cursor(model: &Model) -> Option<u64> {
    let log = &model.log;
    let last = log.rows().checked_sub(1)?;
    if log.follow {
        return Some(last);
    }
    let rows = u64::try_from(super::layout::log_rows(model)).unwrap_or(0);
    let wanted = log.search.as_ref().and_then(|search| search.hit).or(log.aim);
    let is_shown = |row: &u64| (log.top..log.top.saturating_add(rows)).contains(row);
    let row = wanted.and_then(|line| log.row_of(line)).filter(is_shown);
    Some(row.unwrap_or(log.top).min(last))
}

/// What the explorer would draw, else what is typed in it.
pub(super) fn expression(explorer: &Explorer) -> Option<Yank> {
    let text = explorer.drawn().unwrap_or_else(|| explorer.line.text.trim().to_owned());
    (!text.is_empty()).then(|| Yank { what: "the expression".to_owned(), text })
}
