//! Tables whose columns give way where it is narrow: the least important is left out first, one takes what is left.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::text::{cut, cut_front, padded};

/// How a column uses its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Fill {
    /// Text at the left.
    Left,
    /// Text at the left, and of what no column needs up to so many cells in all, before the column that takes the rest.
    Grows(usize),
    /// Numbers at the right.
    Right,
    /// Text at the left, in all cells that no other column needs.
    Rest,
    /// As `Rest`, but of a text that is too long the end is kept: names of pods differ there.
    RestKeepsEnd,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(in crate::tui) struct Column {
    /// What stands above it.
    pub(in crate::tui) heading: &'static str,
    /// Its cells, or the fewest of them.
    pub(in crate::tui) width: usize,
    /// How it uses them.
    pub(in crate::tui) fill: Fill,
    /// The highest is left out first where there is no room; what has 0 always stays.
    pub(in crate::tui) rank: u8,
}

/// The columns that have room, each with its place among the cells of a row and its width.
#[derive(Debug, Clone)]
pub(in crate::tui) struct Table {
    columns: Vec<(usize, Column, usize)>,
}

impl Table {
    /// Those of `columns` that fit into `width` cells.
    pub(in crate::tui) fn fit(columns: &[Column], width: usize) -> Self {
        let mut kept: Vec<(usize, Column)> = columns.iter().copied().enumerate().collect();
        while needed(&kept) > width {
            let droppable = kept.iter().filter(|(_, column)| column.rank > 0);
            let Some(worst) = droppable.max_by_key(|(_, column)| column.rank).map(|(index, _)| *index) else { break };
            kept.retain(|(index, _)| *index != worst);
        }
        let mut spare = width.saturating_sub(needed(&kept));
        let mut columns: Vec<(usize, Column, usize)> =
            kept.into_iter().map(|(index, column)| (index, column, column.width)).collect();
        for (_, column, width) in &mut columns {
            if let Fill::Grows(most) = column.fill {
                // Half of what is left stays for the others.
                let more = most.saturating_sub(*width).min(spare.div_ceil(2));
                *width += more;
                spare -= more;
            }
        }
        for (_, column, width) in &mut columns {
            if matches!(column.fill, Fill::Rest | Fill::RestKeepsEnd) {
                *width += spare;
            }
        }
        Self { columns }
    }

    /// The row of headings.
    pub(in crate::tui) fn heading(&self, style: Style, cut_sign: &str) -> Line<'static> {
        self.sorted_heading(style, cut_sign, None)
    }

    /// The row of headings, of which one bears the sign of the direction in which the rows are sorted by it.
    pub(in crate::tui) fn sorted_heading(
        &self,
        style: Style,
        cut_sign: &str,
        sorted: Option<(usize, &str)>,
    ) -> Line<'static> {
        let cells = self.columns.iter().map(|(index, column, width)| {
            let fill = if column.fill == Fill::RestKeepsEnd { Fill::Rest } else { column.fill };
            let sign = sorted.filter(|(column, _)| column == index).map_or("", |(_, sign)| sign);
            // The sign is what matters where there is no room for both.
            let heading = cut(column.heading, width.saturating_sub(sign.width()), cut_sign);
            (fitted(&format!("{heading}{sign}"), *width, fill, cut_sign), style)
        });
        joined(cells)
    }

    /// Where the cells of a column begin and how many there are, if it has room: for what is no text.
    pub(in crate::tui) fn place(&self, wanted: usize) -> Option<(usize, usize)> {
        let mut begin = 0;
        for (index, _, width) in &self.columns {
            if *index == wanted {
                return Some((begin, *width));
            }
            begin += width + 1;
        }
        None
    }

    /// A row of one cell a column, those included that have no room.
    pub(in crate::tui) fn row(&self, cells: &[(String, Style)], cut_sign: &str) -> Line<'static> {
        let cells = self.columns.iter().filter_map(|(index, column, width)| {
            let (text, style) = cells.get(*index)?;
            Some((fitted(text, *width, column.fill, cut_sign), *style))
        });
        joined(cells)
    }
}

fn needed(columns: &[(usize, Column)]) -> usize {
    columns.iter().map(|(_, column)| column.width + 1).sum::<usize>().saturating_sub(1)
}

fn fitted(text: &str, width: usize, fill: Fill, cut_sign: &str) -> String {
    match fill {
        Fill::Left | Fill::Grows(_) | Fill::Rest => padded(text, width, cut_sign),
        Fill::RestKeepsEnd => padded(&cut_front(text, width, cut_sign), width, cut_sign),
        Fill::Right => {
            let text = cut(text, width, cut_sign);
            let blanks = " ".repeat(width.saturating_sub(text.width()));
            format!("{blanks}{text}")
        }
    }
}

fn joined(cells: impl Iterator<Item = (String, Style)>) -> Line<'static> {
    let mut line = Line::default();
    for (index, (text, style)) in cells.enumerate() {
        if index > 0 {
            line.push_span(Span::raw(" "));
        }
        line.push_span(Span::styled(text, style));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column { heading: "name", width: 6, fill: Fill::RestKeepsEnd, rank: 0 },
        Column { heading: "count", width: 5, fill: Fill::Right, rank: 1 },
        Column { heading: "node", width: 8, fill: Fill::Left, rank: 2 },
        Column { heading: "state", width: 5, fill: Fill::Left, rank: 0 },
    ];

    fn row(width: usize) -> String {
        let cells = ["pod-1234-겨울", "7", "node-1", "ready"].map(|text| (text.to_owned(), Style::default()));
        Table::fit(&COLUMNS, width).row(&cells, "…").to_string()
    }

    #[test]
    fn the_least_important_column_is_left_out_first() {
        assert_eq!(row(27), "…-겨울     7 node-1   ready");
        assert_eq!(row(26), "pod-1234-겨울      7 ready");
        assert_eq!(row(12), "…-겨울 ready");
        assert_eq!(row(3), "…-겨울 ready", "what always stays is cut by whoever draws it");
    }

    #[test]
    fn the_heading_by_which_rows_are_sorted_bears_a_sign_also_where_it_is_narrow() {
        let table = Table::fit(&COLUMNS, 27);
        let heading = |sorted| table.sorted_heading(Style::default(), "…", sorted).to_string();
        assert_eq!(heading(None), "name   count node     state");
        assert_eq!(heading(Some((2, "↓"))), "name   count node↓    state");
        assert_eq!(heading(Some((1, "↑"))), "name   cou…↑ node     state");
    }

    #[test]
    fn the_place_of_a_column_is_where_its_cells_are() {
        let table = Table::fit(&COLUMNS, 27);
        assert_eq!(table.place(2), Some((13, 8)));
        assert_eq!(Table::fit(&COLUMNS, 12).place(2), None, "it has no room");
    }

    #[test]
    fn spare_cells_go_to_one_column() {
        assert_eq!(row(34), "pod-1234-겨울     7 node-1   ready");
    }

    #[test]
    fn a_column_that_grows_does_so_up_to_its_most_and_leaves_half_of_what_is_spare() {
        let columns = [
            Column { heading: "by", width: 4, fill: Fill::Grows(8), rank: 0 },
            Column { heading: "why", width: 3, fill: Fill::Rest, rank: 0 },
        ];
        let widths = |width| {
            let table = Table::fit(&columns, width);
            [0, 1].map(|column| table.place(column).unwrap().1)
        };
        assert_eq!(widths(8), [4, 3]);
        assert_eq!(widths(12), [6, 5]);
        assert_eq!(widths(40), [8, 31]);
    }
}
