//! Help: the table of commands, as it stands.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::Model;
use crate::tui::commands::{COMMANDS, Command, key_labels, view_name};
use crate::tui::quantity::small;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{padded, put};

/// Draws the window; a command that does not work here and now is dim.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect, scroll: usize) {
    let commands: Vec<&Command> =
        COMMANDS.iter().filter(|command| model.is_demo || !command.description.starts_with("demo")).collect();
    let width = area.width.saturating_sub(4).min(92);
    let height = (small(commands.len()) + 2).min(area.height.saturating_sub(2));
    let window = super::middle(area, width, height);
    let rows = usize::from(height.saturating_sub(2));
    let last = commands.len().saturating_sub(rows);
    let scroll = scroll.min(last);
    let right = if last > 0 { "up and down; any other key closes" } else { "any key closes" };
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Keys", right);
    for (row, command) in commands.iter().skip(scroll).take(rows).enumerate() {
        put(frame.buffer_mut(), inner, row, &line(model, command));
    }
}

fn line(model: &Model, command: &Command) -> Line<'static> {
    let theme = &model.theme;
    let works = command.is_available(model);
    let (key_style, text_style) = if works { (theme.accent, theme.text) } else { (theme.dim, theme.dim) };
    let views: Vec<_> = command.views.iter().map(|view| view_name(*view)).collect();
    let place = if views.len() > 3 { String::new() } else { views.join(", ") };
    Line::from(vec![
        Span::styled(format!(" {} ", padded(&key_labels(command), 15, model.glyphs.cut)), key_style),
        Span::styled(padded(command.description, 50, model.glyphs.cut), text_style),
        Span::styled(format!(" {place}"), theme.dim),
    ])
}
