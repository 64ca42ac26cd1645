//! Metrics: every panel in a grid, or one of them alone, or one after two deploys.

mod comparison;
mod delivery;
pub(super) mod explorer;
mod head;

#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::Model;
use crate::tui::layout;
use crate::tui::widgets::text::{paragraph, put, sanitize};
use crate::tui::widgets::{chart, pane};

/// Rows from which on there is room for the figures of delivery.
const DELIVERY_FROM: u16 = 19;

/// Draws the view.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    if let Some(compared) = &model.metrics.compared {
        comparison::draw(model, frame, body, compared);
        return;
    }
    let charts = &model.metrics.charts;
    if charts.panels.is_empty() {
        empty(model, frame, body);
        return;
    }
    let strip = Rect { height: 1, ..body };
    head::draw(model, frame, strip);
    let mut area = Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
    if let Some(told) = charts.delivery.as_ref().filter(|_| body.height >= DELIVERY_FROM) {
        area.height -= 1;
        delivery::draw(model, frame, Rect { y: area.y + area.height, height: 1, ..body }, told);
    }
    if model.is_zoomed {
        if let Some(panel) = charts.panels.get(model.metrics.selected) {
            chart::draw(model, frame.buffer_mut(), area, panel, true);
        }
        return;
    }
    for (index, place) in layout::charts(area, charts.panels.len(), model.metrics.selected) {
        if let Some(panel) = charts.panels.get(index) {
            chart::draw(model, frame.buffer_mut(), place, panel, index == model.metrics.selected);
        }
    }
}

fn empty(model: &Model, frame: &mut Frame, body: Rect) {
    let text = match (&model.metrics.error, &model.live.scraped) {
        (Some(error), _) => sanitize(error),
        (None, Some(Err(error))) => format!("the app was not scraped: {}", sanitize(error)),
        (None, _) if model.state.live.is_none() => {
            "nothing to measure yet: charts begin when the first release is live; press r on the Board".to_owned()
        }
        (None, None) => "waiting for the first scrape of the app".to_owned(),
        (None, Some(Ok(_))) => "the app was scraped and says nothing that could be drawn; e shows every metric, and \
                                [[monitor.panels]] in trainyard.toml says what to draw"
            .to_owned(),
    };
    say(model, frame, body, "Metrics", &text);
}

/// A sentence in a frame of its own.
fn say(model: &Model, frame: &mut Frame, body: Rect, heading: &str, text: &str) {
    let inner = pane::draw(model, frame.buffer_mut(), body, true, heading, "");
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    for (row, text) in paragraph(text, usize::from(inner.width), 3, model.glyphs.cut).into_iter().enumerate() {
        put(frame.buffer_mut(), inner, row, &Line::from(Span::styled(text, model.theme.dim)));
    }
}
