//! The live release: where it answers, what is wrong with it, and the panels of the configuration, each as high as there is
//! room for.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::api::types::{Curve, PanelData, PanelKind};
use crate::pipeline::{Release, StageKind};
use crate::tui::app::{Model, Pane};
use crate::tui::commands::{Action, key_of};
use crate::tui::layout::{SparkColumns, curves, spark_columns};
use crate::tui::quantity::{self, small};
use crate::tui::release_facts::ready;
use crate::tui::widgets::text::{cut, padded, paragraph, put, put_at, put_fitted, put_right, sanitize};
use crate::tui::widgets::{chart, facts, pane, sparkline};

/// From this width of the screen on, curves in one row have their scale below them, where there is a row for it.
const SCALES: usize = 100;

/// Which release is live, and whether it answers.
pub(super) fn in_short(model: &Model) -> String {
    let dot = model.glyphs.dot;
    match model.state.live_release() {
        Some(release) => format!("{} {dot} live {dot} {}", heading(model, release), health(model)),
        None => "no release is live".to_owned(),
    }
}

/// Draws the pane.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect) {
    let live = model.state.live_release();
    let heading = live.map_or_else(|| "Release".to_owned(), |release| heading(model, release));
    let age = live.and_then(|release| release.live_since).map(|since| quantity::age(model.now.since(since)));
    let word = health(model);
    let right = match (live, age) {
        (Some(_), Some(age)) => format!("{word} {} {age}", model.glyphs.dot),
        _ => String::new(),
    };
    let is_focused = model.focus == Pane::Release;
    let inner = pane::indented(pane::draw(model, frame.buffer_mut(), area, is_focused, &heading, &right));
    let mut row = 0;
    if let Some(release) = live {
        let limit = if area.height >= curves::TALL { curves::MOST_FACTS } else { 1 };
        for line in told(model, release, usize::from(inner.width), limit) {
            put_fitted(frame.buffer_mut(), inner, (0, row), &line, model.glyphs.cut);
            row += 1;
        }
    }
    let charts = &model.metrics.charts;
    if charts.panels.is_empty() {
        let text = match (&model.metrics.error, live) {
            (Some(error), _) => sanitize(error),
            (None, None) => nothing_deployed(model),
            (None, Some(_)) => "waiting for the first scrape of the app".to_owned(),
        };
        for text in paragraph(&text, usize::from(inner.width), 3, model.glyphs.cut) {
            put(frame.buffer_mut(), inner, row, &Line::from(Span::styled(text, model.theme.dim)));
            row += 1;
        }
        return;
    }
    panels(model, frame.buffer_mut(), inner, area.width, row);
}

fn nothing_deployed(model: &Model) -> String {
    let stages = model.state.graph.stages();
    if !stages.is_empty() && stages.iter().all(|spec| spec.kind != StageKind::Deploy) {
        return "nothing is deployed, for no stage deploys: add one with `uses = \"deploy\"` to trainyard.toml"
            .to_owned();
    }
    let key = key_of(model, Action::RunAll);
    format!("nothing is deployed yet; the first run that passes deploys, and {key} starts one")
}

/// The time that is shown, then the panels from row `row` on.
fn panels(model: &Model, buffer: &mut Buffer, inner: Rect, pane_width: u16, mut row: usize) {
    let charts = &model.metrics.charts;
    // A heat map has no single curve.
    let shown: Vec<&PanelData> = charts.panels.iter().filter(|panel| panel.kind != PanelKind::Heatmap).collect();
    let has_curve: Vec<bool> = shown.iter().map(|panel| chart::has_curve(panel)).collect();
    let shares = curves::shares(usize::from(inner.height).saturating_sub(row + 1), &has_curve);
    let columns = spark_columns(model, pane_width);
    // In the past the first line says when that ended.
    let range = if model.past.is_some() { model.metrics.range_name().to_owned() } else { model.metrics.range_text() };
    put(buffer, inner, row, &Line::from(Span::styled(range, model.theme.dim)));
    // Each chart has the marks of the deploys in itself.
    if shares.iter().all(|rows| curves::chart_rows(*rows).is_none()) {
        let all = charts.panels.iter().flat_map(|panel| &panel.curves);
        let points = all.map(|curve| curve.points.len()).max().unwrap_or(0);
        let marks = sparkline::mark_row(model, &charts.marks, points, columns.curve);
        put_at(buffer, inner, columns.label + 1, row, &marks);
    }
    row += 1;
    for (index, (panel, rows)) in shown.into_iter().zip(shares).enumerate() {
        let top = inner.y.saturating_add(small(row));
        match curves::chart_rows(rows) {
            Some(height) => {
                let place = Rect { y: top, height: small(height), ..inner };
                chart::draw_small(model, buffer, place.intersection(inner), panel);
            }
            None => {
                let place = Rect { y: top, height: small(rows), ..inner };
                in_a_row(model, buffer, place.intersection(inner), columns, panel, index);
            }
        }
        row += rows;
    }
}

