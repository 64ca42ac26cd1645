//! Events: where alerts stand, and what happened, one sentence each, the newest at the bottom.

use std::cmp::Reverse;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::api::types::AlertStatus;
use crate::pipeline::{AlertState, Event, Evidence, Outcome, Recorded, narrate};
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
    let mut inner = pane::draw(model, frame.buffer_mut(), body, true, "Events", &right);
    if let Some(strip) = alerts(model).filter(|_| inner.height > 1) {
        put(frame.buffer_mut(), inner, 0, &strip);
        inner = Rect { y: inner.y + 1, height: inner.height - 1, ..inner };
    }
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

/// Where alerts stand now: by name those of which there is something to say, the most urgent first; `None` if there are none.
fn alerts(model: &Model) -> Option<Line<'static>> {
    let all = &model.live.alerts;
    let is_quiet =
        |alert: &&AlertStatus| alert.state == AlertState::Inactive && alert.silence.is_none() && alert.error.is_none();
    let (quiet, mut told): (Vec<&AlertStatus>, Vec<&AlertStatus>) = all.iter().partition(is_quiet);
    told.sort_by_key(|alert| Reverse(alert.state));
    let mut line = Line::from(Span::styled(" alerts", model.theme.dim));
    for alert in told {
        let (text, style) = alert_text(model, alert);
        line.push_span(Span::styled(format!("  {text}"), style));
    }
    if !quiet.is_empty() {
        line.push_span(Span::styled(format!("  {} {} inactive", model.glyphs.dot, quiet.len()), model.theme.dim));
    }
    (!all.is_empty()).then_some(line)
}

/// A sign, the name, a word, and who silenced it.
fn alert_text(model: &Model, alert: &AlertStatus) -> (String, Style) {
    let (glyphs, theme) = (model.glyphs, &model.theme);
    let (sign, style) = match alert.state {
        AlertState::Firing => (glyphs.firing, theme.bad),
        AlertState::Pending => (glyphs.pending, theme.warn),
        AlertState::Inactive => (glyphs.dot, theme.dim),
    };
    let name = sanitize(&alert.name);
    if alert.error.is_some() {
        return (format!("{sign} {name} not known, `trainyard alerts` says why"), theme.warn);
    }
    let mut text = format!("{sign} {name} {}", alert.state.word());
    if let Some(since) = alert.since {
        text.push_str(&format!(" since {}", model.clock.when(since, model.now)));
    }
    if let Some(silence) = &alert.silence {
        let until = model.clock.when(silence.until, model.now);
        text.push_str(&format!(", silenced by {} until {until}", sanitize(&silence.by)));
    }
    (text, style)
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
