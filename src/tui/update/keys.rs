//! Keys: to the overlay if there is one, else to the command behind them. What answers a question stands in [`questions`].

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{actions, list, logs, metrics, palette, past, questions, refuse};
use crate::tui::app::{Model, Overlay};
use crate::tui::commands;
use crate::tui::message::Cmd;
use crate::tui::selection;
use crate::tui::unavailable;
use crate::tui::views;

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
        Some(Overlay::Help { scroll, input }) => in_help(model, key, scroll, input),
        Some(Overlay::Palette { input, selected }) => palette::press(model, key, input, selected, commands),
        Some(Overlay::Explorer(explorer)) if is_control(key, 'y') => {
            commands.extend(selection::expression(&explorer).map(Cmd::Yank));
            model.overlay = Some(Overlay::Explorer(explorer));
        }
        Some(Overlay::Explorer(explorer)) => metrics::in_explorer(model, key, explorer, commands),
        Some(Overlay::PickReleases(pick)) => metrics::in_pick(model, key, pick),
        Some(Overlay::Search { input }) => in_search(model, key, input, commands),
        Some(Overlay::Log(prompt)) => logs::in_prompt(model, key, prompt, commands),
        Some(Overlay::TimeLine(strip)) => past::in_time_line(model, key, strip, commands),
        Some(Overlay::FilterList { input }) => list::in_filter(model, key, input),
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
        let why = unavailable::why_by_key(model, meant, &commands::all_by_key(model, key));
        refuse(model, why);
    }
}

/// Help is searched by typing; Escape takes back what was typed, and then closes it.
fn in_help(model: &mut Model, key: &KeyEvent, scroll: usize, mut input: String) {
    let page = usize::from(model.size.1 / 2);
    let last = views::help::hidden_rows(model, &input);
    let scroll = match key.code {
        KeyCode::Down => scroll + 1,
        KeyCode::Up => scroll.saturating_sub(1),
        KeyCode::PageDown => scroll + page,
        KeyCode::Char(' ') if input.is_empty() => scroll + page,
        KeyCode::PageUp => scroll.saturating_sub(page),
        KeyCode::Home => 0,
        KeyCode::End => last,
        KeyCode::Enter => return,
        KeyCode::Esc if input.is_empty() => return,
        KeyCode::Char('?') if input.is_empty() => return,
        KeyCode::Esc => {
            input.clear();
            0
        }
        _ if edit(&mut input, key) => 0,
        _ => scroll,
    };
    model.overlay = Some(Overlay::Help { scroll: scroll.min(last), input });
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
