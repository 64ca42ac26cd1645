//! The colours that a log brings along, in as many as the theme has: a log must not be more colourful than its screen.

use ratatui::style::{Color, Style};

use crate::tui::theme::Theme;

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Depth {
    /// None.
    Mono,
    /// The sixteen of every terminal.
    Sixteen,
    /// Those of the palette.
    Palette,
    /// All.
    True,
}

/// The levels of the colour cube of the palette.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];
/// The sixteen colours as terminals have them by default.
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

impl Depth {
    /// What a theme uses itself.
    pub(in crate::tui) fn of(theme: &Theme) -> Self {
        let used = [theme.good.fg, theme.bad.fg, theme.accent.fg];
        let deepest = |is: fn(&Color) -> bool| used.iter().flatten().any(is);
        if deepest(|colour| matches!(colour, Color::Rgb(..))) {
            Self::True
        } else if deepest(|colour| matches!(colour, Color::Indexed(16..))) {
            Self::Palette
        } else if used.iter().flatten().next().is_some() {
            Self::Sixteen
        } else {
            Self::Mono
        }
    }

    /// A style in these colours.
    pub(in crate::tui) fn fit(self, style: Style) -> Style {
        Style {
            fg: style.fg.and_then(|colour| self.nearest(colour)),
            bg: style.bg.and_then(|colour| self.nearest(colour)),
            ..style
        }
    }

    fn nearest(self, colour: Color) -> Option<Color> {
        match (self, colour) {
            (Self::Mono, _) => None,
            (Self::Palette, Color::Rgb(red, green, blue)) => Some(Color::Indexed(of_cube(red, green, blue))),
            (Self::Sixteen, Color::Rgb(red, green, blue)) => Some(Color::Indexed(of_sixteen((red, green, blue)))),
            (Self::Sixteen, Color::Indexed(index @ 16..)) => Some(Color::Indexed(of_sixteen(of_palette(index)))),
            (_, same) => Some(same),
        }
    }
}

/// The nearest colour of the cube.
fn of_cube(red: u8, green: u8, blue: u8) -> u8 {
    let level = |value: u8| -> u8 {
        let distance = |(_, level): &(u8, u8)| level.abs_diff(value);
        (0..).zip(CUBE).min_by_key(distance).map_or(0, |(index, _)| index)
    };
    16 + 36 * level(red) + 6 * level(green) + level(blue)
}

/// What a colour of the palette beyond the sixteen looks like.
fn of_palette(index: u8) -> (u8, u8, u8) {
    if index >= 232 {
        let grey = 8 + 10 * (index - 232);
        return (grey, grey, grey);
    }
    let index = index.saturating_sub(16);
    let level = |digit: u8| CUBE.get(usize::from(digit % 6)).copied().unwrap_or(0);
    (level(index / 36), level(index / 6), level(index))
}

fn of_sixteen((red, green, blue): (u8, u8, u8)) -> u8 {
    let distance = |(_, (r, g, b)): &(u8, (u8, u8, u8))| {
        let square = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
        square(*r, red) + square(*g, green) + square(*b, blue)
    };
    (0..).zip(SIXTEEN).min_by_key(distance).map_or(7, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(depth: Depth, colour: Color) -> Option<Color> {
        depth.fit(Style::default().fg(colour)).fg
    }

    #[test]
    fn a_log_has_no_more_colours_than_the_theme() {
        let orange = Color::Rgb(255, 135, 0);
        assert_eq!(fitted(Depth::True, orange), Some(orange));
        assert_eq!(fitted(Depth::Palette, orange), Some(Color::Indexed(208)));
        assert_eq!(fitted(Depth::Sixteen, Color::Rgb(250, 10, 10)), Some(Color::Indexed(9)));
        assert_eq!(fitted(Depth::Sixteen, Color::Indexed(196)), Some(Color::Indexed(9)));
        assert_eq!(fitted(Depth::Sixteen, Color::Indexed(240)), Some(Color::Indexed(8)));
        assert_eq!(fitted(Depth::Sixteen, Color::Indexed(3)), Some(Color::Indexed(3)));
        assert_eq!(fitted(Depth::Mono, Color::Indexed(3)), None);
    }

    #[test]
    fn the_depth_is_that_of_the_theme() {
        let of = |name: &'static str| {
            Depth::of(&Theme::choose(&|variable| (variable == "TRAINYARD_THEME").then(|| name.to_owned())))
        };
        assert_eq!((of("dark"), of("ansi"), of("mono")), (Depth::True, Depth::Sixteen, Depth::Mono));
    }
}
