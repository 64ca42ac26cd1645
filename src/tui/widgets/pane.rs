//! A frame with a heading at the left and something short at the right, and rows in it that may be more than fit.

use super::text::{cells, cut, put, put_right};
use crate::tui::app::Model;
use crate::tui::detail_text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

/// Draws the frame and returns what is inside, with an empty column at each side.
pub(in crate::tui) fn draw(
    model: &Model,
    buffer: &mut Buffer,
    area: Rect,
    is_focused: bool,
    heading: &str,
    right: &str,
) -> Rect {
    let theme = &model.theme;
    let right = cut(right, title_room(area) / 2, model.glyphs.cut);
    let heading = cut(heading, heading_room(area, &right), model.glyphs.cut);
    let style = if is_focused { theme.focused } else { theme.border };
    let mut block = Block::bordered().border_set(model.glyphs.border).border_style(style);
    if !heading.is_empty() {
        block = block.title_top(Line::from(Span::styled(format!(" {heading} "), theme.title)));
    }
    if !right.is_empty() {
        block = block.title_top(Line::from(Span::styled(format!(" {right} "), theme.dim)).right_aligned());
    }
    let inner = block.inner(area);
    block.render(area, buffer);
    inner
}

/// Whether [`draw`] has no room for all of a heading.
pub(in crate::tui) fn cuts_heading(area: Rect, heading: &str, right: &str) -> bool {
    cells(heading) > heading_room(area, right)
}

/// The cells in the upper edge of a frame that texts may have.
fn title_room(area: Rect) -> usize {
    usize::from(area.width).saturating_sub(6)
}

/// Those that are left for the heading, of which `right` has half at most.
fn heading_room(area: Rect, right: &str) -> usize {
    let room = title_room(area);
    room.saturating_sub(cells(right).min(room / 2) + 2)
}

/// What is left inside a frame with a blank column at each side.
pub(in crate::tui) fn indented(inner: Rect) -> Rect {
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// Writes something short on the lower edge of a frame, at the right.
pub(in crate::tui) fn foot(model: &Model, buffer: &mut Buffer, area: Rect, text: &str) {
    if text.is_empty() || area.height < 2 {
        return;
    }
    let row = Rect { x: area.x + 2, y: area.y + area.height - 1, width: area.width.saturating_sub(4), height: 1 };
    let text = cut(text, usize::from(row.width).saturating_sub(2), model.glyphs.cut);
    put_right(buffer, row, 0, &Line::from(Span::styled(format!(" {text} "), model.theme.dim)));
}

/// Says on the lower edge of a list how many of its `count` rows are above the `shown` ones that begin with `first`, and below.
pub(in crate::tui) fn more(
    model: &Model,
    buffer: &mut Buffer,
    area: Rect,
    (first, shown): (usize, usize),
    count: usize,
) {
    let below = count.saturating_sub(first + shown);
    let told = |hidden: usize, sign: &str, word: &str| (hidden > 0).then(|| format!("{sign} {hidden} {word}"));
    let (above, below) = (told(first, model.glyphs.ascending, "above"), told(below, model.glyphs.descending, "below"));
    let parts: Vec<String> = above.into_iter().chain(below).collect();
    foot(model, buffer, area, &parts.join(&format!(" {} ", model.glyphs.dot)));
}

/// Draws the rows of a detail from its scroll on. If some are hidden, the last row says so, and which `way` leads to them.
pub(in crate::tui) fn rows(
    model: &Model,
    buffer: &mut Buffer,
    area: Rect,
    rows: &[Line<'static>],
    (scroll, way): (usize, &str),
) {
    let height = usize::from(area.height);
    let first = scroll.min(rows.len().saturating_sub(height));
    let hidden = rows.len().saturating_sub(first + height);
    let says_so = hidden > 0 && height > 1;
    for (row, line) in rows.iter().skip(first).take(height - usize::from(says_so)).enumerate() {
        detail_text::put(model, buffer, area, (0, row), line);
    }
    if says_so {
        let text = format!("{} {} more rows: {way}", model.glyphs.descending, hidden + 1);
        put(buffer, area, height - 1, &Line::from(Span::styled(text, model.theme.dim)));
    }
}

/// As [`draw`], over what is there already.
pub(in crate::tui) fn draw_over(model: &Model, buffer: &mut Buffer, area: Rect, heading: &str, right: &str) -> Rect {
    Clear.render(area, buffer);
    buffer.set_style(area, model.theme.text);
    draw(model, buffer, area, true, heading, right)
}
