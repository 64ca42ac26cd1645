//! Lines of a log: what of the window is visible, with marks, numbers, times, stages, colours and matches.
//!
//! Only the rows on the screen are looked at, however long the log is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use regex::Regex;

use super::facts;
use super::text::{cut_front, line_of, padded, put_at, put_fitted, sanitize, wrap};
use crate::api::types::{LogLevel, LogLine};
use crate::pipeline::{Moment, StageName};
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::log_view::action::LogPrompt;
use crate::tui::log_view::colour::{as_written, depth_of, fit};
use crate::tui::log_view::json::{self, Part};
use crate::tui::log_view::stamps::Stamps;
use crate::tui::log_view::{Row, jump};
use crate::tui::mouse::Target;
use crate::tui::probe::Depth;
use crate::tui::quantity::small;
use crate::tui::update::logs::stamps;

/// How much stands before each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Margin {
    /// The time.
    Time,
    /// The number and the time.
    NumberAndTime,
}

/// Cells for the name of a stage where several are merged.
const LONGEST_STAGE: usize = 10;

/// Draws the visible lines into `area`.
pub(in crate::tui) fn draw(model: &Model, buffer: &mut Buffer, area: Rect, margin: Margin) {
    let log = &model.log;
    let painter = Painter::new(model, margin);
    let margin_width = painter.digits + painter.stamps.width();
    let rows = usize::from(area.height);
    let text_width = usize::from(area.width).saturating_sub(margin_width);
    let text_area =
        Rect { x: area.x + small(margin_width.min(usize::from(area.width))), width: small(text_width), ..area };
    let end = if log.follow { Some(log.end()) } else { log.bottom.map(|bottom| bottom.min(log.end())) };
    let visible = match end {
        Some(end) => painter.up_from(end, rows, text_width),
        None => painter.down_from(log.top, rows, text_width),
    };
    let mut y = 0;
    for (index, lines) in visible {
        let Some(row) = log.row(index) else { continue };
        let begin = y;
        put_at(buffer, area, 0, y, &painter.head(row));
        for line in lines {
            put_fitted(buffer, text_area, (0, y), &line, model.glyphs.cut);
            model.hits.add(Rect { y: area.y + small(y), height: 1, ..area }, Target::LogLine(index));
            y += 1;
        }
        if log.selection.is_some_and(|(first, last)| (first..=last).contains(&index)) {
            let height = small(y.saturating_sub(begin));
            let selected = Rect { y: area.y + small(begin), height, ..area };
            buffer.set_style(selected.intersection(area), Style::default().add_modifier(Modifier::REVERSED));
        }
    }
}

type Visible = Vec<(u64, Vec<Line<'static>>)>;

/// What is the same for all lines of a frame.
struct Painter<'a> {
    model: &'a Model,
    /// Cells of the number; none where there is no room for it.
    digits: usize,
    depth: Depth,
    stamps: Stamps,
}

impl<'a> Painter<'a> {
    fn new(model: &'a Model, margin: Margin) -> Self {
        let digits = match margin {
            Margin::Time => 0,
            Margin::NumberAndTime => model.log.total.max(1).to_string().len().max(4) + 1,
        };
        Self { model, digits, depth: depth_of(&model.theme), stamps: stamps(model) }
    }

