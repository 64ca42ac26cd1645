//! Tables whose columns give way where it is narrow: the least important is left out first, one takes what is left. Of a list
//! whose rows are known, columns are no wider than what stands in them needs, so that more is left for that one.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::text::{cut, cut_front, padded};
use crate::tui::app::Model;
use crate::tui::detail_text;

/// Cells with which the column that takes the rest tells enough: what it needs beyond them, others may have.
const ENOUGH: usize = 40;

/// How a column uses its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Fill {
    /// Text at the left.
    Left,
    /// Text at the left, in as many cells as the longest text needs, up to so many in all. Those beyond the width of the column
    /// are what the column that takes the rest does not need.
    Grows(usize),
    /// Numbers at the right.
    Right,
    /// Text at the left, in all cells that no other column needs.
    Rest,
    /// As `Rest`, but of a text that is too long the end is kept: names of pods differ there.
    RestKeepsEnd,
}

impl Fill {
    fn takes_rest(self) -> bool {
        matches!(self, Self::Rest | Self::RestKeepsEnd)
    }
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(in crate::tui) struct Column {
    /// What stands above it.
    pub(in crate::tui) heading: &'static str,
    /// Its cells, or the fewest of them in which a long text tells something.
    pub(in crate::tui) width: usize,
    /// How it uses them.
    pub(in crate::tui) fill: Fill,
    /// The highest is left out first where there is no room; what has 0 always stays.
    pub(in crate::tui) rank: u8,
}

/// A column that has room.
#[derive(Debug, Clone, Copy)]
struct Placed {
    /// Its place among the cells of a row.
    index: usize,
    column: Column,
    width: usize,
    /// Blanks before it.
    gap: usize,
}

/// The columns that have room.
#[derive(Debug, Clone)]
pub(in crate::tui) struct Table {
    columns: Vec<Placed>,
}

impl Table {
    /// Those of `columns` that fit into `width` cells.
    pub(in crate::tui) fn fit(columns: &[Column], width: usize) -> Self {
        let mut placed = kept(columns, width, &[]);
        let spare = width.saturating_sub(needed(&placed));
        give_rest(&mut placed, spare);
        Self { columns: placed }
    }

    /// As [`Table::fit`], for rows whose longest text in each column takes `longest` cells; that is asked of columns that grow
    /// and of the one that takes the rest. Where nothing is cut for it, columns stand further apart.
    pub(in crate::tui) fn fit_to(columns: &[Column], width: usize, longest: &[usize]) -> Self {
        let mut placed = kept(columns, width, longest);
        let missing = needed(&placed).saturating_sub(width);
        for place in placed.iter_mut().filter(|place| place.column.fill.takes_rest()) {
            place.width = place.width.saturating_sub(missing);
        }
        let mut spare = width.saturating_sub(needed(&placed));
        let rest = placed.iter().find(|place| place.column.fill.takes_rest());
        let rest = rest.map(|place| (known(longest, place.index), place.width));
        let lacking = |most: usize| rest.map_or(0, |(longest, width)| longest.min(most).saturating_sub(width));
        // A text behind another would read as one sentence with it.
        let last = placed.iter_mut().skip(1).find(|place| place.column.fill.takes_rest() && spare > 0);
        if let Some(last) = last {
            last.gap += 1;
            spare -= 1;
        }
        for place in &mut placed {
            if let Fill::Grows(most) = place.column.fill {
                let wanted = known(longest, place.index).min(most).saturating_sub(place.width);
                let more = wanted.min(spare.saturating_sub(lacking(ENOUGH)));
                place.width += more;
                spare -= more;
            }
        }
        let gaps = placed.iter().filter(|place| place.gap == 1).count();
        if spare >= lacking(usize::MAX).saturating_add(gaps) {
            for place in placed.iter_mut().filter(|place| place.gap == 1) {
                place.gap += 1;
            }
            spare -= gaps;
        }
        give_rest(&mut placed, spare);
        Self { columns: placed }
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
        let cells = self.columns.iter().map(|place| {
            let fill = if place.column.fill == Fill::RestKeepsEnd { Fill::Rest } else { place.column.fill };
            let sign = sorted.filter(|(column, _)| *column == place.index).map_or("", |(_, sign)| sign);
            // The sign is what matters where there is no room for both.
            let heading = cut(place.column.heading, place.width.saturating_sub(sign.width()), cut_sign);
            (place.gap, fitted(&format!("{heading}{sign}"), place.width, fill, cut_sign), style)
        });
        joined(cells)
    }

