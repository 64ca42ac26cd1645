//! Events: where alerts stand, and what happened, one sentence each, the newest at the bottom; of one alert alone where one is
//! chosen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::pipeline::{Event, Evidence, Outcome, Recorded, narrate};
use crate::tui::app::Model;
use crate::tui::widgets::text::{cut, put, sanitize};
use crate::tui::widgets::{alert_line, pane};

/// Draws the view: everything that is known, or what is about the chosen alert.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    let count = model.shown_events().count();
    let about = model.alert.as_ref().map(|alert| format!(" about {}", sanitize(alert))).unwrap_or_default();
    let right = match (model.events_back, &model.alert) {
        (0, None) => format!("the last {count}"),
        (0, Some(_)) => format!("{count}{about}"),
        (back, _) => format!("{back} back{about}"),
    };
    let mut inner = pane::draw(model, frame.buffer_mut(), body, true, "Events", &right);
    if let Some(strip) = alert_line::line(model, usize::from(inner.width)).filter(|_| inner.height > 1) {
        put(frame.buffer_mut(), inner, 0, &strip);
        inner = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    }
    if count == 0 {
        let text = match &model.alert {
            Some(_) => " no event is about it; Esc shows all",
            None => " nothing happened yet",
        };
        put(frame.buffer_mut(), inner, 0, &Line::from(Span::styled(text, model.theme.dim)));
        return;
    }
    let rows = usize::from(inner.height);
    let end = count.saturating_sub(model.events_back);
    let first = end.saturating_sub(rows);
    for (row, recorded) in model.shown_events().skip(first).take(end - first).enumerate() {
        put(frame.buffer_mut(), inner, row, &line(model, recorded, usize::from(inner.width)));
    }
}

fn line(model: &Model, recorded: &Recorded, width: usize) -> Line<'static> {
    let text = sanitize(&narrate(&recorded.event));
    let when = model.clock.when(recorded.at, model.now);
    let head = format!(" {:>6}  {when:<10}  ", recorded.sequence);
    let room = width.saturating_sub(head.chars().count());
    Line::from(vec![
        Span::styled(head, model.theme.dim),
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
        | Event::Commanded { refused: Some(_), .. }
        | Event::Locked { .. }
        | Event::Unlocked { .. }
        | Event::ApprovalWanted { .. }
        | Event::Noted { .. } => theme.warn,
        Event::ModelPromoted { .. } | Event::Approved { .. } => theme.good,
        Event::Commanded { refused: None, .. } => theme.text,
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
