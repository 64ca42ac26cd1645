//! The past: which moment is asked for, what is done with the answers, and the way back to the present.
//!
//! What the daemon says of the present is taken in by the present while the past is shown: [`turn_to_the_present`] before a
//! message and [`turn_back`] behind it. So the way back is one step and needs no answer of anybody.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::edit;
use super::{complain, say, stream};
use crate::api::types::{
    LogAddress, LogWindow, ModelDetail, ModelSummary, Past, PastPlace, PastRequest, Stride, TimeLine, TimeLineRequest,
};
use crate::pipeline::{ModelVersion, Recorded};
use crate::tui::app::{Model, Overlay, View};
use crate::tui::commands::{self, Action};
use crate::tui::log_view::LogPart;
use crate::tui::message::{Cmd, Msg};
use crate::tui::past::strip::{NEWEST, Strip};
use crate::tui::past::{self, Visit, when};
use crate::tui::views::time_line::columns;

/// A visit that waits until a message about the present is taken in.
pub(super) struct Away {
    visit: Box<Visit>,
    /// Nothing of it can be seen from the past.
    is_quiet: bool,
    /// Answers that were under way will not come.
    is_anew: bool,
}

/// Before a message: if it speaks of the present, that is what it is for.
pub(super) fn turn_to_the_present(model: &mut Model, msg: &Msg) -> Option<Away> {
    let is_anew = matches!(msg, Msg::Connected(_) | Msg::Resumed(_));
    let is_quiet = matches!(msg, Msg::Stream(_) | Msg::History(_) | Msg::Plan(_) | Msg::ReleaseLog(_));
    if !is_anew && !is_quiet && !matches!(msg, Msg::Lost(_)) {
        return None;
    }
    past::step_out(model).map(|visit| Away { visit, is_quiet, is_anew })
}

/// Behind the message: the past is shown again.
pub(super) fn turn_back(model: &mut Model, away: Option<Away>) {
    let Some(Away { visit, is_quiet, is_anew }) = away else { return };
    past::step_in(model, visit);
    if is_quiet {
        model.is_dirty = false;
    }
    if is_anew {
        stream::forget_pending(model);
    }
}

/// Opens the line of time, at the moment that is shown.
pub(super) fn open(model: &mut Model, commands: &mut Vec<Cmd>) {
    let mut strip = Strip::default();
    match &model.past {
        Some(visit) => strip.cursor = Some(visit.place.clone()),
        None => commands.push(Cmd::FetchPastPlace(strip.go(PastRequest::at(NEWEST)))),
    }
    model.overlay = Some(Overlay::TimeLine(Box::new(strip)));
}

/// Shows everything as it was at the moment that is meant by what is selected.
pub(super) fn as_it_was(model: &mut Model, commands: &mut Vec<Cmd>) {
    if let Some(request) = model.meant_moment() {
        look(model, request, commands);
    }
}

/// Back to the present; from there it is as if nobody had looked away.
pub(super) fn back_to_now(model: &mut Model) {
    if model.past_asked.take().is_some() {
        model.message = None;
    }
    if past::step_out(model).is_some() {
        stream::forget_pending(model);
    }
}

fn look(model: &mut Model, request: PastRequest, commands: &mut Vec<Cmd>) {
    say(model, "looking back".to_owned());
    model.past_asked = Some(request.clone());
    commands.push(Cmd::FetchPast(request));
}

/// Everything as it was came; what was not asked for last is dropped.
pub(super) fn told(model: &mut Model, asked: &PastRequest, answer: Result<Box<(Past, Vec<Recorded>)>, String>) {
    if model.past_asked.as_ref() != Some(asked) {
        model.is_dirty = false;
        return;
    }
    model.past_asked = None;
    match answer {
        Ok(told) => {
            let (past, events) = *told;
            enter(model, past, events);
        }
        Err(error) => complain(model, error),
    }
}

fn enter(model: &mut Model, past: Past, events: Vec<Recorded>) {
    let shown = model.log.address.clone();
    past::visit(model, past, events);
    model.message = None;
    // A question about the present has no place here.
    model.overlay = None;
    if model.view == View::Logs {
        let was_there = |log: &LogAddress| {
            let work = model.state.runs.get(&log.run).and_then(|run| run.stages.get(&log.stage));
            work.is_some_and(|work| work.attempt >= log.attempt)
        };
        let subject = || model.subject_log();
        let address = shown.filter(was_there).or_else(subject);
        model.log.open(address);
    }
}

