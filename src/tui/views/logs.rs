//! Logs: one log on the whole screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::app::Model;
use crate::tui::quantity;
use crate::tui::widgets::text::{paragraph, put_at, sanitize};
use crate::tui::widgets::{log_lines, pane};

/// Draws the view.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    let log = &model.log;
    let Some(address) = &log.address else {
        let inner = pane::draw(model, frame.buffer_mut(), body, true, "Log", "");
        let text = "no log yet: it begins with the first stage that runs; press r on the Board to start a run";
        say(model, frame, inner, text);
        return;
    };
    let dot = model.glyphs.dot;
    let stage = sanitize(address.stage.as_str());
    let mut heading = format!("Log {dot} {stage} {dot} run {}", address.run);
    if address.attempt.0 > 1 {
        heading = format!("{heading} {dot} attempt {}", address.attempt);
    }
    let inner = pane::draw(model, frame.buffer_mut(), body, true, &heading, &place(model));
    if let Some(error) = &log.error {
        say(model, frame, inner, &sanitize(error));
    } else if log.total == 0 {
        say(model, frame, inner, "nothing was written yet");
    } else {
        log_lines::draw(model, frame.buffer_mut(), inner, log_lines::Margin::NumberAndTime);
    }
}

/// Where in the log the window stands, and how it shows it.
fn place(model: &Model) -> String {
    let log = &model.log;
    let mut parts = Vec::new();
    if let Some(search) = &log.search {
        parts.push(format!("/{}", sanitize(&search.pattern)));
    }
    if log.wrap {
        parts.push("wrapped".to_owned());
    }
    if log.left > 0 {
        parts.push(format!("from column {}", log.left + 1));
    }
    if log.follow {
        parts.push(format!("following {}", quantity::counted(log.total, "line")));
    } else {
        parts.push(format!("line {} of {}", quantity::count(log.top + 1), quantity::count(log.total)));
    }
    parts.join(&format!(" {} ", model.glyphs.dot))
}

fn say(model: &Model, frame: &mut Frame, inner: Rect, text: &str) {
    let width = usize::from(inner.width).saturating_sub(2);
    for (row, text) in paragraph(text, width, 3, model.glyphs.cut).into_iter().enumerate() {
        put_at(frame.buffer_mut(), inner, 1, row, &Line::from(Span::styled(text, model.theme.dim)));
    }
}
