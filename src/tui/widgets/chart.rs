//! Charts: our own rasteriser, because a gap must stay a gap, and a value that is no number must do no harm.
//!
//! `gather` brings any number of points down to what the screen can show, `grid` turns curves into dots, `axis` chooses the
//! numbers at the edge, `frame` places plot, time, alerts and legend, `labels` what is written into the plot, `newest` tells
//! the value of now. Each kind of panel has a file that draws it, `small` draws one in a few rows, and the reliability diagram
//! of a model has a file, too. Nothing here knows where the curves come from.

mod area;
mod axis;
mod frame;
mod gather;
mod gauge;
mod grid;
mod heat;
mod labels;
mod legend;
mod lines;
mod newest;
pub(in crate::tui) mod reliability;
mod small;
mod stat;
mod table;
mod time;

#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use newest::Verdict;
pub(in crate::tui) use newest::{bad_panel, telling_curve, text as newest_text, width as newest_width};
pub(in crate::tui) use small::{draw as draw_small, has_curve};

use super::pane;
use super::text::{paragraph, put_at, sanitize};
use crate::api::types::{Charts, PanelData, PanelKind};
use crate::tui::app::Model;
use crate::tui::glyphs::Glyphs;
use crate::tui::metrics::{Drawing, Scale};
use crate::tui::quantity;

/// Cells for the numbers of the vertical axis, its line included.
const AXIS_WIDTH: usize = 8;

/// Cells for the newest value of several curves and the name of the one that has it.
const HEADING: usize = 24;

/// Data columns that fill a chart in a pane of `width` cells: two dots a cell.
pub(in crate::tui) fn data_columns(width: u16) -> usize {
    usize::from(width).saturating_sub(AXIS_WIDTH + 3).max(8) * 2
}

/// One panel on its way to the screen.
#[derive(Clone, Copy)]
struct Chart<'a> {
    model: &'a Model,
    charts: &'a Charts,
    panel: &'a PanelData,
    /// The unit, made harmless.
    unit: Option<&'a str>,
    /// Data columns of all panels.
    columns: usize,
    /// The data column of the crosshair.
    cursor: Option<usize>,
    /// Whether it has a few rows only: the curves, and between which values they lie.
    is_small: bool,
}

impl Chart<'_> {
    /// The signs for the way in which curves are drawn.
    fn glyphs(&self) -> &'static Glyphs {
        if self.model.metrics.drawing == Drawing::Ascii { Glyphs::ascii() } else { self.model.glyphs }
    }

    /// A value with its unit.
    fn text(&self, value: f64) -> String {
        quantity::measured(value, self.unit)
    }

    /// A value that may be missing.
    fn text_or_gap(&self, value: Option<f64>) -> String {
        value.map_or_else(|| "no value".to_owned(), |value| self.text(value))
    }

    /// What the thresholds say of a value, in a word and its colour: colour alone says nothing.
    fn verdict(&self, value: f64) -> Option<(&'static str, Style)> {
        let theme = &self.model.theme;
        newest::verdict(self.panel, value).map(|verdict| match verdict {
            Verdict::Bad => ("bad", theme.bad),
            Verdict::Warn => ("warn", theme.warn),
            Verdict::Ok => ("ok", theme.good),
        })
    }

    /// How the operator wants axes scaled, which is asked where there are axes.
    fn scale(&self) -> Scale {
        if self.is_small { Scale::default() } else { self.model.metrics.scale }
    }

    /// Whether the vertical axis is logarithmic: the panel says so, the operator may say the opposite.
    fn is_log(&self) -> bool {
        self.panel.log != self.scale().log
    }

    /// What is asked of the vertical axis.
    fn wanted(&self) -> axis::Wanted {
        axis::Wanted {
            min: self.panel.min,
            max: self.panel.max,
            log: self.is_log(),
            zero: self.panel.zero || self.scale().zero,
        }
    }

    /// The same where there are a few rows only: the axis ends at the highest value, so that no row above it is blank.
    fn fitting(&self, wanted: axis::Wanted, extent: Option<(f64, f64)>) -> axis::Wanted {
        let highest = extent.filter(|(low, high)| self.is_small && low < high).map(|(_, high)| high);
        axis::Wanted { max: wanted.max.or(highest), ..wanted }
    }
}

