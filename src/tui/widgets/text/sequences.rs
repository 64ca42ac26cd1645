//! Escape sequences in text of unknown origin: what is a character, what changes how characters look, what is left out.

use ratatui::style::{Color, Modifier, Style};

/// What a text consists of, once all that would command a terminal is left out.
pub(super) enum Piece<'text> {
    Character(char),
    Tab,
    Return,
    /// The parameters of a "select graphic rendition" sequence.
    Rendition(&'text str),
}

type Characters<'text> = std::iter::Peekable<std::str::CharIndices<'text>>;

/// Shows `see` one piece after the other.
pub(super) fn scan<'text>(text: &'text str, see: &mut dyn FnMut(Piece<'text>)) {
    let mut rest = text.char_indices().peekable();
    while let Some((_, character)) = rest.next() {
        match character {
            '\u{1b}' => escape(text, &mut rest, see),
            '\u{9b}' => control_sequence(text, &mut rest, see),
            '\t' => see(Piece::Tab),
            '\r' => see(Piece::Return),
            // Direction marks can make a text read as what it is not.
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {}
            // What changes the sign before it: another shape, the colour of a skin, a letter in a box, an invisible tag.
            '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{20d0}'..='\u{20f0}' => {}
            '\u{e0000}'..='\u{e01ef}' | '\u{00ad}' | '\u{180e}' => {}
            control if control.is_control() => {}
            // Half-width marks of a voiced sound join the sign before them, and terminals differ about how wide both are.
            '\u{ff9e}' => see(Piece::Character('\u{309b}')),
            '\u{ff9f}' => see(Piece::Character('\u{309c}')),
            other => see(Piece::Character(other)),
        }
    }
}

/// Behind ESC.
fn escape<'text>(text: &'text str, rest: &mut Characters<'text>, see: &mut dyn FnMut(Piece<'text>)) {
    match rest.peek().map(|(_, character)| *character) {
        Some('[') => {
            rest.next();
            control_sequence(text, rest, see);
        }
        // Titles, hyperlinks, clipboard: a string up to BEL or ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            while let Some((_, character)) = rest.next() {
                match character {
                    '\u{7}' | '\u{9c}' => break,
                    '\u{1b}' => {
                        rest.next_if(|(_, next)| *next == '\\');
                        break;
                    }
                    _ => {}
                }
            }
        }
        Some(' '..='/') => {
            rest.next();
            rest.next_if(|(_, next)| next.is_ascii_graphic());
        }
        Some('0'..='~') => {
            rest.next();
        }
        _ => {}
    }
}

/// Behind CSI: parameters, then one final character; anything else breaks the sequence off.
fn control_sequence<'text>(text: &'text str, rest: &mut Characters<'text>, see: &mut dyn FnMut(Piece<'text>)) {
    let Some((begin, _)) = rest.peek().copied() else { return };
    while let Some((end, character)) = rest.peek().copied() {
        match character {
            ' '..='?' => {
                rest.next();
            }
            '@'..='~' => {
                rest.next();
                if character == 'm' {
                    see(Piece::Rendition(text.get(begin..end).unwrap_or_default()));
                }
                return;
            }
            _ => return,
        }
    }
}

/// A style behind a "select graphic rendition" sequence; `base` is the one without any.
pub(super) fn rendition(mut style: Style, base: Style, parameters: &str) -> Style {
    let mut codes =
        parameters.split([';', ':']).map(|code| if code.is_empty() { Some(0) } else { code.parse::<u8>().ok() });
    while let Some(code) = codes.next() {
        let Some(code) = code else { continue };
        style = match code {
            0 => base,
            1 => style.add_modifier(Modifier::BOLD),
            2 => style.add_modifier(Modifier::DIM),
            3 => style.add_modifier(Modifier::ITALIC),
            4 => style.add_modifier(Modifier::UNDERLINED),
            7 => style.add_modifier(Modifier::REVERSED),
            22 => style.remove_modifier(Modifier::BOLD | Modifier::DIM),
            23 => style.remove_modifier(Modifier::ITALIC),
            24 => style.remove_modifier(Modifier::UNDERLINED),
            27 => style.remove_modifier(Modifier::REVERSED),
            30..=37 => style.fg(Color::Indexed(code - 30)),
            38 => extended(&mut codes).map_or(style, |colour| style.fg(colour)),
            39 => Style { fg: base.fg, ..style },
            40..=47 => style.bg(Color::Indexed(code - 40)),
            48 => extended(&mut codes).map_or(style, |colour| style.bg(colour)),
            49 => Style { bg: base.bg, ..style },
            90..=97 => style.fg(Color::Indexed(code - 90 + 8)),
            100..=107 => style.bg(Color::Indexed(code - 100 + 8)),
            _ => style,
        };
    }
    style
}

/// `5;N` or `2;R;G;B`.
fn extended(codes: &mut dyn Iterator<Item = Option<u8>>) -> Option<Color> {
    match codes.next()?? {
        5 => Some(Color::Indexed(codes.next()??)),
        2 => Some(Color::Rgb(codes.next()??, codes.next()??, codes.next()??)),
        _ => None,
    }
}
