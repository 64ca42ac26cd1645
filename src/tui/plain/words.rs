//! What a typed line means: a command of the one table by its name, the beginning of it, or a few words for what a screen
//! would select by keys.

mod changes;

use self::changes::{answer_of_a_person, ask, end_silence, lock, note, promote, roll_back, run, silence};
use super::sentences;
use crate::api::types::LogAddress;
use crate::pipeline::{Command as Asked, EventFilter, ModelVersion, StageName};
use crate::tui::app::{Model, View};
use crate::tui::commands::{Action, COMMANDS, Command, other_words};
use crate::tui::event_search;
use crate::tui::log_view::LogPart;
use crate::tui::message::Cmd;
use crate::tui::unavailable;

/// Lines of a log that are told at once.
const LOG_LINES: u64 = 40;

/// What is to be asked of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// That it does something.
    Act(Cmd),
    /// Lines of a log.
    Log(LogAddress, LogPart),
    /// The registry of models.
    Models,
    /// All that is known of one.
    Model(ModelVersion),
    /// The panels with this in their titles.
    Metrics(String),
    /// The last events that pass.
    Events(EventFilter),
    /// The last lines of a log that match this.
    Search(LogAddress, String),
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
    let Some((command, rest)) = command(model, &words) else {
        return say(format!("There is no command `{}`; `help` names them all.", words.join(" ")));
    };
    match obstacle(model, command) {
        Some(why) => say(format!("{why}.")),
        None => order(model, command, &rest.join(" ")),
    }
}

/// Why a command cannot be done now.
fn obstacle(model: &Model, command: &Command) -> Option<String> {
    match command.action {
        Action::Show(_) | Action::Help | Action::Detach => None,
        // What they are about is typed, so no view has to show it.
        Action::Promote | Action::Note | Action::Silence | Action::Unsilence | Action::Search => {
            if model.is_observer && command.action.acts() {
                Some("you only watch here (--read-only)".to_owned())
            } else if model.is_connected() {
                None
            } else {
                Some(format!("{}: the daemon is not heard", command.name))
            }
        }
        _ => (!command.is_available(model)).then(|| unavailable::why(model, command)),
    }
}

/// The command that words begin with, and the words behind it: by its whole name, by the beginning of one, or by what else
/// people call it. What can be typed is meant before what is for the screen.
fn command<'words>(model: &Model, words: &'words [&'words str]) -> Option<(&'static Command, &'words [&'words str])> {
    let lowered: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let named = |name: &str| COMMANDS.iter().find(|command| command.name == name);
    for count in [3, 2, 1] {
        if let Some(found) = lowered.get(..count).and_then(|words| named(&words.join(" "))) {
            return Some((found, words.get(count..).unwrap_or_default()));
        }
    }
    let first = lowered.first()?.as_str();
    let rest = words.get(1..).unwrap_or_default();
    let typed = || COMMANDS.iter().filter(|known| is_for_lines(known.action));
    if let Some(found) = typed().find(|known| known.name.starts_with(first)) {
        return Some((found, rest));
    }
    for count in [2, 1] {
        let Some(said) = lowered.get(..count).map(|words| words.join(" ")) else { continue };
        // A lock asks nothing, so only its own name makes one.
        let called =
            typed().filter(|known| known.action != Action::Lock && other_words(known.action).contains(&said.as_str()));
        // A word for several commands means the one that can be done now: `stop` is to cancel only while something runs.
        if let Some(found) = called.min_by_key(|known| obstacle(model, known).is_some()) {
            return Some((found, words.get(count..).unwrap_or_default()));
        }
    }
    COMMANDS.iter().find(|known| known.name.starts_with(first)).map(|found| (found, rest))
}

