//! Where on the causal line one is, in one line: every link of the run's line, the present one set off, what does not exist
//! said.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::tui::app::Model;
use crate::tui::update::is_on_the_way;
use crate::tui::walk::{self, Link};
use crate::tui::widgets::text::{cut, sanitize};

/// Cells that a link other than the present one gets where there is little room.
const SHORT: usize = 14;

/// The line, while somebody walks and nothing else is to be said.
pub(super) fn line(model: &Model, width: usize) -> Option<Line<'static>> {
    let thing = model.walk.filter(|thing| is_on_the_way(model, *thing))?;
    if model.message.is_some() || model.overlay.is_some() {
        return None;
    }
    let run = model.run_of(thing.run)?;
    let texts: Vec<(Link, String, bool)> = Link::ALL
        .into_iter()
        .map(|link| {
            let exists = walk::subject(&model.state, run, link).is_ok();
            (link, sanitize(&walk::label(&model.state, run, link)), exists)
        })
        .collect();
    let arrow = format!(" {} ", model.glyphs.arrow_head);
    let needed: usize = texts.iter().map(|(_, text, _)| text.width() + arrow.width()).sum();
    let limit = if needed > width { SHORT.min(width / Link::ALL.len()).saturating_sub(arrow.width()) } else { width };
    let mut line = Line::from(" ");
    for (link, text, exists) in texts {
        if link != Link::Cause {
            line.push_span(Span::styled(arrow.clone(), model.theme.border));
        }
        if link == thing.link {
            line.push_span(Span::styled(format!("[{text}]"), model.theme.title));
        } else {
            let style = if exists { model.theme.accent } else { model.theme.dim };
            line.push_span(Span::styled(cut(&text, limit, model.glyphs.cut), style));
        }
    }
    Some(line)
}
