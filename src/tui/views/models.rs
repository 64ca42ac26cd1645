//! Models: the registry, the newest first or sorted by a column, and below it or beside it what is known of the selected
//! version, or of two.

mod calibration;
mod comparison;
mod confusion;
mod data;
mod detail;
mod importance;
mod leaderboard;
pub(super) mod rows;
mod slices;
mod summary;

#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::api::types::{GateVerdict, ModelSummary};
use crate::pipeline::{ReleaseStatus, RunResult, StageKind};
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::layout;
use crate::tui::list::first_shown;
use crate::tui::models::{self, Entry, Training};
use crate::tui::mouse::Target;
use crate::tui::quantity::{self, small};
use crate::tui::release_facts::standing;
use crate::tui::widgets::pane;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{cells as text_cells, paragraph, put, put_at, sanitize};

/// Stands where nothing is known.
const UNKNOWN: &str = "–";

/// What is told of a version, in the order of [`cells`]; [`models::SORTABLE`] names columns by their place here.
const COLUMNS: [Column; 9] = [
    Column { heading: "model", width: 6, fill: Fill::Left, rank: 0 },
    Column { heading: "gate", width: 10, fill: Fill::Grows(14), rank: 0 },
    Column { heading: "champion", width: 10, fill: Fill::Left, rank: 1 },
    Column { heading: "deployed", width: 8, fill: Fill::Left, rank: 2 },
    Column { heading: "metric", width: 14, fill: Fill::Grows(18), rank: 0 },
    Column { heading: "interval", width: 13, fill: Fill::Grows(13), rank: 7 },
    Column { heading: "learner", width: 13, fill: Fill::Grows(16), rank: 3 },
    Column { heading: "when", width: 10, fill: Fill::Left, rank: 4 },
    Column { heading: "note", width: 20, fill: Fill::Rest, rank: 6 },
];

/// Draws the view.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    let entries = models::entries(model);
    let Some(chosen) = models::chosen(model) else {
        empty(model, frame, body);
        return;
    };
    let panes = layout::models(model, body);
    if let Some(area) = panes.list {
        list(model, frame, area, &entries, chosen);
    }
    detail::draw(model, frame, panes.detail, chosen);
}

/// The rows of the detail that are not on the screen, which is as far as it can be scrolled.
pub(in crate::tui) fn hidden_rows(model: &Model) -> usize {
    let body = layout::parts(layout::whole(model)).body;
    let Some(chosen) = models::chosen(model) else { return 0 };
    detail::hidden_rows(model, layout::models(model, body).detail, chosen)
}

/// How to come to a first model, or why none is known.
fn empty(model: &Model, frame: &mut Frame, body: Rect) {
    let inner = pane::draw(model, frame.buffer_mut(), body, true, "Models", "");
    let trains = model.state.graph.stages().iter().any(|spec| spec.produces_model);
    let (text, style) = match model.models.error() {
        Some(error) => (sanitize(error), model.theme.bad),
        None if !model.models.list.filter.is_empty() => {
            ("no model passes the filter; Esc shows all".to_owned(), model.theme.dim)
        }
        None if !model.models.is_known() && model.is_connected() => {
            ("asking the daemon for its models".to_owned(), model.theme.dim)
        }
        None if trains => (
            format!(
                "no model yet: the first training makes one; put a CSV file into the data folder, or press {} on the Board",
                key_of(model, Action::RunFrom(StageKind::Train))
            ),
            model.theme.dim,
        ),
        None => (
            "no model yet, for no stage trains: add one with `uses = \"train\"` and a `target` to trainyard.toml, \
             or a command that writes its model into $TRAINYARD_MODEL"
                .to_owned(),
            model.theme.dim,
        ),
    };
    let width = usize::from(inner.width).saturating_sub(2);
    for (row, text) in paragraph(&text, width, 3, model.glyphs.cut).into_iter().enumerate() {
        put_at(frame.buffer_mut(), inner, 1, row, &Line::from(Span::styled(text, style)));
    }
}

