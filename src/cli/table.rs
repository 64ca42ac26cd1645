//! Tables for people: columns as wide as what stands in them, empty ones left out, lines cut where the terminal ends. Into a
//! file or a pipe every line goes whole.

use std::io::{self, IsTerminal, Write};

use rustix::termios::tcgetwinsize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::harmless::harmless;

/// Between two columns.
const GAP: &str = "  ";
/// Stands where a line was cut.
const CUT: char = '…';

/// The columns of the terminal; `None` where the output is none.
pub fn terminal_width() -> Option<usize> {
    let screen = io::stdout();
    let size = screen.is_terminal().then(|| tcgetwinsize(&screen).ok()).flatten()?;
    (size.ws_col > 0).then(|| usize::from(size.ws_col))
}

/// Prints a row of headings and the rows. A column in which nothing stands is left out.
pub fn print<const COLUMNS: usize>(
    headings: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
    width: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| in_one_line(cell)).collect()).collect();
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<Option<usize>> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| widest(column).filter(|widest| *widest > 0).map(|widest| widest.max(heading.width())))
        .collect();
    line(headings.iter().copied(), &widths, width, out)?;
    for row in &rows {
        line(row.iter().map(String::as_str), &widths, width, out)?;
    }
    Ok(())
}

/// Prints one line, cut where the terminal ends.
pub fn print_line(text: &str, width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", cut(&in_one_line(text), width))
}

fn line<'a>(
    cells: impl Iterator<Item = &'a str>,
    widths: &[Option<usize>],
    width: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut text = String::new();
    for (cell, column) in cells.zip(widths).filter_map(|(cell, column)| Some((cell, (*column)?))) {
        if !text.is_empty() {
            text.push_str(GAP);
        }
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', column.saturating_sub(cell.width())));
    }
    writeln!(out, "{}", cut(text.trim_end(), width))
}

/// A cell of a table has no line ends, wherever its text comes from.
fn in_one_line(text: &str) -> String {
    harmless(text).replace(['\n', '\t'], " ")
}

fn cut(text: &str, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| text.width() > *width) else { return text.to_owned() };
    let mut short = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        short.push(character);
    }
    short.push(CUT);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(width: Option<usize>) -> String {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let rows = [row(["1", "", "겨울 데이터\n\u{1b}[2J"]), row(["12", "", "winter"])];
        let mut out = Vec::new();
        print(["no.", "health", "why"], &rows, width, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them_and_empty_ones_are_left_out() {
        assert_eq!(printed(None), "no.  why\n1    겨울 데이터 \u{fffd}[2J\n12   winter\n");
    }

    #[test]
    fn a_line_ends_where_the_terminal_does() {
        assert_eq!(printed(Some(10)), "no.  why\n1    겨울…\n12   wint…\n");
    }
}
