//! A panel in a few rows, without a frame of its own: its name and newest value, and below them the curves with their highest
//! and lowest value at the left. The time is that of what stands around it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Chart, area, legend, lines, told_now};
use crate::api::types::{PanelData, PanelKind};
use crate::tui::app::Model;
use crate::tui::metrics;
use crate::tui::widgets::text::{cells, cut, put_at, put_right, sanitize};

/// Blanks between the name, the curves and the value.
const GAP: usize = 2;

/// Whether there is a curve to draw, and nothing to say in its place.
pub(in crate::tui) fn has_curve(panel: &PanelData) -> bool {
    let mut values = panel.curves.iter().flat_map(|curve| curve.points.iter().flatten());
    panel.error.is_none() && panel.note.is_none() && values.any(|value| value.is_finite())
}

/// Draws one of the panels of the present charts.
pub(in crate::tui) fn draw(model: &Model, buffer: &mut Buffer, area: Rect, panel: &PanelData) {
    let unit = panel.unit.as_deref().map(sanitize);
    let charts = &model.metrics.charts;
    let chart = Chart {
        model,
        charts,
        panel,
        unit: unit.as_deref(),
        columns: metrics::columns(charts),
        cursor: None,
        is_small: true,
    };
    head(&chart, buffer, area);
    let plot = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area };
    match panel.kind {
        PanelKind::Area => area::draw(&chart, buffer, plot),
        // What the others make of a value has no room here, but its course has.
        PanelKind::Line | PanelKind::Stat | PanelKind::Gauge | PanelKind::Table => lines::draw(&chart, buffer, plot),
        PanelKind::Heatmap => {}
    }
}

/// The name, of several curves their names, and the newest value.
fn head(chart: &Chart<'_>, buffer: &mut Buffer, area: Rect) {
    let (model, panel) = (chart.model, chart.panel);
    let width = usize::from(area.width);
    let value = cut(&told_now(model, panel, width / 2).join(", "), width, model.glyphs.cut);
    let room = width.saturating_sub(cells(&value) + GAP);
    let title = cut(&sanitize(&panel.title), room, model.glyphs.cut);
    let begin = cells(&title) + GAP;
    put_at(buffer, area, 0, 0, &Line::from(Span::styled(title, model.theme.text)));
    if panel.curves.len() > 1 {
        put_at(buffer, area, begin, 0, &legend::names(chart, room.saturating_sub(begin)));
    }
    put_right(buffer, area, 0, &Line::from(Span::styled(value, model.theme.title)));
}
