//! Runs: the history, and beside it what each stage of the selected run did and why, or what it is beside another run.

mod bar;
mod comparison;
mod detail;

use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::pipeline::{RUNS_KEPT, Run, explain};
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::list::first_shown;
use crate::tui::mouse::Target;
use crate::tui::quantity::{self, small};
use crate::tui::release_facts::started_by;
use crate::tui::run_facts::{metric_of, model_of, release_of, took, word};
use crate::tui::run_history;
use crate::tui::widgets::pane;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{cells as text_cells, paragraph, put, put_at, sanitize};

/// From this width on, the list and the detail stand side by side.
const SIDE_BY_SIDE: u16 = 130;
/// Rows of the list above two runs beside each other, which have much to tell.
const LIST_ABOVE_COMPARISON: u16 = 7;
/// The column of the bars.
const BAR: usize = 4;

/// What is told of a run, in the order of [`cells`]; [`crate::tui::run_facts::SORTABLE`] names columns by their place here.
const COLUMNS: [Column; 10] = [
    Column { heading: "run", width: 5, fill: Fill::Right, rank: 0 },
    Column { heading: "state", width: 12, fill: Fill::Grows(12), rank: 0 },
    Column { heading: "when", width: 10, fill: Fill::Left, rank: 4 },
    Column { heading: "took", width: 7, fill: Fill::Right, rank: 0 },
    Column { heading: "stages", width: 10, fill: Fill::Grows(14), rank: 7 },
    Column { heading: "model", width: 6, fill: Fill::Left, rank: 5 },
    Column { heading: "metric", width: 14, fill: Fill::Grows(18), rank: 8 },
    Column { heading: "rel.", width: 5, fill: Fill::Left, rank: 6 },
    Column { heading: "by", width: 10, fill: Fill::Grows(20), rank: 9 },
    Column { heading: "why it started", width: 24, fill: Fill::Rest, rank: 0 },
];

/// Draws the view.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    let list_state = &model.runs.list;
    let pair = model.chosen_run().zip(run_history::partner(model)).filter(|_| list_state.is_comparing);
    let (list_area, detail_area) = panes(model, body, pair.is_some());
    if let Some(area) = list_area {
        list(model, frame, area);
    }
    match pair {
        Some((chosen, other)) => comparison::draw(model, frame, detail_area, other, chosen),
        None => detail::draw(model, frame, detail_area),
    }
}

/// The list and the detail; a zoomed detail stands alone.
fn panes(model: &Model, body: Rect, is_comparing: bool) -> (Option<Rect>, Rect) {
    if model.is_zoomed {
        return (None, body);
    }
    if body.width >= SIDE_BY_SIDE {
        let width = body.width / 2;
        let detail = Rect { x: body.x + width, width: body.width - width, ..body };
        return (Some(Rect { width, ..body }), detail);
    }
    let height = (body.height / 2).max(5);
    let height = if is_comparing { height.min(LIST_ABOVE_COMPARISON) } else { height }.min(body.height);
    let detail = Rect { y: body.y + height, height: body.height - height, ..body };
    (Some(Rect { height, ..body }), detail)
}

fn list(model: &Model, frame: &mut Frame, area: Rect) {
    let state = &model.runs.list;
    let runs = run_history::rows(model);
    let heading = match state.filter.as_str() {
        "" => "Runs".to_owned(),
        typed => format!("Runs {} only {}", model.glyphs.dot, sanitize(typed)),
    };
    let inner = pane::draw(model, frame.buffer_mut(), area, !model.is_in_detail, &heading, &right(model, runs.len()));
    if runs.is_empty() {
        empty(model, frame, inner);
        return;
    }
    let table_area = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let table = Table::fit_to(&COLUMNS, usize::from(table_area.width), &longest(model, &runs));
    let sign = if state.sort.is_descending { model.glyphs.descending } else { model.glyphs.ascending };
    let head = table.sorted_heading(model.theme.dim, model.glyphs.cut, Some((state.sort.column, sign)));
    put(frame.buffer_mut(), table_area, 0, &head);
    let rows = usize::from(inner.height).saturating_sub(1);
    let chosen = model.chosen_run().map(|run| run.id);
    let position = runs.iter().position(|run| Some(run.id) == chosen).unwrap_or(0);
    let first = first_shown(position, rows);
    pane::more(model, frame.buffer_mut(), area, (first, rows), runs.len());
    let shown = || runs.iter().skip(first).take(rows);
    let most_time = bar::longest(shown().map(|run| &***run), model.now);
    for (row, run) in shown().enumerate() {
        let row_area = Rect { y: inner.y + small(row + 1), height: 1, ..inner };
        let place = Rect { y: row_area.y, height: 1, ..table_area };
        put(frame.buffer_mut(), place, 0, &table.row(&cells(model, run), model.glyphs.cut));
        if let Some((begin, width)) = table.place(BAR) {
            put_at(frame.buffer_mut(), place, begin, 0, &bar::line(model, run, most_time, width));
        }
        model.hits.add(row_area, Target::Run(run.id));
        if state.marked == Some(run.id) {
            put(frame.buffer_mut(), row_area, 0, &Line::from(Span::styled(model.glyphs.marked, model.theme.mark)));
        }
        if Some(run.id) == chosen {
            frame.buffer_mut().set_style(row_area, model.theme.selection);
            put(frame.buffer_mut(), row_area, 0, &Line::from(Span::styled(model.glyphs.pointer, model.theme.accent)));
        }
    }
}