    /// Where the cells of a column begin and how many there are, if it has room: for what is no text.
    pub(in crate::tui) fn place(&self, wanted: usize) -> Option<(usize, usize)> {
        let mut begin = 0;
        for place in &self.columns {
            begin += place.gap;
            if place.index == wanted {
                return Some((begin, place.width));
            }
            begin += place.width;
        }
        None
    }

    /// A row of one cell a column, those included that have no room.
    pub(in crate::tui) fn row(&self, cells: &[(String, Style)], cut_sign: &str) -> Line<'static> {
        let cells = self.columns.iter().filter_map(|place| {
            let (text, style) = cells.get(place.index)?;
            Some((place.gap, fitted(text, place.width, place.column.fill, cut_sign), *style))
        });
        joined(cells)
    }

    /// As [`Table::row`], of a table in a detail: the text of the column that takes the rest has as many rows as it needs.
    pub(in crate::tui) fn whole_row(&self, model: &Model, cells: &[(String, Style)]) -> Vec<Line<'static>> {
        let mut first = cells.to_vec();
        let mut further = Vec::new();
        if let Some(place) = self.columns.iter().find(|place| place.column.fill == Fill::Rest)
            && let Some((text, style)) = first.get_mut(place.index)
        {
            let (begin, _) = self.place(place.index).unwrap_or_default();
            let mut texts = detail_text::paragraph(model, text, place.width, usize::MAX).into_iter();
            *text = texts.next().unwrap_or_default();
            further
                .extend(texts.map(|text| Line::from(vec![Span::raw(" ".repeat(begin)), Span::styled(text, *style)])));
        }
        std::iter::once(self.row(&first, model.glyphs.cut)).chain(further).collect()
    }
}

/// The columns that fit, each with the fewest cells that it can have.
fn kept(columns: &[Column], width: usize, longest: &[usize]) -> Vec<Placed> {
    let fewest = |index: usize, column: Column| match column.fill {
        // The heading may bear a sign.
        Fill::Grows(_) => known(longest, index).max(column.heading.width() + 1).min(column.width),
        Fill::Left | Fill::Right | Fill::Rest | Fill::RestKeepsEnd => column.width,
    };
    let columns = columns.iter().copied().enumerate();
    let mut kept: Vec<Placed> =
        columns.map(|(index, column)| Placed { index, column, width: fewest(index, column), gap: 1 }).collect();
    while needed(&kept) > width {
        let droppable = kept.iter().filter(|place| place.column.rank > 0);
        let Some(worst) = droppable.max_by_key(|place| place.column.rank).map(|place| place.index) else { break };
        kept.retain(|place| place.index != worst);
    }
    if let Some(first) = kept.first_mut() {
        first.gap = 0;
    }
    kept
}

/// The cells of the longest text in a column; of an unknown one it may be any.
fn known(longest: &[usize], index: usize) -> usize {
    longest.get(index).copied().unwrap_or(usize::MAX)
}

fn needed(columns: &[Placed]) -> usize {
    columns.iter().map(|place| place.width + 1).sum::<usize>().saturating_sub(1)
}

