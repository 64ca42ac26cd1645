//! The first run: what was found in the folder beside what would be written, or what is wrong with what is written.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{in_signs_of_the_terminal, too_small};
use crate::pipeline::RunResult;
use crate::tui::first_run::{Choice, Discovery, FirstRun, Page, Proposal};
use crate::tui::layout::{self, SMALLEST};
use crate::tui::quantity::{counted, small};
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cells, cut, cut_front, padded, paragraph, put, put_at, sanitize, wrap};

/// From this width on, what was found and what would be written stand side by side.
const SIDE_BY_SIDE: u16 = 110;
/// Rows of one line of the configuration, or of an error, at most.
const MOST_ROWS: usize = 12;
/// Cells of the names of what can be chosen.
const NAMES: usize = 10;

/// Draws the whole screen.
pub(in crate::tui) fn draw(first: &FirstRun, frame: &mut Frame) {
    let (model, area) = (&first.model, frame.area());
    frame.buffer_mut().set_style(area, model.theme.text);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(model, frame, area);
    } else {
        let parts = layout::bare_parts(area);
        let buffer = frame.buffer_mut();
        header(first, buffer, parts.header);
        body(first, buffer);
        message(first, buffer, parts.message);
        hints(first, buffer, parts.hints);
    }
    in_signs_of_the_terminal(model, frame);
}

/// Rows of the text on the screen.
pub(in crate::tui) fn room(first: &FirstRun) -> usize {
    usize::from(panes(first).text.height.saturating_sub(2))
}

/// Rows that the text has.
pub(in crate::tui) fn rows(first: &FirstRun) -> usize {
    text(first, inner_width(panes(first).text)).len()
}

struct Panes {
    /// What was found, with what can be chosen.
    found: Option<Rect>,
    /// The configuration, or its errors.
    text: Rect,
}

fn panes(first: &FirstRun) -> Panes {
    let body = layout::bare_parts(layout::whole(&first.model)).body;
    let Page::Proposal(proposal) = &first.page else { return Panes { found: None, text: body } };
    if body.width >= SIDE_BY_SIDE {
        let width = body.width / 5 * 2;
        let text = Rect { x: body.x + width, width: body.width - width, ..body };
        return Panes { found: Some(Rect { width, ..body }), text };
    }
    let wanted = discoveries(first, &proposal.discoveries, inner_width(body)).len() + proposal.choices.len() + 3;
    let height = small(wanted).min(body.height / 5 * 3);
    let text = Rect { y: body.y + height, height: body.height.saturating_sub(height), ..body };
    Panes { found: Some(Rect { height, ..body }), text }
}

fn inner_width(pane: Rect) -> usize {
    usize::from(pane.width.saturating_sub(4))
}

fn header(first: &FirstRun, buffer: &mut Buffer, area: Rect) {
    let theme = &first.model.theme;
    let word = match first.page {
        Page::Looking | Page::Proposal(_) => "a new project in",
        Page::Faults(_) => "the configuration of",
    };
    let mut line = Line::from(Span::styled(" trainyard", theme.accent));
    line.push_span(Span::styled(format!("  {word} "), theme.text));
    let room = usize::from(area.width).saturating_sub(line.width() + 1);
    let folder = first.file.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    // Of a long path, the end tells most.
    line.push_span(Span::styled(cut_front(&sanitize(&folder), room, first.model.glyphs.cut), theme.title));
    put(buffer, area, 0, &line);
}

fn body(first: &FirstRun, buffer: &mut Buffer) {
    let model = &first.model;
    let panes = panes(first);
    if let (Some(area), Page::Proposal(proposal)) = (panes.found, &first.page) {
        let inner = pane::draw(model, buffer, area, true, "This folder", "");
        found(first, proposal, buffer, inner);
    }
    let rows = text(first, inner_width(panes.text));
    let heading = match &first.page {
        Page::Looking => "",
        Page::Proposal(_) => "trainyard.toml, as it would be written",
        Page::Faults(_) => "trainyard.toml is not valid",
    };
    let inner = pane::draw(model, buffer, panes.text, panes.found.is_none(), heading, &place(first, rows.len()));
    for (row, line) in rows.iter().skip(first.scroll).take(usize::from(inner.height)).enumerate() {
        put_at(buffer, inner, 1, row, line);
    }
}

/// Which rows are shown, where that are not all.
fn place(first: &FirstRun, rows: usize) -> String {
    let room = room(first);
    if rows <= room {
        return String::new();
    }
    format!("{}-{} of {rows}", first.scroll + 1, (first.scroll + room).min(rows))
}

/// What was found, and at the foot, where it is never missing, what can be chosen.
fn found(first: &FirstRun, proposal: &Proposal, buffer: &mut Buffer, inner: Rect) {
    let width = usize::from(inner.width).saturating_sub(2);
    let choices = usize::from(inner.height).min(proposal.choices.len());
    let above = usize::from(inner.height) - choices;
    for (row, line) in discoveries(first, &proposal.discoveries, width).iter().take(above).enumerate() {
        put_at(buffer, inner, 1, row, line);
    }
    for (index, choice) in proposal.choices.iter().take(choices).enumerate() {
        put_at(buffer, inner, 1, above + index, &choice_line(first, choice, index == first.focus, width));
    }
}