/// A panel whose curve has one row, beside its name and before its newest value; `area` may have one more row for its scale.
fn in_a_row(model: &Model, buffer: &mut Buffer, area: Rect, columns: SparkColumns, panel: &PanelData, index: usize) {
    let theme = &model.theme;
    let label = padded(&sanitize(&panel.title), columns.label, model.glyphs.cut);
    put(buffer, area, 0, &Line::from(Span::styled(label, theme.text)));
    let place = columns.label + 1;
    let instead = match (&panel.error, &panel.note, chart::telling_curve(panel)) {
        (Some(error), _, _) => (sanitize(error), theme.warn),
        (None, Some(note), _) => (sanitize(note), theme.dim),
        (None, None, None) => ("no data yet".to_owned(), theme.dim),
        (None, None, Some(curve)) => {
            put_at(buffer, area, place, 0, &sparkline::sparkline(model, &curve.points, columns.curve, index));
            let text = chart::newest_text(panel, columns.value, model.glyphs.cut);
            let value = cut(&text, columns.value, model.glyphs.cut);
            put_right(buffer, area, 0, &Line::from(Span::styled(value, theme.title)));
            let is_wide = usize::from(model.size.0) >= SCALES;
            let scale = scale(model, panel, curve)
                .filter(|text| is_wide && area.height > 1 && place + text.width() <= usize::from(area.width));
            if let Some(text) = scale {
                put_at(buffer, area, place, 1, &Line::from(Span::styled(text, theme.dim)));
            }
            return;
        }
    };
    let (text, style) = instead;
    let text = cut(&text, columns.curve + columns.value + 1, model.glyphs.cut);
    put_at(buffer, area, place, 0, &Line::from(Span::styled(text, style)));
}

/// Between which values a curve lies, without which its height says nothing; `None` of one that has no value.
fn scale(model: &Model, panel: &PanelData, curve: &Curve) -> Option<String> {
    let (lowest, highest) = sparkline::extremes(&curve.points)?;
    let text = |value| chart::with_unit(value, panel.unit.as_deref());
    Some(format!("low {} {} high {}", text(lowest), model.glyphs.dot, text(highest)))
}

fn heading(model: &Model, release: &Release) -> String {
    let dot = model.glyphs.dot;
    match release.model {
        Some(version) => format!("Release {} {dot} model {version}", release.id),
        None => format!("Release {}", release.id),
    }
}

/// What there is to say of a release in at most `limit` rows, what is wrong first. Where not all has room, the way back goes
/// first, for a key says so too.
fn told(model: &Model, release: &Release, width: usize, limit: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let mut before = target_facts(model);
    before.push((sanitize(&release.commit), theme.text));
    let address = release.address.as_deref().map(|address| (sanitize(address), theme.accent));
    let way_back = model.state.rollback_target();
    let way_back = way_back.map(|target| (format!("rollback to {} is possible", target.id), theme.dim));
    facts::around_address(model, before, address, way_back.into_iter().collect(), (width, limit))
}

/// What the target says, what is wrong first: it does not answer, instances are not ready, objects were changed by others.
fn target_facts(model: &Model) -> Vec<(String, Style)> {
    let theme = &model.theme;
    let Some(report) = model.target() else { return Vec::new() };
    let mut facts = Vec::new();
    if let Some((since, _)) = &report.unreachable {
        let kind = report.place.as_ref().map_or_else(|| "the target".to_owned(), |place| sanitize(&place.kind));
        let age = quantity::age(model.now.since(*since));
        facts.push((format!("{kind} not reachable for {age}"), theme.bad));
    }
    if !report.drift.is_empty() {
        facts.push((format!("{} changed by others", report.drift.len()), theme.warn));
    }
    let (ready, all) = ready(report);
    // That the only one is ready is told by its health.
    if all > 1 || ready < all {
        let style = if ready == all { theme.good } else { theme.warn };
        facts.push((format!("{ready} of {all} ready"), style));
    }
    facts
}

/// Whether the app answers, by the last scrape, and if it does, whether one of its panels is beyond what is bad.
fn health(model: &Model) -> String {
    if model.target().is_some_and(|report| report.unreachable.is_some()) {
        return "not reachable".to_owned();
    }
    match &model.live.scraped {
        Some(Ok(_)) => chart::bad_panel(model).unwrap_or_else(|| "healthy".to_owned()),
        Some(Err(_)) => "does not answer".to_owned(),
        // What the scrapes said then is not kept, but the journal tells what was live.
        None if model.past.is_some() => "live".to_owned(),
        None => "not scraped yet".to_owned(),
    }
}
