//! What a view tells in detail, row by row, as the last frame showed it: by `v` its rows are selected, and they are copied
//! whole. The views note them while they draw, as they note for the mouse what lies where; `update` asks.
//!
//! A view writes the rows of its detail by [`put`], which keeps the text of a row also where the pane is too narrow for it,
//! and breaks sentences by [`paragraph`] and lines whose blanks count by [`wrapped`], which keep what was broken; rows that it
//! made one text of in another way it names by [`belong_together`]. No view has to know of selections for more than that.
//! Rows that a pane scrolled away are not there, for nobody sees them, but a text that begins on the screen is copied whole.

use std::cell::RefCell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use super::app::Model;
use super::quantity::small;
use super::selection::Lines;
use super::widgets::text;

/// A row of a detail.
#[derive(Debug, Clone)]
struct Row {
    place: Rect,
    text: String,
}

/// A text that was broken into rows.
#[derive(Debug, Clone)]
struct Sentence {
    /// Without the blanks behind them, and those behind the first without the blanks before them.
    rows: Vec<String>,
    whole: String,
}

/// What the last frame told in detail, in the order in which it was written.
#[derive(Debug, Clone, Default)]
pub(super) struct DetailText {
    rows: RefCell<Vec<Row>>,
    sentences: RefCell<Vec<Sentence>>,
}

impl DetailText {
    /// Forgets everything: a frame begins.
    pub(super) fn clear(&self) {
        self.rows.borrow_mut().clear();
        self.sentences.borrow_mut().clear();
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.rows.borrow().len()).unwrap_or(u64::MAX)
    }

    /// The text of rows `first` to `last`, the last one included; of a sentence whose first row is among them, all of it in
    /// one line.
    pub(super) fn between(&self, first: u64, last: u64) -> Vec<String> {
        let (rows, sentences) = (self.rows.borrow(), self.sentences.borrow());
        let end = index(last).saturating_add(1).min(rows.len());
        let mut texts = Vec::new();
        let mut at = index(first);
        while at < end {
            let rest = rows.get(at..).unwrap_or_default();
            let joined = sentences.iter().find_map(|sentence| Some((sentence.found(rest)?, sentence.rows.len())));
            let (text, length) =
                joined.unwrap_or_else(|| (rest.first().map(|row| row.text.clone()).unwrap_or_default(), 1));
            texts.push(text);
            at += length;
        }
        texts
    }
}

impl Sentence {
    /// Nothing where the whole stands in one row as it is, which needs no help.
    fn broken(rows: impl IntoIterator<Item = String>, whole: String) -> Option<Self> {
        let mut rows: Vec<String> = rows.into_iter().map(|row| row.trim_end().to_owned()).collect();
        for row in rows.iter_mut().skip(1) {
            *row = row.trim_start().to_owned();
        }
        rows.first().is_some_and(|first| *first != whole).then_some(Self { rows, whole })
    }

    /// The sentence with what stands before it, if these rows begin with it; where they end, the pane had no room for more.
    fn found(&self, rows: &[Row]) -> Option<String> {
        let (first, others) = self.rows.split_first()?;
        let (begin, behind) = rows.split_first()?;
        let label = begin.text.strip_suffix(first.as_str())?;
        let goes_on = others.iter().zip(behind).all(|(wanted, row)| row.text.trim_start() == wanted.as_str());
        goes_on.then(|| format!("{label}{}", self.whole))
    }
}

/// Writes `line` into row `row` of a detail in `area`, from column `column` on.
pub(super) fn put(model: &Model, buffer: &mut Buffer, area: Rect, (column, row): (usize, usize), line: &Line<'_>) {
    text::put_fitted(buffer, area, (column, row), line, model.glyphs.cut);
    if row < usize::from(area.height) {
        let place = Rect { y: area.y.saturating_add(small(row)), height: 1, ..area };
        let told = line.to_string();
        let text = format!("{}{}", " ".repeat(column), told.trim_end());
        model.detail_text.rows.borrow_mut().push(Row { place, text });
    }
}

