//! Colours for terminals that show fewer than a theme names: the nearest of 256, or of 16.

use ratatui::style::{Color, Style};

use super::Theme;

/// How many colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::tui) enum Depth {
    /// 16 million.
    #[default]
    True,
    /// The palette of 256.
    Indexed,
    /// The 16 that every terminal has names for.
    Sixteen,
}

/// The levels of the colour cube of 6 × 6 × 6.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
/// The 16 colours as xterm shows them; what a terminal shows is its own affair, but their order of hues is not.
const SIXTEEN: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (0, 0, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::Gray, (229, 229, 229)),
    (Color::DarkGray, (127, 127, 127)),
    (Color::LightRed, (255, 0, 0)),
    (Color::LightGreen, (0, 255, 0)),
    (Color::LightYellow, (255, 255, 0)),
    (Color::LightBlue, (92, 92, 255)),
    (Color::LightMagenta, (255, 0, 255)),
    (Color::LightCyan, (0, 255, 255)),
    (Color::White, (255, 255, 255)),
];

impl Depth {
    /// As the environment tells.
    pub(in crate::tui) fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).unwrap_or_default();
        let colours = value("COLORTERM");
        if colours == "truecolor" || colours == "24bit" {
            return Self::True;
        }
        let term = value("TERM");
        if term.contains("direct") {
            Self::True
        } else if term.contains("256color") || term == "xterm-kitty" {
            Self::Indexed
        } else {
            Self::Sixteen
        }
    }
}

impl Theme {
    /// The same theme with colours that a terminal of this depth shows.
    pub(in crate::tui) fn reduced(&self, depth: Depth) -> Self {
        let reduced = |style: Style| Style {
            fg: style.fg.map(|colour| nearest(colour, depth)),
            bg: style.bg.map(|colour| nearest(colour, depth)),
            ..style
        };
        Self {
            text: reduced(self.text),
            dim: reduced(self.dim),
            border: reduced(self.border),
            focused: reduced(self.focused),
            title: reduced(self.title),
            accent: reduced(self.accent),
            good: reduced(self.good),
            bad: reduced(self.bad),
            warn: reduced(self.warn),
            running: reduced(self.running),
            selection: reduced(self.selection),
            mark: reduced(self.mark),
            series: self.series.iter().copied().map(reduced).collect(),
        }
    }
}

/// The nearest colour that there is. Names and small numbers are there at every depth.
fn nearest(colour: Color, depth: Depth) -> Color {
    match (colour, depth) {
        (Color::Rgb(red, green, blue), Depth::Indexed) => Color::Indexed(indexed((red, green, blue))),
        (Color::Rgb(red, green, blue), Depth::Sixteen) => sixteen((red, green, blue)),
        (Color::Indexed(number), Depth::Sixteen) => sixteen(shown(number)),
        (colour, _) => colour,
    }
}

/// Of the cube and of the greys, whichever is nearer.
fn indexed(wanted: (u8, u8, u8)) -> u8 {
    (16..=255).min_by_key(|number| difference(shown(*number), wanted)).unwrap_or(16)
}

/// How a number of the palette looks.
fn shown(number: u8) -> (u8, u8, u8) {
    match number {
        0..16 => SIXTEEN.get(usize::from(number)).map_or((0, 0, 0), |(_, shown)| *shown),
        16..232 => {
            let level = |place: u8| LEVELS.get(usize::from(place % 6)).copied().unwrap_or(0);
            let place = number - 16;
            (level(place / 36), level(place / 6), level(place))
        }
        232..=255 => {
            let grey = 8 + (number - 232) * 10;
            (grey, grey, grey)
        }
    }
}

fn sixteen(wanted: (u8, u8, u8)) -> Color {
    let nearest = SIXTEEN.iter().min_by_key(|(_, shown)| difference(*shown, wanted));
    nearest.map_or(Color::Reset, |(colour, _)| *colour)
}

/// How far two colours lie apart; the eye sees green best and blue least.
fn difference(one: (u8, u8, u8), other: (u8, u8, u8)) -> u32 {
    let square = |one: u8, other: u8| u32::from(one.abs_diff(other)).pow(2);
    2 * square(one.0, other.0) + 4 * square(one.1, other.1) + square(one.2, other.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_that_the_palette_has_stays_itself() {
        assert_eq!(nearest(Color::Rgb(95, 135, 175), Depth::Indexed), Color::Indexed(67));
        assert_eq!(nearest(Color::Rgb(8, 8, 8), Depth::Indexed), Color::Indexed(232));
        assert_eq!(nearest(Color::Rgb(250, 10, 10), Depth::Sixteen), Color::LightRed);
        assert_eq!(nearest(Color::Indexed(196), Depth::Sixteen), Color::LightRed);
        assert_eq!(nearest(Color::Green, Depth::Sixteen), Color::Green);
        assert_eq!(nearest(Color::Rgb(1, 2, 3), Depth::True), Color::Rgb(1, 2, 3));
    }

    #[test]
    fn no_theme_of_ours_keeps_a_colour_that_is_not_there() {
        for name in Theme::NAMES {
            let theme = Theme::named(name).unwrap();
            let of = |depth| {
                let theme = theme.reduced(depth);
                let mut styles = vec![theme.text, theme.dim, theme.border, theme.selection, theme.bad, theme.mark];
                styles.extend((0..6).map(|index| theme.series(index)));
                styles.into_iter().flat_map(|style| [style.fg, style.bg]).flatten().collect::<Vec<Color>>()
            };
            assert!(of(Depth::Indexed).iter().all(|colour| !matches!(colour, Color::Rgb(..))), "{name}");
            assert!(
                of(Depth::Sixteen).iter().all(|colour| !matches!(colour, Color::Rgb(..) | Color::Indexed(_))),
                "{name}"
            );
        }
    }
}
