//! What is asked before something that serves or works is changed by hand: whether to go back to a release, with the
//! daemon's word on what that would change, whether to run past a lock, whether to cancel, and, in production, the project's
//! name before anything that may deploy; and for how long an alert is silenced. What is asked about models stands in
//! [`models`], about locks and approvals in [`holds`], and about the other projects in [`projects`].
//!
//! A question can carry a reason, on a line that is closed until somebody opens it, so that a plain yes stays one key.
//!
//! A key struck by mistake neither answers a question nor takes it away.

pub(super) mod holds;
pub(super) mod models;
pub(super) mod projects;

use crossterm::event::{KeyCode, KeyEvent};

use super::complain;
use super::keys::edit;
use crate::api::types::RollbackPlan;
use crate::pipeline::{Command, ReleaseId, Selection, brings_back};
use crate::tui::alerts::{self, SilencePrompt};
use crate::tui::app::{Model, Overlay};
use crate::tui::holds::Remark;
use crate::tui::message::Cmd;
use crate::tui::release_facts::may_deploy;

/// The daemon's word on a rollback; `None` while it is being asked.
type Planned = Option<Result<RollbackPlan, String>>;
/// What was typed so far: of the project's name, and why.
type Typed = (String, Remark);

/// Runs `selection`; in production, or past a lock, only after the question, if it may deploy; and everywhere if it would
/// bring back what was rejected.
pub(super) fn run(model: &mut Model, selection: Selection, commands: &mut Vec<Cmd>) {
    let is_watched = model.is_production() || model.state.lock.is_some();
    let asks = is_watched && may_deploy(&model.state, &selection);
    if asks || brings_back(&model.state, &selection).is_some() {
        model.overlay = Some(Overlay::ConfirmRun { selection, typed: String::new(), remark: Remark::default() });
    } else {
        commands.push(Cmd::act(Command::Run(selection), ""));
    }
}

/// Asks whether to cancel what runs and what waits.
pub(super) fn cancel(model: &mut Model) {
    model.overlay = Some(Overlay::ConfirmCancel { remark: Remark::default() });
}

/// A key while that question is there.
pub(super) fn in_cancel(model: &mut Model, key: &KeyEvent, mut remark: Remark, commands: &mut Vec<Cmd>) {
    match with_reason(model, key, &mut remark) {
        Answer::Yes => send(model, Cmd::act(Command::Cancel { run: None }, &remark.text), commands),
        Answer::No => {}
        Answer::Neither => model.overlay = Some(Overlay::ConfirmCancel { remark }),
    }
}

/// Asks whether to go back, and the daemon what that would change.
pub(super) fn roll_back(model: &mut Model, commands: &mut Vec<Cmd>) {
    let Some(to) = model.way_back() else { return };
    model.overlay = Some(Overlay::ConfirmRollback { to, plan: None, typed: String::new(), remark: Remark::default() });
    commands.push(Cmd::FetchRollbackPlan(to));
}

/// The daemon's word on a rollback came.
pub(super) fn planned(model: &mut Model, asked: ReleaseId, answer: Result<RollbackPlan, String>) {
    if let Some(Overlay::ConfirmRollback { to, plan, .. }) = &mut model.overlay
        && *to == asked
    {
        *plan = Some(answer);
    }
}

/// What a question said of a rollback may not hold any more.
pub(super) fn ask_again(model: &mut Model, commands: &mut Vec<Cmd>) {
    if let Some(Overlay::ConfirmRollback { to, plan, .. }) = &mut model.overlay {
        *plan = None;
        commands.push(Cmd::FetchRollbackPlan(*to));
    }
}

/// A key while the question before a rollback is there.
pub(super) fn in_rollback(
    model: &mut Model,
    key: &KeyEvent,
    to: ReleaseId,
    plan: Planned,
    (mut typed, mut remark): Typed,
    commands: &mut Vec<Cmd>,
) {
    let is_possible = plan.as_ref().map(|plan| plan.as_ref().is_ok_and(|plan| plan.obstacle.is_none()));
    let answer = match (is_possible, model.is_production()) {
        (Some(true), _) => answered(model, key, &mut typed, &mut remark),
        // The daemon is asked anew while the reason is typed, so Enter cannot mean yes yet.
        (None, false) if remark.is_open && in_remark(&mut remark, key, KeyCode::Char('m')) => Answer::Neither,
        (Some(false), _) => seen(model, key),
        // Whoever types ahead of the daemon's word is not taken to say no by an `n` in the name.
        (None, true) if in_remark(&mut remark, key, KeyCode::Tab) => Answer::Neither,
        (None, true) => typed_ahead(key, &mut typed),
        (None, false) => only_no(model, key),
    };
    match answer {
        Answer::Yes => send(model, Cmd::act(Command::Rollback { to: Some(to) }, &remark.text), commands),
        Answer::No => {}
        Answer::Neither => model.overlay = Some(Overlay::ConfirmRollback { to, plan, typed, remark }),
    }
}

/// A key while the question before a run in production or past a lock is there.
pub(super) fn in_run(
    model: &mut Model,
    key: &KeyEvent,
    selection: Selection,
    (mut typed, mut remark): Typed,
    commands: &mut Vec<Cmd>,
) {
    match answered(model, key, &mut typed, &mut remark) {
        Answer::Yes => send(model, Cmd::act(Command::Run(selection), &remark.text), commands),
        Answer::No => {}
        Answer::Neither => model.overlay = Some(Overlay::ConfirmRun { selection, typed, remark }),
    }
}

