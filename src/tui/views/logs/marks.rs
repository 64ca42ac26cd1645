//! The marked lines of a log.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::Model;
use crate::tui::quantity::small;
use crate::tui::views::middle;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cut, put, sanitize};

/// Columns of the window, where there are so many.
const WIDTH: u16 = 92;

/// Draws the window.
pub(in crate::tui::views) fn draw(model: &Model, frame: &mut Frame, area: Rect, selected: usize) {
    let theme = &model.theme;
    let Some(marks) = model.log.own_marks() else { return };
    let width = area.width.saturating_sub(4).min(WIDTH);
    let height = small(marks.len() + 2).min(area.height.saturating_sub(2));
    let window = middle(area, width, height);
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Marks", "Enter goes there, Esc leaves");
    let room = usize::from(inner.height);
    let first = (selected + 1).saturating_sub(room);
    for (row, (number, mark)) in marks.iter().skip(first).take(room).enumerate() {
        let head = format!("  {:>7}  {}  ", number + 1, model.clock.time(mark.at));
        let left = usize::from(inner.width).saturating_sub(head.len());
        let mut line = Line::from(Span::styled(head, theme.dim));
        line.push_span(Span::styled(cut(&sanitize(&mark.text), left, model.glyphs.cut), theme.text));
        let place = Rect { y: inner.y + small(row), height: 1, ..inner };
        put(frame.buffer_mut(), place, 0, &line);
        if first + row == selected {
            frame.buffer_mut().set_style(place, theme.selection);
            put(frame.buffer_mut(), place, 0, &Line::from(Span::styled(model.glyphs.pointer, theme.accent)));
        }
    }
}