/// Draws one panel in its own frame.
pub(in crate::tui) fn draw(model: &Model, buffer: &mut Buffer, area: Rect, panel: &PanelData, selected: bool) {
    let title = sanitize(&panel.title);
    let inner = pane::draw(model, buffer, area, selected, &title, &heading(model, panel));
    if inner.width < 20 || inner.height < 4 {
        return;
    }
    if let Some(error) = &panel.error {
        say(model, buffer, inner, &sanitize(error), model.theme.warn);
        return;
    }
    let unit = panel.unit.as_deref().map(sanitize);
    let metrics = &model.metrics;
    let chart = Chart {
        model,
        charts: metrics.shown(),
        panel,
        unit: unit.as_deref(),
        columns: metrics.columns(),
        cursor: metrics.cursor_column(),
        is_small: false,
    };
    match panel.kind {
        PanelKind::Line => lines::draw(&chart, buffer, inner),
        PanelKind::Area => area::draw(&chart, buffer, inner),
        PanelKind::Stat => stat::draw(&chart, buffer, inner),
        PanelKind::Gauge => gauge::draw(&chart, buffer, inner),
        PanelKind::Heatmap => heat::draw(&chart, buffer, inner),
        PanelKind::Table => table::draw(&chart, buffer, inner),
    }
}

/// How many alerts were on in this time that no panel is about.
pub(in crate::tui) fn alerts_alone(model: &Model) -> usize {
    time::alone(model.metrics.shown()).len()
}

/// Those alerts over the whole time of the charts: a row for each, or one for all of them. They stand where those below a panel
/// that has the whole width stand.
pub(in crate::tui) fn draw_alerts_alone(model: &Model, buffer: &mut Buffer, area: Rect) {
    let charts = model.metrics.shown();
    let Some(panel) = charts.panels.first().filter(|_| area.height > 0) else { return };
    let columns = model.metrics.columns();
    let chart = Chart { model, charts, panel, unit: None, columns, cursor: None, is_small: false };
    time::draw_rows(&chart, buffer, &frame::Frame::of_strips(area), &time::alone(charts), 0);
}

/// The newest value in about `width` cells, and whether it is worth a look.
fn told_now(model: &Model, panel: &PanelData, width: usize) -> Vec<String> {
    let mut parts = vec![newest::text(panel, width, model.glyphs.cut)];
    match newest::worst(panel) {
        Some(Verdict::Bad) => parts.push("bad".to_owned()),
        Some(Verdict::Warn) => parts.push("warn".to_owned()),
        Some(Verdict::Ok) | None => {}
    }
    parts
}

/// What stands at the right of the title: what is told now, and over which time a rate is taken.
fn heading(model: &Model, panel: &PanelData) -> String {
    let mut parts = told_now(model, panel, HEADING);
    parts.extend(newest::window(&panel.expression).map(|window| format!("over {window}")));
    if panel.log != model.metrics.scale.log && matches!(panel.kind, PanelKind::Line) {
        parts.push("log scale".to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// A value and its unit.
pub(in crate::tui) fn with_unit(value: f64, unit: Option<&str>) -> String {
    quantity::measured(value, unit.map(sanitize).as_deref())
}

/// A sentence instead of a chart.
fn say(model: &Model, buffer: &mut Buffer, inner: Rect, text: &str, style: Style) {
    let rows = usize::from(inner.height);
    let width = usize::from(inner.width).saturating_sub(2);
    for (row, text) in paragraph(text, width, rows, model.glyphs.cut).into_iter().enumerate() {
        put_at(buffer, inner, 1, row, &Line::from(Span::styled(text, style)));
    }
}

/// There is nothing to draw.
fn say_nothing(chart: &Chart<'_>, buffer: &mut Buffer, inner: Rect) {
    let note = chart.panel.note.as_deref().map(sanitize);
    let text = if let Some(note) = note.as_deref() {
        note
    } else if chart.is_small {
        // Only values stand where there is room for this one, and no key of the view changes its axis.
        "nothing was above zero in this time, and its axis is logarithmic"
    } else if chart.is_log() && chart.panel.curves.iter().any(|curve| curve.points.iter().any(Option::is_some)) {
        "nothing was above zero in this time, and a logarithmic axis shows no more; y makes it linear"
    } else if !chart.panel.curves.is_empty() && chart.panel.expression.contains("histogram_quantile") {
        // A quantile of nothing is no number, though all was scraped.
        "no requests in this time, so there is nothing to take a quantile of"
    } else {
        "nothing was measured in this time; a shorter or longer range is at [ and ]"
    };
    say(chart.model, buffer, inner, text, chart.model.theme.dim);
}