fn list(model: &Model, frame: &mut Frame, area: Rect, entries: &[Entry<'_>], chosen: Entry<'_>) {
    let mut right = quantity::counted(u64::try_from(model.models.made().len()).unwrap_or(0), "model");
    let in_training = entries.iter().filter(|entry| matches!(entry, Entry::Training(_))).count();
    if in_training > 0 {
        right = format!("{right}, {in_training} in training");
    }
    if let Some(marked) = model.models.list.marked {
        right = format!("{} model {marked} is marked, {right}", model.glyphs.marked);
    }
    if let Some(error) = model.models.error() {
        right = format!("not up to date: {}", sanitize(error));
    }
    let heading = match model.models.list.filter.as_str() {
        "" => "Models".to_owned(),
        typed => format!("Models {} only {}", model.glyphs.dot, sanitize(typed)),
    };
    let inner = pane::draw(model, frame.buffer_mut(), area, true, &heading, &right);
    // The sign of the selected row stands before the table.
    let table_area = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let table = Table::fit_to(&COLUMNS, usize::from(table_area.width), &longest(model, entries));
    let sort = model.models.list.sort;
    let sign = if sort.is_descending { model.glyphs.descending } else { model.glyphs.ascending };
    let head = table.sorted_heading(model.theme.dim, model.glyphs.cut, Some((sort.column, sign)));
    put(frame.buffer_mut(), table_area, 0, &head);
    let is_chosen = |entry: &Entry<'_>| entry.version() == chosen.version();
    let position = entries.iter().position(is_chosen).unwrap_or(0);
    let rows = usize::from(inner.height).saturating_sub(1);
    let first = first_shown(position, rows);
    pane::more(model, frame.buffer_mut(), area, (first, rows), entries.len());
    for (row, entry) in entries.iter().skip(first).take(rows).enumerate() {
        let row_area = Rect { y: inner.y + small(row + 1), height: 1, ..inner };
        let place = Rect { y: row_area.y, height: 1, ..table_area };
        let cells = match entry {
            Entry::Made(made) => cells(model, made),
            Entry::Training(training) => training_cells(model, training),
        };
        put(frame.buffer_mut(), place, 0, &table.row(&cells, model.glyphs.cut));
        model.hits.add(row_area, Target::Model(entry.version()));
        if is_chosen(entry) {
            frame.buffer_mut().set_style(row_area, model.theme.selection);
            put(frame.buffer_mut(), row_area, 0, &Line::from(Span::styled(model.glyphs.pointer, model.theme.accent)));
        }
    }
}

fn cells(model: &Model, made: &ModelSummary) -> [(String, Style); 9] {
    let theme = &model.theme;
    let mark = if model.models.list.marked == Some(made.version) { model.glyphs.marked } else { "" };
    let metric = made.metric.as_ref();
    let interval = metric.and_then(|metric| metric.interval).map(interval);
    [
        (format!("m{}{mark}", made.version), theme.title),
        gate(model, made),
        (if made.champion { champion(model) } else { String::new() }, theme.good),
        deployed(model, made),
        (metric.map_or_else(|| UNKNOWN.to_owned(), |metric| value_of(&metric.name, metric.value)), theme.text),
        (interval.unwrap_or_default(), theme.dim),
        (made.learner.as_deref().map_or_else(|| UNKNOWN.to_owned(), algorithm), theme.text),
        (model.clock.when(made.made, model.now), theme.text),
        (note(made), theme.dim),
    ]
}

/// The cells of the longest texts in the columns, of all rows, so that nothing moves while one goes through them.
fn longest(model: &Model, entries: &[Entry<'_>]) -> [usize; 9] {
    let mut longest = [0; 9];
    for entry in entries {
        let row = match entry {
            Entry::Made(made) => cells(model, made),
            Entry::Training(training) => training_cells(model, training),
        };
        for (longest, (text, _)) in longest.iter_mut().zip(&row) {
            *longest = text_cells(text).max(*longest);
        }
    }
    // What a training says of itself is another length each time.
    if entries.iter().any(|entry| matches!(entry, Entry::Training(_)))
        && let Some(note) = longest.last_mut()
    {
        *note = usize::MAX;
    }
    longest
}

fn training_cells(model: &Model, training: &Training<'_>) -> [(String, Style); 9] {
    let theme = &model.theme;
    let said = training.progress.map(|progress| sanitize(&progress.message)).unwrap_or_default();
    let took = training.work.took(model.now).map(quantity::whole_duration).unwrap_or_default();
    let none = || (String::new(), theme.text);
    [
        (format!("m{}", training.version), theme.title),
        (format!("{} training", model.glyphs.run(None, true)), theme.running),
        none(),
        none(),
        none(),
        none(),
        none(),
        (format!("for {took}"), theme.text),
        (said, theme.dim),
    ]
}

/// What the gate made of a model, in a sign and a word.
fn gate(model: &Model, made: &ModelSummary) -> (String, Style) {
    if made.ungated {
        // Nothing was judged, so there is no sign of a result.
        return (made.gate_word().to_owned(), model.theme.dim);
    }
    let (sign, style) = if made.reason.is_none() {
        (model.glyphs.verdict(GateVerdict::Pass), model.theme.good)
    } else {
        (model.glyphs.run(Some(RunResult::Held), true), model.theme.warn)
    };
    (format!("{sign} {}", sanitize(&made.verdict)), style)
}

fn champion(model: &Model) -> String {
    format!("{} champion", model.glyphs.champion)
}

fn serving(model: &Model) -> String {
    format!("{} live", model.glyphs.serving)
}

/// Whether it serves, or how its last release ended badly: a champion may be one that nobody wants in service.
fn deployed(model: &Model, made: &ModelSummary) -> (String, Style) {
    let last = model.state.releases.values().rev().find(|release| release.model == Some(made.version));
    match last.filter(|release| release.status == ReleaseStatus::Rejected) {
        _ if made.live => (serving(model), model.theme.good),
        Some(release) => {
            let (word, status) = standing(&model.state, release);
            // A release is rejected; of its model that says that it failed in service.
            let word = if status == ReleaseStatus::Rejected { "failed" } else { word };
            (format!("{} {word}", model.glyphs.release(status)), model.theme.release(status))
        }
        None => (String::new(), model.theme.text),
    }
}

/// The last note, or what is more important.
fn note(made: &ModelSummary) -> String {
    if made.has_files {
        made.note.as_deref().map(sanitize).unwrap_or_default()
    } else {
        "files cleared away".to_owned()
    }
}

/// The algorithm, without its settings.
fn algorithm(learner: &str) -> String {
    sanitize(learner.split([',', ':']).next().unwrap_or(learner))
}

/// A metric with its name.
fn value_of(name: &str, value: f64) -> String {
    format!("{} {}", sanitize(name), rows::number(value))
}

fn interval((low, high): (f64, f64)) -> String {
    format!("{}–{}", rows::number(low), rows::number(high))
}
