//! What has to do with time: the axis below a plot, deploys, runs, alerts and the crosshair.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::frame::Frame;
use super::{AXIS_WIDTH, Chart};
use crate::api::types::{AlertSpan, AlertStrip, Charts};
use crate::pipeline::Moment;
use crate::tui::metrics::in_time;
use crate::tui::quantity::{self, cell, real};
use crate::tui::widgets::text::{cut, put_at, put_sign, sanitize};

/// The alerts that were on in this time and are about this panel.
pub(super) fn strips<'a>(chart: &Chart<'a>) -> Vec<&'a AlertStrip> {
    let charts: &'a Charts = chart.charts;
    let index = charts.panels.iter().position(|panel| std::ptr::eq(panel, chart.panel));
    let is_about = |alert: &AlertStrip| index.map_or(!alert.panels.is_empty(), |index| alert.panels.contains(&index));
    charts.alerts.iter().filter(|alert| !alert.spans.is_empty() && is_about(alert)).collect()
}

/// The alerts that were on in this time and that no panel is about.
pub(super) fn alone(charts: &Charts) -> Vec<&AlertStrip> {
    charts.alerts.iter().filter(|alert| !alert.spans.is_empty() && alert.panels.is_empty()).collect()
}

/// A line at each deploy, a sign at the foot of each run.
pub(super) fn draw_marks(chart: &Chart<'_>, buffer: &mut Buffer, frame: &Frame) {
    let (glyphs, theme) = (chart.model.glyphs, &chart.model.theme);
    let (_, height) = frame.size();
    for mark in &chart.charts.marks {
        let column = frame.cell_of(chart, mark.column);
        for row in 0..height {
            put_sign(buffer, frame.plot, column, row, glyphs.mark, theme.mark);
        }
    }
    let foot = height.saturating_sub(1);
    for run in &chart.charts.runs {
        put_sign(buffer, frame.plot, frame.cell_of(chart, run.column), foot, glyphs.run_mark, theme.dim);
    }
}

/// The line of the crosshair.
pub(super) fn draw_cursor(chart: &Chart<'_>, buffer: &mut Buffer, frame: &Frame) {
    let Some(cursor) = chart.cursor else { return };
    let (_, height) = frame.size();
    let column = frame.cell_of(chart, cursor);
    for row in 0..height {
        put_sign(buffer, frame.plot, column, row, chart.model.glyphs.cursor, chart.model.theme.accent);
    }
}

/// The strips of the alerts that are about the panel.
pub(super) fn draw_strips(chart: &Chart<'_>, buffer: &mut Buffer, frame: &Frame) {
    let (_, height) = frame.size();
    draw_rows(chart, buffer, frame, &strips(chart), height);
}

/// A row for each alert from row `first` on, or one for all of them where there is no more room.
pub(super) fn draw_rows(chart: &Chart<'_>, buffer: &mut Buffer, frame: &Frame, alerts: &[&AlertStrip], first: usize) {
    if frame.strips > 0 && frame.strips < alerts.len() {
        let name = format!("{} alerts", alerts.len());
        let spans = alerts.iter().flat_map(|alert| &alert.spans).copied().collect();
        draw_strip(chart, buffer, frame, first, &AlertStrip { name, spans, panels: Vec::new() });
        return;
    }
    for (row, alert) in alerts.iter().take(frame.strips).enumerate() {
        draw_strip(chart, buffer, frame, first + row, alert);
    }
}

fn draw_strip(chart: &Chart<'_>, buffer: &mut Buffer, frame: &Frame, row: usize, alert: &AlertStrip) {
    let (glyphs, theme) = (chart.glyphs(), &chart.model.theme);
    let fires = alert.spans.iter().any(|span| span.firing);
    let style = if fires { theme.bad } else { theme.warn };
    let (column, name) = strip_name(chart, frame, alert);
    put_at(buffer, frame.inner, column, row, &Line::from(Span::styled(name, style)));
    // What fires lies over what is pending.
    let (firing, pending): (Vec<&AlertSpan>, Vec<&AlertSpan>) = alert.spans.iter().partition(|span| span.firing);
    let strip = Rect { y: frame.inner.y, height: frame.inner.height, ..frame.plot };
    for span in pending.into_iter().chain(firing) {
        let (sign, style) = if span.firing { (glyphs.firing, theme.bad) } else { (glyphs.pending, theme.warn) };
        for column in frame.cell_of(chart, span.from)..=frame.cell_of(chart, span.to.max(span.from)) {
            put_sign(buffer, strip, column, row, sign, style);
        }
    }
}

