//! Help: the table of commands as it stands here and now, with the operator's own keys. First what is of this view, then what
//! is everywhere, then what is elsewhere. Typing searches.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::metrics::delivery::MEANINGS;
use crate::tui::app::{Model, View};
use crate::tui::commands::{COMMANDS, Command, key_labels, place, view_name};
use crate::tui::quantity::small;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cut, padded, put, sanitize};

/// Columns of the window, where there are so many.
const WIDTH: u16 = 96;
/// Cells for keys, and for what they do.
const KEYS: usize = 15;
const DOES: usize = 52;

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
        word.is_empty() || has_key() || holds(command.name) || holds(command.description) || holds(&place(command))
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
    let all = rows(model, input);
    let width = area.width.saturating_sub(4).min(WIDTH);
    // Of the height of all keys, so that it does not jump while one types.
    let height = (small(rows(model, "").len()) + 3).min(area.height.saturating_sub(2));
    let window = super::middle(area, width, height);
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Keys", "type to find, Esc closes");
    let room = usize::from(inner.height).saturating_sub(1);
    let scroll = scroll.min(all.len().saturating_sub(room));
    let mut prompt = Line::from(Span::styled(" find: ", theme.dim));
    prompt.push_span(Span::styled(sanitize(input), theme.title));
    prompt.push_span(Span::styled(" ", theme.selection));
    put(frame.buffer_mut(), inner, 0, &prompt);
    if all.is_empty() {
        put(frame.buffer_mut(), inner, 1, &Line::from(Span::styled("  no key and no command has this", theme.dim)));
    }
    for (row, entry) in all.iter().skip(scroll).take(room).enumerate() {
        let line = match entry {
            Row::Heading(text) => Line::from(Span::styled(format!(" {text}"), theme.title)),
            Row::Command(command) => line(model, command, usize::from(inner.width)),
            Row::Meaning(name, meaning) => Line::from(vec![
                Span::styled(format!("   {} ", padded(name, KEYS, model.glyphs.cut)), theme.accent),
                Span::styled(*meaning, theme.text),
            ]),
        };
        put(frame.buffer_mut(), inner, row + 1, &line);
    }
}

fn line(model: &Model, command: &Command, width: usize) -> Line<'static> {
    let theme = &model.theme;
    let works = command.is_available(model);
    let (key_style, text_style) = if works { (theme.accent, theme.text) } else { (theme.dim, theme.dim) };
    let keys = format!("   {} ", padded(&key_labels(model, command), KEYS, model.glyphs.cut));
    let views = if command.belongs(model.view) { String::new() } else { place(command) };
    let room = width.saturating_sub(keys.width() + views.width() + 1);
    let does = padded(command.description, room.min(DOES), model.glyphs.cut);
    let rest = width.saturating_sub(keys.width() + does.width() + 1);
    Line::from(vec![
        Span::styled(keys, key_style),
        Span::styled(does, text_style),
        Span::styled(format!(" {}", cut(&views, rest, model.glyphs.cut)), theme.dim),
    ])
}
