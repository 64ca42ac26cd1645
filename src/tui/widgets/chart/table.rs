//! A row for each curve.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Chart, say_nothing, time};
use crate::api::types::Curve;
use crate::tui::detail_text;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{put_at, sanitize};

const COLUMNS: [Column; 7] = [
    Column { heading: "series", width: 10, fill: Fill::Rest, rank: 0 },
    Column { heading: "last", width: 10, fill: Fill::Right, rank: 0 },
    Column { heading: "", width: 4, fill: Fill::Left, rank: 1 },
    Column { heading: "at crosshair", width: 12, fill: Fill::Right, rank: 2 },
    Column { heading: "min", width: 10, fill: Fill::Right, rank: 4 },
    Column { heading: "mean", width: 10, fill: Fill::Right, rank: 5 },
    Column { heading: "max", width: 10, fill: Fill::Right, rank: 3 },
];

/// Draws the panel.
pub(super) fn draw(chart: &Chart<'_>, buffer: &mut Buffer, inner: Rect) {
    let curves = &chart.panel.curves;
    if curves.is_empty() {
        say_nothing(chart, buffer, inner);
        return;
    }
    let (theme, cut) = (&chart.model.theme, chart.model.glyphs.cut);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let table = Table::fit(&COLUMNS, usize::from(inner.width));
    detail_text::put(chart.model, buffer, inner, (0, 0), &table.heading(theme.dim, cut));
    let rows = usize::from(inner.height).saturating_sub(1);
    // The last row counts those that have none.
    let hidden = chart.panel.left_out + curves.len().saturating_sub(rows);
    let shown = if hidden > 0 { rows.saturating_sub(1) } else { rows };
    for (row, curve) in curves.iter().take(shown).enumerate() {
        let line = table.row(&cells(chart, row, curve), cut);
        detail_text::put(chart.model, buffer, inner, (0, row + 1), &line);
    }
    if hidden > 0 {
        let hidden = chart.panel.left_out + curves.len().saturating_sub(shown);
        let text = Line::from(Span::styled(format!("and {hidden} more"), theme.dim));
        put_at(buffer, inner, 0, usize::from(inner.height) - 1, &text);
    } else if let Some(cursor) = chart.cursor
        && curves.len() < rows
    {
        let text = format!("the crosshair is at {}", time::cursor_text(chart, cursor));
        put_at(buffer, inner, 0, usize::from(inner.height) - 1, &Line::from(Span::styled(text, theme.accent)));
    }
}

fn cells(chart: &Chart<'_>, series: usize, curve: &Curve) -> Vec<(String, Style)> {
    let theme = &chart.model.theme;
    let told = curve.statistics;
    let gap = || "–".to_owned();
    let figure = |value: Option<f64>| (value.map_or_else(gap, |value| chart.text(value)), theme.text);
    let last = told.and_then(|told| told.last);
    let verdict = last.and_then(|last| chart.verdict(last));
    let at = chart.cursor.map(|cursor| curve.points.get(cursor).copied().flatten());
    vec![
        (sanitize(&curve.label), theme.series(series)),
        (last.map_or_else(gap, |last| chart.text(last)), verdict.map_or(theme.title, |(_, style)| style)),
        verdict.map_or((String::new(), theme.text), |(word, style)| (word.to_owned(), style)),
        at.map_or((String::new(), theme.text), figure),
        figure(told.map(|told| told.min)),
        figure(told.map(|told| told.mean)),
        figure(told.map(|told| told.max)),
    ]
}
