//! What a typed line means: a command of the one table by its name, the beginning of it, or a few words for what a screen
//! would select by keys.

use super::sentences;
use crate::api::types::LogAddress;
use crate::pipeline::{Command as Asked, Selection, StageName};
use crate::tui::app::{Model, View};
use crate::tui::commands::{Action, COMMANDS, Command};
use crate::tui::holds;
use crate::tui::log_view::LogPart;
use crate::tui::message::Cmd;
use crate::tui::release_facts::may_deploy;
use crate::tui::unavailable;

/// Lines of a log that are told at once.
const LOG_LINES: u64 = 40;
/// Words that people type for a command of another name.
const ALSO: [(&str, &str); 4] = [("status", "board"), ("exit", "detach"), ("quit", "detach"), ("log", "logs")];

/// What is to be asked of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// That it does something.
    Act(Cmd),
    /// Lines of a log.
    Log(LogAddress, LogPart),
    /// The registry of models.
    Models,
}

/// What is asked before something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// In a sentence that says how to answer.
    pub(super) text: String,
    /// The answer that means yes.
    pub(super) yes: String,
    /// What is done then.
    pub(super) deed: Deed,
}

impl Question {
    /// Whether a line is the answer that means yes.
    pub(super) fn is_answered_by(&self, line: &str) -> bool {
        line.trim() == self.yes
    }
}

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// An empty one.
    Nothing,
    /// Leave.
    Quit,
    /// Only to be told something.
    Say(Vec<String>),
    /// To be done at once.
    Do(Deed),
    /// To be done after an answer.
    Ask(Question),
}

/// Reads a line.
pub(super) fn read(model: &Model, line: &str) -> Order {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.is_empty() {
        return Order::Nothing;
    }
    let Some((command, rest)) = command(&words) else {
        return say(format!("There is no command `{}`; `help` names them all.", words.join(" ")));
    };
    let of_view = matches!(command.action, Action::Show(_) | Action::Help | Action::Detach);
    if !of_view && !command.is_available(model) {
        return say(format!("{}.", unavailable::why(model, command)));
    }
    order(model, command, &rest.join(" "))
}

/// The command that words begin with, by its whole name or else by the beginning of one, and the words behind it.
fn command<'words>(words: &'words [&'words str]) -> Option<(&'static Command, &'words [&'words str])> {
    let lowered: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let named = |name: &str| COMMANDS.iter().find(|command| command.name == name);
    for count in [3, 2, 1] {
        if let Some(found) = lowered.get(..count).and_then(|words| named(&words.join(" "))) {
            return Some((found, words.get(count..).unwrap_or_default()));
        }
    }
    let first = lowered.first()?;
    let rest = words.get(1..).unwrap_or_default();
    let also = ALSO.iter().find(|(word, _)| *word == first.as_str()).and_then(|(_, name)| named(name));
    let found = also.or_else(|| COMMANDS.iter().find(|command| command.name.starts_with(first.as_str())));
    found.map(|found| (found, rest))
}

fn order(model: &Model, command: &Command, rest: &str) -> Order {
    match command.action {
        Action::Detach => Order::Quit,
        Action::Help => Order::Say(help(model)),
        Action::Show(View::Board) => Order::Say(sentences::board(model)),
        Action::Show(View::Runs) => Order::Say(sentences::runs(model)),
        Action::Show(View::Releases) => Order::Say(sentences::releases(model)),
        Action::Show(View::Events) => Order::Say(sentences::events(model)),
        Action::Show(View::Models) => Order::Do(Deed::Models),
        Action::Show(View::Logs) => log(model, rest),
        Action::Show(View::Metrics) => {
            say("Charts need a screen; `trainyard query` tells what a metric is, in numbers.".to_owned())
        }
        Action::RunAll => match stage(model, rest) {
            Ok(from) => run(model, from),
            Err(text) => say(text),
        },
        Action::RunFrom(kind) => {
            let from = model.stage_of_kind(kind).cloned();
            run(model, from)
        }
        Action::Cancel => ask(model, "Cancel what runs and what waits?", Asked::Cancel { run: None }, rest, false),
        Action::Unlock => ask(model, "Let automation deploy again?", Asked::Unlock, rest, false),
        Action::Lock if rest.is_empty() => say("A lock wants a reason: `lock deploys` and why.".to_owned()),
        Action::Lock => {
            let lock = Asked::Lock { milliseconds: None, holder: None };
            Order::Do(Deed::Act(Cmd::act(lock, rest)))
        }
        Action::Approve | Action::Decline => answer_of_a_person(model, command.action == Action::Approve, rest),
        Action::Rollback => match model.way_back() {
            Some(to) => ask(model, &format!("Go back to release {to}?"), Asked::Rollback { to: Some(to) }, rest, true),
            None => say("There is no earlier release to go back to.".to_owned()),
        },
        _ => say(format!("`{}` is for the screen.", command.name)),
    }
}

/// Starts a run; in production, or past a lock, after a question, if it may deploy.
fn run(model: &Model, from: Option<StageName>) -> Order {
    let selection = Selection { from, only: false, force: false };
    let is_watched = model.is_production() || model.state.lock.is_some();
    let asked = Asked::Run(selection.clone());
    if !(is_watched && may_deploy(&model.state, &selection)) {
        return Order::Do(Deed::Act(Cmd::act(asked, "")));
    }
    let lock = model.state.lock.as_ref().map(|lock| format!("{}. ", holds::lock_sentence(lock, model.now)));
    ask(model, &format!("{}This run may deploy. Start it?", lock.unwrap_or_default()), asked, "", true)
}

