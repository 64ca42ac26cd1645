//! The colours that a log brings along, in as many as the theme has: a log must not be more colourful than its screen.

use ratatui::style::{Color, Style};

use crate::tui::probe::Depth;
use crate::tui::terminal::reduced;
use crate::tui::theme::Theme;
use crate::tui::widgets::text::styled;

/// As many colours as a theme uses itself.
pub(in crate::tui) fn depth_of(theme: &Theme) -> Depth {
    let used = [theme.good.fg, theme.bad.fg, theme.accent.fg];
    let deepest = |is: fn(&Color) -> bool| used.iter().flatten().any(is);
    if deepest(|colour| matches!(colour, Color::Rgb(..))) {
        Depth::True
    } else if deepest(|colour| matches!(colour, Color::Indexed(16..))) {
        Depth::Indexed
    } else if used.iter().flatten().next().is_some() {
        Depth::Sixteen
    } else {
        Depth::None
    }
}

/// A style in so many colours.
pub(in crate::tui) fn fit(style: Style, depth: Depth) -> Style {
    let nearest = |colour: Option<Color>| colour.and_then(|colour| reduced(colour, depth));
    Style { fg: nearest(style.fg), bg: nearest(style.bg), ..style }
}

/// The letters of a line as it was written, in its own colours as far as there are so many.
pub(in crate::tui) fn as_written(line: &str, base: Style, depth: Depth) -> Vec<(char, Style)> {
    styled(line, base).into_iter().map(|(character, style)| (character, fit(style, depth))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(depth: Depth, colour: Color) -> Option<Color> {
        fit(Style::default().fg(colour), depth).fg
    }

    #[test]
    fn a_log_has_no_more_colours_than_the_theme() {
        let orange = Color::Rgb(255, 135, 0);
        assert_eq!(fitted(Depth::True, orange), Some(orange));
        assert_eq!(fitted(Depth::Indexed, orange), Some(Color::Indexed(208)));
        assert_eq!(fitted(Depth::Sixteen, Color::Rgb(250, 10, 10)), Some(Color::Indexed(9)));
        assert_eq!(fitted(Depth::Sixteen, Color::Indexed(196)), Some(Color::Indexed(9)));
        assert_eq!(fitted(Depth::Sixteen, Color::Indexed(240)), Some(Color::Indexed(8)));
        assert_eq!(fitted(Depth::Sixteen, Color::Indexed(3)), Some(Color::Indexed(3)));
        assert_eq!(fitted(Depth::None, Color::Indexed(3)), None);
    }

    #[test]
    fn the_depth_is_that_of_the_theme() {
        let of = |name: &'static str| {
            depth_of(&Theme::choose(&|variable| (variable == "TRAINYARD_THEME").then(|| name.to_owned())))
        };
        assert_eq!((of("dark"), of("ansi"), of("mono")), (Depth::True, Depth::Sixteen, Depth::None));
    }
}
