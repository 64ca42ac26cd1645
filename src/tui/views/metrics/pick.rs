//! The list from which the two releases of a comparison are picked.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::pipeline::Release;
use crate::tui::app::Model;
use crate::tui::metrics::pick::{Pick, choices};
use crate::tui::quantity::small;
use crate::tui::release_facts::standing;
use crate::tui::widgets::pane;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{put, put_at, sanitize};

/// Rows of releases, where there is room for so many.
const ROWS: usize = 14;

/// What is told of a release, in the order of [`cells`].
const COLUMNS: [Column; 5] = [
    Column { heading: "no.", width: 4, fill: Fill::Right, rank: 0 },
    Column { heading: "status", width: 11, fill: Fill::Left, rank: 0 },
    Column { heading: "model", width: 5, fill: Fill::Left, rank: 2 },
    Column { heading: "live since", width: 10, fill: Fill::Left, rank: 1 },
    Column { heading: "commit", width: 10, fill: Fill::Rest, rank: 3 },
];

/// Draws the window.
pub(in crate::tui::views) fn draw(model: &Model, frame: &mut Frame, area: Rect, pick: &Pick) {
    let theme = &model.theme;
    let count = choices(&model.state).count();
    let rows = ROWS.min(count).min(usize::from(area.height).saturating_sub(7)).max(1);
    let window = crate::tui::views::middle(area, area.width.saturating_sub(4).min(72), small(rows) + 5);
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Compare", "Enter picks, Esc goes back");
    let text = match pick.first {
        None => "Which release? The other one is asked for next.".to_owned(),
        Some(first) => format!("Release {first}, and which other one?"),
    };
    put_at(frame.buffer_mut(), inner, 1, 0, &Line::from(Span::styled(text, theme.title)));
    // A sign before the table shows the selected row, one behind it what was picked first.
    let table_area = Rect { x: inner.x + 2, width: inner.width.saturating_sub(4), ..inner };
    let table = Table::fit(&COLUMNS, usize::from(table_area.width));
    put(frame.buffer_mut(), table_area, 2, &table.heading(theme.dim, model.glyphs.cut));
    let position = choices(&model.state).position(|release| release.id == pick.selected).unwrap_or(0);
    let first = (position + 1).saturating_sub(rows);
    for (row, release) in choices(&model.state).enumerate().skip(first).take(rows) {
        let line = Rect { y: inner.y + small(3 + row - first), height: 1, ..inner };
        let place = Rect { y: line.y, height: 1, ..table_area };
        put(frame.buffer_mut(), place, 0, &table.row(&cells(model, release), model.glyphs.cut));
        if Some(release.id) == pick.first {
            let column = usize::from(inner.width).saturating_sub(1);
            put_at(frame.buffer_mut(), line, column, 0, &Line::from(Span::styled("*", theme.accent)));
        }
        if row == position {
            frame.buffer_mut().set_style(line, theme.selection);
            put(frame.buffer_mut(), line, 0, &Line::from(Span::styled(model.glyphs.pointer, theme.accent)));
        }
    }
}

fn cells(model: &Model, release: &Release) -> [(String, Style); 5] {
    let theme = &model.theme;
    let (word, status) = standing(&model.state, release);
    let style = theme.release(status);
    let status = format!("{} {word}", model.glyphs.release(status));
    let since = release.live_since.map(|since| model.clock.when(since, model.now)).unwrap_or_default();
    [
        (release.id.to_string(), theme.text),
        (status, style),
        (release.model.map(|version| format!("m{version}")).unwrap_or_default(), theme.text),
        (since, theme.text),
        (sanitize(&release.commit), theme.text),
    ]
}
