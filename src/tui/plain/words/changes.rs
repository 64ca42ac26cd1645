//! Orders that change something: what they are about is typed, and before what serves or stops there is a question.

use super::{Deed, Order, Question, first_word, say, version, wants};
use crate::pipeline::{Command as Asked, ReleaseId, Selection, StageName};
use crate::tui::alerts;
use crate::tui::app::Model;
use crate::tui::commands::Command;
use crate::tui::holds;
use crate::tui::message::Cmd;
use crate::tui::quantity;
use crate::tui::release_facts::{comes_back, may_deploy};

/// For how long an alert is silenced where no length is given, in milliseconds: as the screen and the command line have it.
const SILENCE: u64 = 7_200_000;

/// Starts a run; in production, or past a lock, after a question, if it may deploy; and everywhere if it brings back what was
/// rejected.
pub(super) fn run(model: &Model, from: Option<StageName>) -> Order {
    let selection = Selection { from, only: false, force: false };
    let is_watched = model.is_production() || model.state.lock.is_some();
    let asked = Asked::Run(selection.clone());
    let rejected = comes_back(&model.state, &selection);
    if rejected.is_none() && !(is_watched && may_deploy(&model.state, &selection)) {
        return Order::Do(Deed::Act(Cmd::act(asked, "")));
    }
    let lock = model.state.lock.as_ref().map(|lock| format!("{}. ", holds::lock_sentence(lock, model.now)));
    let what = rejected.unwrap_or_else(|| "may deploy".to_owned());
    ask(model, &format!("{}This run {what}. Start it?", lock.unwrap_or_default()), asked, "", true)
}

pub(super) fn answer_of_a_person(model: &Model, is_approval: bool, why: &str) -> Order {
    let Some(awaiting) = holds::awaiting(model) else {
        return say("No stage waits for a person.".to_owned());
    };
    let (run, stage) = (Some(awaiting.run.id), Some(awaiting.stage.clone()));
    let sentence = awaiting.sentence(model.now);
    let (asked, word) = if is_approval {
        (Asked::Approve { run, stage }, "Let it start?")
    } else {
        (Asked::Decline { run, stage }, "Decline it?")
    };
    ask(model, &format!("{sentence}. {word}"), asked, why, is_approval)
}

/// Begins with how long, if it is to end by itself; the rest is why.
pub(super) fn lock(command: &Command, rest: &str) -> Order {
    let (milliseconds, reason) = holds::lock_wish(rest);
    if reason.is_empty() {
        return say(wants(command, "2h the data is migrated"));
    }
    Order::Do(Deed::Act(Cmd::act(Asked::Lock { milliseconds, holder: None }, reason)))
}

/// Begins with a release, or means the last one to which there is a way back.
pub(super) fn roll_back(model: &Model, rest: &str) -> Order {
    let (first, behind) = first_word(rest);
    let (to, why) = match first.parse().map(ReleaseId) {
        Ok(named) if model.state.releases.contains_key(&named) => (Some(named), behind),
        Ok(named) => return say(format!("There is no release {named}; `releases` names the last ones.")),
        Err(_) => (model.way_back(), rest),
    };
    match to {
        Some(to) => ask(model, &format!("Go back to release {to}?"), Asked::Rollback { to: Some(to) }, why, true),
        None => say("There is no earlier release to go back to.".to_owned()),
    }
}

pub(super) fn promote(model: &Model, command: &Command, rest: &str) -> Order {
    match version(rest) {
        Some((version, why)) if !why.is_empty() => {
            let deed = Deed::Act(Cmd::Promote { version, message: why.to_owned() });
            confirm(model, &format!("Make model {version} the champion and deploy it?"), deed, true)
        }
        _ => say(wants(command, "3 better on the winter data")),
    }
}

pub(super) fn note(command: &Command, rest: &str) -> Order {
    match version(rest) {
        Some((version, text)) if !text.is_empty() => {
            Order::Do(Deed::Act(Cmd::NoteModel { version, text: text.to_owned() }))
        }
        _ => say(wants(command, "3 labels of batch 7 are doubtful")),
    }
}

