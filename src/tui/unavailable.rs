//! Why a key does nothing here and now, in a few words for the message line.

use super::app::{Model, View};
use super::commands::{Action, Command, key_of, view_name};
use super::selection;
use crate::pipeline::StageKind;

/// Why `command` is not available; asked only of one that is not.
pub(super) fn why(model: &Model, command: &Command) -> String {
    if !command.belongs(model.view) {
        let names: Vec<_> = command.views.iter().map(|view| view_name(*view)).collect();
        return format!("{} works in {}", command.name, names.join(", "));
    }
    if model.past.is_some() && command.action.needs_the_present() {
        return format!("this is the past; {} brings you back", key_of(model, Action::Now));
    }
    if model.is_observer && command.action.acts() {
        return "you only watch here (--read-only)".to_owned();
    }
    let asks = matches!(command.action, Action::Operators | Action::TimeLine | Action::AsItWas);
    if (command.action.acts() || asks) && !model.is_connected() {
        return format!("{}: the daemon is not heard", command.name);
    }
    reason(model, command.action).unwrap_or_else(|| format!("not available here: {}", command.name))
}

/// As [`why`], of a key that means several things in other views: which of them was meant nobody knows.
pub(super) fn why_by_key(model: &Model, meant: &Command, behind: &[&Command]) -> String {
    if meant.belongs(model.view) || behind.len() < 2 {
        return why(model, meant);
    }
    let works = |command: &&Command| {
        let names: Vec<_> = command.views.iter().map(|view| view_name(*view)).collect();
        format!("{} in {}", command.name, names.join(", "))
    };
    let all: Vec<_> = behind.iter().map(works).collect();
    format!("nothing in {} has this key; it is {}", view_name(model.view), all.join("; "))
}

/// What is missing for an action.
fn reason(model: &Model, action: Action) -> Option<String> {
    let told = match action {
        Action::RunAll => "nothing to run: no stage is configured",
        Action::RunFrom(StageKind::Train) => "nothing to train: no stage trains",
        Action::RunFrom(StageKind::Command) => "nothing to test: no stage runs a command",
        Action::RunFrom(StageKind::Image) => "nothing to build: no stage builds an image",
        Action::RunFrom(StageKind::Deploy) => "nothing to deploy: no stage deploys",
        Action::Cancel => "nothing to cancel: no run is active or waits",
        Action::Rollback if model.view == View::Releases && model.chosen_release().is_some() => {
            "nothing to go back to: this release is live"
        }
        Action::Rollback => "nothing to go back to: there is no earlier release with another image",
        Action::Lock => return model.state.lock.as_ref().map(|lock| format!("{} locked deploys already", lock.by)),
        Action::Unlock => "nothing to unlock: deploys are not locked",
        Action::Approve => "nothing to approve: no stage waits for a person",
        Action::Decline => "nothing to decline: no stage waits for a person",
        Action::Silence => "nothing to silence: no alert that is heard is pending or fires",
        Action::Unsilence => "nothing to end: no alert is silenced",
        Action::Promote if model.models.made().is_empty() => "nothing to promote: there is no model yet",
        Action::Promote if model.models.made().len() == 1 => "nothing to promote: there is one model only",
        Action::Promote => "nothing to promote: this model is the champion and serves, or is not made yet",
        Action::Note => "there is no model here yet",
        Action::MarkRow if model.view == View::Models => "there is no model here yet",
        Action::MarkRow => "nothing to mark: the list is empty",
        Action::CompareRows if model.view == View::Runs => "nothing to compare with: there is one run only",
        Action::CompareRows if model.view == View::Models => "nothing to compare with: there is one model only",
        Action::CompareRows => "nothing to compare with: there is one release only",
        Action::Search => "nothing to search: there is no log here",
        Action::Log(_) if model.log.address.is_none() => "there is no log here",
        Action::Log(_) => "the daemon is not heard",
        Action::SearchAgain { .. } => "nothing was searched for yet",
        Action::Pan(_) | Action::Compare => "there is no chart yet",
        Action::PickReleases => "nothing to pick: there are fewer than two releases to compare",
        Action::Now => "this is the present",
        Action::AsItWas if model.view == View::Metrics => "no moment is pointed at; Left shows the crosshair",
        Action::AsItWas => "there is nothing here yet that could be looked back at",
        Action::SelectLines => selection::why_not(model),
        Action::CopyLines => "nothing to copy: no lines are selected yet",
        Action::CopyThing => "nothing to copy: there is nothing under the cursor",
        Action::Projects => "there is no list of other projects here",
        _ => return None,
    };
    Some(told.to_owned())
}