fn order(model: &Model, command: &Command, rest: &str) -> Order {
    match command.action {
        Action::Detach => Order::Quit,
        Action::Help => Order::Say(help(model)),
        Action::Show(View::Board) => Order::Say(sentences::board(model)),
        Action::Show(View::Runs) => Order::Say(sentences::runs(model)),
        Action::Show(View::Releases) => Order::Say(sentences::releases(model)),
        Action::Show(View::Events) if !model.is_connected() => Order::Say(sentences::events(model)),
        Action::Show(View::Events) => match event_search::refusal(rest) {
            Some(reason) => say(format!("The events cannot be told: {reason}.")),
            None => Order::Do(Deed::Events(event_search::parse(rest))),
        },
        Action::Show(View::Models) => match version(rest) {
            Some((version, _)) => Order::Do(Deed::Model(version)),
            None => Order::Do(Deed::Models),
        },
        Action::Show(View::Logs) => log(model, rest),
        Action::Search => search(model, command, rest),
        Action::Show(View::Metrics) => Order::Do(Deed::Metrics(rest.to_owned())),
        Action::Operators => Order::Say(sentences::operators(model)),
        Action::Promote => promote(model, command, rest),
        Action::Note => note(command, rest),
        Action::Silence => silence(model, rest),
        Action::Unsilence => end_silence(model, rest),
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
        Action::Lock => lock(command, rest),
        Action::Approve | Action::Decline => answer_of_a_person(model, command.action == Action::Approve, rest),
        Action::Rollback => roll_back(model, rest),
        _ => say(format!("`{}` is for the screen.", command.name)),
    }
}

/// The version of a model that words begin with, and the words behind it.
fn version(words: &str) -> Option<(ModelVersion, &str)> {
    let (first, behind) = first_word(words);
    let number = first.strip_prefix('m').unwrap_or(first).parse().ok()?;
    Some((ModelVersion(number), behind))
}

fn first_word(words: &str) -> (&str, &str) {
    words.split_once(' ').unwrap_or((words, ""))
}

/// What is missing behind a command, with an example.
fn wants(command: &Command, example: &str) -> String {
    format!("It is typed as `{}{}`, such as `{} {example}`.", command.name, arguments(command.action), command.name)
}

/// The end of a log.
fn log(model: &Model, rest: &str) -> Order {
    match stage(model, rest).map(|chosen| address(model, chosen)) {
        Ok(Some(address)) => Order::Do(Deed::Log(address, LogPart::Tail { count: LOG_LINES })),
        Ok(None) => say("That stage has no log yet; `run all` starts a run.".to_owned()),
        Err(text) => say(text),
    }
}

/// The last lines that match: in the log of the stage that the words begin with, else of the one that is looked at.
fn search(model: &Model, command: &Command, rest: &str) -> Order {
    if rest.is_empty() {
        return say(wants(command, "test error|failed"));
    }
    let (first, behind) = first_word(rest);
    let (chosen, pattern) = match stage(model, first) {
        Ok(Some(chosen)) if !behind.is_empty() => (Some(chosen), behind),
        Ok(_) | Err(_) => (None, rest),
    };
    match address(model, chosen) {
        Some(address) => Order::Do(Deed::Search(address, pattern.to_owned())),
        None => say("There is no log yet; `run all` starts a run.".to_owned()),
    }
}

/// The last log of a stage, else of the stage that is looked at.
fn address(model: &Model, chosen: Option<StageName>) -> Option<LogAddress> {
    let stage = chosen.or_else(|| model.subject_stage().cloned())?;
    // The last run may have had no need of the stage; then the one before is meant.
    let mut runs = model.subject_run().into_iter().chain(model.state.runs.values().rev());
    runs.find_map(|run| model.log_of(run, &stage))
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
    let head = "A command is typed by its name or the beginning of it. What stands in brackets may be left out.";
    let known = COMMANDS.iter().filter(|known| is_for_lines(known.action) && obstacle(model, known).is_none());
    let line = |known: &Command| format!("{}{}: {}.", known.name, arguments(known.action), known.description);
    std::iter::once(head.to_owned()).chain(known.map(line)).collect()
}

