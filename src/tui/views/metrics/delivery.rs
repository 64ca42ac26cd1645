//! How well releases are delivered, in one line: how often, how fast, how many went wrong, how soon that was mended.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::api::types::Delivery;
use crate::tui::app::Model;
use crate::tui::quantity;
use crate::tui::widgets::text::put_fitted;

/// The figures in the order of the line, and for the help what they mean.
pub(in crate::tui::views) const MEANINGS: [(&str, &str); 4] = [
    ("changes/day", "releases that went live in a day, rollbacks not counted"),
    ("lead time", "from new inputs to the release that has them, the middle one"),
    ("failed", "share that was rejected, or gone back from by an alert or a person"),
    ("restored in", "how long those served before that, the middle one"),
];

/// Draws the line.
pub(super) fn draw(model: &Model, frame: &mut Frame, strip: Rect, told: &Delivery) {
    let theme = &model.theme;
    let mut line = Line::from(Span::styled(format!(" delivery, {} d", told.over_days), theme.dim));
    let duration = |milliseconds: Option<u64>| milliseconds.map_or_else(|| "–".to_owned(), quantity::whole_duration);
    let values = [
        quantity::value(told.releases_per_day),
        duration(told.lead_time_ms),
        told.failure_rate.map_or_else(|| "–".to_owned(), quantity::percent),
        duration(told.restore_ms),
    ];
    for ((name, _), value) in MEANINGS.into_iter().zip(values) {
        line.push_span(Span::styled(format!(" {} ", model.glyphs.dot), theme.border));
        line.push_span(Span::styled(format!("{name} "), theme.dim));
        line.push_span(Span::styled(value, theme.title));
    }
    put_fitted(frame.buffer_mut(), strip, (0, 0), &line, model.glyphs.cut);
}