/// A key while the line of time is open.
pub(super) fn in_time_line(model: &mut Model, key: &KeyEvent, mut strip: Box<Strip>, commands: &mut Vec<Cmd>) {
    if let Some(typed) = strip.typed.take() {
        type_moment(model, key, typed, &mut strip, commands);
        model.overlay = Some(Overlay::TimeLine(strip));
        return;
    }
    let listed_keys = std::mem::take(&mut strip.lists_keys);
    match commands::by_key(model, key) {
        Some(Action::Help) => {
            strip.lists_keys = !listed_keys;
            model.overlay = Some(Overlay::TimeLine(strip));
            return;
        }
        Some(Action::Now) => {
            back_to_now(model);
            return;
        }
        Some(Action::TimeLine) => return,
        _ => {}
    }
    if let Some((stride, steps)) = step(key) {
        commands.extend(strip.step(stride, steps).map(Cmd::FetchPastPlace));
        model.overlay = Some(Overlay::TimeLine(strip));
        return;
    }
    match key.code {
        // It leaves the list of keys first.
        KeyCode::Esc | KeyCode::Char('q') if !listed_keys => return,
        KeyCode::Enter => {
            if let Some(place) = &strip.cursor {
                look(model, PastRequest::there(place), commands);
                return;
            }
        }
        KeyCode::Home => commands.push(Cmd::FetchPastPlace(strip.go(PastRequest::behind(1)))),
        KeyCode::End => commands.push(Cmd::FetchPastPlace(strip.go(PastRequest::at(NEWEST)))),
        KeyCode::Char('+' | '[') => strip.zoom(true),
        KeyCode::Char('-' | ']') => strip.zoom(false),
        KeyCode::Char('0') => strip.show_all(),
        KeyCode::Char('g') => strip.typed = Some(String::new()),
        _ => {}
    }
    model.overlay = Some(Overlay::TimeLine(strip));
}

/// By what a key steps, and how far.
fn step(key: &KeyEvent) -> Option<(Stride, i64)> {
    if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return None;
    }
    let is_far = key.modifiers.contains(KeyModifiers::SHIFT);
    match key.code {
        KeyCode::Left if is_far => Some((Stride::Deploy, -1)),
        KeyCode::Right if is_far => Some((Stride::Deploy, 1)),
        KeyCode::Left | KeyCode::Char('h') => Some((Stride::Event, -1)),
        KeyCode::Right | KeyCode::Char('l') => Some((Stride::Event, 1)),
        KeyCode::PageUp | KeyCode::Char('R') => Some((Stride::Run, -1)),
        KeyCode::PageDown | KeyCode::Char('r') => Some((Stride::Run, 1)),
        KeyCode::Char('D') => Some((Stride::Deploy, -1)),
        KeyCode::Char('d') => Some((Stride::Deploy, 1)),
        KeyCode::Up | KeyCode::Char('A') => Some((Stride::Alert, -1)),
        KeyCode::Down | KeyCode::Char('a') => Some((Stride::Alert, 1)),
        _ => None,
    }
}

/// A key while a moment is typed.
fn type_moment(model: &mut Model, key: &KeyEvent, mut typed: String, strip: &mut Strip, commands: &mut Vec<Cmd>) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => match when::parse(&typed, model.present_now(), &model.clock) {
            Ok(request) => {
                commands.push(Cmd::FetchPastPlace(strip.go(request)));
                return;
            }
            Err(text) => complain(model, text),
        },
        _ => {
            edit(&mut typed, key);
        }
    }
    strip.typed = Some(typed);
}

/// A place on the line of time came.
pub(super) fn placed(
    model: &mut Model,
    asked: &PastRequest,
    answer: Result<PastPlace, String>,
    commands: &mut Vec<Cmd>,
) {
    let Some(Overlay::TimeLine(strip)) = &mut model.overlay else { return };
    match strip.placed(asked, answer) {
        Ok(next) => commands.extend(next.map(Cmd::FetchPastPlace)),
        Err(error) => complain(model, error),
    }
}

/// A part of the line of time came.
pub(super) fn lined(model: &mut Model, asked: TimeLineRequest, answer: Result<TimeLine, String>) {
    if let Some(Overlay::TimeLine(strip)) = &mut model.overlay {
        strip.told(asked, answer);
    }
}

/// Asks for the part of the line of time that is to be drawn.
pub(super) fn follow_up(model: &mut Model, commands: &mut Vec<Cmd>) {
    let columns = columns(model.size.0);
    if let Some(Overlay::TimeLine(strip)) = &mut model.overlay {
        commands.extend(strip.next_line(columns).map(Cmd::FetchTimeLine));
    }
}

/// The question for lines of a log, as it is or as it was.
pub(super) fn log_question(model: &Model, address: LogAddress, part: LogPart) -> Cmd {
    match model.past_moment() {
        None => Cmd::FetchLog(address, part),
        Some(at) => Cmd::FetchPastLog(address, part, at),
    }
}

/// Lines of a log came; none that were written behind the moment that is shown.
pub(super) fn log_came(model: &mut Model, address: &LogAddress, mut answer: Result<LogWindow, String>) {
    if let (Some(at), Ok(window)) = (model.past_moment(), &mut answer) {
        past::log_then(at, window);
    }
    model.log.receive(address, answer);
}

/// All models came; in the past those that were there then.
pub(super) fn models_came(model: &mut Model, mut answer: Result<Vec<ModelSummary>, String>) {
    if let (true, Ok(models)) = (model.past.is_some(), &mut answer) {
        past::models_then(&model.state, models);
    }
    model.models.listed(answer);
}

/// All that is known of a model came; in the past what was known then.
pub(super) fn model_came(model: &mut Model, version: ModelVersion, mut answer: Result<Box<ModelDetail>, String>) {
    if let (Some(at), Ok(detail)) = (model.past_moment(), &mut answer) {
        past::detail_then(&model.state, at, detail);
    }
    model.models.detailed(version, answer);
}
