//! Colours between what the program wants and what a terminal has: brought down to fewer, and read from its answers.

use ratatui::style::Color;

use crate::tui::probe::Depth;

/// The steps of the cube of 6 × 6 × 6 colours in the palette of 256.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
/// The first colour of that cube.
const CUBE: u8 = 16;
/// The first of the 24 greys.
const GREYS: u8 = 232;
/// The sixteen as most terminals have them, in the order of their numbers.
const SIXTEEN: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

/// A colour as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// The terminal's own.
    Own,
    /// One of the sixteen.
    Basic(u8),
    /// One of the 256.
    Indexed(u8),
    /// Any.
    True(u8, u8, u8),
}

/// The nearest colour that may be sent.
pub(super) fn fit(colour: Color, depth: Depth) -> Sent {
    if depth == Depth::None {
        return Sent::Own;
    }
    let basic = match colour {
        Color::Reset => return Sent::Own,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(index) if index < CUBE => index,
        Color::Indexed(index) if depth == Depth::Sixteen => nearest_of_sixteen(of_index(index)),
        Color::Indexed(index) => return Sent::Indexed(index),
        Color::Rgb(red, green, blue) => {
            return match depth {
                Depth::True => Sent::True(red, green, blue),
                Depth::Indexed => Sent::Indexed(nearest_index((red, green, blue))),
                Depth::Sixteen | Depth::None => Sent::Basic(nearest_of_sixteen((red, green, blue))),
            };
        }
    };
    Sent::Basic(basic)
}

/// The nearest colour that there is among so many; one that there is stays as it is called.
pub(in crate::tui) fn reduced(colour: Color, depth: Depth) -> Option<Color> {
    match (fit(colour, depth), colour) {
        (Sent::Own, _) if depth == Depth::None => None,
        (Sent::Basic(index) | Sent::Indexed(index), Color::Rgb(..) | Color::Indexed(_)) => Some(Color::Indexed(index)),
        (_, same) => Some(same),
    }
}

/// What a colour of the cube or of the greys looks like.
fn of_index(index: u8) -> (u8, u8, u8) {
    if index >= GREYS {
        let grey = 8 + (index - GREYS) * 10;
        return (grey, grey, grey);
    }
    let place = index.saturating_sub(CUBE);
    let step = |place: u8| STEPS.get(usize::from(place)).copied().unwrap_or(0);
    (step(place / 36), step(place / 6 % 6), step(place % 6))
}

/// The nearest of the cube and the greys.
fn nearest_index(colour: (u8, u8, u8)) -> u8 {
    let all = (CUBE..=u8::MAX).map(|index| (distance(of_index(index), colour), index));
    all.min().map_or(CUBE, |(_, index)| index)
}

fn nearest_of_sixteen(colour: (u8, u8, u8)) -> u8 {
    let all = SIXTEEN.iter().zip(0_u8..).map(|(known, index)| (distance(*known, colour), index));
    all.min().map_or(0, |(_, index)| index)
}

/// How far apart two colours are for an eye, roughly: it sees green best.
fn distance(one: (u8, u8, u8), other: (u8, u8, u8)) -> u32 {
    let square = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
    2 * square(one.0, other.0) + 4 * square(one.1, other.1) + 3 * square(one.2, other.2)
}

/// `rgb:1c1c/1c1c/2626`, `rgba:…/…/…/…` or `#1c1c26`, each share from 0 to 1.
pub(super) fn colour(text: &str) -> Option<[f64; 3]> {
    if let Some(digits) = text.strip_prefix('#') {
        if digits.is_empty() || !digits.len().is_multiple_of(3) || !digits.is_ascii() {
            return None;
        }
        let (red, rest) = digits.split_at(digits.len() / 3);
        let (green, blue) = rest.split_at(red.len());
        return Some([share(red)?, share(green)?, share(blue)?]);
    }
    let text = text.strip_prefix("rgb:").or_else(|| text.strip_prefix("rgba:"))?;
    let mut parts = text.split('/').map(share);
    Some([parts.next()??, parts.next()??, parts.next()??])
}

/// One to four hexadecimal digits as a share of the largest number of so many.
fn share(digits: &str) -> Option<f64> {
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let value = u32::from_str_radix(digits, 16).ok()?;
    let largest = (1_u32 << (4 * digits.len())) - 1;
    Some(f64::from(value) / f64::from(largest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_colour_becomes_the_nearest_that_there_is() {
        assert_eq!(fit(Color::Rgb(250, 10, 5), Depth::True), Sent::True(250, 10, 5));
        assert_eq!(fit(Color::Rgb(255, 0, 0), Depth::Indexed), Sent::Indexed(196));
        assert_eq!(fit(Color::Rgb(128, 128, 128), Depth::Indexed), Sent::Indexed(244));
        assert_eq!(fit(Color::Rgb(250, 10, 5), Depth::Sixteen), Sent::Basic(9));
        assert_eq!(fit(Color::Indexed(196), Depth::Sixteen), Sent::Basic(9));
        assert_eq!(fit(Color::Indexed(3), Depth::Indexed), Sent::Basic(3));
        assert_eq!(fit(Color::LightBlue, Depth::True), Sent::Basic(12));
    }

    proptest! {
        #[test]
        fn nothing_is_sent_beyond_what_a_terminal_has(red: u8, green: u8, blue: u8, index: u8) {
            for colour in [Color::Rgb(red, green, blue), Color::Indexed(index), Color::Red, Color::Reset] {
                prop_assert_eq!(fit(colour, Depth::None), Sent::Own);
                prop_assert!(matches!(fit(colour, Depth::Sixteen), Sent::Own | Sent::Basic(0..16)));
                prop_assert!(matches!(fit(colour, Depth::Indexed), Sent::Own | Sent::Basic(_) | Sent::Indexed(_)));
            }
        }
    }

    #[test]
    fn colours_are_read_in_every_way_in_which_terminals_tell_them() {
        assert_eq!(colour("rgb:ffff/0000/0000"), Some([1.0, 0.0, 0.0]));
        assert_eq!(colour("rgb:f/0/f"), Some([1.0, 0.0, 1.0]));
        assert_eq!(colour("rgba:ffff/ffff/ffff/8000"), Some([1.0, 1.0, 1.0]));
        assert_eq!(colour("#00ff00"), Some([0.0, 1.0, 0.0]));
        for wrong in ["", "#", "#12", "#한", "rgb:", "rgb:1/2", "rgb:12345/0/0", "rgb:-1/0/0", "red"] {
            assert_eq!(colour(wrong), None, "{wrong}");
        }
    }
}
