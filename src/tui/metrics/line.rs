//! A line of text with a caret in it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// More bytes than this are no expression. It travels in an address, three times as long at worst, and those end at 64 KiB.
const LIMIT: usize = 16 * 1024;

/// The line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::tui) struct Line {
    /// What was typed.
    pub(in crate::tui) text: String,
    /// Before which character the caret stands, counted from 0.
    pub(in crate::tui) caret: usize,
}

impl Line {
    /// A line with the caret behind its end.
    pub(in crate::tui) fn new(text: String) -> Self {
        let caret = text.chars().count();
        Self { text, caret }
    }

    /// Types; false if the key is no part of typing.
    pub(in crate::tui) fn press(&mut self, key: &KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let is_plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('u') if control => *self = Self::default(),
            KeyCode::Char('a') if control => self.caret = 0,
            KeyCode::Char('e') if control => self.caret = self.length(),
            KeyCode::Char(character) if is_plain => self.insert(character),
            KeyCode::Backspace => {
                if self.caret > 0 {
                    self.caret -= 1;
                    self.remove();
                }
            }
            KeyCode::Delete => self.remove(),
            KeyCode::Left => self.caret = self.caret.saturating_sub(1),
            KeyCode::Right => self.caret = (self.caret + 1).min(self.length()),
            KeyCode::Home => self.caret = 0,
            KeyCode::End => self.caret = self.length(),
            _ => return false,
        }
        true
    }

    /// Puts `word` in the place of the characters from `from` to the caret.
    pub(in crate::tui) fn replace(&mut self, from: usize, word: &str) {
        let (begin, end) = (self.byte(from), self.byte(self.caret));
        if begin <= end && self.text.len() + word.len() <= LIMIT {
            self.text.replace_range(begin..end, word);
            self.caret = from + word.chars().count();
        }
    }

    /// What stands before the caret.
    pub(in crate::tui) fn before(&self) -> &str {
        self.text.get(..self.byte(self.caret)).unwrap_or_default()
    }

    /// What stands behind it.
    pub(in crate::tui) fn behind(&self) -> &str {
        self.text.get(self.byte(self.caret)..).unwrap_or_default()
    }

    fn insert(&mut self, character: char) {
        if self.text.len() < LIMIT && !character.is_control() {
            let at = self.byte(self.caret);
            self.text.insert(at, character);
            self.caret += 1;
        }
    }

    fn remove(&mut self) {
        let at = self.byte(self.caret);
        if at < self.text.len() {
            self.text.remove(at);
        }
    }

    fn length(&self) -> usize {
        self.text.chars().count()
    }

    fn byte(&self, character: usize) -> usize {
        self.text.char_indices().nth(character).map_or(self.text.len(), |(byte, _)| byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(line: &mut Line, codes: &[KeyCode]) {
        for code in codes {
            line.press(&KeyEvent::new(*code, KeyModifiers::NONE));
        }
    }

    #[test]
    fn a_line_is_mended_in_its_middle() {
        let mut line = Line::new("서울x".to_owned());
        press(&mut line, &[KeyCode::Left, KeyCode::Backspace, KeyCode::Char('a'), KeyCode::Char('b')]);
        assert_eq!((line.text.as_str(), line.caret), ("서abx", 3));
        press(&mut line, &[KeyCode::Home, KeyCode::Delete, KeyCode::End, KeyCode::Delete, KeyCode::Right]);
        assert_eq!((line.text.as_str(), line.caret), ("abx", 3));
        press(&mut line, &[KeyCode::Home, KeyCode::Backspace, KeyCode::Left]);
        assert_eq!((line.text.as_str(), line.caret), ("abx", 0));
    }

    #[test]
    fn a_word_takes_the_place_of_its_beginning() {
        let mut line = Line { text: "sum(pro)".to_owned(), caret: 7 };
        line.replace(4, "process_cpu");
        assert_eq!((line.text.as_str(), line.caret, line.before()), ("sum(process_cpu)", 15, "sum(process_cpu"));
    }
}
