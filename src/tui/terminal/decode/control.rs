//! What a control sequence of the terminal means, once it is whole: a key with a name, the mouse, or an answer.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::Heard;
use crate::tui::probe::Answer;

/// The key behind `ESC O`.
pub(super) fn single(byte: u8) -> Option<KeyCode> {
    match byte {
        b'P'..=b'S' => Some(KeyCode::F(1 + byte - b'P')),
        b'M' => Some(KeyCode::Enter),
        _ => named(byte),
    }
}

/// What stands between `ESC [` and a final byte.
pub(super) fn sequence(body: &[u8], end: u8) -> Option<Heard> {
    let body = std::str::from_utf8(body).ok()?;
    if let Some(body) = body.strip_prefix('?') {
        return answer(body, end);
    }
    if let Some(body) = body.strip_prefix('<') {
        return mouse(body, end);
    }
    let mut parts = body.split(';');
    let first = number(parts.next()?);
    let (modifiers, kind) = held(parts.next().unwrap_or(""));
    let code = match end {
        b'~' => numbered(first?)?,
        b'u' => return written(first?, modifiers, kind),
        b'Z' => return Some(key(KeyCode::BackTab, modifiers | KeyModifiers::SHIFT, kind)),
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'S' => KeyCode::F(4),
        other => named(other)?,
    };
    Some(key(code, modifiers, kind))
}

/// The mouse as terminals told of it before SGR: a byte each for the button, the column and the row.
pub(super) fn old_mouse(bytes: &[u8]) -> Option<Heard> {
    let [button, column, row] = bytes else { return None };
    let place = |byte: u8| u16::from(byte).checked_sub(33);
    click(u16::from(button.checked_sub(32)?), place(*column)?, place(*row)?, false)
}

fn named(byte: u8) -> Option<KeyCode> {
    Some(match byte {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        _ => return None,
    })
}

fn numbered(number: u32) -> Option<KeyCode> {
    Some(match u8::try_from(number).ok()? {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        number @ 11..=15 => KeyCode::F(number - 10),
        number @ 17..=21 => KeyCode::F(number - 11),
        number @ 23..=26 => KeyCode::F(number - 12),
        number @ 28..=29 => KeyCode::F(number - 15),
        number @ 31..=34 => KeyCode::F(number - 17),
        _ => return None,
    })
}

/// A key told by its character (`CSI u`).
fn written(number: u32, modifiers: KeyModifiers, kind: KeyEventKind) -> Option<Heard> {
    let code = match number {
        9 if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Esc,
        127 => KeyCode::Backspace,
        // Keys of the keyboard that stand for no character.
        0xe000..=0xf8ff => return None,
        _ => KeyCode::Char(char::from_u32(number).filter(|character| !character.is_control())?),
    };
    Some(key(code, modifiers, kind))
}

/// Which keys were held, and whether the key was let go: `5` or `5:3`.
fn held(text: &str) -> (KeyModifiers, KeyEventKind) {
    let mut parts = text.split(':');
    let bits = parts.next().and_then(number).unwrap_or(1).saturating_sub(1);
    let is_held = |bit: u32, modifier: KeyModifiers| if bits & bit == 0 { KeyModifiers::NONE } else { modifier };
    let modifiers = is_held(1, KeyModifiers::SHIFT) | is_held(2, KeyModifiers::ALT) | is_held(4, KeyModifiers::CONTROL);
    let kind = match parts.next() {
        Some("3") => KeyEventKind::Release,
        Some("2") => KeyEventKind::Repeat,
        _ => KeyEventKind::Press,
    };
    (modifiers, kind)
}

/// Behind `CSI ?`.
fn answer(body: &str, end: u8) -> Option<Heard> {
    let answer = match end {
        b'c' => Answer::Attributes,
        b'y' => {
            let (mode, state) = body.strip_suffix('$')?.split_once(';')?;
            // 0 is unknown, 4 is never to be set.
            let is_known = matches!(number(state)?, 1..=3);
            Answer::Mode { number: u16::try_from(number(mode)?).ok()?, is_known }
        }
        _ => return None,
    };
    Some(Heard::Answer(answer))
}

/// `0;12;7` and `M` when a button goes down or `m` when it comes up.
fn mouse(body: &str, end: u8) -> Option<Heard> {
    let mut parts = body.split(';').map(|part| number(part).and_then(|value| u16::try_from(value).ok()));
    let (button, column, row) = (parts.next()??, parts.next()??, parts.next()??);
    let is_up = match end {
        b'M' => false,
        b'm' => true,
        _ => return None,
    };
    click(button, column.checked_sub(1)?, row.checked_sub(1)?, is_up)
}

fn click(bits: u16, column: u16, row: u16, is_up: bool) -> Option<Heard> {
    let is_moved = bits & 0b10_0000 != 0;
    let button = match bits & 0b11 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (bits & 0b1100_0000, button, is_moved) {
        (0, Some(button), true) => MouseEventKind::Drag(button),
        (0, Some(button), false) if is_up => MouseEventKind::Up(button),
        (0, Some(button), false) => MouseEventKind::Down(button),
        (0, None, true) => MouseEventKind::Moved,
        (0, None, false) => MouseEventKind::Up(MouseButton::Left),
        (0b100_0000, Some(MouseButton::Left), _) => MouseEventKind::ScrollUp,
        (0b100_0000, Some(MouseButton::Middle), _) => MouseEventKind::ScrollDown,
        (0b100_0000, Some(MouseButton::Right), _) => MouseEventKind::ScrollLeft,
        (0b100_0000, None, _) => MouseEventKind::ScrollRight,
        _ => return None,
    };
    let is_held = |bit: u16, modifier: KeyModifiers| if bits & bit == 0 { KeyModifiers::NONE } else { modifier };
    let modifiers =
        is_held(4, KeyModifiers::SHIFT) | is_held(8, KeyModifiers::ALT) | is_held(16, KeyModifiers::CONTROL);
    Some(Heard::Event(Event::Mouse(MouseEvent { kind, column, row, modifiers })))
}

fn number(text: &str) -> Option<u32> {
    // A key may be told together with what it is on other keyboards, behind a colon.
    text.split(':').next()?.parse().ok()
}

fn key(code: KeyCode, modifiers: KeyModifiers, kind: KeyEventKind) -> Heard {
    Heard::Event(Event::Key(KeyEvent::new_with_kind(code, modifiers, kind)))
}
