//! Bytes of the terminal, told apart: keys, the mouse, what is pasted, and what the terminal says of itself.
//!
//! A machine that takes byte after byte, so that it does not matter how they were cut on their way. crossterm's own reader is
//! not used: it takes the answer to a question for keys that somebody struck, and numbers that no mouse sends end it. Here what
//! nothing is known of is dropped whole, and everything is bounded. Its events are crossterm's.

mod control;

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::colour::colour;
use crate::tui::probe::Answer;

/// Behind an ESC that nothing follows for so long, nothing follows: it is the key.
const KEY_WAIT: Duration = Duration::from_millis(40);
/// The rest of a sequence that has begun comes at once, or over a bad line within this time, or not at all.
const REST_WAIT: Duration = Duration::from_secs(1);
/// More of one sequence is not kept.
const SEQUENCE: usize = 4 * 1024;
/// More of one paste is not kept; nothing on the screen takes as much.
const PASTE: usize = 64 * 1024;
const PASTE_END: &[u8] = b"\x1b[201~";
const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;

/// One thing that came from the terminal.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::tui) enum Heard {
    /// From the operator.
    Event(Event),
    /// From the terminal itself.
    Answer(Answer),
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// A character of several bytes: how many there are.
    Character(Vec<u8>, usize),
    Escape,
    /// Behind `ESC O`.
    Single,
    /// Behind `ESC [`.
    Control(Vec<u8>),
    /// Behind `ESC [ [`, as the Linux console sends its function keys.
    Console,
    /// Behind `ESC [ M`, three bytes of a mouse of the old kind.
    Mouse(Vec<u8>),
    /// A string up to BEL or `ESC \`: by which character it began, what is in it, and whether an ESC came last.
    Text {
        kind: u8,
        body: Vec<u8>,
        is_escaped: bool,
    },
    /// What is pasted, up to its end.
    Paste {
        text: Vec<u8>,
        /// The last bytes, among which the end is looked for.
        tail: Vec<u8>,
    },
}

/// Takes bytes and gives what they mean.
#[derive(Debug, Default)]
pub(in crate::tui) struct Decoder {
    state: State,
}

impl Decoder {
    /// Takes bytes in; what they mean goes to `hear`.
    pub(in crate::tui) fn feed(&mut self, bytes: &[u8], hear: &mut dyn FnMut(Heard)) {
        for byte in bytes {
            self.take(*byte, hear);
        }
    }

    /// For how long the rest of what has begun is to be waited for; nothing has begun without one.
    pub(in crate::tui) fn patience(&self) -> Option<Duration> {
        match &self.state {
            State::Ground => None,
            State::Escape | State::Single => Some(KEY_WAIT),
            State::Control(body) | State::Text { body, is_escaped: false, .. } if body.is_empty() => Some(KEY_WAIT),
            State::Character(..)
            | State::Control(_)
            | State::Console
            | State::Mouse(_)
            | State::Text { .. }
            | State::Paste { .. } => Some(REST_WAIT),
        }
    }

    /// Nothing more came: what has begun is over.
    pub(in crate::tui) fn give_up(&mut self, hear: &mut dyn FnMut(Heard)) {
        match std::mem::take(&mut self.state) {
            State::Ground | State::Character(..) | State::Console | State::Mouse(_) => {}
            State::Escape => hear(key(KeyCode::Esc, KeyModifiers::NONE)),
            State::Single => hear(key_of(b'O', KeyModifiers::ALT)),
            State::Control(body) if body.is_empty() => hear(key_of(b'[', KeyModifiers::ALT)),
            State::Control(_) => {}
            State::Text { kind, body, is_escaped: false } if body.is_empty() => hear(key_of(kind, KeyModifiers::ALT)),
            State::Text { .. } => {}
            State::Paste { mut text, tail } => {
                text.extend(tail);
                hear(pasted(&text));
            }
        }
    }

    fn take(&mut self, byte: u8, hear: &mut dyn FnMut(Heard)) {
        self.state = match std::mem::take(&mut self.state) {
            State::Ground => from_ground(byte, hear),
            State::Character(bytes, length) => in_character(bytes, length, byte, hear),
            State::Escape => from_escape(byte, hear),
            State::Single => {
                if let Some(code) = control::single(byte) {
                    hear(key(code, KeyModifiers::NONE));
                }
                State::Ground
            }
            State::Control(body) => in_control(body, byte, hear),
            State::Console => {
                if let b'A'..=b'E' = byte {
                    hear(key(KeyCode::F(1 + byte - b'A'), KeyModifiers::NONE));
                }
                State::Ground
            }
            State::Mouse(mut bytes) => {
                bytes.push(byte);
                if bytes.len() < 3 {
                    State::Mouse(bytes)
                } else {
                    control::old_mouse(&bytes).into_iter().for_each(hear);
                    State::Ground
                }
            }
            State::Text { kind, body, is_escaped } => in_text(kind, body, is_escaped, byte, hear),
            State::Paste { text, tail } => in_paste(text, tail, byte, hear),
        };
    }
}

fn from_ground(byte: u8, hear: &mut dyn FnMut(Heard)) -> State {
    match byte {
        ESCAPE => State::Escape,
        0xc2..=0xdf => State::Character(vec![byte], 2),
        0xe0..=0xef => State::Character(vec![byte], 3),
        0xf0..=0xf4 => State::Character(vec![byte], 4),
        // No character begins so.
        0x80..=0xff => State::Ground,
        _ => {
            hear(key_of(byte, KeyModifiers::NONE));
            State::Ground
        }
    }
}

