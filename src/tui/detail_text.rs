//! What a view tells in detail, row by row, as the last frame showed it: by `v` its rows are selected, and they are copied
//! whole. The views note them while they draw, as they note for the mouse what lies where; `update` asks.
//!
//! A view writes the rows of its detail by [`put`], which keeps the text of a row also where the pane is too narrow for it,
//! and breaks sentences by [`paragraph`], which keeps the sentence: no view has to know of selections for more than that.
//! Rows that a pane scrolled away are not there, for nobody sees them.

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

/// A sentence that was broken into rows.
#[derive(Debug, Clone)]
struct Sentence {
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
    /// The sentence with what stands before it, if these rows begin with it.
    fn found(&self, rows: &[Row]) -> Option<String> {
        let (first, others) = self.rows.split_first()?;
        let (begin, behind) = rows.split_first()?;
        let label = begin.text.strip_suffix(first.as_str())?;
        let goes_on = behind.len() >= others.len()
            && others.iter().zip(behind).all(|(wanted, row)| row.text.trim_start() == wanted.as_str());
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
    // What stands in one row as it is needs no help.
    if rows.first().is_some_and(|first| first != sentence) {
        let whole = sentence.to_owned();
        model.detail_text.sentences.borrow_mut().push(Sentence { rows: rows.clone(), whole });
    }
    rows
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
}
