//! The mouse: a press chooses what lies there, a second one opens it, a drag selects lines, the wheel scrolls what is under it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{actions, keys, say, selection};
use crate::tui::app::{Model, Overlay, Pane, View};
use crate::tui::commands::{Action, COMMANDS, key_of};
use crate::tui::event_list;
use crate::tui::message::Cmd;
use crate::tui::models;
use crate::tui::mouse::Target;

/// Two presses at one place within so many milliseconds are one double click.
const DOUBLE: u64 = 400;
/// Lines of a log by which a step of the wheel goes on.
const WHEEL: i8 = 3;

/// Switches it on or off.
pub(super) fn switch(model: &mut Model) {
    model.has_mouse = !model.has_mouse;
    let key = key_of(model, Action::Mouse);
    let text = if model.has_mouse {
        format!("the mouse works here; {key} gives it back to the terminal, which selects with Shift until then")
    } else {
        "the mouse is the terminal's again".to_owned()
    };
    say(model, text);
}

/// The mouse did something. What comes while it is off was not asked for.
pub(super) fn happened(model: &mut Model, event: MouseEvent, commands: &mut Vec<Cmd>) {
    if !model.has_mouse {
        return;
    }
    let place = (event.column, event.row);
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => pressed(model, place, commands),
        MouseEventKind::Drag(MouseButton::Left) => dragged(model, place),
        MouseEventKind::ScrollUp => wheel(model, place, true, commands),
        MouseEventKind::ScrollDown => wheel(model, place, false, commands),
        MouseEventKind::ScrollLeft if model.overlay.is_none() => {
            actions::act(model, Action::Sideways(-1), commands);
        }
        MouseEventKind::ScrollRight if model.overlay.is_none() => {
            actions::act(model, Action::Sideways(1), commands);
        }
        MouseEventKind::Down(_)
        | MouseEventKind::Up(_)
        | MouseEventKind::Drag(_)
        | MouseEventKind::Moved
        | MouseEventKind::ScrollLeft
        | MouseEventKind::ScrollRight => {}
    }
}

fn pressed(model: &mut Model, place: (u16, u16), commands: &mut Vec<Cmd>) {
    model.message = None;
    let is_second = model.pressed.is_some_and(|(at, before)| {
        // A clock that was put back makes no double click of two.
        before == place && at <= model.now && model.now.since(at) <= DOUBLE
    });
    // A third press is the first of two again.
    model.pressed = (!is_second).then_some((model.now, place));
    let target = model.hits.at(place.0, place.1);
    model.drag_from = target.as_ref().and_then(line_of);
    let Some(target) = target else { return };
    if model.overlay.is_some() {
        in_overlay(model, &target, is_second, commands);
        return;
    }
    let opens = choose(model, target, commands);
    if opens && is_second && is_offered(model, Action::Open) {
        actions::act(model, Action::Open, commands);
    }
}

/// Chooses what was pressed; whether a second press opens it.
fn choose(model: &mut Model, target: Target, commands: &mut Vec<Cmd>) -> bool {
    match target {
        Target::Act(action) => {
            // The frame may be older than what can be done now.
            if is_offered(model, action) {
                actions::act(model, action, commands);
            }
            return false;
        }
        Target::Pane(pane) => model.focus = pane,
        Target::Stage(stage) => {
            model.stage = Some(stage);
            model.focus = Pane::Pipeline;
            model.is_in_detail = model.view == View::Runs;
        }
        Target::Run(run) => {
            model.runs.list.chosen = Some(run);
            model.is_in_detail = false;
        }
        Target::Release(release) => model.releases.chosen = Some(release),
        Target::Model(version) => {
            let rows: Vec<_> = models::entries(model).into_iter().map(models::Entry::version).collect();
            let index = rows.iter().position(|row| *row == version).unwrap_or(0);
            model.models.list.choose(&rows, index);
        }
        Target::Chart(index) => {
            actions::choose_alert(model, None);
            model.metrics.selected = index;
        }
        Target::LogLine(_) => {
            if model.view == View::Board {
                model.focus = Pane::Log;
            }
            return model.view == View::Board;
        }
        Target::Event(sequence) => {
            let rows = event_list::numbers(model);
            let index = rows.iter().position(|row| *row == sequence).unwrap_or(0);
            model.event_list.choose(&rows, index);
        }
        Target::Row(_) => return false,
    }
    true
}

/// In a list over the view: the row is chosen, and by a second press taken.
fn in_overlay(model: &mut Model, target: &Target, is_second: bool, commands: &mut Vec<Cmd>) {
    let Target::Row(row) = target else { return };
    match &mut model.overlay {
        Some(Overlay::Palette { selected, .. }) => *selected = *row,
        Some(Overlay::Projects(list)) => list.selected = *row,
        Some(Overlay::Explorer(explorer)) => {
            let by = isize::try_from(*row).unwrap_or(0) - isize::try_from(explorer.selected).unwrap_or(0);
            explorer.select(by);
        }
        _ => return,
    }
    if is_second {
        keys::press(model, &key(KeyCode::Enter), commands);
    }
}

/// From the line that was pressed to the one under the mouse.
fn dragged(model: &mut Model, place: (u16, u16)) {
    let Some(anchor) = model.drag_from.filter(|_| model.overlay.is_none()) else { return };
    if let Some(head) = model.hits.at(place.0, place.1).as_ref().and_then(line_of) {
        selection::extend(model, anchor, head);
    }
}

/// The number of a line that can be selected.
fn line_of(target: &Target) -> Option<u64> {
    match target {
        Target::LogLine(number) | Target::Event(number) => Some(*number),
        Target::Act(_)
        | Target::Pane(_)
        | Target::Stage(_)
        | Target::Run(_)
        | Target::Release(_)
        | Target::Model(_)
        | Target::Chart(_)
        | Target::Row(_) => None,
    }
}

fn wheel(model: &mut Model, place: (u16, u16), is_up: bool, commands: &mut Vec<Cmd>) {
    if model.overlay.is_some() {
        keys::press(model, &key(if is_up { KeyCode::Up } else { KeyCode::Down }), commands);
        return;
    }
    let by = |lines: i8| if is_up { -lines } else { lines };
    let action = match (model.view, model.hits.pane_at(place.0, place.1)) {
        (View::Board, Some(Pane::Pipeline)) => Action::Sideways(by(1)),
        (View::Board, Some(Pane::Release) | None) => return,
        (View::Board, Some(Pane::Log)) if model.lines.is_none() => {
            // Whichever pane has the keys, the wheel turns what is under it.
            actions::scroll_log(model, i64::from(by(WHEEL)));
            return;
        }
        (View::Board, Some(Pane::Log)) | (View::Logs, _) => Action::Move(by(WHEEL)),
        (View::Runs | View::Models | View::Releases | View::Metrics | View::Events, _) => Action::Move(by(1)),
    };
    actions::act(model, action, commands);
}

fn is_offered(model: &Model, action: Action) -> bool {
    COMMANDS.iter().any(|command| command.action == action && command.is_available(model))
}

fn key(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}