pub(super) fn silence(model: &Model, rest: &str) -> Order {
    let (alert, rest) = match alert(model, rest) {
        Ok(Some(named)) => named,
        Ok(None) => match alerts::to_silence(model) {
            Some(alert) => (alert.name.clone(), rest),
            None => return say(format!("No alert that is heard is pending or fires; {}.", names_of_alerts(model))),
        },
        Err(text) => return say(text),
    };
    let (length, why) = holds::lock_wish(rest);
    let milliseconds = length.unwrap_or(SILENCE);
    let text = format!("Hear nothing of {alert} for {}?", quantity::whole_duration(milliseconds));
    confirm(model, &text, Deed::Act(Cmd::Silence { alert, milliseconds, message: why.to_owned() }), false)
}

pub(super) fn end_silence(model: &Model, rest: &str) -> Order {
    let alert = match alert(model, rest) {
        Ok(Some((alert, _))) => alert,
        Ok(None) => match alerts::to_hear(model) {
            Some(alert) => alert.name.clone(),
            None => return say("No alert is silenced.".to_owned()),
        },
        Err(text) => return say(text),
    };
    confirm(model, &format!("Hear of {alert} again?"), Deed::Act(Cmd::Unsilence { alert }), false)
}

/// The alert that words begin with, and the words behind it; none if there are no words, or they begin with a length of time.
fn alert<'words>(model: &Model, words: &'words str) -> Result<Option<(String, &'words str)>, String> {
    let behind = |name: &str| {
        let (head, rest) = words.split_at_checked(name.len())?;
        let is_whole = rest.is_empty() || rest.starts_with(' ');
        (is_whole && head.eq_ignore_ascii_case(name)).then(|| rest.trim_start())
    };
    let named = model.live.alerts.iter().filter_map(|alert| Some((alert.name.clone(), behind(&alert.name)?)));
    // Of two names of which one begins with the other, the longer one was meant.
    if let Some(found) = named.max_by_key(|(name, _)| name.len()) {
        return Ok(Some(found));
    }
    let (first, _) = first_word(words);
    // `silence 2h` means the alert that a key would mean.
    if words.is_empty() || holds::lock_wish(first).0.is_some() {
        return Ok(None);
    }
    Err(format!("There is no alert `{first}`; {}.", names_of_alerts(model)))
}

fn names_of_alerts(model: &Model) -> String {
    let names: Vec<&str> = model.live.alerts.iter().map(|alert| alert.name.as_str()).collect();
    if names.is_empty() {
        "none is configured as [[monitor.alerts]] in trainyard.toml".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    }
}

/// Asks before the daemon does something.
pub(super) fn ask(model: &Model, text: &str, asked: Asked, why: &str, serves: bool) -> Order {
    confirm(model, text, Deed::Act(Cmd::act(asked, why)), serves)
}

