//! Keys for tests: how they are written, pressed, and what the screen says of them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::Model;
use super::fixtures::send;
use super::message::{Cmd, Msg};

/// The message that a key makes.
pub(super) fn key_message(code: KeyCode) -> Msg {
    Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

/// Presses one key and answers what is asked; returns what is no question.
pub(super) fn key(model: &mut Model, code: KeyCode) -> Vec<Cmd> {
    send(model, key_message(code))
}

/// Presses keys as [`strokes`] reads them.
pub(super) fn press(model: &mut Model, keys: &str) -> Vec<Cmd> {
    strokes(keys).into_iter().flat_map(|stroke| send(model, Msg::Key(stroke))).collect()
}

/// The keys of a text: letters are themselves, `\n` or `⏎`, `\t` or `⇥`, `⎋`, `←`, `→`, `⇞` and `⇟` those with names, and `^`
/// stands before one that is held with control.
pub(super) fn strokes(keys: &str) -> Vec<KeyEvent> {
    let (mut strokes, mut modifiers) = (Vec::new(), KeyModifiers::NONE);
    for key in keys.chars() {
        let code = match key {
            '^' => {
                modifiers = KeyModifiers::CONTROL;
                continue;
            }
            '\n' | '⏎' => KeyCode::Enter,
            '\t' | '⇥' => KeyCode::Tab,
            '⎋' => KeyCode::Esc,
            '←' => KeyCode::Left,
            '→' => KeyCode::Right,
            '⇞' => KeyCode::PageUp,
            '⇟' => KeyCode::PageDown,
            other => KeyCode::Char(other),
        };
        strokes.push(KeyEvent::new(code, modifiers));
        modifiers = KeyModifiers::NONE;
    }
    strokes
}

/// The line that answers a key, empty where there is none.
pub(super) fn said(model: &Model) -> &str {
    model.message.as_ref().map_or("", |message| message.text.as_str())
}
