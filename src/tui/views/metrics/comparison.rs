//! One panel after two deploys, laid together at the deploy.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::Model;
use crate::tui::metrics::Compared;
use crate::tui::widgets::chart;
use crate::tui::widgets::text::{put, put_right, sanitize};

/// Draws the comparison, or why there is none.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect, compared: &Compared) {
    let comparison = match &compared.answer {
        None => {
            super::say(model, frame, body, "Comparison", "asking the daemon what was measured after both deploys");
            return;
        }
        Some(Err(error)) => {
            super::say(model, frame, body, "Comparison", &format!("{}; Esc goes back", sanitize(error)));
            return;
        }
        Some(Ok(comparison)) => comparison,
    };
    let theme = &model.theme;
    let strip = Rect { height: 1, ..body };
    let dot = model.glyphs.dot;
    let text =
        format!(" release {} beside release {} {dot} from their deploys on", comparison.former, comparison.later);
    let line = Line::from(Span::styled(text, theme.title));
    put(frame.buffer_mut(), strip, 0, &line);
    let keys = "p picks releases  < > the pair beside  [ ] range  c or Esc ends ";
    if line.width() + keys.len() < usize::from(strip.width) {
        put_right(frame.buffer_mut(), strip, 0, &Line::from(Span::styled(keys, theme.dim)));
    }
    let area = Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
    if let Some(panel) = comparison.charts.panels.first() {
        chart::draw(model, frame.buffer_mut(), area, panel, true);
    }
}