/// What is typed behind a command.
fn arguments(action: Action) -> &'static str {
    match action {
        Action::RunAll | Action::Show(View::Logs) => " [STAGE]",
        Action::Show(View::Models) => " [VERSION]",
        Action::Show(View::Metrics) => " [TITLE]",
        Action::Show(View::Events) => " [WORDS]",
        Action::Search => " [STAGE] PATTERN",
        Action::Promote => " VERSION WHY",
        Action::Note => " VERSION TEXT",
        Action::Silence => " [ALERT] [2h] [WHY]",
        Action::Unsilence => " [ALERT]",
        Action::Lock => " [2h] WHY",
        Action::Rollback => " [RELEASE] [WHY]",
        Action::Cancel | Action::Unlock | Action::Approve | Action::Decline => " [WHY]",
        _ => "",
    }
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
            | Action::Operators
            | Action::Promote
            | Action::Note
            | Action::Silence
            | Action::Unsilence
            | Action::Search
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
            let (found, rest) = command(&model, &words).unwrap();
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
        assert_eq!(read(&model, "log train"), read(&model, "logs train"), "and not the scale of a chart");
        assert_eq!(read(&model, "undo too slow"), read(&model, "rollback too slow"));
        assert_eq!(read(&model, "go back"), read(&model, "rollback"));
        assert_eq!(read(&model, "unsilence"), read(&model, "end silence"));
        assert_eq!(read(&model, "stop"), Order::Quit);
        assert!(matches!(read(&fixtures::running(), "stop"), Order::Ask(_)), "what runs, before the screen");
        assert!(said(read(&model, "frobnicate")).contains("`help`"));
        assert_eq!(read(&model, "metrics requests"), Order::Do(Deed::Metrics("requests".to_owned())));
        assert_eq!(read(&model, "models"), Order::Do(Deed::Models));
        assert_eq!(read(&model, "models 2"), Order::Do(Deed::Model(ModelVersion(2))));
        let failed = event_search::parse("failed by:ops");
        assert_eq!(read(&model, "events failed by:ops"), Order::Do(Deed::Events(failed)));
        assert!(said(read(&model, "events kind:frob")).contains("the kinds are config, inputs"));
        assert!(said(read(&model, "run nowhere")).contains("There is no stage `nowhere`"));
        assert!(matches!(read(&model, "logs train"), Order::Do(Deed::Log(..))));
        let Order::Do(Deed::Act(Cmd::Act { command: Asked::Run(selection), .. })) = read(&model, "run train") else {
            panic!("a run is started");
        };
        assert_eq!(selection.from.map(|stage| stage.to_string()).as_deref(), Some("train"));
    }

    #[test]
    fn a_log_is_searched_by_its_stage_or_by_the_one_that_is_looked_at() {
        let model = fixtures::deployed();
        let searched = |typed: &str| match read(&model, typed) {
            Order::Do(Deed::Search(log, pattern)) => (log.stage.to_string(), pattern),
            other => panic!("{other:?} is no search"),
        };
        assert_eq!(searched("search train error|failed"), ("train".to_owned(), "error|failed".to_owned()));
        assert_eq!(searched("search no such file").1, "no such file");
        assert_eq!(searched("search train").1, "train", "a pattern alone is no stage");
        assert!(said(read(&model, "search")).contains("`search [STAGE] PATTERN`"));
    }

    #[test]
    fn help_names_what_can_be_typed_and_how() {
        let told = help(&fixtures::deployed()).join("\n");
        for wanted in
            ["promote VERSION WHY:", "metrics [TITLE]:", "operators:", "search [STAGE] PATTERN:", "events [WORDS]:"]
        {
            assert!(told.contains(wanted), "`{wanted}` is missing:\n{told}");
        }
        let mut watching = fixtures::deployed();
        watching.is_observer = true;
        assert!(!help(&watching).join("\n").contains("promote"));
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
