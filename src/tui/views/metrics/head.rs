//! The line above the panels: which stretch of time, what the marks mean, and what went wrong.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::api::types::AlertStrip;
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::layout;
use crate::tui::widgets::text::{cut, put_fitted, put_right, sanitize};

/// Draws the line.
pub(super) fn draw(model: &Model, frame: &mut Frame, strip: Rect) {
    let theme = &model.theme;
    let metrics = &model.metrics;
    let mut line = Line::from(Span::styled(format!(" {}", stretch(model)), theme.title));
    line.push_span(Span::styled(format!(" {} ", model.glyphs.dot), theme.border));
    let (word, style) = match (metrics.end, model.past_moment()) {
        _ if model.is_frozen => ("frozen".to_owned(), theme.warn),
        (Some(_), None) => ("looking back, Esc to the present".to_owned(), theme.warn),
        (Some(_), Some(at)) => (format!("looking back, Esc to {}", model.clock.time(at)), theme.warn),
        (None, Some(_)) => (format!("the past, {} to the present", key_of(model, Action::Now)), theme.warn),
        (None, None) => ("live".to_owned(), theme.good),
    };
    line.push_span(Span::styled(word, style));
    if let Some(text) = charts_shown(model) {
        line.push_span(Span::styled(format!(" {} ", model.glyphs.dot), theme.border));
        line.push_span(Span::styled(text, theme.text));
    }
    let deploys = (!metrics.charts.marks.is_empty()).then_some((model.glyphs.mark, "a deploy, with its release"));
    let runs = (!metrics.charts.runs.is_empty()).then_some((model.glyphs.run_mark, "a run"));
    let has_fired = |alert: &AlertStrip| !alert.panels.is_empty() && alert.spans.iter().any(|span| span.firing);
    let alerts = metrics.charts.alerts.iter().any(has_fired).then_some(("!", "an alert fires"));
    for (sign, meaning) in deploys.into_iter().chain(runs).chain(alerts) {
        line.push_span(Span::styled(format!("   {sign} "), theme.mark));
        line.push_span(Span::styled(meaning, theme.dim));
    }
    put_fitted(frame.buffer_mut(), strip, (0, 0), &line, model.glyphs.cut);
    let room = usize::from(strip.width).saturating_sub(line.width() + 3);
    let hint = "[ ] range  < > back and forward  left, right: crosshair";
    let (text, style) = match trouble(model) {
        Some(trouble) => (cut(&trouble, room, model.glyphs.cut), theme.warn),
        // Half a hint helps nobody, half a trouble does.
        None if hint.len() > room => return,
        None => (hint.to_owned(), theme.dim),
    };
    put_right(frame.buffer_mut(), strip, 0, &Line::from(Span::styled(format!("{text} "), style)));
}

/// Which of the charts are on the screen, where not all are, and how to get on.
fn charts_shown(model: &Model) -> Option<String> {
    let all = model.metrics.charts.panels.len();
    let shown = layout::shown_charts(model);
    let (first, last) = (shown.first()?.0 + 1, shown.last()?.0 + 1);
    if shown.len() >= all {
        return None;
    }
    if first == last {
        return Some(format!("chart {first} of {all}"));
    }
    let more = if last < all { format!(", {} for more", key_of(model, Action::Page(1))) } else { String::new() };
    Some(format!("charts {first}-{last} of {all}{more}"))
}

/// The stretch of time in words.
fn stretch(model: &Model) -> String {
    let metrics = &model.metrics;
    match model.charts_end() {
        None => metrics.range_text(),
        Some(end) => format!("{} until {}", metrics.range_name(), model.clock.when(end, model.now)),
    }
}

fn trouble(model: &Model) -> Option<String> {
    match (&model.metrics.error, &model.live.scraped) {
        (Some(error), _) => Some(sanitize(error)),
        (None, Some(Err(error))) => Some(format!("last scrape: {}", sanitize(error))),
        (None, _) => None,
    }
}