/// Asks before something is done. What changes production wants the name of the project.
fn confirm(model: &Model, text: &str, deed: Deed, serves: bool) -> Order {
    let yes = if serves && model.is_production() { model.project().to_owned() } else { "yes".to_owned() };
    let text = format!("{text} Type `{yes}`, or anything else to leave it.");
    Order::Ask(Question { text, yes, deed })
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use crate::pipeline::{AlertState, ModelVersion};
    use crate::tui::fixtures;

    fn said(order: Order) -> String {
        match order {
            Order::Say(lines) => lines.join("\n"),
            other => panic!("{other:?} says nothing"),
        }
    }

    fn asked(order: Order) -> Question {
        match order {
            Order::Ask(question) => question,
            other => panic!("{other:?} asks nothing"),
        }
    }

    #[test]
    fn a_promotion_wants_a_version_and_a_reason_and_is_asked_for() {
        let model = fixtures::deployed();
        for typed in ["promote", "promote better", "promote 2"] {
            assert!(said(read(&model, typed)).contains("`promote VERSION WHY`"), "{typed}");
        }
        let question = asked(read(&model, "promote m2 better on winter data"));
        assert!(question.text.contains("model 2") && question.is_answered_by("yes"), "{}", question.text);
        let message = "better on winter data".to_owned();
        assert_eq!(question.deed, Deed::Act(Cmd::Promote { version: ModelVersion(2), message }));
        let production = fixtures::in_production();
        assert_eq!(asked(read(&production, "promote 2 better")).yes, production.project());
    }

    #[test]
    fn a_note_is_written_at_once() {
        let model = fixtures::deployed();
        let text = "labels are doubtful".to_owned();
        let deed = Deed::Act(Cmd::NoteModel { version: ModelVersion(1), text });
        assert_eq!(read(&model, "note 1 labels are doubtful"), Order::Do(deed));
        assert!(said(read(&model, "note 1")).contains("`note VERSION TEXT`"));
    }

    #[test]
    fn an_alert_is_silenced_by_its_name_or_as_a_key_would_mean_it() {
        let mut model = fixtures::deployed();
        assert!(said(read(&model, "silence")).contains("none is configured"));
        model.live.alerts = vec![
            fixtures::alert("Errors", AlertState::Firing),
            fixtures::alert("Errors at night", AlertState::Inactive),
            fixtures::silenced(fixtures::alert("Drift", AlertState::Firing)),
        ];
        let deed = |typed: &str| asked(read(&model, typed)).deed;
        let silence = |alert: &str, milliseconds, message: &str| {
            Deed::Act(Cmd::Silence { alert: alert.to_owned(), milliseconds, message: message.to_owned() })
        };
        assert_eq!(deed("silence"), silence("Errors", SILENCE, ""));
        assert_eq!(deed("silence 30m"), silence("Errors", 1_800_000, ""));
        assert_eq!(deed("silence errors known"), silence("Errors", SILENCE, "known"));
        assert_eq!(deed("silence Errors at night 1h known"), silence("Errors at night", 3_600_000, "known"));
        assert_eq!(deed("end silence"), Deed::Act(Cmd::Unsilence { alert: "Drift".to_owned() }));
        assert_eq!(deed("unsilence Errors"), Deed::Act(Cmd::Unsilence { alert: "Errors".to_owned() }));
        assert!(said(read(&model, "silence Nothing")).contains("There is no alert `Nothing`"));
    }

    #[test]
    fn a_lock_wants_a_reason_and_may_end_by_itself() {
        let model = fixtures::deployed();
        let lock = |milliseconds| Order::Do(Deed::Act(Cmd::act(Asked::Lock { milliseconds, holder: None }, "freeze")));
        assert_eq!(read(&model, "lock deploys freeze"), lock(None));
        assert_eq!(read(&model, "lock 2h freeze"), lock(Some(7_200_000)));
        assert!(said(read(&model, "lock 2h")).contains("`lock deploys [2h] WHY`"));
    }

    #[test]
    fn a_rollback_goes_to_the_release_that_is_named() {
        let model = fixtures::deployed();
        let to = |typed: &str| match asked(read(&model, typed)).deed {
            Deed::Act(Cmd::Act { command: Asked::Rollback { to }, message }) => (to, message),
            other => panic!("{other:?} is no rollback"),
        };
        assert_eq!(to("rollback 1 too slow"), (Some(ReleaseId(1)), "too slow".to_owned()));
        assert_eq!(to("rollback too slow"), (model.way_back(), "too slow".to_owned()));
        assert!(said(read(&model, "rollback 99")).contains("There is no release 99"));
    }

    #[test]
    fn whoever_only_watches_changes_nothing() {
        let mut model = fixtures::deployed();
        model.is_observer = true;
        for typed in ["promote 2 better", "note 2 x", "silence", "end silence", "lock x", "rollback"] {
            assert!(said(read(&model, typed)).contains("only watch"), "{typed}");
        }
    }
}
