//! Cells of a frame as bytes: the cursor moved no more often than needed, colours no more than the terminal has.
//!
//! ratatui's writer goes through crossterm, which sends the sixteen colours in the way of the 256 and follows `NO_COLOR` by
//! itself. Behind a sign that terminals do not measure alike, the cursor is placed anew, so that a row never shifts.

use std::io::Write;

use ratatui::buffer::{Cell, CellWidth};
use ratatui::style::Modifier;

use super::colour::{Sent, fit};
use crate::tui::probe::Depth;

/// The modifiers and the numbers by which they are sent.
const MODIFIERS: [(Modifier, &str); 9] = [
    (Modifier::BOLD, ";1"),
    (Modifier::DIM, ";2"),
    (Modifier::ITALIC, ";3"),
    (Modifier::UNDERLINED, ";4"),
    (Modifier::SLOW_BLINK, ";5"),
    (Modifier::RAPID_BLINK, ";6"),
    (Modifier::REVERSED, ";7"),
    (Modifier::HIDDEN, ";8"),
    (Modifier::CROSSED_OUT, ";9"),
];

/// Writes the cells of one frame; it begins with plain letters and the cursor anywhere, and ends so.
pub(super) struct Pen<'frame> {
    frame: &'frame mut Vec<u8>,
    depth: Depth,
    at: Option<(u16, u16)>,
    style: (Sent, Sent, Modifier),
}

const PLAIN: (Sent, Sent, Modifier) = (Sent::Own, Sent::Own, Modifier::empty());

impl<'frame> Pen<'frame> {
    /// A pen that writes to `frame`.
    pub(super) fn new(frame: &'frame mut Vec<u8>, depth: Depth) -> Self {
        Self { frame, depth, at: None, style: PLAIN }
    }

    /// Writes one cell.
    pub(super) fn draw(&mut self, column: u16, row: u16, cell: &Cell) {
        if self.at != Some((column, row)) {
            // Writing to a vector cannot fail.
            let _ = write!(self.frame, "\x1b[{};{}H", row.saturating_add(1), column.saturating_add(1));
        }
        let symbol = cell.symbol();
        let style = (fit(cell.fg, self.depth), fit(cell.bg, self.depth), cell.modifier);
        if style != self.style {
            self.dip(style);
        }
        self.frame.extend_from_slice(symbol.as_bytes());
        let is_alike_everywhere = symbol.chars().count() == 1 && symbol.cell_width() == 1;
        self.at = is_alike_everywhere.then(|| (column.saturating_add(1), row));
    }

    /// Ends the frame.
    pub(super) fn lift(self) {
        if self.style != PLAIN {
            self.frame.extend_from_slice(b"\x1b[0m");
        }
    }

    fn dip(&mut self, style: (Sent, Sent, Modifier)) {
        let (letters, ground, modifiers) = style;
        self.frame.extend_from_slice(b"\x1b[0");
        for (modifier, number) in MODIFIERS {
            if modifiers.contains(modifier) {
                self.frame.extend_from_slice(number.as_bytes());
            }
        }
        self.colour(letters, 30);
        self.colour(ground, 40);
        self.frame.push(b'm');
        self.style = style;
    }

    /// `base` is 30 for letters and 40 for what is behind them.
    fn colour(&mut self, colour: Sent, base: u8) {
        // Writing to a vector cannot fail.
        let _ = match colour {
            Sent::Own => Ok(()),
            Sent::Basic(index @ 0..8) => write!(self.frame, ";{}", base + index),
            Sent::Basic(index) => write!(self.frame, ";{}", base + 52 + index.min(15)),
            Sent::Indexed(index) => write!(self.frame, ";{};5;{index}", base + 8),
            Sent::True(red, green, blue) => write!(self.frame, ";{};2;{red};{green};{blue}", base + 8),
        };
    }
}

/// Sends every cell of a frame that differs from the last.
pub(in crate::tui) fn write_cells<'cell>(
    cells: impl Iterator<Item = (u16, u16, &'cell Cell)>,
    frame: &mut Vec<u8>,
    depth: Depth,
) {
    let mut pen = Pen::new(frame, depth);
    for (column, row, cell) in cells {
        pen.draw(column, row, cell);
    }
    pen.lift();
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use ratatui::style::Style;

    use super::*;

    fn sent(cells: &[(u16, u16, &str, Style)], depth: Depth) -> String {
        let cells: Vec<(u16, u16, Cell)> = cells
            .iter()
            .map(|(column, row, symbol, style)| {
                let mut cell = Cell::default();
                cell.set_symbol(symbol).set_style(*style);
                (*column, *row, cell)
            })
            .collect();
        let mut frame = Vec::new();
        write_cells(cells.iter().map(|(column, row, cell)| (*column, *row, cell)), &mut frame, depth);
        String::from_utf8(frame).unwrap()
    }

    #[test]
    fn the_cursor_is_moved_only_where_it_is_not_yet() {
        let plain = Style::default();
        assert_eq!(
            sent(&[(0, 0, "a", plain), (1, 0, "b", plain), (5, 2, "c", plain)], Depth::True),
            "\x1b[1;1Hab\x1b[3;6Hc"
        );
    }

    #[test]
    fn behind_a_wide_sign_the_cursor_is_placed_anew() {
        let plain = Style::default();
        assert_eq!(sent(&[(0, 0, "한", plain), (2, 0, "x", plain)], Depth::True), "\x1b[1;1H한\x1b[1;3Hx");
    }

    #[test]
    fn each_depth_is_sent_in_its_own_way_and_a_frame_ends_plain() {
        let red = Style::default().fg(Color::Rgb(255, 0, 0)).bg(Color::Blue).add_modifier(Modifier::BOLD);
        let text = |depth| sent(&[(0, 0, "x", red)], depth);
        assert_eq!(text(Depth::True), "\x1b[1;1H\x1b[0;1;38;2;255;0;0;44mx\x1b[0m");
        assert_eq!(text(Depth::Indexed), "\x1b[1;1H\x1b[0;1;38;5;196;44mx\x1b[0m");
        assert_eq!(text(Depth::Sixteen), "\x1b[1;1H\x1b[0;1;91;44mx\x1b[0m");
        assert_eq!(text(Depth::None), "\x1b[1;1H\x1b[0;1mx\x1b[0m");
    }
}
