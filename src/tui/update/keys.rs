//! Keys: to the overlay if there is one, else to the command behind them. What answers a question stands in [`questions`].

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{actions, events, logs, metrics, questions, refuse};
use crate::tui::app::{Model, Overlay};
use crate::tui::commands;
use crate::tui::message::Cmd;
use crate::tui::unavailable;

/// More than this is no name and no pattern.
const INPUT_LIMIT: usize = 200;

/// A key was pressed.
pub(super) fn press(model: &mut Model, key: &KeyEvent, commands: &mut Vec<Cmd>) {
    model.message = None;
    let has_said_why_not = std::mem::take(&mut model.has_said_why_not);
    if is_control(key, 'c') && model.overlay.is_some() {
        model.overlay = None;
        return;
    }
    match model.overlay.take() {
        None => {
            // A question was expected where there was none; leaving it must not leave the view.
            if !(has_said_why_not && key.code == KeyCode::Esc) {
                command(model, key, commands);
            }
        }
        Some(Overlay::Help { scroll }) => in_help(model, key, scroll),
        Some(Overlay::Palette { input, selected }) => in_palette(model, key, input, selected, commands),
        Some(Overlay::Explorer(explorer)) => metrics::in_explorer(model, key, explorer, commands),
        Some(Overlay::PickReleases(pick)) => metrics::in_pick(model, key, pick),
        Some(Overlay::Search { input }) => in_search(model, key, input, commands),
        Some(Overlay::Log(prompt)) => logs::in_prompt(model, key, prompt, commands),
        Some(Overlay::FilterEvents { input }) => events::in_filter(model, key, input),
        // Any key closes it.
        Some(Overlay::Operators) => {}
        Some(Overlay::Projects(list)) => questions::projects::in_list(model, key, list, commands),
        Some(Overlay::ConfirmRollback { to, plan, typed, remark }) => {
            questions::in_rollback(model, key, to, plan, (typed, remark), commands);
        }
        Some(Overlay::ConfirmCancel { remark }) => questions::in_cancel(model, key, remark, commands),
        Some(Overlay::Lock { why }) => questions::holds::in_lock(model, key, why, commands),
        Some(Overlay::ConfirmUnlock) => questions::holds::in_unlock(model, key, commands),
        Some(Overlay::Approval(prompt)) => questions::holds::in_approval(model, key, prompt, commands),
        Some(Overlay::Silence(prompt)) => questions::in_silence(model, key, prompt, commands),
        Some(Overlay::ConfirmUnsilence { alert }) => questions::in_unsilence(model, key, alert, commands),
        Some(Overlay::ConfirmRun { selection, typed, remark }) => {
            questions::in_run(model, key, selection, (typed, remark), commands);
        }
        Some(Overlay::Promote(prompt)) => questions::models::in_promotion(model, key, prompt, commands),
        Some(Overlay::Note(prompt)) => questions::models::in_note(model, key, prompt, commands),
    }
}

/// Does what is behind a key, or says why that does nothing.
fn command(model: &mut Model, key: &KeyEvent, commands: &mut Vec<Cmd>) {
    if let Some(action) = commands::by_key(model, key) {
        actions::act(model, action, commands);
    } else if let Some(meant) = commands::meant_by_key(model, key) {
        let why = unavailable::why(model, meant);
        refuse(model, why);
    }
}

fn in_help(model: &mut Model, key: &KeyEvent, scroll: usize) {
    let page = usize::from(model.size.1 / 2);
    let scroll = match key.code {
        KeyCode::Down | KeyCode::Char('j') => scroll + 1,
        KeyCode::Up | KeyCode::Char('k') => scroll.saturating_sub(1),
        KeyCode::PageDown | KeyCode::Char(' ') => scroll + page,
        KeyCode::PageUp => scroll.saturating_sub(page),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => usize::MAX,
        _ => return,
    };
    model.overlay = Some(Overlay::Help { scroll: scroll.min(commands::COMMANDS.len()) });
}

fn in_palette(model: &mut Model, key: &KeyEvent, mut input: String, mut selected: usize, commands: &mut Vec<Cmd>) {
    let found = commands::matching(model, &input);
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            if let Some(command) = found.get(selected) {
                actions::act(model, command.action, commands);
            }
            return;
        }
        KeyCode::Down | KeyCode::Tab => selected = (selected + 1).min(found.len().saturating_sub(1)),
        KeyCode::Up | KeyCode::BackTab => selected = selected.saturating_sub(1),
        _ if edit(&mut input, key) => selected = 0,
        _ => {}
    }
    model.overlay = Some(Overlay::Palette { input, selected });
}

fn in_search(model: &mut Model, key: &KeyEvent, mut input: String, commands: &mut Vec<Cmd>) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            logs::search(model, input, commands);
            return;
        }
        _ => {
            edit(&mut input, key);
        }
    }
    model.overlay = Some(Overlay::Search { input });
}

/// Types into a line; false if the key is no part of typing.
pub(super) fn edit(input: &mut String, key: &KeyEvent) -> bool {
    if is_control(key, 'u') {
        input.clear();
        return true;
    }
    let is_plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Char(character) if is_plain && input.len() < INPUT_LIMIT => input.push(character),
        KeyCode::Backspace => {
            input.pop();
        }
        _ => return false,
    }
    true
}

fn is_control(key: &KeyEvent, character: char) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char(character)
}
