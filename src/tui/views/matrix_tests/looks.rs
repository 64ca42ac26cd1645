//! How cells look, as letters: a map of the screen in which each role of the theme has a letter of its own, with a legend.
//!
//! A letter stands for what a cell looks like in several ways of drawing at once, so one map tells of all of them.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::ways::Screen;
use crate::tui::theme::Theme;

/// A letter, what it stands for, and how that looks in a theme.
type Role = (char, &'static str, fn(&Theme) -> Style);

/// The roles with their letters.
pub(super) const ROLES: [Role; 17] = [
    ('d', "dim", |theme: &Theme| theme.dim),
    ('b', "border", |theme: &Theme| theme.border),
    ('f', "focused", |theme: &Theme| theme.focused),
    ('t', "title", |theme: &Theme| theme.title),
    ('a', "accent", |theme: &Theme| theme.accent),
    ('g', "good", |theme: &Theme| theme.good),
    ('x', "bad", |theme: &Theme| theme.bad),
    ('w', "warn", |theme: &Theme| theme.warn),
    ('r', "running", |theme: &Theme| theme.running),
    ('s', "selection", |theme: &Theme| theme.selection),
    ('m', "mark", |theme: &Theme| theme.mark),
    ('1', "series 1", |theme: &Theme| theme.series(0)),
    ('2', "series 2", |theme: &Theme| theme.series(1)),
    ('3', "series 3", |theme: &Theme| theme.series(2)),
    ('4', "series 4", |theme: &Theme| theme.series(3)),
    ('5', "series 5", |theme: &Theme| theme.series(4)),
    ('6', "series 6", |theme: &Theme| theme.series(5)),
];
/// For looks that are of no single role: two of them together, or colours that data brings along.
const FURTHER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ789#%&@$!?*+=~^<>";
/// The sixteen as they are called in snapshots, by their numbers.
const SIXTEEN: [(Color, &str); 16] = [
    (Color::Black, "black"),
    (Color::Red, "red"),
    (Color::Green, "green"),
    (Color::Yellow, "yellow"),
    (Color::Blue, "blue"),
    (Color::Magenta, "magenta"),
    (Color::Cyan, "cyan"),
    (Color::Gray, "white"),
    (Color::DarkGray, "bright-black"),
    (Color::LightRed, "bright-red"),
    (Color::LightGreen, "bright-green"),
    (Color::LightYellow, "bright-yellow"),
    (Color::LightBlue, "bright-blue"),
    (Color::LightMagenta, "bright-magenta"),
    (Color::LightCyan, "bright-cyan"),
    (Color::White, "bright-white"),
];
const MODIFIERS: [(Modifier, &str); 6] = [
    (Modifier::BOLD, "bold"),
    (Modifier::DIM, "dim"),
    (Modifier::ITALIC, "italic"),
    (Modifier::UNDERLINED, "underlined"),
    (Modifier::REVERSED, "reversed"),
    (Modifier::CROSSED_OUT, "crossed-out"),
];

/// What the terminal is told of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) letters: Color,
    pub(super) ground: Color,
    pub(super) modifiers: Modifier,
}

impl Look {
    /// What of it differs from a plain letter.
    fn told(&self, plain: &Self) -> String {
        let mut words = Vec::new();
        if self.letters != plain.letters {
            words.push(colour(self.letters));
        }
        if self.ground != plain.ground {
            words.push(format!("on {}", colour(self.ground)));
        }
        let held = MODIFIERS.iter().filter(|(modifier, _)| self.modifiers.contains(*modifier));
        words.extend(held.map(|(_, word)| (*word).to_owned()));
        if words.is_empty() { "plain".to_owned() } else { words.join(" ") }
    }
}

/// What a colour is called.
pub(super) fn colour(colour: Color) -> String {
    match colour {
        Color::Reset => "own".to_owned(),
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        other => match of_sixteen(other) {
            Some(number) => SIXTEEN[number].1.to_owned(),
            None => format!("{other:?}"),
        },
    }
}

/// The number of a colour that is one of the sixteen.
pub(super) fn of_sixteen(colour: Color) -> Option<usize> {
    match colour {
        Color::Indexed(number) => Some(usize::from(number)).filter(|number| *number < SIXTEEN.len()),
        named => SIXTEEN.iter().position(|(known, _)| *known == named),
    }
}

/// Which letter stands for what.
pub(super) struct Legend {
    ways: Vec<&'static str>,
    plain: Vec<Look>,
    known: Vec<(char, &'static str, Vec<Look>)>,
    further: usize,
}

impl Legend {
    /// That of screens that show the same characters in several ways.
    pub(super) fn of(screens: &[&Screen]) -> Self {
        let in_all = |role: &dyn Fn(&Theme) -> Style| {
            screens.iter().map(|screen| screen.look_of(role(&screen.theme))).collect::<Vec<Look>>()
        };
        let known = ROLES.iter().map(|(letter, name, role)| (*letter, *name, in_all(role))).collect();
        let ways = screens.iter().map(|screen| screen.way.name()).collect();
        Self { ways, plain: in_all(&|theme| theme.text), known, further: 0 }
    }

    /// A letter for each cell of each row; a blank for what is plain.
    pub(super) fn map(&mut self, screens: &[&Screen]) -> Vec<String> {
        let all: Vec<Vec<Vec<Look>>> = screens.iter().map(|screen| looks(screen)).collect();
        let mut rows = Vec::new();
        for (row, first) in all[0].iter().enumerate() {
            let mut letters = String::new();
            for (place, _) in first.iter().enumerate() {
                let together: Vec<Look> = all.iter().map(|screen| screen[row][place]).collect();
                letters.push(self.letter(&together));
            }
            rows.push(letters.trim_end().to_owned());
        }
        rows
    }

    fn letter(&mut self, looks: &[Look]) -> char {
        if looks == self.plain {
            return ' ';
        }
        if let Some((letter, ..)) = self.known.iter().find(|(.., known)| known == looks) {
            return *letter;
        }
        let letter = FURTHER.chars().nth(self.further).expect("more looks than letters: give FURTHER more of them");
        self.further += 1;
        self.known.push((letter, "", looks.to_vec()));
        letter
    }

    /// What the letters of these rows stand for.
    pub(super) fn told(&self, rows: &[String]) -> Vec<String> {
        let line = |letter: char, name: &str, told: Vec<String>| {
            let columns: Vec<String> = told.iter().map(|told| format!(" {told:<26}")).collect();
            format!("{letter} {name:<9}{}", columns.concat()).trim_end().to_owned()
        };
        let mut lines = vec![line(' ', "", self.ways.iter().map(|way| (*way).to_owned()).collect())];
        let plain = |look: &Look| format!("{} on {}", colour(look.letters), colour(look.ground));
        lines.push(line(' ', "plain", self.plain.iter().map(plain).collect()));
        for (letter, name, looks) in &self.known {
            if rows.iter().any(|row| row.contains(*letter)) {
                let told = looks.iter().zip(&self.plain).map(|(look, plain)| look.told(plain)).collect();
                lines.push(line(*letter, name, told));
            }
        }
        lines
    }
}

/// How each column of each row looks.
fn looks(screen: &Screen) -> Vec<Vec<Look>> {
    let of_row = |cells: Vec<(u16, &Cell)>| {
        let wide = cells.into_iter().map(|(_, cell)| (screen.look(cell), cell.symbol().width().max(1)));
        wide.flat_map(|(look, width)| std::iter::repeat_n(look, width)).collect::<Vec<Look>>()
    };
    screen.rows().into_iter().map(of_row).collect()
}
