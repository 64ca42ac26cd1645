//! Help: the table of commands as it stands here and now, with the operator's own keys. First what is of this view, then what
//! is everywhere, then what is elsewhere. Typing searches.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::metrics::delivery::MEANINGS;
use crate::tui::app::{Model, View};
use crate::tui::commands::{COMMANDS, Command, key_labels, other_words, place, view_name};
use crate::tui::layout;
use crate::tui::quantity::small;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cut, padded, paragraph, put, sanitize};

/// Columns of the window, where there are so many.
const WIDTH: u16 = 96;
/// Cells for keys, and for what they do.
const KEYS: usize = 15;
const DOES: usize = 52;
/// Cells that it has in any case, and rows that it may take.
const LEAST: usize = 24;
const ROWS: usize = 4;

/// A row of the window.
pub(in crate::tui) enum Row {
    /// What the rows below it have in common.
    Heading(String),
    /// A command.
    Command(&'static Command),
    /// A word on the screen, and what it means.
    Meaning(&'static str, &'static str),
}

/// The rows for what was typed.
pub(in crate::tui) fn rows(model: &Model, input: &str) -> Vec<Row> {
    let word = input.trim().to_lowercase();
    let is_meant = |command: &&'static Command| {
        let holds = |text: &str| text.to_lowercase().contains(&word);
        // One character is a key before it is a letter of a word.
        let has_key = || model.keymap().keys(command).iter().any(|key| key.label() == input.trim());
        let is_called = || word.len() > 1 && other_words(command.action).iter().any(|other| other.starts_with(&word));
        let is_told = || holds(command.name) || holds(command.told(model)) || holds(&place(command));
        word.is_empty() || has_key() || is_told() || is_called()
    };
    let group = |heading: String, is_in: &dyn Fn(&Command) -> bool| {
        let known = COMMANDS.iter().filter(|command| command.is_known(model) && is_in(command));
        let commands: Vec<Row> = known.filter(is_meant).map(Row::Command).collect();
        let heading = (!commands.is_empty()).then_some(Row::Heading(heading));
        heading.into_iter().chain(commands)
    };
    let is_everywhere = |command: &Command| command.views.is_empty();
    let is_here = |command: &Command| !is_everywhere(command) && command.belongs(model.view);
    let here = group(format!("in {}", view_name(model.view)), &is_here);
    let everywhere = group("everywhere".to_owned(), &is_everywhere);
    let elsewhere = group("in other views".to_owned(), &|command| !is_everywhere(command) && !is_here(command));
    here.chain(meanings(model, &word)).chain(everywhere).chain(elsewhere).collect()
}

/// What the figures in the last row of Metrics mean.
fn meanings(model: &Model, word: &str) -> Vec<Row> {
    let is_meant =
        |(name, meaning): &(&str, &str)| "delivery".contains(word) || name.contains(word) || meaning.contains(word);
    let found = MEANINGS.into_iter().filter(|meaning| model.view == View::Metrics && is_meant(meaning));
    let rows: Vec<Row> = found.map(|(name, meaning)| Row::Meaning(name, meaning)).collect();
    let heading = (!rows.is_empty()).then(|| Row::Heading("in the row `delivery`".to_owned()));
    heading.into_iter().chain(rows).collect()
}

/// Draws the window; a command that does not work here and now is dim.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect, scroll: usize, input: &str) {
    let theme = &model.theme;
    let window = window(model, area);
    let all = lines(model, input, window);
    let right = if input.is_empty() { "type to find, Esc closes" } else { "Esc empties, again closes" };
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Keys", right);
    let room = room(window);
    let scroll = scroll.min(all.len().saturating_sub(room));
    let mut prompt = Line::from(Span::styled(" find: ", theme.dim));
    prompt.push_span(Span::styled(sanitize(input), theme.title));
    prompt.push_span(Span::styled(" ", theme.selection));
    put(frame.buffer_mut(), inner, 0, &prompt);
    if all.is_empty() {
        put(frame.buffer_mut(), inner, 1, &Line::from(Span::styled("  no key and no command has this", theme.dim)));
    }
    for (row, line) in all.iter().skip(scroll).take(room).enumerate() {
        put(frame.buffer_mut(), inner, row + 1, line);
    }
}

/// The lines that the window does not show, which is as far as it can be scrolled.
pub(in crate::tui) fn hidden_rows(model: &Model, input: &str) -> usize {
    let window = window(model, layout::whole(model));
    lines(model, input, window).len().saturating_sub(room(window))
}

/// Where it stands: of the height of all keys, so that it does not jump while one types.
fn window(model: &Model, area: Rect) -> Rect {
    let width = area.width.saturating_sub(4).min(WIDTH);
    let height = (small(rows(model, "").len()) + 3).min(area.height.saturating_sub(2));
    super::middle(area, width, height)
}

/// Rows for keys in it, below the line that is typed.
fn room(window: Rect) -> usize {
    usize::from(window.height).saturating_sub(3)
}

/// What is found, as it is shown.
fn lines(model: &Model, input: &str, window: Rect) -> Vec<Line<'static>> {
    let width = usize::from(window.width).saturating_sub(2);
    rows(model, input)
        .into_iter()
        .flat_map(|row| match row {
            Row::Heading(text) => vec![Line::from(Span::styled(format!(" {text}"), model.theme.title))],
            Row::Command(command) => command_lines(model, command, width),
            Row::Meaning(name, meaning) => vec![Line::from(vec![
                Span::styled(format!("   {} ", padded(name, KEYS, model.glyphs.cut)), model.theme.accent),
                Span::styled(meaning, model.theme.text),
            ])],
        })
        .collect()
}

/// A command with its keys and its place; of what it does nothing is cut, for nowhere else is all of it told.
fn command_lines(model: &Model, command: &Command, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let works = command.is_available(model);
    let (key_style, text_style) = if works { (theme.accent, theme.text) } else { (theme.dim, theme.dim) };
    let keys = format!("   {} ", padded(&key_labels(model, command), KEYS, model.glyphs.cut));
    let views = if command.belongs(model.view) { String::new() } else { place(command) };
    let left = width.saturating_sub(keys.width() + 1);
    let room = left.saturating_sub(views.width()).max(LEAST.min(left)).min(DOES);
    let rest = left.saturating_sub(room);
    let mut lines = Vec::new();
    for (index, does) in paragraph(command.told(model), room, ROWS, model.glyphs.cut).into_iter().enumerate() {
        let (keys, views) = if index == 0 { (keys.as_str(), views.as_str()) } else { ("", "") };
        lines.push(Line::from(vec![
            Span::styled(padded(keys, KEYS + 4, model.glyphs.cut), key_style),
            Span::styled(padded(&does, room, model.glyphs.cut), text_style),
            Span::styled(format!(" {}", cut(views, rest, model.glyphs.cut)), theme.dim),
        ]));
    }
    lines
}
