//! A panel outside of the screen, for `examples/chart_bench.rs`: the real widget over curves of any length. Nothing of
//! the product uses it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::Model;
use super::clock::Clock;
use super::glyphs::Glyphs;
use super::theme::Theme;
use super::widgets::chart;
use crate::api::types::Charts;

/// The first panel of some charts, ready to be drawn again and again.
pub struct LonePanel {
    model: Model,
}

impl LonePanel {
    /// The screen of a terminal that can show everything, with these charts.
    pub fn new(charts: Charts) -> Self {
        let variable = |name: &str| match name {
            "TRAINYARD_THEME" => Some("dark".to_owned()),
            "LC_ALL" => Some("C.UTF-8".to_owned()),
            _ => None,
        };
        let (theme, glyphs) = (Theme::choose(&variable), Glyphs::choose(&variable));
        let mut model = Model::new(theme, glyphs, Clock::local(), (200, 50), charts.end);
        model.metrics.charts = charts;
        Self { model }
    }

    /// Draws it as the screen does: gathers all points, chooses the axis, sets dots, marks and legend.
    pub fn draw(&self, buffer: &mut Buffer, area: Rect) {
        if let Some(panel) = self.model.metrics.charts.panels.first() {
            chart::draw(&self.model, buffer, area, panel, true);
        }
    }
}
