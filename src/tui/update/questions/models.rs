//! What is asked before a model is promoted by hand, and before something is written about one.

use crossterm::event::{KeyCode, KeyEvent};

use super::{Answer, name_typed, send};
use crate::tui::app::{Model, Overlay};
use crate::tui::message::Cmd;
use crate::tui::models::{self, NotePrompt, PromotePrompt};
use crate::tui::update::complain;
use crate::tui::update::keys::edit;

/// Asks whether the chosen model becomes the champion, and why.
pub(in crate::tui::update) fn promote(model: &mut Model) {
    let Some(version) = models::chosen_made(model).map(|made| made.version) else { return };
    model.overlay = Some(Overlay::Promote(PromotePrompt { version, why: String::new(), name: None }));
}

/// Asks what to write about the chosen model.
pub(in crate::tui::update) fn note(model: &mut Model) {
    let Some(version) = models::chosen_made(model).map(|made| made.version) else { return };
    model.overlay = Some(Overlay::Note(NotePrompt { version, text: String::new() }));
}

/// A key while the question before a promotion is there: the reason first, then, in production, the project's name.
pub(in crate::tui::update) fn in_promotion(
    model: &mut Model,
    key: &KeyEvent,
    mut prompt: PromotePrompt,
    commands: &mut Vec<Cmd>,
) {
    if let Some(mut typed) = prompt.name.take() {
        match name_typed(model, key, &mut typed) {
            Answer::Yes => send(model, promotion(&prompt), commands),
            Answer::No => {}
            Answer::Neither => model.overlay = Some(Overlay::Promote(PromotePrompt { name: Some(typed), ..prompt })),
        }
        return;
    }
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter if prompt.why.trim().is_empty() => {
            complain(model, "a promotion wants a reason, for whoever asks later; Esc leaves all as it is".to_owned());
        }
        KeyCode::Enter if model.is_production() => prompt.name = Some(String::new()),
        KeyCode::Enter => {
            send(model, promotion(&prompt), commands);
            return;
        }
        _ => {
            edit(&mut prompt.why, key);
        }
    }
    model.overlay = Some(Overlay::Promote(prompt));
}

fn promotion(prompt: &PromotePrompt) -> Cmd {
    Cmd::Promote { version: prompt.version, message: prompt.why.trim().to_owned() }
}

/// A key while a note is written; an empty one is none.
pub(in crate::tui::update) fn in_note(
    model: &mut Model,
    key: &KeyEvent,
    mut prompt: NotePrompt,
    commands: &mut Vec<Cmd>,
) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            let text = prompt.text.trim().to_owned();
            if !text.is_empty() {
                send(model, Cmd::NoteModel { version: prompt.version, text }, commands);
            }
            return;
        }
        _ => {
            edit(&mut prompt.text, key);
        }
    }
    model.overlay = Some(Overlay::Note(prompt));
}
