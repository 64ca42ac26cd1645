//! What a picture is drawn with: lines, rectangles and text, into the text of the file.
//!
//! Every text is foreign and escaped here, and nowhere else. How wide letters are nobody knows who has no font, so they are
//! counted as wider than they mostly are: what is cut to a width stays within it.

use std::fmt::{Arguments, Write as _};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Picture;
use super::theme::{DARK, LIGHT, Theme};

/// The width of a letter beside its size, near enough for placing one text behind another.
const LETTER: f64 = 0.6;
/// The size of letters.
pub(super) const SIZE: f64 = 11.0;

/// Where a text stands beside its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Behind it.
    Start,
    /// Around it.
    Middle,
    /// Before it.
    End,
}

impl Anchor {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// A picture while it is drawn.
pub(super) struct Canvas<'a> {
    pub(super) picture: &'a Picture,
    pub(super) theme: &'static Theme,
    svg: String,
}

impl<'a> Canvas<'a> {
    /// An empty one.
    pub(super) fn new(picture: &'a Picture) -> Self {
        let theme = if picture.is_light { &LIGHT } else { &DARK };
        Self { picture, theme, svg: String::with_capacity(16 * 1024) }
    }

    /// The text of the file.
    pub(super) fn finish(self) -> String {
        self.svg
    }

    /// An element as it is; text in it must be escaped.
    pub(super) fn put(&mut self, element: Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.svg, "{element}");
    }

    /// The width of the picture.
    pub(super) fn width(&self) -> f64 {
        f64::from(self.picture.width)
    }

    /// Its height.
    pub(super) fn height(&self) -> f64 {
        f64::from(self.picture.height)
    }

    /// A line; `more` are further attributes.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), color: &str, more: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.put(format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{color}\"{more}/>"
        ));
    }

    /// A filled rectangle; one that is turned inside out has no extent.
    pub(super) fn rectangle(&mut self, at: (f64, f64), size: (f64, f64), color: &str, opacity: f64) {
        let ((x, y), (width, height)) = (at, (size.0.max(0.0), size.1.max(0.0)));
        self.put(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{color}\" \
             fill-opacity=\"{opacity:.2}\"/>"
        ));
    }

    /// A text of the usual size.
    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, color: &str, said: &str) {
        let ((x, y), anchor, said) = (at, anchor.word(), escaped(said));
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{color}\">{said}</text>"
        ));
    }

    /// A text of any size, bold.
    pub(super) fn large(&mut self, at: (f64, f64), size: f64, color: &str, said: &str) {
        let ((x, y), said) = (at, escaped(said));
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size:.0}\" font-weight=\"600\" fill=\"{color}\">{said}</text>"
        ));
    }
}

/// How wide a text of that size is, in pixels.
pub(super) fn extent(text: &str, size: f64) -> f64 {
    count(text.width()) * LETTER * size
}

/// As much of a text of the usual size as has room in so many pixels.
pub(super) fn fitted(text: &str, pixels: f64) -> String {
    fitted_in(text, pixels, SIZE)
}

/// As much of a text of any size as has room in so many pixels.
pub(super) fn fitted_in(text: &str, pixels: f64, size: f64) -> String {
    if extent(text, size) <= pixels {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = extent("…", size);
    for letter in text.chars() {
        used += count(letter.width().unwrap_or(0)) * LETTER * size;
        if used > pixels {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept
}

/// A text in lines of so many pixels, broken between words.
pub(super) fn lines(text: &str, pixels: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if extent(line, SIZE) + extent(word, SIZE) + LETTER * SIZE <= pixels => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| fitted(line, pixels)).collect()
}

/// Text as XML may hold it; what no document may hold is replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

/// A number of columns, rows or letters to calculate with.
pub(super) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_cut_and_says_so() {
        assert_eq!(fitted("short", 100.0), "short");
        let cut = fitted("a long name of a series", 66.0);
        assert!(cut.ends_with('…') && extent(&cut, SIZE) <= 66.0, "{cut}");
        let wide = fitted("부산-항구-7-부산-항구-7", 66.0);
        assert!(wide.ends_with('…') && extent(&wide, SIZE) <= 66.0, "{wide}");
        assert_eq!(fitted("name", 0.0), "…");
    }

    #[test]
    fn a_sentence_is_broken_between_words() {
        assert_eq!(lines("nothing was measured", 100.0), ["nothing was", "measured"]);
        assert_eq!(lines("nothing", 1_000.0), ["nothing"]);
    }
}