fn give_rest(columns: &mut [Placed], spare: usize) {
    for place in columns.iter_mut().filter(|place| place.column.fill.takes_rest()) {
        place.width += spare;
    }
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

fn joined(cells: impl Iterator<Item = (usize, String, Style)>) -> Line<'static> {
    let mut line = Line::default();
    for (gap, text, style) in cells {
        if gap > 0 {
            line.push_span(Span::raw(" ".repeat(gap)));
        }
        line.push_span(Span::styled(text, style));
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    /// As in a list: who, how, and why.
    const GROWING: [Column; 3] = [
        Column { heading: "by", width: 6, fill: Fill::Grows(12), rank: 1 },
        Column { heading: "how", width: 6, fill: Fill::Left, rank: 0 },
        Column { heading: "why", width: 10, fill: Fill::Rest, rank: 0 },
    ];

    /// The places of the columns where these are the longest texts of the first and the last.
    fn places(width: usize, by: usize, why: usize) -> [Option<(usize, usize)>; 3] {
        let table = Table::fit_to(&GROWING, width, &[by, 0, why]);
        [0, 1, 2].map(|column| table.place(column))
    }

    #[test]
    fn a_column_that_grows_is_no_wider_than_what_stands_in_it_nor_than_its_most() {
        let width = |by| places(100, by, 20)[0].map(|(_, width)| width);
        assert_eq!([0, 4, 9, 12, 80].map(width), [3, 4, 9, 12, 12].map(Some), "its heading and a sign always fit");
    }

    #[test]
    fn the_last_column_has_what_it_needs_before_another_grows_but_no_more_than_enough() {
        let widths = |width, by, why| places(width, by, why).map(|place| place.map(|(_, width)| width));
        assert_eq!(widths(33, 12, 18), [6, 6, 18].map(Some));
        assert_eq!(widths(36, 12, 18), [9, 6, 18].map(Some));
        assert_eq!(widths(61, 12, 200), [12, 6, 40].map(Some));
        assert_eq!(widths(24, 3, 18), [3, 6, 12].map(Some), "what one does not need the other has");
        assert_eq!(widths(22, 12, 18), [None, Some(6), Some(14)]);
        assert_eq!(widths(22, 3, 18), [3, 6, 10].map(Some), "a column that needs little stays");
        assert_eq!(widths(12, 3, 18), [None, Some(6), Some(5)], "what is cut says so");
    }

    #[test]
    fn the_last_column_stands_apart_and_the_others_do_where_nothing_is_cut_for_it() {
        let begins = |width| places(width, 6, 18).map(|place| place.map(|(begin, _)| begin));
        assert_eq!(begins(24), [0, 7, 14].map(Some), "there is no cell for it");
        assert_eq!(begins(25), [0, 7, 15].map(Some));
        assert_eq!(begins(33), [0, 7, 15].map(Some), "it would cost the last column a cell");
        assert_eq!(begins(34), [0, 8, 16].map(Some));
    }

    #[test]
    fn in_a_detail_the_text_that_takes_the_rest_has_the_rows_that_it_needs() {
        let model = crate::tui::fixtures::idle();
        let table = Table::fit(&GROWING, 24);
        let rows = |why: &str| -> Vec<String> {
            let cells = ["mina", "by key", why].map(|text| (text.to_owned(), Style::default()));
            table.whole_row(&model, &cells).iter().map(Line::to_string).collect()
        };
        assert_eq!(rows("too slow"), ["mina   by key too slow  "]);
        assert_eq!(
            rows("200 trees of 31 leaves"),
            ["mina   by key 200 trees ", "              of 31", "              leaves"]
        );
    }

    proptest! {
        #[test]
        fn no_row_is_wider_than_the_table_where_its_columns_have_room(
            width in 8_usize..150,
            by in 0_usize..60,
            why in 0_usize..200,
        ) {
            let table = Table::fit_to(&GROWING, width, &[by, 0, why]);
            let cells = [by, 6, why].map(|length| ("x".repeat(length), Style::default()));
            prop_assert_eq!(table.row(&cells, "…").width(), width);
            prop_assert_eq!(table.heading(Style::default(), "…").width(), width);
        }
    }
}
