//! The rows of which the parts of a detail are made: sentences, facts with a label, bars, and the numbers in them.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::tui::app::Model;
use crate::tui::detail_text;
use crate::tui::quantity::{self, cell, real};
use crate::tui::widgets::text::{padded, sanitize};

/// Cells of a label.
const LABEL: usize = 10;
/// Rows that one text may take.
const LONGEST: usize = 24;

/// A metric, which is worth telling to a thousandth.
pub(super) fn number(value: f64) -> String {
    if value.is_finite() && value.abs() < 100.0 && !(1e-300..0.000_5).contains(&value.abs()) {
        format!("{value:.3}")
    } else {
        quantity::value(value)
    }
}

/// A change of one.
pub(super) fn signed(value: f64) -> String {
    if value.is_finite() && value.abs() < 100.0 {
        format!("{value:+.4}")
    } else {
        format!("{}{}", if value > 0.0 { "+" } else { "" }, quantity::value(value))
    }
}

/// The share of a part in a whole; 0 of nothing.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    // What is beyond 32 bits is dropped from both, which no screen can show.
    let shift = (u64::BITS - whole.leading_zeros()).saturating_sub(u32::BITS);
    let real = |number: u64| f64::from(u32::try_from(number >> shift).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { real(part) / real(whole) }
}

/// A row that may be overlooked.
pub(in crate::tui::views) fn dim(model: &Model, text: &str) -> Line<'static> {
    Line::from(Span::styled(text.to_owned(), model.theme.dim))
}

/// A heading within a detail.
pub(in crate::tui::views) fn heading(model: &Model, text: &str) -> Line<'static> {
    Line::from(Span::styled(text.to_owned(), model.theme.title))
}

/// A text in as many rows as it needs.
pub(in crate::tui::views) fn sentence(model: &Model, text: &str, style: Style, width: usize) -> Vec<Line<'static>> {
    let texts = detail_text::paragraph(model, &sanitize(text), width, LONGEST);
    texts.into_iter().map(|text| Line::from(Span::styled(text, style))).collect()
}

/// A text behind what it is about.
pub(in crate::tui::views) fn labelled(
    model: &Model,
    label: &str,
    text: &str,
    style: Style,
    width: usize,
) -> Vec<Line<'static>> {
    let room = width.saturating_sub(LABEL + 1).max(8);
    let texts = detail_text::paragraph(model, &sanitize(text), room, LONGEST);
    texts
        .into_iter()
        .enumerate()
        .map(|(row, text)| {
            let label = padded(if row == 0 { label } else { "" }, LABEL, model.glyphs.cut);
            let label = Span::styled(format!("{label} "), model.theme.dim);
            Line::from(vec![label, Span::styled(text, style)])
        })
        .collect()
}

/// A bar of `width` cells, of which this share is full.
pub(super) fn bar(model: &Model, share: f64, width: usize) -> [Span<'static>; 2] {
    let full = cell(share * real(width), width);
    let [.., sign] = model.glyphs.heat;
    [Span::styled(sign.repeat(full), model.theme.series(0)), Span::raw(" ".repeat(width - full))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    #[test]
    fn shares_of_any_size_are_shares() {
        assert_eq!((share(1, 4).to_bits(), share(0, 0).to_bits()), (0.25_f64.to_bits(), 0.0_f64.to_bits()));
        assert!((share(u64::MAX / 2, u64::MAX) - 0.5).abs() < 1e-6);
        assert!(share(5_000_000_000, 4) >= 1.0, "what is greater than the whole is no crash");
    }

    #[test]
    fn numbers_are_told_to_a_thousandth() {
        let texts: Vec<_> = [0.712_4, 0.0, 0.000_2, 1_234.0, f64::NAN, -1.5].map(number).into();
        assert_eq!(texts, ["0.712", "0.000", "2.0e-4", "1234", "–", "-1.500"]);
        assert_eq!(
            (signed(0.011), signed(-0.5), signed(1e6)),
            ("+0.0110".to_owned(), "-0.5000".to_owned(), "+1M".to_owned())
        );
    }

    #[test]
    fn a_label_stands_before_the_first_row_only() {
        let model = fixtures::empty();
        let rows = labelled(&model, "gate", "one two three four five", model.theme.text, 20);
        let texts: Vec<_> = rows.iter().map(Line::to_string).collect();
        assert_eq!(texts, ["gate       one two", "           three", "           four five"]);
    }
}