/// The name of a strip and where it begins: before the strip or, if it is longer than the axis, in the blank part of the row
/// before the first span or behind the last; cut only where there is no such part.
fn strip_name(chart: &Chart<'_>, frame: &Frame, alert: &AlertStrip) -> (usize, String) {
    let name = sanitize(&alert.name);
    let width = name.width();
    let first = alert.spans.iter().map(|span| frame.cell_of(chart, span.from)).min().unwrap_or(0);
    if width < AXIS_WIDTH + first.max(1) {
        return (0, name);
    }
    let last = alert.spans.iter().map(|span| frame.cell_of(chart, span.to.max(span.from))).max().unwrap_or(0);
    if last + 2 + width <= frame.size().0 {
        return (AXIS_WIDTH + last + 2, name);
    }
    (0, cut(&name, AXIS_WIDTH, chart.model.glyphs.cut))
}

/// The axis: how long ago while the present is shown, so that it stands still while the curves move; else the clock; in a
/// comparison, how long after the deploy.
pub(super) fn draw_axis(chart: &Chart<'_>, buffer: &mut Buffer, frame: &Frame) {
    let theme = &chart.model.theme;
    let row = usize::from(frame.plot.height) + frame.strips;
    let (width, _) = frame.size();
    let end = AXIS_WIDTH + width;
    let mut texts: Vec<(usize, String, Style)> = Vec::new();
    if let Some(cursor) = chart.cursor {
        let text = format!(" {} ", cursor_text(chart, cursor));
        let middle = AXIS_WIDTH + frame.cell_of(chart, cursor);
        let column = middle.saturating_sub(text.width() / 2).min(end.saturating_sub(text.width()));
        texts.push((column, text, theme.selection));
    }
    let last = label(chart, 1.0);
    texts.push((end.saturating_sub(last.width()), last, theme.dim));
    let parts = if width >= 60 { 4 } else { 2 };
    for part in 0..parts {
        let share = real(part) / real(parts);
        texts.push((AXIS_WIDTH + cell(share * real(width), width), label(chart, share), theme.dim));
    }
    // Those that stand first are told; one that would touch them is left out.
    let mut taken: Vec<(usize, usize)> = Vec::new();
    for (begin, text, style) in texts {
        let behind = begin + text.width();
        if taken.iter().all(|(from, to)| behind < *from || *to < begin) {
            put_at(buffer, frame.inner, begin, row, &Line::from(Span::styled(text, style)));
            taken.push((begin, behind));
        }
    }
}

/// The moment of the crosshair, in words.
pub(super) fn cursor_text(chart: &Chart<'_>, cursor: usize) -> String {
    let moment = in_time(chart.charts, chart.columns).moment(cursor);
    if chart.model.metrics.compared.is_some() {
        return since_deploy(moment.0);
    }
    chart.model.clock.time(moment)
}

/// The text at a share of the way from the first column to the last.
fn label(chart: &Chart<'_>, share: f64) -> String {
    let metrics = &chart.model.metrics;
    let columns = u64::try_from(chart.columns).unwrap_or(0);
    let shown = chart.charts.step.saturating_mul(columns);
    // What was asked for, without what rounding the step added.
    let range = if metrics.range_ms() == 0 || metrics.compared.is_some() { shown } else { metrics.range_ms() };
    let back = u64::try_from(cell((1.0 - share) * 1_000.0, 1_000)).unwrap_or(0).saturating_mul(range) / 1_000;
    if metrics.compared.is_some() {
        return since_deploy(i64::try_from(range.saturating_sub(back)).unwrap_or(i64::MAX));
    }
    if chart.model.charts_end().is_some() {
        let back = i64::try_from(back).unwrap_or(i64::MAX);
        return chart.model.clock.when(Moment(chart.charts.end.0.saturating_sub(back)), chart.model.now);
    }
    if back == 0 { "now".to_owned() } else { ago_text(back) }
}

fn since_deploy(milliseconds: i64) -> String {
    let milliseconds = u64::try_from(milliseconds).unwrap_or(0);
    if milliseconds < 1_000 { "deploy".to_owned() } else { format!("+{}", quantity::whole_duration(milliseconds)) }
}

fn ago_text(milliseconds: u64) -> String {
    let (seconds, minutes) = (milliseconds / 1_000, milliseconds / 60_000);
    if minutes >= 60 && minutes.is_multiple_of(60) {
        format!("-{}h", minutes / 60)
    } else if minutes >= 60 {
        format!("-{}h{:02}m", minutes / 60, minutes % 60)
    } else if seconds.is_multiple_of(60) {
        format!("-{minutes}m")
    } else {
        format!("-{minutes}m{:02}s", seconds % 60)
    }
}
