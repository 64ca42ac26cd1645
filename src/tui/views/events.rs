//! Events: what happened, one sentence each, the newest at the bottom.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::pipeline::{Event, Evidence, Outcome, Recorded, narrate};
use crate::tui::app::Model;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cut, put, sanitize};

/// Draws the view.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    let count = model.events.len();
    let right = match model.events_back {
        0 => format!("the last {count}"),
        back => format!("{back} back"),
    };
    let inner = pane::draw(model, frame.buffer_mut(), body, true, "Events", &right);
    if count == 0 {
        put(frame.buffer_mut(), inner, 0, &Line::from(Span::styled(" nothing happened yet", model.theme.dim)));
        return;
    }
    let rows = usize::from(inner.height);
    let end = count.saturating_sub(model.events_back);
    let first = end.saturating_sub(rows);
    for (row, recorded) in model.events.iter().skip(first).take(end - first).enumerate() {
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
        | Event::Noted { .. } => theme.warn,
        Event::RunCreated { .. } | Event::RunStarted { .. } | Event::StageStarted { .. } => theme.text,
        Event::Configured { .. }
        | Event::InputsObserved { .. }
        | Event::StageChecking { .. }
        | Event::StageSkipped { .. }
        | Event::StageDropped { .. } => theme.dim,
    }
}