fn in_character(mut bytes: Vec<u8>, length: usize, byte: u8, hear: &mut dyn FnMut(Heard)) -> State {
    if !(0x80..0xc0).contains(&byte) {
        // The character broke off; this byte begins something of its own.
        return from_ground(byte, hear);
    }
    bytes.push(byte);
    if bytes.len() < length {
        return State::Character(bytes, length);
    }
    if let Ok(text) = std::str::from_utf8(&bytes) {
        text.chars().for_each(|character| hear(key_of_character(character, KeyModifiers::NONE)));
    }
    State::Ground
}

fn from_escape(byte: u8, hear: &mut dyn FnMut(Heard)) -> State {
    match byte {
        b'[' => State::Control(Vec::new()),
        b'O' => State::Single,
        b']' | b'P' | b'X' | b'^' | b'_' => State::Text { kind: byte, body: Vec::new(), is_escaped: false },
        ESCAPE => {
            hear(key(KeyCode::Esc, KeyModifiers::NONE));
            State::Escape
        }
        0x80..=0xff => {
            hear(key(KeyCode::Esc, KeyModifiers::NONE));
            from_ground(byte, hear)
        }
        _ => {
            hear(key_of(byte, KeyModifiers::ALT));
            State::Ground
        }
    }
}

fn in_control(mut body: Vec<u8>, byte: u8, hear: &mut dyn FnMut(Heard)) -> State {
    match byte {
        b'[' if body.is_empty() => State::Console,
        b'M' if body.is_empty() => State::Mouse(Vec::new()),
        b' '..=b'?' => {
            if body.len() < SEQUENCE {
                body.push(byte);
            }
            State::Control(body)
        }
        b'~' if body == b"200" => State::Paste { text: Vec::new(), tail: Vec::new() },
        b'@'..=b'~' => {
            control::sequence(&body, byte).into_iter().for_each(hear);
            State::Ground
        }
        ESCAPE => State::Escape,
        // Anything else breaks it off.
        _ => State::Ground,
    }
}

fn in_text(kind: u8, mut body: Vec<u8>, is_escaped: bool, byte: u8, hear: &mut dyn FnMut(Heard)) -> State {
    match byte {
        BELL => end_of_text(kind, &body, hear),
        b'\\' if is_escaped => end_of_text(kind, &body, hear),
        ESCAPE if !is_escaped => State::Text { kind, body, is_escaped: true },
        // An ESC that does not end it begins something else.
        _ if is_escaped => from_escape(byte, hear),
        _ => {
            if body.len() < SEQUENCE {
                body.push(byte);
            }
            State::Text { kind, body, is_escaped: false }
        }
    }
}

fn end_of_text(kind: u8, body: &[u8], hear: &mut dyn FnMut(Heard)) -> State {
    let text = String::from_utf8_lossy(body);
    let answer = match kind {
        b']' => told(&text),
        b'P' => described(&text),
        _ => None,
    };
    if let Some(answer) = answer {
        hear(Heard::Answer(answer));
    }
    State::Ground
}

/// `11;rgb:1c1c/1c1c/2626`.
fn told(text: &str) -> Option<Answer> {
    match text.split_once(';')? {
        ("10", value) => Some(Answer::Foreground(colour(value)?)),
        ("11", value) => Some(Answer::Background(colour(value)?)),
        _ => None,
    }
}

/// `>|kitty(0.43.1)`, or `1+r524742=38` for a capability that is there and `0+r524742` for one that is not.
fn described(text: &str) -> Option<Answer> {
    if let Some(version) = text.strip_prefix(">|") {
        return Some(Answer::Version(version.chars().filter(|letter| !letter.is_control()).collect()));
    }
    let (is_there, rest) = text.split_once("+r")?;
    let digits = rest.split('=').next()?.as_bytes();
    let name: Option<String> = digits
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).map(char::from))
        .collect();
    Some(Answer::Capability { name: name?, is_there: is_there == "1" })
}

fn in_paste(mut text: Vec<u8>, mut tail: Vec<u8>, byte: u8, hear: &mut dyn FnMut(Heard)) -> State {
    tail.push(byte);
    if tail == PASTE_END {
        hear(pasted(&text));
        return State::Ground;
    }
    // What cannot be the beginning of the end is text.
    while !PASTE_END.starts_with(&tail) {
        let first = tail.remove(0);
        if text.len() < PASTE {
            text.push(first);
        }
    }
    State::Paste { text, tail }
}

fn pasted(text: &[u8]) -> Heard {
    Heard::Event(Event::Paste(String::from_utf8_lossy(text).into_owned()))
}

/// A key of one byte.
fn key_of(byte: u8, modifiers: KeyModifiers) -> Heard {
    let control = |letter: u8| key(KeyCode::Char(char::from(letter)), modifiers | KeyModifiers::CONTROL);
    match byte {
        b'\r' => key(KeyCode::Enter, modifiers),
        b'\t' => key(KeyCode::Tab, modifiers),
        0x7f => key(KeyCode::Backspace, modifiers),
        0x00 => control(b' '),
        0x01..=0x1a => control(byte - 1 + b'a'),
        ESCAPE => key(KeyCode::Esc, modifiers),
        0x1c..=0x1f => control(byte - 0x1c + b'4'),
        _ => key_of_character(char::from(byte), modifiers),
    }
}

fn key_of_character(character: char, modifiers: KeyModifiers) -> Heard {
    let shift = if character.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    key(KeyCode::Char(character), modifiers | shift)
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Heard {
    Heard::Event(Event::Key(KeyEvent::new(code, modifiers)))
}

#[cfg(test)]
mod tests;