    /// Number, mark and time.
    fn head(&self, row: Row<'_>) -> Line<'static> {
        let (model, log) = (self.model, &self.model.log);
        let mut head = Line::default();
        if self.digits > 0 {
            let hit = log.search.as_ref().and_then(|search| search.hit);
            let is_found = hit.or(log.aim) == Some(row.number);
            let style = if is_found { model.theme.mark } else { model.theme.dim };
            head.push_span(Span::styled(format!("{:>width$}", row.number + 1, width = self.digits - 1), style));
            let is_marked = log.own_marks().is_some_and(|marks| marks.contains_key(&row.number));
            let is_aim = log.aim == Some(row.number);
            let (sign, style) = match (is_marked, is_aim) {
                (true, _) => (model.glyphs.marked, model.theme.accent),
                (false, true) => (model.glyphs.pointer, model.theme.accent),
                (false, false) => (" ", style),
            };
            head.push_span(Span::styled(sign, style));
        }
        head.push_span(Span::styled(self.stamps.before(row.line.at), model.theme.dim));
        head
    }

    fn down_from(&self, top: u64, rows: usize, width: usize) -> Visible {
        let mut visible = Visible::new();
        let mut left = rows;
        let mut index = top;
        while left > 0 {
            let Some(row) = self.model.log.row(index) else { break };
            let lines = self.lines_of(row, width, left);
            left -= lines.len().min(left);
            visible.push((index, lines));
            index += 1;
        }
        visible
    }

    /// The last rows; of the topmost line only the end may be visible.
    fn up_from(&self, end: u64, rows: usize, width: usize) -> Visible {
        let mut visible = Visible::new();
        let mut left = rows;
        let mut index = end;
        while left > 0 && index > self.model.log.window.first {
            index -= 1;
            let Some(row) = self.model.log.row(index) else { break };
            let mut lines = self.lines_of(row, width, usize::MAX);
            let surplus = lines.len().saturating_sub(left);
            lines.drain(..surplus);
            left -= lines.len();
            visible.push((index, lines));
        }
        visible.reverse();
        visible
    }

    fn lines_of(&self, row: Row<'_>, width: usize, limit: usize) -> Vec<Line<'static>> {
        let (theme, log) = (&self.model.theme, &self.model.log);
        let is_around = log.filter.is_some() && !row.is_hit;
        let base = if is_around { theme.dim } else { theme.text };
        let mut cells = self.text_of(row.line, base);
        for regex in log.search.as_ref().and_then(|search| search.regex.as_ref()).into_iter().chain(&log.passing) {
            highlight(&mut cells, regex, theme.selection.patch(theme.mark));
        }
        if row.line.cut > 0 {
            let note = format!(" {} {} bytes more in the file", self.model.glyphs.cut, row.line.cut);
            cells.extend(note.chars().map(|character| (character, theme.dim)));
        }
        if let Some(stage) = &row.line.stage {
            let name = padded(&sanitize(stage.as_str()), LONGEST_STAGE, self.model.glyphs.cut);
            let style = fit(theme.series(self.place_of(stage)), self.depth);
            let mut named: Vec<_> = format!("{name} ").chars().map(|character| (character, style)).collect();
            named.append(&mut cells);
            cells = named;
        }
        if log.wrap { wrap(&cells, width, limit) } else { vec![line_of(&cells, log.left)] }
    }

    /// The text itself, in its own colours as far as the screen has them, or JSON as people read it.
    fn text_of(&self, line: &LogLine, base: Style) -> Vec<(char, Style)> {
        let clock = |milliseconds| self.model.clock.time(Moment(milliseconds));
        let parts = if self.model.log.is_raw { None } else { json::readable(&line.text, &clock) };
        let Some(parts) = parts else {
            return as_written(&line.text, base, self.depth);
        };
        let mut cells = Vec::new();
        for (text, part) in parts {
            if !cells.is_empty() {
                cells.push((' ', base));
            }
            let style = self.style_of(part, base);
            cells.extend(sanitize(&text).chars().map(|character| (character, style)));
        }
        cells
    }

    fn style_of(&self, part: Part, base: Style) -> Style {
        let theme = &self.model.theme;
        match part {
            Part::Time | Part::Rest => theme.dim,
            Part::Message => base,
            Part::Level(Some(LogLevel::Error)) => theme.bad,
            Part::Level(Some(LogLevel::Warn)) => theme.warn,
            Part::Level(Some(LogLevel::Info)) => theme.good,
            Part::Level(Some(LogLevel::Debug | LogLevel::Trace) | None) => theme.dim,
        }
    }

    fn place_of(&self, stage: &StageName) -> usize {
        let stages = self.model.state.graph.stages();
        stages.iter().position(|spec| spec.name == *stage).unwrap_or(stages.len())
    }
}

/// Gives every match `style`.
fn highlight(cells: &mut [(char, Style)], regex: &Regex, style: Style) {
    let text: String = cells.iter().map(|(character, _)| *character).collect();
    let ranges: Vec<_> = regex.find_iter(&text).map(|found| found.range()).collect();
    let mut ranges = ranges.into_iter().filter(|range| !range.is_empty()).peekable();
    let mut offset = 0;
    for (character, known) in cells {
        while ranges.next_if(|range| range.end <= offset).is_some() {}
        if ranges.peek().is_some_and(|range| range.contains(&offset)) {
            *known = known.patch(style);
        }
        offset += character.len_utf8();
    }
}

/// Why there is no log of the stage that the view is about.
pub(in crate::tui) fn no_log(model: &Model) -> String {
    let Some((run, stage)) = model.subject_run().zip(model.subject_stage()) else {
        return format!("the log of what runs will stand here; {} starts a run", key_of(model, Action::RunAll));
    };
    let reason = facts::reason(model, run, stage);
    let word = run.stages.get(stage).map_or("waiting", |entry| entry.state.word());
    let stage = sanitize(stage.as_str());
    if reason.is_empty() { format!("{stage}: {word}, without a log") } else { format!("{stage}: {word}, {reason}") }
}

/// What is asked about a log, on the message line; `None` for what has a window of its own.
pub(in crate::tui) fn prompt(model: &Model, prompt: &LogPrompt) -> Option<Line<'static>> {
    let theme = &model.theme;
    let is_narrowed = model.log.filter.is_some();
    let (label, input, hint) = match prompt {
        LogPrompt::Filter { input } => {
            ("only lines with", input, "a regular expression; an empty one shows all".to_owned())
        }
        LogPrompt::GoTo { input } => ("go to", input, jump::FORMS.to_owned()),
        LogPrompt::Save { input } if is_narrowed => {
            ("save what is shown to", input, "Enter saves, Esc leaves".to_owned())
        }
        LogPrompt::Save { input } => ("save the whole log to", input, "Enter saves, Esc leaves".to_owned()),
        LogPrompt::Marks { .. } => return None,
    };
    let width = usize::from(model.size.0).saturating_sub(label.len() + hint.len() + 8).max(20);
    let mut line = Line::from(Span::styled(format!(" {label}: "), theme.accent));
    line.push_span(Span::styled(cut_front(&sanitize(input), width, model.glyphs.cut), theme.title));
    line.push_span(Span::styled(" ", theme.selection));
    line.push_span(Span::styled(format!("  {hint}"), theme.dim));
    Some(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::api::types::{LogWindow, visible};
    use crate::tui::fixtures;
    use crate::tui::log_view::Timestamps;
    use crate::tui::widgets::text::styled;

    fn model(lines: &[&str]) -> Model {
        let mut model = fixtures::running();
        let lines: Vec<LogLine> =
            lines.iter().map(|text| LogLine { text: (*text).to_owned(), ..LogLine::default() }).collect();
        let total = u64::try_from(lines.len()).unwrap();
        model.log.total = total;
        model.log.window = LogWindow { first: 0, lines, total };
        model.log.timestamps = Timestamps::Off;
        model
    }

    fn drawn(model: &Model, width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        draw(model, &mut buffer, area, Margin::Time);
        let rows = buffer.content().chunks(usize::from(width));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn what_the_usual_tools_print_is_readable() {
        let model = model(&[
            " 10%|#   | 1/10 [00:01<00:09]\r100%|####| 10/10 [00:10<00:00]",
            "\x1b[1;32mCollecting\x1b[0m numpy\x1b[?25l",
            "tests/test_app.py::test_schema \x1b[32mPASSED\x1b[0m\x1b[32m [ 50%]\x1b[0m",
            "\x1b[0m\x1b[1m\x1b[38;5;9merror[E0425]\x1b[0m\x1b[1m: cannot find value `x`\x1b[0m",
            r#"{"event": "epoch done", "loss": 0.31, "level": "info", "timestamp": "14:03:11"}"#,
            "\x1b]8;;https://pypi.org\x07link\x1b]8;;\x07 done",
        ]);
        let expected = [
            "100%|####| 10/10 [00:10<00:00]",
            "Collecting numpy",
            "tests/test_app.py::test_schema PASSED [ 50%]",
            "error[E0425]: cannot find value `x`",
            "14:03:11 INFO  epoch done loss=0.31",
            "link done",
        ];
        assert_eq!(drawn(&model, 60, 6), expected);
    }

    #[test]
    fn json_is_shown_as_it_was_written_where_that_is_wanted() {
        let mut model = model(&[r#"{"msg":"up","level":"info"}"#]);
        assert_eq!(drawn(&model, 40, 1), ["INFO  up"]);
        model.log.is_raw = true;
        assert_eq!(drawn(&model, 40, 1), [r#"{"msg":"up","level":"info"}"#]);
    }

    #[test]
    fn a_line_that_is_not_wrapped_ends_in_the_cut_sign_at_the_edge() {
        let mut model = model(&["it takes what it shows", "short"]);
        assert_eq!(drawn(&model, 10, 2), ["it takes …", "short"]);
        model.log.wrap = true;
        assert_eq!(drawn(&model, 10, 4), ["it takes", "what it", "shows", "short"]);
    }

    #[test]
    fn lines_that_are_selected_are_shown_in_reverse() {
        let mut model = model(&["one", "two", "three"]);
        model.log.selection = Some((1, 2));
        let area = Rect::new(0, 0, 10, 3);
        let mut buffer = Buffer::empty(area);
        draw(&model, &mut buffer, area, Margin::Time);
        let is_reversed = |y| buffer.cell((9, y)).unwrap().modifier.contains(Modifier::REVERSED);
        assert_eq!([is_reversed(0), is_reversed(1), is_reversed(2)], [false, true, true]);
    }

    #[test]
    fn a_log_that_stands_at_its_end_shows_the_last_of_wrapped_lines() {
        let mut model = model(&["aaaaaaaaaa", "bbbbbbbbbbbb", "last"]);
        (model.log.wrap, model.log.follow, model.log.bottom) = (true, false, Some(3));
        assert_eq!(drawn(&model, 6, 3), ["bbbbbb", "bbbbbb", "last"]);
    }

    proptest! {
        #[test]
        fn no_control_character_reaches_a_cell_whatever_a_log_says(
            text in "(.|\x1b|\\[|\\]|;|[0-9]|m|\r|\t|\u{7}|\u{9b}|\u{9d}|\u{202e}|\\{|\\}|\"){0,60}",
            wrapped in any::<bool>(),
        ) {
            let mut model = model(&[text.as_str()]);
            model.log.wrap = wrapped;
            for row in drawn(&model, 20, 4) {
                prop_assert!(!row.chars().any(char::is_control), "{row:?}");
            }
        }

        #[test]
        fn what_is_seen_is_what_is_searched(text in "(a|b| |\x1b\\[[0-9;]{0,4}[mKH]|\x1b\\]0;t\u{7}|\r|한){0,30}") {
            let seen: String = styled(&text, Style::default()).into_iter().map(|(character, _)| character).collect();
            prop_assert_eq!(seen.into_bytes(), visible(text.as_bytes()).into_owned());
        }
    }
}
