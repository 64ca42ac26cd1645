//! The projects of this user, between which the screen switches.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::Model;
use crate::tui::mouse::Target;
use crate::tui::projects::{ProjectList, ProjectRow};
use crate::tui::quantity::small;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cut, cut_front, padded, put, sanitize};

/// Columns of the window, where there are so many.
const WIDTH: u16 = 92;
/// Cells for a name, and for a folder.
const LONGEST_NAME: usize = 20;
const LONGEST_FOLDER: usize = 32;
/// The word for a daemon that runs, and for one that does not.
const STATES: (&str, &str) = ("running", "stopped");

/// Draws the window.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect, list: &ProjectList) {
    let theme = &model.theme;
    let count = list.rows.as_ref().map_or(0, Vec::len);
    let width = area.width.saturating_sub(4).min(WIDTH);
    let height = small(count.max(1) + 2).min(area.height.saturating_sub(2));
    let window = super::middle(area, width, height);
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Projects", "Enter shows it, Esc leaves");
    let rows = match &list.rows {
        Some(rows) if !rows.is_empty() => rows,
        known => {
            let text = if known.is_some() {
                " no project of yours is known here; `trainyard -C DIR up` starts one"
            } else {
                " looking for your projects"
            };
            put(frame.buffer_mut(), inner, 0, &Line::from(Span::styled(text, theme.dim)));
            return;
        }
    };
    let room = usize::from(inner.height);
    let first = (list.selected + 1).saturating_sub(room);
    for (row, project) in rows.iter().skip(first).take(room).enumerate() {
        let place = Rect { y: inner.y + small(row), height: 1, ..inner };
        put(frame.buffer_mut(), place, 0, &line(model, project, usize::from(inner.width)));
        model.hits.add(place, Target::Row(first + row));
        if first + row == list.selected {
            frame.buffer_mut().set_style(place, theme.selection);
            put(frame.buffer_mut(), place, 0, &Line::from(Span::styled(model.glyphs.pointer, theme.accent)));
        }
    }
}

fn line(model: &Model, project: &ProjectRow, width: usize) -> Line<'static> {
    let theme = &model.theme;
    let sign = model.glyphs.cut;
    let folder = sanitize(&project.folder.to_string_lossy());
    let (word, style) = if project.is_running { (STATES.0, theme.good) } else { (STATES.1, theme.dim) };
    let head = vec![
        Span::styled(format!("  {} ", padded(&sanitize(&project.name), LONGEST_NAME, sign)), theme.title),
        Span::styled(format!("{word}  "), style),
        Span::styled(
            format!("{} ", padded(&cut_front(&folder, LONGEST_FOLDER, sign), LONGEST_FOLDER, sign)),
            theme.dim,
        ),
    ];
    let used: usize = head.iter().map(Span::width).sum();
    let mut line = Line::from(head);
    let summary = cut(&sanitize(&project.summary), width.saturating_sub(used), sign);
    line.push_span(Span::styled(summary, theme.text));
    line
}