fn discoveries(first: &FirstRun, all: &[Discovery], width: usize) -> Vec<Line<'static>> {
    let model = &first.model;
    let mut lines = Vec::new();
    for discovery in all {
        let (result, style) =
            if discovery.is_there { (Some(RunResult::Passed), model.theme.good) } else { (None, model.theme.dim) };
        let sign = model.glyphs.run(result, false);
        let told = paragraph(&sanitize(&discovery.text), width.saturating_sub(2), 3, model.glyphs.cut);
        for (index, text) in told.into_iter().enumerate() {
            let mut line = Line::from(Span::styled(if index == 0 { sign } else { " " }, style));
            line.push_span(Span::styled(format!(" {text}"), model.theme.text));
            lines.push(line);
        }
    }
    lines
}

fn choice_line(first: &FirstRun, choice: &Choice, is_focused: bool, width: usize) -> Line<'static> {
    let model = &first.model;
    let pointer = if is_focused { model.glyphs.pointer } else { " " };
    let name = padded(choice.subject.word(), NAMES, model.glyphs.cut);
    let place = format!("{} of {}", choice.chosen + 1, choice.options.len());
    let option = choice.options.get(choice.chosen).map(|option| sanitize(option)).unwrap_or_default();
    let room = width.saturating_sub(NAMES + cells(&place) + 8);
    let option = cut_front(&option, room, model.glyphs.cut);
    let style = if is_focused { model.theme.selection } else { model.theme.text };
    let mut line = Line::from(Span::styled(format!("{pointer} {name}"), style));
    line.push_span(Span::styled(format!("< {option} >"), style));
    line.push_span(Span::styled(format!("  {place}"), model.theme.dim));
    line
}

/// The rows of the text.
fn text(first: &FirstRun, width: usize) -> Vec<Line<'static>> {
    match &first.page {
        Page::Looking => vec![Line::from(Span::styled("looking at what is in this folder", first.model.theme.dim))],
        Page::Proposal(proposal) => {
            proposal.text.lines().flat_map(|line| wrap(&statement(first, &sanitize(line)), width, MOST_ROWS)).collect()
        }
        Page::Faults(faults) => faults.iter().flat_map(|fault| fault_rows(first, fault, width)).collect(),
    }
}

/// A line of the configuration: tables, keys and comments are told apart.
fn statement(first: &FirstRun, line: &str) -> Vec<(char, Style)> {
    let theme = &first.model.theme;
    let (code, comment) = line.split_at(comment_begin(line));
    let (key, rest) = match code.find('=') {
        _ if code.trim_start().starts_with('[') => ("", ""),
        Some(place) => code.split_at(place),
        None => ("", code),
    };
    let parts = if key.is_empty() && rest.is_empty() {
        [(code, theme.title), ("", theme.text), (comment, theme.dim)]
    } else {
        [(key, theme.accent), (rest, theme.text), (comment, theme.dim)]
    };
    parts.iter().flat_map(|(text, style)| text.chars().map(move |letter| (letter, *style))).collect()
}

/// Where the comment of a line begins; its end where it has none. A `#` in quotes begins none.
fn comment_begin(line: &str) -> usize {
    let mut quote = None;
    for (place, letter) in line.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if letter == '#' => return place,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None => {}
        }
    }
    line.len()
}

/// An error: what is wrong, the line, the mark with the mend; then an empty row.
fn fault_rows(first: &FirstRun, fault: &str, width: usize) -> Vec<Line<'static>> {
    let theme = &first.model.theme;
    let mut rows = Vec::new();
    for (index, line) in fault.lines().enumerate() {
        let style = match index {
            0 => theme.bad,
            1 => theme.text,
            _ => theme.warn,
        };
        let letters: Vec<(char, Style)> = sanitize(line).chars().map(|letter| (letter, style)).collect();
        rows.extend(wrap(&letters, width, MOST_ROWS));
    }
    rows.push(Line::default());
    rows
}

fn message(first: &FirstRun, buffer: &mut Buffer, area: Rect) {
    let model = &first.model;
    let (text, style) = match (&model.message, &first.page) {
        (Some(message), _) => {
            (sanitize(&message.text), if message.is_error { model.theme.bad } else { model.theme.good })
        }
        (None, Page::Looking) => (String::new(), model.theme.dim),
        (None, Page::Proposal(_)) => (
            "nothing is written yet; Enter writes it, starts the daemon and shows the Board".to_owned(),
            model.theme.warn,
        ),
        (None, Page::Faults(faults)) => {
            let count = counted(faults.len(), "error");
            (format!("{count}; the screen goes on by itself once the file is mended"), model.theme.warn)
        }
    };
    let (text, style) = first.asked.as_ref().map_or((text, style), |outside| {
        let (file, folder) = (sanitize(&outside.file), sanitize(&outside.folder));
        (format!("copy {file} into {folder}/? y copies it and leaves the file where it is"), model.theme.warn)
    });
    let text = cut(&text, usize::from(area.width).saturating_sub(2), model.glyphs.cut);
    put(buffer, area, 0, &Line::from(Span::styled(format!(" {text}"), style)));
}

fn hints(first: &FirstRun, buffer: &mut Buffer, area: Rect) {
    let model = &first.model;
    let mut line = Line::from(" ");
    for (index, (key, word)) in first.hints().into_iter().enumerate() {
        let before = if index == 0 { String::new() } else { format!(" {} ", model.glyphs.dot) };
        if line.width() + cells(&before) + cells(key) + 1 + cells(word) > usize::from(area.width) {
            continue;
        }
        line.push_span(Span::styled(before, model.theme.border));
        line.push_span(Span::styled(key, model.theme.accent));
        line.push_span(Span::styled(format!(" {word}"), model.theme.text));
    }
    put(buffer, area, 0, &line);
}
