//! Events: where alerts stand, and what happened, when, by whom and of which kind, one sentence each, the newest first; below
//! it or beside it all that is known of the chosen one. Only what passes, where an alert is chosen or something was typed.

mod detail;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::pipeline::{Event, Evidence, Outcome, Recorded, narrate};
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::event_list::{self, kind};
use crate::tui::layout;
use crate::tui::list::first_shown;
use crate::tui::mouse::Target;
use crate::tui::quantity::{self, small};
use crate::tui::selection;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{cells as text_cells, paragraph, put, put_at, sanitize};
use crate::tui::widgets::{alert_line, pane};

/// What is told of an event, in the order of [`cells`]; [`event_list::SORTABLE`] names columns by their place here. Of
/// what has no room the kind goes first: the sentences tell it, but not always who acted.
const COLUMNS: [Column; 5] = [
    Column { heading: "no.", width: 6, fill: Fill::Right, rank: 0 },
    Column { heading: "when", width: 10, fill: Fill::Left, rank: 0 },
    Column { heading: "by", width: 10, fill: Fill::Grows(16), rank: 1 },
    Column { heading: "kind", width: 8, fill: Fill::Left, rank: 2 },
    Column { heading: "what happened", width: 46, fill: Fill::Rest, rank: 0 },
];

/// Draws the view: everything that is known, or what passes.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    let Some(chosen) = event_list::chosen(model) else {
        empty(model, frame, body);
        return;
    };
    let panes = layout::events(model, body);
    if let Some(area) = panes.list {
        list(model, frame, area, chosen.sequence);
    }
    detail::draw(model, frame, panes.detail, chosen);
}

/// The rows of the detail that are not on the screen, which is as far as it can be scrolled.
pub(in crate::tui) fn hidden_rows(model: &Model) -> usize {
    let body = layout::parts(layout::whole(model)).body;
    let Some(chosen) = event_list::chosen(model) else { return 0 };
    detail::hidden_rows(model, layout::events(model, body).detail, chosen)
}

/// Why there is none, and where alerts stand all the same.
fn empty(model: &Model, frame: &mut Frame, body: Rect) {
    let inner = framed(model, frame, body, 0);
    let asks = model.filtered_events.as_ref().is_some_and(|known| known.is_pending);
    let run = key_of(model, Action::RunAll);
    let first_steps = format!("nothing happened yet; {run} on the Board starts the first run");
    let text = match &model.alert {
        _ if asks => "asking the daemon",
        Some(_) if model.event_list.filter.is_empty() => "no event is about it; Esc shows all",
        None if model.event_list.filter.is_empty() => &first_steps,
        Some(_) | None => "no event passes; Esc shows all",
    };
    let width = usize::from(inner.width).saturating_sub(2);
    for (row, text) in paragraph(text, width, 3, model.glyphs.cut).into_iter().enumerate() {
        put_at(frame.buffer_mut(), inner, 1, row, &Line::from(Span::styled(text, model.theme.dim)));
    }
}

/// Draws the frame and where alerts stand, and returns what is below.
fn framed(model: &Model, frame: &mut Frame, area: Rect, count: usize) -> Rect {
    let heading = match model.event_list.filter.as_str() {
        "" => "Events".to_owned(),
        typed => format!("Events {} only {}", model.glyphs.dot, sanitize(typed)),
    };
    let inner = pane::draw(model, frame.buffer_mut(), area, true, &heading, &right(model, count));
    match alert_line::line(model, usize::from(inner.width)).filter(|_| inner.height > 1) {
        Some(strip) => {
            put(frame.buffer_mut(), inner, 0, &strip);
            Rect { y: inner.y + 1, height: inner.height - 1, ..inner }
        }
        None => inner,
    }
}

/// How many there are, of what, and what is awaited.
fn right(model: &Model, count: usize) -> String {
    let is_narrowed = model.alert.is_some() || !model.event_list.filter.is_empty();
    let about = model.alert.as_ref().map(|alert| format!(" about {}", sanitize(alert))).unwrap_or_default();
    let older = model.filtered_events.as_ref();
    let asks = if older.is_some_and(|known| known.is_pending) { ", asking for older ones" } else { "" };
    let counted = quantity::counted(count, "event");
    let last = if is_narrowed || older.is_some() || count == 0 { "" } else { "the last " };
    format!("{last}{counted}{about}{asks}")
}

