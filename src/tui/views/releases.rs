//! Releases: the history, the newest first, and beside it or below it what the selected one is and what the live one runs as.

mod comparison;
mod detail;

use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::pipeline::{Release, StageKind};
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::layout;
use crate::tui::list::first_shown;
use crate::tui::mouse::Target;
use crate::tui::quantity::{self, small};
use crate::tui::release_facts::{health, release_facts, standing};
use crate::tui::release_list;
use crate::tui::widgets::pane;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{cells as text_cells, paragraph, put, put_at, sanitize};

/// Stands where nothing is known any more.
const UNKNOWN: &str = "–";

/// What is told of a release, in the order of [`cells`]; [`release_list::SORTABLE`] names columns by their place here.
const COLUMNS: [Column; 10] = [
    Column { heading: "no.", width: 4, fill: Fill::Right, rank: 0 },
    Column { heading: "status", width: 11, fill: Fill::Grows(11), rank: 0 },
    Column { heading: "image", width: 12, fill: Fill::Left, rank: 6 },
    Column { heading: "model", width: 5, fill: Fill::Left, rank: 3 },
    Column { heading: "commit", width: 8, fill: Fill::Grows(8), rank: 5 },
    Column { heading: "by", width: 10, fill: Fill::Grows(20), rank: 8 },
    Column { heading: "when", width: 10, fill: Fill::Left, rank: 4 },
    Column { heading: "took", width: 6, fill: Fill::Right, rank: 7 },
    Column { heading: "health", width: 13, fill: Fill::Grows(20), rank: 9 },
    Column { heading: "why", width: 20, fill: Fill::Rest, rank: 0 },
];

/// Draws the view.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    if model.state.releases.is_empty() {
        empty(model, frame, body);
        return;
    }
    let panes = layout::releases(model, body);
    if let Some(area) = panes.list {
        list(model, frame, area);
    }
    let other = release_list::partner(model).filter(|_| model.releases.is_comparing);
    match (model.chosen_release(), other) {
        (Some(release), Some(other)) => comparison::draw(model, frame, panes.detail, other, release),
        (Some(release), None) => detail::draw(model, frame, panes.detail, release),
        (None, _) => {
            pane::draw(model, frame.buffer_mut(), panes.detail, false, "", "");
        }
    }
}

/// How to come to a first release.
fn empty(model: &Model, frame: &mut Frame, body: Rect) {
    let inner = pane::draw(model, frame.buffer_mut(), body, true, "Releases", "");
    let has_deploy = model.state.graph.stages().iter().any(|spec| spec.kind == StageKind::Deploy);
    let key = key_of(model, Action::RunAll);
    let text = if has_deploy {
        format!(
            "no release yet: the first run that passes makes one; press {key} on the Board to start a run, or put a CSV \
             file into the data folder"
        )
    } else {
        format!(
            "no release yet, for no stage deploys: add one with `uses = \"deploy\"` to trainyard.toml, then press {key} on \
             the Board"
        )
    };
    let width = usize::from(inner.width).saturating_sub(2);
    for (row, text) in paragraph(&text, width, 3, model.glyphs.cut).into_iter().enumerate() {
        put_at(frame.buffer_mut(), inner, 1, row, &Line::from(Span::styled(text, model.theme.dim)));
    }
}

