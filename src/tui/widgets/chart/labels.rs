//! What is written into a plot: an exclamation mark where an alert began to fire, the numbers of deploys, the names of
//! thresholds. They are drawn last and in this order, each where nothing is yet: of two texts in one place neither is read.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::frame::Frame;
use super::{Chart, time};
use crate::tui::widgets::text::put_at;

/// The name of a threshold and its row.
pub(super) type Threshold = (usize, &'static str, Style);

/// Rows from the top in which what belongs to a moment is written.
const HIGH: usize = 3;

/// What is taken so far.
struct Labels<'a> {
    chart: &'a Chart<'a>,
    frame: &'a Frame,
    /// Columns of the lines that go through all rows.
    lines: Vec<usize>,
    /// Row, first column and the one behind the last of each label.
    placed: Vec<(usize, usize, usize)>,
}

/// Draws them over the curves.
pub(super) fn draw(chart: &Chart<'_>, buffer: &mut Buffer, frame: &Frame, thresholds: &[Threshold]) {
    let theme = &chart.model.theme;
    let marks = || chart.charts.marks.iter().map(|mark| (frame.cell_of(chart, mark.column), mark.release));
    let cursor = chart.cursor.map(|cursor| frame.cell_of(chart, cursor));
    let lines = marks().map(|(column, _)| column).chain(cursor).collect();
    let mut labels = Labels { chart, frame, lines, placed: Vec::new() };
    for span in time::strips(chart).into_iter().flat_map(|alert| &alert.spans).filter(|span| span.firing) {
        let column = frame.cell_of(chart, span.from);
        let places = [Some(column), column.checked_add(1), column.checked_sub(1)];
        labels.put_high(buffer, &places, ("!", theme.bad));
    }
    // The newest deploy is what people look for.
    for (column, release) in marks().rev() {
        let number = release.to_string();
        let places = [column.checked_add(1), column.checked_sub(number.width())];
        labels.put_high(buffer, &places, (number.as_str(), theme.mark));
    }
    for (row, name, style) in thresholds {
        let last = frame.size().0.saturating_sub(name.width());
        labels.put(buffer, *row, &mut (0..=last).rev(), (*name, *style));
    }
}

impl Labels<'_> {
    /// Writes a text at one of these places in the first row that has room for it.
    fn put_high(&mut self, buffer: &mut Buffer, places: &[Option<usize>], label: (&str, Style)) {
        for row in 0..HIGH {
            if self.put(buffer, row, &mut places.iter().copied().flatten(), label) {
                return;
            }
        }
    }

    /// Writes a text at the first of these places where nothing is, else at the first where only a curve is; false if there
    /// is none.
    fn put(
        &mut self,
        buffer: &mut Buffer,
        row: usize,
        places: &mut dyn Iterator<Item = usize>,
        (text, style): (&str, Style),
    ) -> bool {
        let (width, height) = self.frame.size();
        let cells = text.width();
        let fits = |begin: &usize| begin + cells <= width && row < height && self.is_clear(row, *begin, begin + cells);
        let fitting: Vec<usize> = places.filter(fits).collect();
        let free = fitting.iter().find(|begin| self.is_blank(buffer, row, **begin, **begin + cells));
        let Some(begin) = free.or(fitting.first()).copied() else { return false };
        put_at(buffer, self.frame.plot, begin, row, &Line::from(Span::styled(text, style)));
        self.placed.push((row, begin, begin + cells));
        true
    }

    /// Whether neither a label nor a line is there; between two labels there is a blank.
    fn is_clear(&self, row: usize, begin: usize, end: usize) -> bool {
        let meets = |(placed, from, to): &(usize, usize, usize)| *placed == row && begin <= *to && *from <= end;
        !self.lines.iter().any(|line| (begin..end).contains(line)) && !self.placed.iter().any(meets)
    }

    /// Whether no curve is there: what is there is blank, or a line of a threshold.
    fn is_blank(&self, buffer: &Buffer, row: usize, begin: usize, end: usize) -> bool {
        let plot = self.frame.plot;
        let symbol = |column: usize| {
            let place =
                (u16::try_from(column).ok()?.checked_add(plot.x)?, u16::try_from(row).ok()?.checked_add(plot.y)?);
            buffer.cell(place).map(ratatui::buffer::Cell::symbol)
        };
        (begin..end)
            .all(|column| symbol(column).is_some_and(|sign| [" ", self.chart.model.glyphs.threshold].contains(&sign)))
    }
}
