//! All that is known of one event: its sentence, exactly when, whose doing and why, what it is of, where one can go from it,
//! and the form in which the journal keeps it.

use std::io::{self, Write};

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::style_of;
use crate::pipeline::{Event, Recorded, RunId, StageName, explain, narrate};
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::detail_text;
use crate::tui::event_list::{self, Subject, kind};
use crate::tui::past::ago;
use crate::tui::release_facts::standing;
use crate::tui::run_facts::word;
use crate::tui::views::models::rows::{dim, heading, labelled};
use crate::tui::widgets::pane;
use crate::tui::widgets::text::sanitize;

/// Bytes of the stored form that are shown: a run that is asked for names each data file.
const MOST_BYTES: usize = 64 << 10;
/// Rows that one sentence or one line of the stored form may take.
const LONGEST: usize = 12;

/// Draws the pane.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect, recorded: &Recorded) {
    let text = format!("Event {} {} {}", recorded.sequence, model.glyphs.dot, kind(&recorded.event));
    let zoom = format!("{} shows all", key_of(model, Action::Zoom));
    let (right, way) =
        if model.is_zoomed { ("Esc shows the list", "Down shows them") } else { (zoom.as_str(), zoom.as_str()) };
    let inner = pane::indented(pane::draw(model, frame.buffer_mut(), area, model.is_zoomed, &text, right));
    let rows = rows(model, recorded, usize::from(inner.width));
    pane::rows(model, frame.buffer_mut(), inner, &rows, (model.event_list.scroll, way));
}

/// The rows that do not fit into the pane.
pub(super) fn hidden_rows(model: &Model, area: Rect, recorded: &Recorded) -> usize {
    let (width, height) = (area.width.saturating_sub(4), area.height.saturating_sub(2));
    rows(model, recorded, usize::from(width)).len().saturating_sub(usize::from(height))
}

fn rows(model: &Model, recorded: &Recorded, width: usize) -> Vec<Line<'static>> {
    let style = style_of(model, &recorded.event);
    let sentence = detail_text::paragraph(model, &sanitize(&narrate(&recorded.event)), width, LONGEST);
    let mut rows: Vec<_> = sentence.into_iter().map(|text| Line::from(Span::styled(text, style))).collect();
    for (label, text) in facts(model, recorded) {
        rows.extend(labelled(model, label, &text, model.theme.text, width));
    }
    let ways = detail_text::paragraph(model, &sanitize(&ways(model, &recorded.event)), width, LONGEST);
    rows.extend(ways.into_iter().map(|text| Line::from(Span::styled(text, model.theme.accent))));
    rows.push(Line::default());
    rows.push(heading(model, "as the journal keeps it"));
    rows.extend(stored(model, &recorded.event, width));
    rows
}

/// What there is to say beside the sentence, each with its label.
fn facts(model: &Model, recorded: &Recorded) -> Vec<(&'static str, String)> {
    let event = &recorded.event;
    let when = model.clock.date_and_time(recorded.at);
    let mut facts = vec![("when", format!("{when}, {}", ago(model.now.since(recorded.at))))];
    facts.push(("by", doer(event)));
    facts.extend(event_list::message(event).map(|why| ("why", why.to_owned())));
    match event_list::subject(event) {
        Some(Subject::Run(run)) => facts.push(("run", of_run(model, run))),
        Some(Subject::Stage(run, stage)) => {
            facts.push(("stage", of_stage(model, run, &stage)));
            facts.push(("run", of_run(model, run)));
        }
        Some(Subject::Model(version)) => facts.push(("model", version.to_string())),
        Some(Subject::Release(release)) => {
            let status =
                model.state.releases.get(&release).map_or("forgotten", |release| standing(&model.state, release).0);
            facts.push(("release", format!("{release}, {status} now")));
        }
        None => {}
    }
    facts
}

/// Whose doing it is, from which machine if that is known.
fn doer(event: &Event) -> String {
    let from = match event {
        Event::Commanded { from: Some(from), .. } | Event::DaemonEnded { from: Some(from), .. } => {
            format!(" from {from}")
        }
        _ => String::new(),
    };
    event.by().map_or_else(|| "it happened by itself".to_owned(), |by| format!("{by}{from}"))
}

fn of_run(model: &Model, run: RunId) -> String {
    model.run_of(run).map_or_else(
        || format!("{run}, not known here any more"),
        |known| format!("{run}, {} now: {}", word(known), explain::trigger(&known.trigger)),
    )
}

fn of_stage(model: &Model, run: RunId, stage: &StageName) -> String {
    let work = model.run_of(run).and_then(|known| known.stages.get(stage));
    work.map_or_else(|| stage.to_string(), |work| format!("{stage}, {} now", work.state.word()))
}

/// What can be done from here, with the keys for it.
fn ways(model: &Model, event: &Event) -> String {
    let subject = event_list::subject(event);
    let place = match &subject {
        Some(Subject::Run(run)) => Some(format!("shows run {run}")),
        Some(Subject::Stage(run, stage)) => Some(format!("shows {stage} of run {run}")),
        Some(Subject::Model(version)) => Some(format!("shows model {version}")),
        Some(Subject::Release(release)) => Some(format!("shows release {release}")),
        None => None,
    };
    let key = |action| key_of(model, action);
    let mut ways = Vec::new();
    if let Some(place) = place {
        ways.push(format!("{} {place}", key(Action::Open)));
        let (back, on) = (key(Action::Walk { backward: true }), key(Action::Walk { backward: false }));
        ways.push(format!("{back} {on} walk from there"));
    }
    ways.push(format!("{} shows the screen as it was", key(Action::AsItWas)));
    ways.join(&format!(" {} ", model.glyphs.dot))
}

/// The stored form, as far as it is not too long to be read here.
fn stored(model: &Model, event: &Event, width: usize) -> Vec<Line<'static>> {
    let mut form = Beginning::default();
    // An error is the end of what is taken.
    let is_whole = serde_json::to_writer_pretty(&mut form, event).is_ok();
    let text = String::from_utf8_lossy(&form.bytes);
    let wrapped = |line: &str| detail_text::wrapped(model, line, model.theme.dim, width, LONGEST);
    let mut rows: Vec<_> = text.lines().flat_map(wrapped).collect();
    if !is_whole {
        rows.push(dim(model, "there is more of it: `trainyard events --json` shows all"));
    }
    rows
}

/// Takes the first bytes of what is written, and no more.
#[derive(Default)]
struct Beginning {
    bytes: Vec<u8>,
}

impl Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(MOST_BYTES.saturating_sub(self.bytes.len()));
        self.bytes.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        // Nothing taken of something is an error to whoever writes all.
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