/// As [`text::paragraph`], of a sentence in a detail.
pub(super) fn paragraph(model: &Model, sentence: &str, width: usize, limit: usize) -> Vec<String> {
    let rows = text::paragraph(sentence, width, limit, model.glyphs.cut);
    keep(model, rows.iter().cloned(), sentence.to_owned());
    rows
}

/// As [`text::wrap`], of a line in a detail whose blanks count, such as one of JSON.
pub(super) fn wrapped(model: &Model, line: &str, style: Style, width: usize, limit: usize) -> Vec<Line<'static>> {
    let rows = text::wrap(&text::styled(line, style), width, limit);
    belong_together(model, &rows, line);
    rows
}

/// Says of rows of a detail that they are one text, which is copied in their place.
pub(super) fn belong_together(model: &Model, rows: &[Line<'_>], whole: &str) {
    keep(model, rows.iter().map(Line::to_string), whole.trim_end().to_owned());
}

fn keep(model: &Model, rows: impl IntoIterator<Item = String>, whole: String) {
    model.detail_text.sentences.borrow_mut().extend(Sentence::broken(rows, whole));
}

/// Shows which rows are selected.
pub(super) fn highlight(model: &Model, buffer: &mut Buffer) {
    let Some(lines) = model.lines.as_ref().filter(|lines| lines.of == Lines::Detail(model.view)) else { return };
    let (first, last) = lines.range();
    let (first, last) = (index(first), index(last));
    for (number, row) in model.detail_text.rows.borrow().iter().enumerate() {
        if (first..=last).contains(&number) {
            buffer.set_style(row.place, Style::default().add_modifier(Modifier::REVERSED));
        }
    }
}

fn index(row: u64) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    #[test]
    fn rows_are_kept_whole_and_sentences_in_one_line() {
        let model = fixtures::empty();
        let area = Rect::new(0, 0, 12, 5);
        let mut buffer = Buffer::empty(area);
        put(&model, &mut buffer, area, (0, 0), &Line::from("image 3f2a91c, model 12  "));
        let reason = "the data changed since run 3, and more than that";
        let rows = paragraph(&model, reason, 10, 2);
        assert_eq!(rows.len(), 2, "{rows:?}");
        put(&model, &mut buffer, area, (2, 1), &Line::from(format!("why {}", rows[0])));
        put(&model, &mut buffer, area, (6, 2), &Line::from(rows[1].clone()));
        put(&model, &mut buffer, area, (0, 3), &Line::from("한국어"));
        put(&model, &mut buffer, area, (0, 5), &Line::from("below the pane"));
        let text = &model.detail_text;
        assert_eq!(text.rows(), 4);
        let why = format!("  why {reason}");
        assert_eq!(text.between(0, 9), ["image 3f2a91c, model 12", why.as_str(), "한국어"]);
        assert_eq!(text.between(1, 1), [why]);
        assert_eq!(text.between(2, 3)[1], "한국어", "who begins within a sentence gets the row as it is");
        assert_eq!(text.between(7, 9), Vec::<String>::new());
        text.clear();
        assert_eq!(text.rows(), 0);
    }

    #[test]
    fn a_line_whose_blanks_count_is_whole_also_where_its_end_is_below_the_pane() {
        let model = fixtures::empty();
        let json = r#"    "message": "the data  changed since run 3, and more","#;
        let copied = |height: u16| {
            model.detail_text.clear();
            let area = Rect::new(0, 0, 24, height);
            let mut buffer = Buffer::empty(area);
            let rows = wrapped(&model, json, Style::default(), 24, 12);
            assert_eq!(rows.len(), 3, "{rows:?}");
            for (row, line) in rows.iter().enumerate() {
                put(&model, &mut buffer, area, (0, row), line);
            }
            put(&model, &mut buffer, area, (0, rows.len()), &Line::from("  }"));
            (model.detail_text.rows(), model.detail_text.between(0, 9))
        };
        assert_eq!(copied(4), (4, vec![json.to_owned(), "  }".to_owned()]));
        assert_eq!(copied(2), (2, vec![json.to_owned()]));
    }
}