/// Asks for how long to hear nothing of the alert that is meant, and why.
pub(super) fn silence(model: &mut Model) {
    let Some(alert) = alerts::to_silence(model) else { return };
    model.overlay = Some(Overlay::Silence(SilencePrompt::new(alert.name.clone())));
}

/// Asks whether to hear of the alert that is meant again.
pub(super) fn unsilence(model: &mut Model) {
    let Some(alert) = alerts::to_hear(model) else { return };
    model.overlay = Some(Overlay::ConfirmUnsilence { alert: alert.name.clone() });
}

/// A key while the question about a silence is there.
pub(super) fn in_silence(model: &mut Model, key: &KeyEvent, mut prompt: SilencePrompt, commands: &mut Vec<Cmd>) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            let (milliseconds, _) = prompt.length();
            let message = prompt.why.trim().to_owned();
            send(model, Cmd::Silence { alert: prompt.alert, milliseconds, message }, commands);
            return;
        }
        KeyCode::Up | KeyCode::Right => prompt.lengthen(1),
        KeyCode::Down | KeyCode::Left => prompt.lengthen(-1),
        _ => {
            edit(&mut prompt.why, key);
        }
    }
    model.overlay = Some(Overlay::Silence(prompt));
}

/// A key while the question before the end of a silence is there.
pub(super) fn in_unsilence(model: &mut Model, key: &KeyEvent, alert: String, commands: &mut Vec<Cmd>) {
    match yes_or_no(model, key) {
        Answer::Yes => send(model, Cmd::Unsilence { alert }, commands),
        Answer::No => {}
        Answer::Neither => model.overlay = Some(Overlay::ConfirmUnsilence { alert }),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Neither,
}

/// The answer to a question that may carry a reason: in production the project's name, else one key.
fn answered(model: &mut Model, key: &KeyEvent, typed: &mut String, remark: &mut Remark) -> Answer {
    if !model.is_production() {
        return with_reason(model, key, remark);
    }
    // An `m` may stand in the name.
    if in_remark(remark, key, KeyCode::Tab) { Answer::Neither } else { name_typed(model, key, typed) }
}

/// The answer where no name is wanted. Whoever opened the line and wrote a reason has said what he wants: Enter is a yes there,
/// as in every question that wants a reason.
fn with_reason(model: &mut Model, key: &KeyEvent, remark: &mut Remark) -> Answer {
    if remark.is_given() && key.code == KeyCode::Enter {
        return Answer::Yes;
    }
    if in_remark(remark, key, KeyCode::Char('m')) { Answer::Neither } else { yes_or_no(model, key) }
}

/// Opens the line for a reason, types into it, or closes it; false if the key answers the question.
fn in_remark(remark: &mut Remark, key: &KeyEvent, opener: KeyCode) -> bool {
    if !remark.is_open {
        remark.is_open = key.code == opener;
        return remark.is_open;
    }
    match key.code {
        KeyCode::Enter | KeyCode::Tab => remark.is_open = false,
        KeyCode::Esc => *remark = Remark::default(),
        _ => {
            edit(&mut remark.text, key);
        }
    }
    true
}

/// One key; any other says that it does nothing.
fn yes_or_no(model: &mut Model, key: &KeyEvent) -> Answer {
    match key.code {
        KeyCode::Char('y' | 'Y') => Answer::Yes,
        KeyCode::Char('n' | 'N' | 'q') | KeyCode::Esc => Answer::No,
        _ => {
            complain(model, "this key answers nothing here: y is yes, n is no".to_owned());
            Answer::Neither
        }
    }
}

/// There is nothing to say yes to.
fn only_no(model: &mut Model, key: &KeyEvent) -> Answer {
    match yes_or_no(model, key) {
        Answer::No => Answer::No,
        Answer::Yes | Answer::Neither => {
            complain(model, "this key answers nothing here yet; n or Esc leaves all as it is".to_owned());
            Answer::Neither
        }
    }
}

/// A refusal is read and left.
fn seen(model: &mut Model, key: &KeyEvent) -> Answer {
    if key.code == KeyCode::Enter { Answer::No } else { only_no(model, key) }
}

fn typed_ahead(key: &KeyEvent, typed: &mut String) -> Answer {
    if key.code == KeyCode::Esc {
        return Answer::No;
    }
    edit(typed, key);
    Answer::Neither
}

/// `y` would be struck without a thought; the name says which project is meant.
fn name_typed(model: &mut Model, key: &KeyEvent, typed: &mut String) -> Answer {
    match key.code {
        KeyCode::Esc => Answer::No,
        KeyCode::Enter if !typed.is_empty() && typed.trim() == model.project() => Answer::Yes,
        KeyCode::Enter => {
            let text = format!("“{}” is not the name of this project; Esc leaves all as it is", typed.trim());
            complain(model, text);
            Answer::Neither
        }
        _ => {
            edit(typed, key);
            Answer::Neither
        }
    }
}

/// The daemon may have gone while the question was there.
fn send(model: &mut Model, command: Cmd, commands: &mut Vec<Cmd>) {
    if model.is_connected() {
        commands.push(command);
    } else {
        complain(model, "the daemon is not heard, so nothing was asked of it".to_owned());
    }
}
