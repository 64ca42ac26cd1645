//! Metrics: every panel as a chart, or one of them alone.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::Model;
use crate::tui::layout;
use crate::tui::widgets::text::{paragraph, put, put_right, sanitize};
use crate::tui::widgets::{chart, pane};

/// Draws the view.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    let charts = &model.metrics.charts;
    if charts.panels.is_empty() {
        empty(model, frame, body);
        return;
    }
    let strip = Rect { height: 1, ..body };
    let area = Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
    head(model, frame, strip);
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

/// The range, the deploys in it, and what went wrong.
fn head(model: &Model, frame: &mut Frame, strip: Rect) {
    let theme = &model.theme;
    let mut line = Line::from(Span::styled(format!(" last {}", model.metrics.range_name()), theme.title));
    line.push_span(Span::styled("   [ shorter  ] longer", theme.dim));
    let deploys = model.metrics.charts.marks.len();
    if deploys > 0 {
        line.push_span(Span::styled(format!("   {} ", model.glyphs.mark), theme.mark));
        line.push_span(Span::styled("a deploy, with its release", theme.dim));
    }
    put(frame.buffer_mut(), strip, 0, &line);
    let trouble = match (&model.metrics.error, &model.live.scraped) {
        (Some(error), _) => Some(sanitize(error)),
        (None, Some(Err(error))) => Some(format!("last scrape: {}", sanitize(error))),
        (None, _) => None,
    };
    if let Some(trouble) = trouble {
        let room = usize::from(strip.width).saturating_sub(line.width() + 3);
        let text = crate::tui::widgets::text::cut(&trouble, room, model.glyphs.cut);
        put_right(frame.buffer_mut(), strip, 0, &Line::from(Span::styled(format!("{text} "), theme.warn)));
    }
}

fn empty(model: &Model, frame: &mut Frame, body: Rect) {
    let inner = pane::draw(model, frame.buffer_mut(), body, true, "Metrics", "");
    let text = match (&model.metrics.error, &model.live.scraped) {
        (Some(error), _) => sanitize(error),
        (None, Some(Err(error))) => format!("the app was not scraped: {}", sanitize(error)),
        (None, _) if model.state.live.is_none() => {
            "nothing to measure yet: charts begin when the first release is live; press r on the Board".to_owned()
        }
        (None, _) => "waiting for the first scrape of the app".to_owned(),
    };
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    for (row, text) in paragraph(&text, usize::from(inner.width), 3, model.glyphs.cut).into_iter().enumerate() {
        put(frame.buffer_mut(), inner, row, &Line::from(Span::styled(text, model.theme.dim)));
    }
}
