//! How well a letter stands out from what is behind it, by the Web Content Accessibility Guidelines 2.2.
//!
//! Success criterion 1.4.3 wants a contrast of 4.5 for text, 1.4.11 one of 3 for what is no text but needed to understand it:
//! here frames, axes, curves and signs. Ratio and luminance are those of <https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>
//! and <https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>. What a terminal makes of its own sixteen colours is not ours to
//! know; they come with logs only.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

use super::looks::{Look, colour};
use super::ways::Screen;

/// What text needs.
pub(super) const TEXT: f64 = 4.5;
/// What frames, curves and signs need.
pub(super) const MARK: f64 = 3.0;

/// The cells of a screen that are hard to read: which colours, and the first place where they are.
pub(super) fn faults(screen: &Screen) -> BTreeMap<String, String> {
    let mut faults = BTreeMap::new();
    for (column, row, cell) in screen.cells() {
        let symbol = cell.symbol();
        if symbol.trim().is_empty() {
            continue;
        }
        let look = screen.look(cell);
        let (kind, needed) = if is_mark(symbol) { ("a mark", MARK) } else { ("text", TEXT) };
        let (letters, ground) = (colour(look.letters), colour(look.ground));
        let fault = if look.modifiers.contains(Modifier::DIM) {
            format!("{kind} of {letters} on {ground} is made fainter by the terminal, nobody knows how much")
        } else {
            match ratio_of(look, screen.theme.text) {
                Some(ratio) if ratio < needed => {
                    format!("{kind} of {letters} on {ground} has a contrast of {ratio:.2} and needs {needed}")
                }
                Some(_) | None => continue,
            }
        };
        faults.entry(fault).or_insert_with(|| format!("`{symbol}` in row {row}, column {column}"));
    }
    faults
}

/// The contrast of a look; `None` where the terminal decides what its colours are.
pub(super) fn ratio_of(look: Look, text: Style) -> Option<f64> {
    let shown = |colour: Color, own: Option<Color>| match (colour, own) {
        (Color::Rgb(red, green, blue), _) | (Color::Reset, Some(Color::Rgb(red, green, blue))) => {
            Some((red, green, blue))
        }
        _ => None,
    };
    Some(ratio(shown(look.letters, text.fg)?, shown(look.ground, text.bg)?))
}

/// Frames, lines, blocks, braille, arrows, and the signs of states, which always stand beside a word.
fn is_mark(symbol: &str) -> bool {
    symbol.chars().all(is_sign)
}

fn is_sign(letter: char) -> bool {
    matches!(letter, '·' | '\u{2190}'..='\u{23ff}' | '\u{2500}'..='\u{27bf}' | '\u{2800}'..='\u{28ff}')
}

/// From 1, where nothing can be seen, to 21 for black on white.
fn ratio(one: (u8, u8, u8), other: (u8, u8, u8)) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance((red, green, blue): (u8, u8, u8)) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[test]
fn the_contrast_is_that_of_the_guidelines() {
    let of = |one, other| format!("{:.2}", ratio(one, other));
    assert_eq!(of((0, 0, 0), (255, 255, 255)), "21.00");
    assert_eq!(of((9, 9, 9), (9, 9, 9)), "1.00");
    // The grey that is known as the lightest one for text on white, and its neighbour.
    assert_eq!(of((118, 118, 118), (255, 255, 255)), "4.54");
    assert_eq!(of((119, 119, 119), (255, 255, 255)), "4.48");
}
