//! Lines are selected: by `v` and the keys that move, or by the mouse; `y` copies them, Escape ends it.

use super::{logs, say};
use crate::pipeline::{Recorded, narrate};
use crate::tui::app::{Model, View};
use crate::tui::clipboard::{self, Yank};
use crate::tui::commands::{Action, key_of};
use crate::tui::event_list;
use crate::tui::layout;
use crate::tui::list::Step;
use crate::tui::message::Cmd;
use crate::tui::selection::{GatherRequest, LineSelection, Lines, cursor};

/// Begins at the cursor.
pub(super) fn begin(model: &mut Model) {
    let at = match model.view {
        View::Board | View::Logs => cursor(model),
        View::Events if !model.is_zoomed => event_list::chosen(model).map(|event| event.sequence),
        View::Runs | View::Models | View::Releases | View::Metrics | View::Events => {
            (model.detail_text.rows() > 0).then_some(0)
        }
    };
    if let Some(at) = at {
        extend(model, at, at);
    }
}

/// Selects from one line to another.
pub(super) fn extend(model: &mut Model, anchor: u64, head: u64) {
    let of = match model.view {
        View::Board | View::Logs => {
            let filter = model.log.shown_filter();
            model.log.address.clone().map(|log| Lines::Log(log, filter))
        }
        View::Events if !model.is_zoomed => Some(Lines::Events),
        View::Runs | View::Models | View::Releases | View::Metrics | View::Events => Some(Lines::Detail(model.view)),
    };
    let Some(of) = of else { return };
    if matches!(of, Lines::Log(..)) && model.log.follow {
        // What is selected must not run away.
        let rows = layout::log_rows(model);
        model.log.toggle_follow(rows);
    }
    put(model, LineSelection { of, anchor, head });
}

/// Whether an action is one on the selected lines; then it is done. What leads elsewhere ends the selection.
pub(super) fn takes(model: &mut Model, action: Action, commands: &mut Vec<Cmd>) -> bool {
    let Some(lines) = model.lines.clone() else { return false };
    let page = i64::try_from(layout::log_rows(model).max(usize::from(model.size.1) / 2)).unwrap_or(1);
    match action {
        Action::Move(by) => move_head(model, lines, i64::from(by)),
        Action::Page(by) => move_head(model, lines, i64::from(by) * page),
        Action::Top => move_head(model, lines, i64::MIN),
        Action::Bottom => move_head(model, lines, i64::MAX),
        Action::CopyLines => copy(model, &lines, commands),
        // Where y is another key, and because whoever copies in a terminal is used to it.
        Action::Open if matches!(lines.of, Lines::Detail(_)) => copy(model, &lines, commands),
        Action::SelectLines | Action::Back => end(model),
        Action::Follow => {
            end(model);
            return false;
        }
        _ => {
            // Another detail has other rows.
            if matches!(lines.of, Lines::Detail(_)) && !keeps_the_detail(action) {
                end(model);
            }
            return false;
        }
    }
    true
}

/// Whether an action shows no other detail.
fn keeps_the_detail(action: Action) -> bool {
    matches!(action, Action::Palette | Action::Help | Action::Freeze | Action::Mouse | Action::Redraw | Action::Suspend)
}

/// A selection of what is not on the screen any more is none.
pub(super) fn settle(model: &mut Model) {
    let is_there = match model.lines.as_ref().map(|lines| &lines.of) {
        None => true,
        Some(Lines::Log(log, filter)) => {
            let is_in_view = matches!(model.view, View::Board | View::Logs);
            is_in_view && model.log.address.as_ref() == Some(log) && model.log.shows_only(filter)
        }
        Some(Lines::Events) => model.view == View::Events && !model.is_zoomed,
        Some(Lines::Detail(view)) => model.view == *view,
    };
    if !is_there {
        end(model);
    }
}

fn end(model: &mut Model) {
    model.lines = None;
    model.log.selection = None;
}

fn put(model: &mut Model, lines: LineSelection) {
    let (first, last) = lines.range();
    let count = match &lines.of {
        Lines::Log(..) | Lines::Detail(_) => last - first + 1,
        Lines::Events => events(model, &lines).count().try_into().unwrap_or(u64::MAX),
    };
    model.log.selection = matches!(lines.of, Lines::Log(..)).then_some((first, last));
    let copies = if lines.of == Lines::Detail(View::Metrics) { Action::Open } else { Action::CopyLines };
    model.lines = Some(lines);
    let (copy, back) = (key_of(model, copies), key_of(model, Action::Back));
    say(model, format!("{} selected: {copy} copies, {back} ends it", clipboard::lines(count)));
}

/// The selected events, in the order in which they are shown.
fn events<'a>(model: &'a Model, lines: &LineSelection) -> impl Iterator<Item = &'a Recorded> {
    let range = event_list::between(&event_list::numbers(model), lines.anchor, lines.head);
    let (skip, take) = range.map_or((0, 0), |(first, last)| (first, last - first + 1));
    event_list::rows(model).into_iter().skip(skip).take(take)
}

fn move_head(model: &mut Model, lines: LineSelection, by: i64) {
    let head = match &lines.of {
        Lines::Log(..) => {
            let head = lines.head.saturating_add_signed(by).min(model.log.rows().saturating_sub(1));
            let rows = layout::log_rows(model);
            model.log.bring_into_sight(head, rows);
            head
        }
        Lines::Detail(_) => lines.head.saturating_add_signed(by).min(model.detail_text.rows().saturating_sub(1)),
        Lines::Events => {
            let rows = event_list::numbers(model);
            model.event_list.chosen = Some(lines.head);
            model.event_list.step(&rows, &event_list::SORTABLE, Step::By(by));
            rows.get(model.event_list.position(&rows)).copied().unwrap_or(lines.head)
        }
    };
    put(model, LineSelection { head, ..lines });
}

fn copy(model: &mut Model, lines: &LineSelection, commands: &mut Vec<Cmd>) {
    let (first, last) = lines.range();
    match &lines.of {
        Lines::Log(..) => {
            if let Some(request) = model.log.lines_between(first, last) {
                say(model, format!("asking the daemon for {}", clipboard::lines(last - first + 1)));
                commands.push(Cmd::Gather(GatherRequest { stamps: logs::shown_stamps(model), ..request }));
            }
        }
        Lines::Detail(_) => {
            let mut text = String::new();
            for row in model.detail_text.between(first, last) {
                text.push_str(&clipboard::plain(&row));
                text.push('\n');
            }
            let count = u64::try_from(text.lines().count()).unwrap_or(u64::MAX);
            commands.push(Cmd::Yank(Yank { what: clipboard::lines(count), text }));
        }
        Lines::Events => {
            let mut text = String::new();
            for event in events(model, lines) {
                let by = event.event.by().map(|by| format!("{}\t", clipboard::plain(by))).unwrap_or_default();
                let when = model.clock.when(event.at, model.now);
                text.push_str(&format!(
                    "{}\t{when}\t{by}{}\n",
                    event.sequence,
                    clipboard::plain(&narrate(&event.event))
                ));
            }
            let count = u64::try_from(text.lines().count()).unwrap_or(u64::MAX);
            commands.push(Cmd::Yank(Yank { what: clipboard::lines(count), text }));
        }
    }
    end(model);
}