fn list(model: &Model, frame: &mut Frame, area: Rect) {
    let state = &model.releases;
    let releases = release_list::rows(model);
    let mut right = quantity::counted(releases.len(), "release");
    if let Some(marked) = state.marked {
        right = format!("{} release {marked} is marked, {right}", model.glyphs.marked);
    }
    let heading = match state.filter.as_str() {
        "" => "Releases".to_owned(),
        typed => format!("Releases {} only {}", model.glyphs.dot, sanitize(typed)),
    };
    let inner = pane::draw(model, frame.buffer_mut(), area, true, &heading, &right);
    if releases.is_empty() {
        let text = Span::styled("no release passes the filter; Esc shows all", model.theme.dim);
        put_at(frame.buffer_mut(), inner, 1, 0, &Line::from(text));
        return;
    }
    // The sign of the selected row stands before the table.
    let table_area = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let table = Table::fit_to(&COLUMNS, usize::from(table_area.width), &longest(model, &releases));
    let sign = if state.sort.is_descending { model.glyphs.descending } else { model.glyphs.ascending };
    let head = table.sorted_heading(model.theme.dim, model.glyphs.cut, Some((state.sort.column, sign)));
    put(frame.buffer_mut(), table_area, 0, &head);
    let chosen = model.chosen_release().map(|release| release.id);
    let position = releases.iter().position(|release| Some(release.id) == chosen).unwrap_or(0);
    let rows = usize::from(inner.height).saturating_sub(1);
    let first = first_shown(position, rows);
    pane::more(model, frame.buffer_mut(), area, (first, rows), releases.len());
    for (row, release) in releases.iter().skip(first).take(rows).enumerate() {
        let row_area = Rect { y: inner.y + small(row + 1), height: 1, ..inner };
        let place = Rect { y: row_area.y, height: 1, ..table_area };
        put(frame.buffer_mut(), place, 0, &table.row(&cells(model, release), model.glyphs.cut));
        if state.marked == Some(release.id) {
            put(frame.buffer_mut(), row_area, 0, &Line::from(Span::styled(model.glyphs.marked, model.theme.mark)));
        }
        model.hits.add(row_area, Target::Release(release.id));
        if Some(release.id) == chosen {
            frame.buffer_mut().set_style(row_area, model.theme.selection);
            put(frame.buffer_mut(), row_area, 0, &Line::from(Span::styled(model.glyphs.pointer, model.theme.accent)));
        }
    }
}

fn cells(model: &Model, release: &Release) -> [(String, Style); 10] {
    let theme = &model.theme;
    let facts = release_facts(&model.state, release, model.now);
    let known = |text: Option<String>| text.map_or_else(|| UNKNOWN.to_owned(), |text| sanitize(&text));
    let health = model.target().and_then(|report| health(report, release.id));
    let health_style = if model.target().is_some_and(|report| report.serving) { theme.good } else { theme.warn };
    [
        (release.id.to_string(), theme.text),
        (status(model, release), theme.release(standing(&model.state, release).1)),
        (known(release.image.as_ref().map(|image| image.short().to_owned())), theme.text),
        (known(release.model.map(|version| format!("m{version}"))), theme.text),
        (sanitize(&release.commit), theme.text),
        (known(facts.by), theme.text),
        (model.clock.when(release.started, model.now), theme.text),
        (known(facts.took.map(|took| took_text(release, took))), theme.text),
        (sanitize(&health.unwrap_or_default()), health_style),
        (known(facts.why), theme.text),
    ]
}

/// The cells of the longest texts in the columns that grow, of all rows, so that nothing moves while one goes through them.
fn longest(model: &Model, releases: &[&Arc<Release>]) -> [usize; 10] {
    let [mut status_cells, mut commit, mut by, mut health_cells, mut why] = [0; 5];
    for release in releases {
        let facts = release_facts(&model.state, release, model.now);
        let known = |text: Option<String>| text.map_or(0, |text| text_cells(&sanitize(&text)));
        status_cells = status_cells.max(text_cells(&status(model, release)));
        commit = commit.max(text_cells(&sanitize(&release.commit)));
        by = by.max(known(facts.by));
        health_cells = health_cells.max(known(model.target().and_then(|report| health(report, release.id))));
        why = why.max(known(facts.why));
    }
    [0, status_cells, 0, 0, commit, by, 0, 0, health_cells, why]
}

/// A glyph and a word.
fn status(model: &Model, release: &Release) -> String {
    let (word, status) = standing(&model.state, release);
    format!("{} {word}", model.glyphs.release(status))
}

/// What still grows is told in whole seconds.
fn took_text(release: &Release, took: u64) -> String {
    if release.status == crate::pipeline::ReleaseStatus::Starting {
        quantity::whole_duration(took)
    } else {
        quantity::duration(took)
    }
}