fn answer_of_a_person(model: &Model, is_approval: bool, why: &str) -> Order {
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

/// Asks before something is done. What changes production wants the name of the project.
fn ask(model: &Model, text: &str, asked: Asked, why: &str, serves: bool) -> Order {
    let yes = if serves && model.is_production() { model.project().to_owned() } else { "yes".to_owned() };
    let text = format!("{text} Type `{yes}`, or anything else to leave it.");
    Order::Ask(Question { text, yes, deed: Deed::Act(Cmd::act(asked, why)) })
}

fn log(model: &Model, rest: &str) -> Order {
    let chosen = match stage(model, rest) {
        Ok(chosen) => chosen.or_else(|| model.subject_stage().cloned()),
        Err(text) => return say(text),
    };
    // The last run may have had no need of the stage; then the one before is meant.
    let runs = || model.subject_run().into_iter().chain(model.state.runs.values().rev());
    let address = chosen.and_then(|stage| runs().find_map(|run| model.log_of(run, &stage)));
    match address {
        Some(address) => Order::Do(Deed::Log(address, LogPart::Tail { count: LOG_LINES })),
        None => say("That stage has no log yet.".to_owned()),
    }
}

/// The stage that a word names; none where there is no word.
fn stage(model: &Model, word: &str) -> Result<Option<StageName>, String> {
    if word.is_empty() {
        return Ok(None);
    }
    let stages = model.state.graph.stages();
    let found = stages.iter().find(|spec| spec.name.as_str() == word).map(|spec| spec.name.clone());
    found.map(Some).ok_or_else(|| {
        let known: Vec<_> = stages.iter().map(|spec| spec.name.as_str()).collect();
        format!("There is no stage `{word}`; there are {}.", known.join(", "))
    })
}

/// What can be done here and now, each in a line.
fn help(model: &Model) -> Vec<String> {
    let mut said = vec![
        "A command is typed by its name or the beginning of it.".to_owned(),
        "run all STAGE begins there; logs STAGE tells the end of its log; what follows the others is the reason."
            .to_owned(),
    ];
    let known = COMMANDS.iter().filter(|command| is_for_lines(command.action) && command.is_available(model));
    said.extend(known.map(|command| format!("{}: {}.", command.name, command.description)));
    said
}

/// Whether a command does something without a screen.
fn is_for_lines(action: Action) -> bool {
    matches!(
        action,
        Action::Detach
            | Action::Help
            | Action::Show(_)
            | Action::RunAll
            | Action::RunFrom(_)
            | Action::Cancel
            | Action::Lock
            | Action::Unlock
            | Action::Approve
            | Action::Decline
            | Action::Rollback
    )
}

fn say(text: String) -> Order {
    Order::Say(vec![text])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn said(order: Order) -> String {
        match order {
            Order::Say(lines) => lines.join("\n"),
            other => panic!("{other:?} says nothing"),
        }
    }

    #[test]
    fn every_command_of_the_table_is_understood_by_its_name() {
        let mut model = fixtures::deployed();
        model.can_switch = true;
        for known in COMMANDS {
            let words: Vec<&str> = known.name.split(' ').collect();
            let (found, rest) = command(&words).unwrap();
            assert_eq!((found.name, rest.len()), (known.name, 0));
            if !is_for_lines(known.action) {
                continue;
            }
            if let Order::Say(lines) = read(&model, known.name) {
                assert!(!lines.join("\n").contains("is for the screen"), "{}", known.name);
            }
        }
    }

    #[test]
    fn what_may_be_understood_in_a_few_ways_is() {
        let model = fixtures::deployed();
        assert_eq!(read(&model, "quit"), Order::Quit);
        assert_eq!(read(&model, "  "), Order::Nothing);
        assert_eq!(read(&model, "STATUS"), read(&model, "board"));
        assert!(said(read(&model, "zoom")).contains("for the screen"));
        assert!(said(read(&model, "frobnicate")).contains("`help`"));
        assert!(said(read(&model, "run nowhere")).contains("There is no stage `nowhere`"));
        assert!(matches!(read(&model, "logs train"), Order::Do(Deed::Log(..))));
        let Order::Do(Deed::Act(Cmd::Act { command: Asked::Run(selection), .. })) = read(&model, "run train") else {
            panic!("a run is started");
        };
        assert_eq!(selection.from.map(|stage| stage.to_string()).as_deref(), Some("train"));
    }

    #[test]
    fn what_stops_or_serves_is_asked_for_and_production_by_its_name() {
        let running = fixtures::running();
        let Order::Ask(question) = read(&running, "cancel too slow") else { panic!("it is asked") };
        assert!(question.is_answered_by("yes\n") && !question.is_answered_by("y"));
        assert_eq!(question.deed, Deed::Act(Cmd::act(Asked::Cancel { run: None }, "too slow")));
        let production = fixtures::in_production();
        let Order::Ask(question) = read(&production, "deploy") else { panic!("it is asked") };
        assert_eq!(question.yes, production.project());
        assert!(!question.is_answered_by("yes"));
    }

    #[test]
    fn whoever_only_watches_is_told_so() {
        let mut model = fixtures::deployed();
        model.is_observer = true;
        assert!(said(read(&model, "run")).contains("only watch"));
    }
}
