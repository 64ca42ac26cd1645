//! What is asked before deploys are locked or unlocked, and before a stage that waits for a person may start or is declined.

use crossterm::event::{KeyCode, KeyEvent};

use super::{Answer, name_typed, send, yes_or_no};
use crate::pipeline::{Command, StageKind};
use crate::tui::app::{Model, Overlay};
use crate::tui::holds::{self, ApprovalPrompt};
use crate::tui::message::Cmd;
use crate::tui::update::complain;
use crate::tui::update::keys::edit;

/// A key while the reason of a lock is typed.
pub(in crate::tui::update) fn in_lock(model: &mut Model, key: &KeyEvent, mut why: String, commands: &mut Vec<Cmd>) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            let (milliseconds, reason) = holds::lock_wish(&why);
            if !reason.is_empty() {
                send(model, Cmd::act(Command::Lock { milliseconds, holder: None }, reason), commands);
                return;
            }
            complain(
                model,
                "a lock wants a reason, for whoever waits for a deploy; Esc leaves all as it is".to_owned(),
            );
        }
        _ => {
            edit(&mut why, key);
        }
    }
    model.overlay = Some(Overlay::Lock { why });
}

/// A key while the question before the end of a lock is there.
pub(in crate::tui::update) fn in_unlock(model: &mut Model, key: &KeyEvent, commands: &mut Vec<Cmd>) {
    match yes_or_no(model, key) {
        Answer::Yes => send(model, Cmd::act(Command::Unlock, ""), commands),
        Answer::No => {}
        Answer::Neither => model.overlay = Some(Overlay::ConfirmUnlock),
    }
}

/// Asks whether the stage that waits may start, or is declined.
pub(in crate::tui::update) fn ask(model: &mut Model, is_approval: bool) {
    let Some((run, stage)) = holds::awaiting(model).map(|awaiting| (awaiting.run.id, awaiting.stage.clone())) else {
        return;
    };
    let prompt = ApprovalPrompt { run, stage, is_approval, message: String::new(), name: None };
    model.overlay = Some(Overlay::Approval(prompt));
}

/// A key while that question is there: the message first, then, where it puts something into production, the project's name.
pub(in crate::tui::update) fn in_approval(
    model: &mut Model,
    key: &KeyEvent,
    mut prompt: ApprovalPrompt,
    commands: &mut Vec<Cmd>,
) {
    if let Some(mut typed) = prompt.name.take() {
        match name_typed(model, key, &mut typed) {
            Answer::Yes => send(model, answer(prompt), commands),
            Answer::No => {}
            Answer::Neither => {
                model.overlay = Some(Overlay::Approval(ApprovalPrompt { name: Some(typed), ..prompt }));
            }
        }
        return;
    }
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter if prompt.is_approval && model.is_production() && deploys(model, &prompt) => {
            prompt.name = Some(String::new());
        }
        KeyCode::Enter => {
            send(model, answer(prompt), commands);
            return;
        }
        _ => {
            edit(&mut prompt.message, key);
        }
    }
    model.overlay = Some(Overlay::Approval(prompt));
}

fn deploys(model: &Model, prompt: &ApprovalPrompt) -> bool {
    model.state.graph.get(&prompt.stage).is_some_and(|spec| spec.kind == StageKind::Deploy)
}

fn answer(prompt: ApprovalPrompt) -> Cmd {
    let ApprovalPrompt { run, stage, is_approval, message, name: _ } = prompt;
    let (run, stage) = (Some(run), Some(stage));
    let command = if is_approval { Command::Approve { run, stage } } else { Command::Decline { run, stage } };
    Cmd::act(command, &message)
}
