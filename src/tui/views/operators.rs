//! Who is attached to the daemon: who, from where, since when, what each looks at, and whether he may change something.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::api::types::OperatorSession;
use crate::tui::app::Model;
use crate::tui::quantity::{self, small};
use crate::tui::widgets::pane;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{put_at, sanitize};

/// Columns of the window, where there are so many.
const WIDTH: u16 = 92;

/// What is told of an operator, in the order of [`cells`].
const COLUMNS: [Column; 6] = [
    Column { heading: "who", width: 12, fill: Fill::Rest, rank: 0 },
    Column { heading: "account", width: 10, fill: Fill::Left, rank: 4 },
    Column { heading: "from", width: 20, fill: Fill::Left, rank: 1 },
    Column { heading: "since", width: 19, fill: Fill::Left, rank: 2 },
    Column { heading: "looks at", width: 8, fill: Fill::Left, rank: 3 },
    Column { heading: "as", width: 8, fill: Fill::Left, rank: 0 },
];

/// Draws the window.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect) {
    let operators = &model.live.operators;
    let width = area.width.saturating_sub(4).min(WIDTH);
    let height = small(operators.len().max(1) + 3).min(area.height.saturating_sub(2));
    let window = super::middle(area, width, height);
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Operators", "any key closes");
    let table = Table::fit(&COLUMNS, usize::from(inner.width).saturating_sub(2));
    put_at(frame.buffer_mut(), inner, 1, 0, &table.heading(model.theme.dim, model.glyphs.cut));
    let rows = usize::from(inner.height).saturating_sub(1);
    // The last row says how many have no room.
    let shown = if operators.len() > rows { rows.saturating_sub(1) } else { rows };
    for (row, operator) in operators.iter().take(shown).enumerate() {
        put_at(frame.buffer_mut(), inner, 1, row + 1, &table.row(&cells(model, operator), model.glyphs.cut));
    }
    let more = operators.len().saturating_sub(shown);
    let rest = if operators.is_empty() { "nobody yet".to_owned() } else { format!("and {more} more") };
    if operators.is_empty() || more > 0 {
        let row = operators.len().min(shown) + 1;
        put_at(frame.buffer_mut(), inner, 1, row, &Line::from(Span::styled(rest, model.theme.dim)));
    }
}

fn cells(model: &Model, operator: &OperatorSession) -> [(String, Style); 6] {
    let theme = &model.theme;
    let since = model.clock.when(operator.since, model.now);
    let age = quantity::age(model.now.since(operator.since));
    let role = if operator.is_observer { ("observer", theme.dim) } else { ("driver", theme.good) };
    [
        (sanitize(&operator.name), theme.title),
        (sanitize(&operator.account), theme.text),
        (operator.from.as_deref().map_or_else(|| "this machine".to_owned(), sanitize), theme.text),
        (format!("{since}, {age}"), theme.dim),
        (sanitize(&operator.view), theme.text),
        (role.0.to_owned(), role.1),
    ]
}
