//! Events: where alerts stand, and what happened, when and by whom, one sentence each, the newest at the bottom; only what
//! passes, where an alert is chosen or something was typed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::pipeline::{Event, Evidence, Outcome, Recorded, narrate};
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::mouse::Target;
use crate::tui::quantity::small;
use crate::tui::selection;
use crate::tui::widgets::text::{cut, padded, put, sanitize};
use crate::tui::widgets::{alert_line, pane};

/// Cells for a name.
const WHO: usize = 12;
/// From this width on, the names stand in a column of their own; the sentences say them too.
const WITH_NAMES: usize = 90;

/// Draws the view: everything that is known, or what passes.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    let count = model.shown_events().count();
    let about = model.alert.as_ref().map(|alert| format!(" about {}", sanitize(alert))).unwrap_or_default();
    let is_narrowed = model.alert.is_some() || !model.event_search.is_empty();
    let asks = model.filtered_events.as_ref().is_some_and(|known| known.is_pending);
    let asks = if asks { ", asking for older ones" } else { "" };
    let right = match (model.events_back, is_narrowed) {
        (0, false) => format!("the last {count}"),
        (0, true) => format!("{count}{about}{asks}"),
        (back, _) => format!("{back} back{about}{asks}"),
    };
    let heading = match model.event_search.as_str() {
        "" => "Events".to_owned(),
        typed => format!("Events {} only {}", model.glyphs.dot, sanitize(typed)),
    };
    let mut inner = pane::draw(model, frame.buffer_mut(), body, true, &heading, &right);
    if let Some(strip) = alert_line::line(model, usize::from(inner.width)).filter(|_| inner.height > 1) {
        put(frame.buffer_mut(), inner, 0, &strip);
        inner = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    }
    if count == 0 {
        let text = match (&model.alert, is_narrowed) {
            _ if !asks.is_empty() => " asking the daemon".to_owned(),
            (Some(_), _) if model.event_search.is_empty() => " no event is about it; Esc shows all".to_owned(),
            (_, true) => " no event passes; Esc shows all".to_owned(),
            (_, false) => {
                format!(" nothing happened yet; {} on the Board starts the first run", key_of(model, Action::RunAll))
            }
        };
        put(frame.buffer_mut(), inner, 0, &Line::from(Span::styled(text, model.theme.dim)));
        return;
    }
    let rows = usize::from(inner.height);
    let end = count.saturating_sub(model.events_back);
    let first = end.saturating_sub(rows);
    for (row, recorded) in model.shown_events().skip(first).take(end - first).enumerate() {
        put(frame.buffer_mut(), inner, row, &line(model, recorded, usize::from(inner.width)));
        let place = Rect { y: inner.y + small(row), height: 1, ..inner };
        model.hits.add(place, Target::Event(recorded.sequence));
        if selection::holds_event(model, recorded.sequence) {
            frame.buffer_mut().set_style(place, model.theme.selection);
        }
    }
}

fn line(model: &Model, recorded: &Recorded, width: usize) -> Line<'static> {
    let text = sanitize(&narrate(&recorded.event));
    let when = model.clock.when(recorded.at, model.now);
    let head = format!(" {:>6}  {when:<10}  ", recorded.sequence);
    let who = if width >= WITH_NAMES {
        let name = recorded.event.by().map(sanitize).unwrap_or_default();
        format!("{}  ", padded(&name, WHO, model.glyphs.cut))
    } else {
        String::new()
    };
    let room = width.saturating_sub(head.width() + who.width());
    Line::from(vec![
        Span::styled(head, model.theme.dim),
        Span::styled(who, model.theme.accent),
        Span::styled(cut(&text, room, model.glyphs.cut), style_of(model, &recorded.event)),
    ])
}

/// The colour of an event; the sentence is the core's.
fn style_of(model: &Model, event: &Event) -> Style {
    let theme = &model.theme;
    match event {
        Event::RunFinished { result, .. } => theme.run(Some(*result), true),
        Event::StageFinished { outcome, .. } => match outcome {
            Outcome::Passed => theme.good,
            Outcome::Failed(_) => theme.bad,
            Outcome::Interrupted => theme.warn,
            Outcome::Cancelled => theme.dim,
        },
        Event::ReleaseRejected { .. } | Event::AlertFired { .. } => theme.bad,
        Event::Commanded { refused: Some(_), .. } => theme.warn,
        Event::Commanded { refused: None, .. } => theme.text,
        Event::AlertResolved { evidence: Evidence::Clear, .. } => theme.good,
        Event::DataRefused { .. }
        | Event::RunStopping { .. }
        | Event::StageNotRun { .. }
        | Event::StageStopping { .. }
        | Event::StageRetrying { .. }
        | Event::QuarantineLifted { .. }
        | Event::AlertResolved { .. }
        | Event::AlertSilenced { .. }
        | Event::SilenceLifted { .. }
        | Event::Locked { .. }
        | Event::Unlocked { .. }
        | Event::ApprovalWanted { .. }
        | Event::Noted { .. } => theme.warn,
        Event::ModelPromoted { .. } | Event::Approved { .. } => theme.good,
        Event::RunCreated { .. } | Event::RunStarted { .. } | Event::StageStarted { .. } | Event::ModelNoted { .. } => {
            theme.text
        }
        Event::Configured { .. }
        | Event::InputsObserved { .. }
        | Event::DataRefusalEnded { .. }
        | Event::StageChecking { .. }
        | Event::StageSkipped { .. }
        | Event::StageDropped { .. } => theme.dim,
    }
}
