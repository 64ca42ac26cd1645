//! The palette: find a command by some letters of its name.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::Model;
use crate::tui::commands::{key_labels, matching};
use crate::tui::quantity::small;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{padded, put, put_right, sanitize};

/// Rows of matches.
const ROWS: usize = 12;

/// Draws the window.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect, input: &str, selected: usize) {
    let theme = &model.theme;
    let found = matching(model, input);
    let width = area.width.saturating_sub(4).min(76);
    let rows = ROWS.min(usize::from(area.height).saturating_sub(6));
    // Always of the same height, so that it does not jump while one types.
    let window = super::middle(area, width, small(rows) + 3);
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Command", "Enter does it, Esc leaves");
    let mut prompt = Line::from(Span::styled(" :", theme.accent));
    prompt.push_span(Span::styled(sanitize(input), theme.title));
    prompt.push_span(Span::styled(" ", theme.selection));
    put(frame.buffer_mut(), inner, 0, &prompt);
    if found.is_empty() {
        put(frame.buffer_mut(), inner, 1, &Line::from(Span::styled("  no command has these letters", theme.dim)));
    }
    let first = (selected + 1).saturating_sub(rows);
    for (row, command) in found.iter().skip(first).take(rows).enumerate() {
        let place = Rect { y: inner.y + small(row) + 1, height: 1, ..inner };
        let line = Line::from(vec![
            Span::styled(format!("  {} ", padded(command.name, 16, model.glyphs.cut)), theme.text),
            Span::styled(command.description, theme.dim),
        ]);
        put(frame.buffer_mut(), place, 0, &line);
        put_right(
            frame.buffer_mut(),
            place,
            0,
            &Line::from(Span::styled(format!(" {} ", key_labels(command)), theme.accent)),
        );
        if first + row == selected {
            frame.buffer_mut().set_style(place, theme.selection);
        }
    }
}
