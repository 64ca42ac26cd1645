//! Metrics: every panel in a grid, or one of them alone, or one after two deploys.

mod comparison;
pub(super) mod delivery;
pub(super) mod explorer;
mod head;
pub(super) mod pick;

#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::layout;
use crate::tui::mouse::Target;
use crate::tui::widgets::text::{paragraph, put, sanitize};
use crate::tui::widgets::{alert_line, chart, pane};

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
    let parts = layout::metrics(model, body);
    head::draw(model, frame, parts.head);
    chart::draw_alerts_alone(model, frame.buffer_mut(), parts.alone);
    if let Some((place, line)) = parts.alerts.zip(alert_line::line(model, usize::from(body.width))) {
        put(frame.buffer_mut(), place, 0, &line);
    }
    if let Some((place, told)) = parts.delivery.zip(charts.delivery.as_ref()) {
        delivery::draw(model, frame, place, told);
    }
    // While an alert is chosen, the keys are in its line.
    let has_keys = model.alert.is_none();
    if model.is_zoomed {
        if let Some(panel) = charts.panels.get(model.metrics.selected) {
            chart::draw(model, frame.buffer_mut(), parts.charts, panel, has_keys);
        }
        return;
    }
    for (index, place) in layout::charts(parts.charts, charts.panels.len(), model.metrics.selected) {
        if let Some(panel) = charts.panels.get(index) {
            model.hits.add(place, Target::Chart(index));
            chart::draw(model, frame.buffer_mut(), place, panel, has_keys && index == model.metrics.selected);
        }
    }
}

fn empty(model: &Model, frame: &mut Frame, body: Rect) {
    let text = match (&model.metrics.error, &model.live.scraped) {
        (Some(error), _) => sanitize(error),
        (None, Some(Err(error))) => format!("the app was not scraped: {}", sanitize(error)),
        (None, _) if model.state.live.is_none() => {
            let key = key_of(model, Action::RunAll);
            format!("nothing to measure yet: charts begin when the first release is live; press {key} on the Board")
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