/// How many there are, and what else there is to know of the list.
fn right(model: &Model, count: usize) -> String {
    let mut text = quantity::counted(count, "run");
    // In the past, what was marked may not have happened yet.
    if let Some(marked) = model.runs.list.marked.filter(|marked| model.run_of(*marked).is_some()) {
        text = format!("{} run {marked} is marked, {text}", model.glyphs.marked);
    }
    match &model.runs.older {
        Some(older) if older.is_pending => format!("{text}, asking for older ones"),
        Some(older) if older.runs().len() >= run_history::OLDER_KEPT => format!("{text}, older ones in Events"),
        Some(_) | None => text,
    }
}

/// How to come to a first run, or to one that passes.
fn empty(model: &Model, frame: &mut Frame, inner: Rect) {
    let text = if !model.runs.list.filter.is_empty() {
        "no run passes the filter; Esc shows all".to_owned()
    } else if model.state.graph.stages().is_empty() {
        "no run yet, for no stage is configured: `trainyard init` in a shell writes a trainyard.toml".to_owned()
    } else {
        let key = key_of(model, Action::RunAll);
        format!("no run yet: put a CSV file into the data folder, or press {key} on the Board")
    };
    let width = usize::from(inner.width).saturating_sub(2);
    for (row, text) in paragraph(&text, width, 3, model.glyphs.cut).into_iter().enumerate() {
        put_at(frame.buffer_mut(), inner, 1, row, &Line::from(Span::styled(text, model.theme.dim)));
    }
}

fn cells(model: &Model, run: &Run) -> [(String, Style); 10] {
    let (theme, graph) = (&model.theme, &model.state.graph);
    let is_started = run.started.is_some();
    let time = took(run, model.now).map(|took| match run.ended {
        Some(_) => quantity::duration(took),
        None => quantity::whole_duration(took),
    });
    [
        (run.id.to_string(), theme.text),
        (state(model, run), theme.run(run.result, is_started)),
        (model.clock.when(run.created, model.now), theme.text),
        (time.unwrap_or_default(), theme.text),
        (String::new(), theme.text),
        (model_of(graph, run).map(|version| format!("m{version}")).unwrap_or_default(), theme.text),
        (metric(model, run), theme.text),
        (release_of(graph, run).map(|release| format!("r{release}")).unwrap_or_default(), theme.text),
        (sanitize(&started_by(&run.trigger)), theme.text),
        (sanitize(&explain::cause(&model.state, run)), theme.text),
    ]
}

/// The cells of the longest texts in the columns that grow, of all rows, so that nothing moves while one goes through them. A
/// bar takes what it can have.
fn longest(model: &Model, runs: &[&Arc<Run>]) -> [usize; 10] {
    let [mut state_cells, mut metric_cells, mut by, mut why] = [0; 4];
    // Why each of thousands began is dear to tell in every frame; the last column then has what is left.
    let are_many = runs.len() > RUNS_KEPT;
    for run in runs {
        state_cells = state_cells.max(text_cells(&state(model, run)));
        metric_cells = metric_cells.max(text_cells(&metric(model, run)));
        by = by.max(text_cells(&sanitize(&started_by(&run.trigger))));
        why = if are_many { usize::MAX } else { why.max(text_cells(&sanitize(&explain::cause(&model.state, run)))) };
    }
    [0, state_cells, 0, 0, usize::MAX, 0, metric_cells, 0, by, why]
}

/// A glyph and a word.
fn state(model: &Model, run: &Run) -> String {
    format!("{} {}", model.glyphs.run(run.result, run.started.is_some()), word(run))
}

fn metric(model: &Model, run: &Run) -> String {
    let metric = metric_of(&model.state.graph, run);
    metric.map(|(name, value)| format!("{} {}", sanitize(name), quantity::value(value))).unwrap_or_default()
}