fn list(model: &Model, frame: &mut Frame, area: Rect, chosen: u64) {
    let events = event_list::rows(model);
    let numbers: Vec<u64> = events.iter().map(|recorded| recorded.sequence).collect();
    let inner = framed(model, frame, area, events.len());
    // The sign of the selected row stands before the table.
    let table_area = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let by = events.iter().filter_map(|recorded| recorded.event.by()).map(|by| text_cells(&sanitize(by))).max();
    // What happened is long as a rule, and of thousands it would be costly to say how long.
    let longest = [0, 0, by.unwrap_or(0), 0, usize::MAX];
    let table = Table::fit_to(&COLUMNS, usize::from(table_area.width), &longest);
    let sort = model.event_list.sort;
    let sign = if sort.is_descending { model.glyphs.descending } else { model.glyphs.ascending };
    put(
        frame.buffer_mut(),
        table_area,
        0,
        &table.sorted_heading(model.theme.dim, model.glyphs.cut, Some((sort.column, sign))),
    );
    let lines = selection::of_events(model, &numbers);
    let rows = usize::from(inner.height).saturating_sub(1);
    let first = first_shown(numbers.iter().position(|number| *number == chosen).unwrap_or(0), rows);
    pane::more(model, frame.buffer_mut(), area, (first, rows), events.len());
    for (index, recorded) in events.iter().enumerate().skip(first).take(rows) {
        let row_area = Rect { y: inner.y + small(index - first + 1), height: 1, ..inner };
        let place = Rect { y: row_area.y, height: 1, ..table_area };
        put(frame.buffer_mut(), place, 0, &table.row(&cells(model, recorded), model.glyphs.cut));
        model.hits.add(row_area, Target::Event(recorded.sequence));
        let is_chosen = recorded.sequence == chosen;
        if is_chosen || lines.is_some_and(|(from, to)| (from..=to).contains(&index)) {
            frame.buffer_mut().set_style(row_area, model.theme.selection);
        }
        if is_chosen {
            put(frame.buffer_mut(), row_area, 0, &Line::from(Span::styled(model.glyphs.pointer, model.theme.accent)));
        }
    }
}

fn cells(model: &Model, recorded: &Recorded) -> [(String, Style); 5] {
    let (theme, event) = (&model.theme, &recorded.event);
    [
        (recorded.sequence.to_string(), theme.dim),
        (model.clock.when(recorded.at, model.now), theme.dim),
        (event.by().map(sanitize).unwrap_or_default(), theme.accent),
        (kind(event).to_owned(), theme.dim),
        (sanitize(&narrate(event)), style_of(model, event)),
    ]
}

/// The colour of an event; the sentence is the core's.
fn style_of(model: &Model, event: &Event) -> Style {
    let theme = &model.theme;
    match event {
        Event::RunFinished { result, .. } => theme.run(Some(*result), true),
        Event::StageFinished { outcome, .. } => match outcome {
            Outcome::Passed => theme.good,
            Outcome::Failed(_) => theme.bad,
            Outcome::Interrupted => theme.warn,
            Outcome::Cancelled => theme.dim,
        },
        Event::ReleaseRejected { .. } | Event::AlertFired { .. } => theme.bad,
        Event::Commanded { refused: Some(_), .. } => theme.warn,
        Event::Commanded { refused: None, .. } => theme.text,
        Event::AlertResolved { evidence: Evidence::Clear, .. } => theme.good,
        Event::Noted { by: Some(_), .. } => theme.text,
        Event::DataRefused { .. }
        | Event::RunStopping { .. }
        | Event::StageNotRun { .. }
        | Event::StageStopping { .. }
        | Event::StageRetrying { .. }
        | Event::QuarantineLifted { .. }
        | Event::AlertResolved { .. }
        | Event::AlertSilenced { .. }
        | Event::SilenceLifted { .. }
        | Event::Locked { .. }
        | Event::Unlocked { .. }
        | Event::ApprovalWanted { .. }
        | Event::DaemonEnded { .. }
        | Event::Noted { .. } => theme.warn,
        Event::ModelPromoted { .. } | Event::Approved { .. } => theme.good,
        Event::RunCreated { .. } | Event::RunStarted { .. } | Event::StageStarted { .. } | Event::ModelNoted { .. } => {
            theme.text
        }
        Event::Configured { .. }
        | Event::InputsObserved { .. }
        | Event::DataRefusalEnded { .. }
        | Event::StageChecking { .. }
        | Event::StageSkipped { .. }
        | Event::StageDropped { .. } => theme.dim,
    }
}
