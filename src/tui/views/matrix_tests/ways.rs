//! The ways in which a screen can be drawn, come to as on a real terminal: from its environment and from what it says of itself.

use std::collections::BTreeSet;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::looks::Look;
use crate::tui::app::Model;
use crate::tui::fixtures::send;
use crate::tui::glyphs::Glyphs;
use crate::tui::message::Msg;
use crate::tui::preferences::{self, Found};
use crate::tui::probe::{Abilities, Answer, Depth};
use crate::tui::terminal::{reduced, write_cells};
use crate::tui::theme::Theme;
use crate::tui::views;

/// By what a blank cell shows that it is styled.
const SEEN_ON_BLANKS: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);

/// A way of drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// 16 million colours on a dark ground.
    Dark,
    /// The same on a light one.
    Light,
    /// The sixteen of the terminal.
    Sixteen,
    /// `NO_COLOR`.
    NoColour,
    /// As dark, with ASCII signs.
    Ascii,
}

impl Way {
    pub(super) const ALL: [Self; 5] = [Self::Dark, Self::Light, Self::Sixteen, Self::NoColour, Self::Ascii];

    /// How it is called in snapshots and names of files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Sixteen => "16",
            Self::NoColour => "none",
            Self::Ascii => "ascii",
        }
    }

    /// The environment of such a terminal.
    fn variable(self, name: &str) -> Option<String> {
        let own: &[(&str, &str)] = match self {
            Self::Dark | Self::Light => &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
            Self::Sixteen => &[("TERM", "xterm")],
            Self::NoColour => &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")],
            Self::Ascii => &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("TRAINYARD_ASCII", "1")],
        };
        let usual = [("LANG", "C.UTF-8")];
        own.iter().chain(&usual).find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    fn abilities(self) -> Abilities {
        let mut abilities = Abilities::guess(&|name: &str| self.variable(name), false);
        if self == Self::Light {
            assert!(abilities.learn(&Answer::Background([1.0, 1.0, 1.0])), "it was taken for a light one already");
        }
        abilities
    }
}

/// A terminal of a size and a way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    pub(super) way: Way,
    pub(super) size: (u16, u16),
}

impl Seat {
    /// A model as it is on this terminal.
    pub(super) fn take(self, mut model: Model) -> Model {
        let variable = |name: &str| self.way.variable(name);
        let theme = Theme::fitting(&variable, self.way.abilities().theme());
        model.found = Found { theme, glyphs: Glyphs::choose(&variable), asked: None };
        preferences::dress(&mut model);
        self.fill(&mut model);
        model
    }

    /// Whatever is shown at this size is asked for and answered.
    pub(super) fn fill(self, model: &mut Model) {
        let (columns, rows) = self.size;
        send(model, Msg::Resized(columns, rows));
    }

    /// What this terminal shows of a model.
    pub(super) fn draw(self, model: &Model) -> Screen {
        let (columns, rows) = self.size;
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let buffer = terminal.draw(|frame| views::draw(model, frame)).unwrap().buffer.clone();
        Screen { theme: model.theme.clone(), depth: self.way.abilities().depth, way: self.way, buffer }
    }
}

/// What a terminal shows.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) way: Way,
    pub(super) theme: Theme,
    buffer: Buffer,
    depth: Depth,
}

impl Screen {
    /// Columns and rows.
    pub(super) fn size(&self) -> (u16, u16) {
        (self.buffer.area.width, self.buffer.area.height)
    }

    /// The cells of each row with their columns; the second half of a wide sign is no cell of its own.
    pub(super) fn rows(&self) -> Vec<Vec<(u16, &Cell)>> {
        self.buffer.content().chunks(usize::from(self.buffer.area.width)).map(visible).collect()
    }

    /// All cells, each with its column and row.
    pub(super) fn cells(&self) -> impl Iterator<Item = (u16, u16, &Cell)> {
        let placed = (0_u16..).zip(self.rows());
        placed.flat_map(|(row, cells)| cells.into_iter().map(move |(column, cell)| (column, row, cell)))
    }

    /// The characters of each row.
    pub(super) fn characters(&self) -> Vec<String> {
        let text = |cells: Vec<(u16, &Cell)>| cells.iter().map(|(_, cell)| cell.symbol()).collect::<String>();
        self.rows().into_iter().map(|cells| text(cells).trim_end().to_owned()).collect()
    }

    /// How a cell looks; of a blank one the colour of its letters is not seen.
    pub(super) fn look(&self, cell: &Cell) -> Look {
        let seen = |colour| reduced(colour, self.depth).unwrap_or(Color::Reset);
        let look = Look { letters: seen(cell.fg), ground: seen(cell.bg), modifiers: cell.modifier };
        if cell.symbol().trim().is_empty() && !cell.modifier.intersects(SEEN_ON_BLANKS) {
            let letters = seen(self.theme.text.fg.unwrap_or_default());
            return Look { letters, modifiers: Modifier::empty(), ..look };
        }
        look
    }

    /// How a letter of a role looks.
    pub(super) fn look_of(&self, role: Style) -> Look {
        let mut cell = Cell::new("x");
        cell.set_style(self.theme.text).set_style(role);
        self.look(&cell)
    }

    /// The bytes that the terminal is sent, row by row.
    pub(super) fn sent(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (row, cells) in (0_u16..).zip(self.rows()) {
            write_cells(cells.into_iter().map(|(column, cell)| (column, row, cell)), &mut bytes, self.depth);
            bytes.push(b'\n');
        }
        bytes
    }

    /// The numbers by which the terminal is told how letters look ("select graphic rendition"), each sequence once.
    pub(super) fn renditions(&self) -> BTreeSet<String> {
        let sent = String::from_utf8(self.sent()).unwrap();
        let numbers = |sequence: &str| {
            let end = sequence.find(|letter: char| letter.is_ascii_alphabetic())?;
            let (numbers, behind) = sequence.split_at(end);
            behind.starts_with('m').then(|| numbers.to_owned())
        };
        sent.split("\x1b[").skip(1).filter_map(numbers).collect()
    }
}

/// The cells of a row, without the second halves of wide signs.
fn visible(row: &[Cell]) -> Vec<(u16, &Cell)> {
    let mut cells = Vec::new();
    let mut hidden = 0;
    for (column, cell) in (0_u16..).zip(row) {
        if hidden > 0 {
            hidden -= 1;
            continue;
        }
        hidden = cell.symbol().width().saturating_sub(1);
        cells.push((column, cell));
    }
    cells
}
