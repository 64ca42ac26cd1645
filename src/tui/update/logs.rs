//! Logs: what is looked for in them and shown of them, where to go in them, and what is kept of them.

use crossterm::event::{KeyCode, KeyEvent};
use regex::Regex;

use super::keys::edit;
use super::{complain, past, say};
use crate::api::types::{LogAddress, LogFilter, LogFind, LogLevel};
use crate::pipeline::{Moment, StageName, StageState, TestReport};
use crate::tui::app::{Model, Overlay, View};
use crate::tui::commands::{Action, key_of};
use crate::tui::layout;
use crate::tui::log_view::Timestamps;
use crate::tui::log_view::action::{LogAction, LogPrompt};
use crate::tui::log_view::failure::Failure;
use crate::tui::log_view::jump::{self, Jump};
use crate::tui::log_view::keep;
use crate::tui::log_view::question::{LogAnswer, LogQuestion, Program, Purpose};
use crate::tui::log_view::search::{Search, SearchRequest, Sought};
use crate::tui::log_view::stamps::Stamps;
use crate::tui::message::Cmd;
use crate::tui::quantity;

/// Lines around one that passes, at most.
const MOST_CONTEXT: u64 = 20;

/// Does what a command of the view means.
pub(super) fn act(model: &mut Model, action: LogAction, commands: &mut Vec<Cmd>) {
    let rows = layout::log_rows(model);
    match action {
        LogAction::Filter => {
            let input = model.log.shown_filter().pattern.unwrap_or_default();
            ask(model, LogPrompt::Filter { input });
        }
        LogAction::Level => {
            let level = next_level(model.log.level());
            show_only(model, |filter| filter.level = level);
            say(model, level.map_or("all levels".to_owned(), |level| format!("{} and worse", level.word())));
        }
        LogAction::Context(by) => context(model, by),
        LogAction::GoTo => ask(model, LogPrompt::GoTo { input: String::new() }),
        LogAction::Timestamps => model.log.timestamps = model.log.timestamps.next(),
        LogAction::Mark => match model.log.toggle_mark(rows) {
            Some((line, true)) => say(model, format!("line {} is marked", line + 1)),
            Some((line, false)) => say(model, format!("line {} is not marked any more", line + 1)),
            None => complain(model, "there is no line to mark".to_owned()),
        },
        LogAction::Marks if model.log.own_marks().is_none() => complain(model, "no line is marked here".to_owned()),
        LogAction::Marks => ask(model, LogPrompt::Marks { selected: 0 }),
        LogAction::Save => {
            if let Some(log) = &model.log.address {
                let input = keep::name_of(log);
                ask(model, LogPrompt::Save { input });
            }
        }
        LogAction::Show(program) => show_elsewhere(model, program, commands),
        LogAction::Raw => model.log.is_raw = !model.log.is_raw,
        LogAction::WholeRun => whole_run(model),
    }
}

fn ask(model: &mut Model, prompt: LogPrompt) {
    model.overlay = Some(Overlay::Log(prompt));
}

fn next_level(level: Option<LogLevel>) -> Option<LogLevel> {
    match level {
        None => Some(LogLevel::Error),
        Some(LogLevel::Error) => Some(LogLevel::Warn),
        Some(LogLevel::Warn) => Some(LogLevel::Info),
        Some(LogLevel::Info) => Some(LogLevel::Debug),
        Some(LogLevel::Debug) => Some(LogLevel::Trace),
        Some(LogLevel::Trace) => None,
    }
}

fn context(model: &mut Model, by: i8) {
    if model.log.filter.is_none() {
        complain(model, "all lines are shown already; narrow the log first".to_owned());
        return;
    }
    show_only(model, |filter| filter.context = filter.context.saturating_add_signed(i64::from(by)).min(MOST_CONTEXT));
    let around = quantity::counted(model.log.shown_filter().context, "line");
    say(model, format!("{around} before and behind each that passes"));
}

fn show_only(model: &mut Model, change: impl FnOnce(&mut LogFilter)) {
    let rows = layout::log_rows(model);
    let filter = model.log.changed_filter(change);
    model.log.show_only(filter, rows);
}

/// The log of the stage, or those of all stages of its run.
fn whole_run(model: &mut Model) {
    let Some(log) = model.log.address.clone() else { return };
    if !log.is_whole_run() {
        model.log.open(Some(LogAddress::whole_run(log.run)));
        return;
    }
    let Some(run) = model.state.runs.get(&log.run).cloned() else { return };
    let of = |stage: &StageName| model.log_of(&run, stage).filter(|found| found.run == run.id);
    let chosen = model.subject_stage().and_then(of);
    let first = || model.state.graph.stages().iter().find_map(|spec| of(&spec.name));
    if let Some(one) = chosen.or_else(first) {
        model.log.open(Some(one));
    }
}

fn show_elsewhere(model: &mut Model, program: Program, commands: &mut Vec<Cmd>) {
    keep_log(model, Purpose::Show(program), commands);
    say(model, "fetching the log".to_owned());
}

fn keep_log(model: &Model, purpose: Purpose, commands: &mut Vec<Cmd>) {
    let Some(log) = model.log.address.clone() else { return };
    let filter = Some(model.log.shown_filter()).filter(|filter| !filter.is_empty());
    let stamps = shown_stamps(model);
    commands.push(Cmd::AskLog(LogQuestion::Keep { log, filter, stamps, purpose }));
}

/// The times before the lines of the log that is shown.
pub(in crate::tui) fn stamps(model: &Model) -> Stamps {
    let begin = model.log.address.as_ref().map_or(model.now, |log| span(model, log).0);
    Stamps { how: model.log.timestamps, begin, clock: model.clock.clone() }
}

/// The same, if they are on the screen: what leaves the screen has them as it had them there.
pub(super) fn shown_stamps(model: &Model) -> Option<Stamps> {
    Some(stamps(model)).filter(|stamps| stamps.how != Timestamps::Off)
}

/// A key while something is asked.
pub(super) fn in_prompt(model: &mut Model, key: &KeyEvent, prompt: LogPrompt, commands: &mut Vec<Cmd>) {
    if key.code == KeyCode::Esc {
        return;
    }
    let is_done = key.code == KeyCode::Enter;
    let prompt = match prompt {
        LogPrompt::Marks { selected } => return in_marks(model, key, selected),
        LogPrompt::Filter { input } if is_done => return filter(model, input),
        LogPrompt::GoTo { input } if is_done => return go_to(model, &input, commands),
        LogPrompt::Save { input } if is_done => {
            if !input.trim().is_empty() {
                keep_log(model, Purpose::Save(input.trim().into()), commands);
                say(model, "saving".to_owned());
            }
            return;
        }
        LogPrompt::Filter { mut input } => {
            edit(&mut input, key);
            LogPrompt::Filter { input }
        }
        LogPrompt::GoTo { mut input } => {
            edit(&mut input, key);
            LogPrompt::GoTo { input }
        }
        LogPrompt::Save { mut input } => {
            edit(&mut input, key);
            LogPrompt::Save { input }
        }
    };
    ask(model, prompt);
}

fn in_marks(model: &mut Model, key: &KeyEvent, selected: usize) {
    let marks: Vec<u64> = model.log.own_marks().map(|marks| marks.keys().copied().collect()).unwrap_or_default();
    let last = marks.len().saturating_sub(1);
    let selected = match key.code {
        KeyCode::Up | KeyCode::Char('k') => selected.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => (selected + 1).min(last),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => last,
        KeyCode::Enter => {
            if let Some(line) = marks.get(selected) {
                let rows = layout::log_rows(model);
                model.log.show_line(*line, rows);
            }
            return;
        }
        _ => selected,
    };
    ask(model, LogPrompt::Marks { selected });
}

fn filter(model: &mut Model, input: String) {
    if let Err(why) = check(&input) {
        complain(model, why);
        return;
    }
    show_only(model, |filter| filter.pattern = Some(input).filter(|pattern| !pattern.is_empty()));
}

/// What is wrong with a pattern, in one line.
fn check(pattern: &str) -> Result<(), String> {
    let refused = |error: regex::Error| {
        let error = error.to_string();
        let why = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("`{pattern}` is not a regular expression: {why}")
    };
    Regex::new(pattern).map(|_| ()).map_err(refused)
}

fn go_to(model: &mut Model, input: &str, commands: &mut Vec<Cmd>) {
    let Some(log) = model.log.address.clone() else { return };
    let (begin, end) = span(model, &log);
    match jump::parse(input, begin, end, &model.clock.time(end)) {
        Ok(Jump::Moment(moment)) => commands.push(Cmd::AskLog(LogQuestion::LineAt { log, moment })),
        Ok(Jump::Percent(share)) => {
            let line = model.log.total / 100 * share + model.log.total % 100 * share / 100;
            aim_at(model, line.min(model.log.total.saturating_sub(1)), "it is the last");
        }
        Ok(Jump::Line(line)) => aim_at(model, line, "it is the last"),
        Err(why) => complain(model, why),
    }
}

/// Goes to a line and says where that is; of a place behind the last line, why it is not further.
fn aim_at(model: &mut Model, line: u64, why_not_further: &str) {
    let (total, rows) = (model.log.total, layout::log_rows(model));
    let Some(last) = total.checked_sub(1) else {
        complain(model, "there is no line to go to: nothing was written yet".to_owned());
        return;
    };
    model.log.aim_at(line.min(last), rows);
    let place = format!("line {} of {}", quantity::count(line.min(last) + 1), quantity::count(total));
    say(model, if line > last { format!("{place}: {why_not_further}") } else { place });
}

/// When a log began and ended, or that it goes on.
pub(in crate::tui) fn span(model: &Model, log: &LogAddress) -> (Moment, Moment) {
    let run = model.state.runs.get(&log.run);
    let stage = run.and_then(|run| run.stages.get(&log.stage));
    let (begin, end) = match (run, stage) {
        (Some(run), None) => (run.started, run.ended),
        (_, Some(stage)) => (stage.started, stage.ended),
        (None, None) => (None, None),
    };
    let end = end.unwrap_or(model.now);
    (begin.unwrap_or(end), end)
}

/// Starts a search at the first visible line. An empty pattern ends the last one.
pub(super) fn search(model: &mut Model, pattern: String, commands: &mut Vec<Cmd>) {
    if pattern.is_empty() || model.log.address.is_none() {
        model.log.search = None;
        return;
    }
    if let Err(why) = check(&pattern) {
        complain(model, why);
        return;
    }
    let from = model.log.first_in_sight(layout::log_rows(model)).unwrap_or(0);
    model.log.search = Some(Search::new(pattern, &model.log.shown_filter(), model.log.total));
    seek(model, from, false, from == 0, commands);
}

/// The next match, or the one before.
pub(super) fn search_again(model: &mut Model, backward: bool, commands: &mut Vec<Cmd>) {
    let Some(search) = &model.log.search else { return };
    let from = match (search.hit, backward) {
        (Some(hit), false) => hit.saturating_add(1),
        // Before the first line there is nothing: on from the end.
        (Some(hit), true) => hit.checked_sub(1).unwrap_or(u64::MAX),
        (None, _) => model.log.first_in_sight(layout::log_rows(model)).unwrap_or(0),
    };
    seek(model, from, backward, false, commands);
}

fn seek(model: &mut Model, from: u64, backward: bool, has_wrapped: bool, commands: &mut Vec<Cmd>) {
    let (Some(log), Some(search)) = (&model.log.address, &mut model.log.search) else { return };
    match search.seek(log, from, backward, has_wrapped) {
        Sought::Line { line, has_wrapped } => hit(model, line, backward, has_wrapped),
        Sought::Asked(request) => commands.push(Cmd::Search(request)),
        Sought::Nowhere => nowhere(model),
    }
}

fn hit(model: &mut Model, line: u64, backward: bool, has_wrapped: bool) {
    let rows = layout::log_rows(model);
    let before = model.log.search.as_ref().and_then(|search| search.hit);
    let first = model.log.first_in_sight(rows).unwrap_or(0);
    // A search from the first line on never tries the other end, and has not come from there.
    let has_come_round =
        has_wrapped && before.map_or(line < first, |before| if backward { line >= before } else { line <= before });
    model.log.show_hit(line, rows);
    let end = if backward { "beginning" } else { "end" };
    let text = if has_come_round {
        format!("line {}; the search went past the {end} and on from the other side", line + 1)
    } else {
        format!("line {}", line + 1)
    };
    say(model, text);
}

fn nowhere(model: &mut Model) {
    let pattern = model.log.search.as_ref().map(|search| search.pattern.clone()).unwrap_or_default();
    let among = if model.log.filter.is_some() { "nowhere in what is shown of this log" } else { "nowhere in this log" };
    complain(model, format!("“{pattern}” is {among}"));
}

/// A step of a search was done; one that is no longer wanted is dropped.
pub(super) fn found(
    model: &mut Model,
    request: &SearchRequest,
    answer: Result<LogFind, String>,
    commands: &mut Vec<Cmd>,
) {
    let search = model.log.search.as_mut().filter(|search| search.asked.as_ref() == Some(request));
    let Some(search) = search else { return };
    search.asked = None;
    let SearchRequest { backward, has_wrapped, .. } = *request;
    // What was written behind the moment that is shown was not there yet.
    let is_known = |line: u64| model.past.is_none() || line < model.log.total;
    match answer {
        Ok(LogFind { hit: Some(line), .. }) if !is_known(line) => nowhere(model),
        Ok(LogFind { hit: Some(line), .. }) => hit(model, line, backward, has_wrapped),
        Ok(LogFind { next: Some(from), .. }) => {
            let next = SearchRequest { from, ..request.clone() };
            search.asked = Some(next.clone());
            commands.push(Cmd::Search(next));
        }
        Ok(LogFind { .. }) if has_wrapped => nowhere(model),
        Ok(LogFind { .. }) => {
            let other_end = if backward { u64::MAX } else { 0 };
            seek(model, other_end, backward, true, commands);
        }
        Err(error) => complain(model, error),
    }
}

/// An answer about a log; one about a log that is not shown any more is dropped.
pub(super) fn answered(
    model: &mut Model,
    question: LogQuestion,
    answer: Result<LogAnswer, String>,
    commands: &mut Vec<Cmd>,
) {
    let is_shown = model.log.address.as_ref() == Some(question.log());
    match question {
        LogQuestion::Keep { purpose, .. } => kept(model, purpose, answer, commands),
        _ if !is_shown => {}
        LogQuestion::Rows { first, request, .. } => {
            let rows = answer.and_then(|answer| match answer {
                LogAnswer::Rows(rows) => Ok(rows),
                _ => Err(other()),
            });
            model.log.receive_rows(&request, first, rows);
        }
        LogQuestion::Scan { filter, from, .. } => {
            let scan = answer.and_then(|answer| match answer {
                LogAnswer::Scan(scan) => Ok(scan),
                _ => Err(other()),
            });
            model.log.receive_scan(&filter, from, scan);
            pass_empty_level(model);
            tell_failure(model);
        }
        LogQuestion::Count { filter, from, until, .. } => {
            let rows = match answer {
                Ok(LogAnswer::Count(rows)) => Some(rows),
                Ok(_) | Err(_) => None,
            };
            model.log.receive_count(&filter, from, until, rows);
        }
        LogQuestion::LineAt { moment, .. } => match answer {
            Ok(LogAnswer::Line(line)) => {
                let shown = model.clock.time(moment);
                aim_at(model, line, &format!("the last, for nothing was written at {shown} or later"));
            }
            Ok(_) => complain(model, other()),
            Err(error) => complain(model, error),
        },
    }
}

/// The daemon and this program speak of different things.
fn other() -> String {
    "the daemon answered something else; restart it with `trainyard down` and `trainyard up`".to_owned()
}

fn kept(model: &mut Model, purpose: Purpose, answer: Result<LogAnswer, String>, commands: &mut Vec<Cmd>) {
    match (purpose, answer) {
        (Purpose::Save(_), Ok(LogAnswer::Kept(kept))) => {
            let size = quantity::bytes(kept.bytes);
            say(model, format!("saved {size} to {}{}", kept.file.display(), keep::cut_note(&kept)));
        }
        (Purpose::Show(program), Ok(LogAnswer::Kept(kept))) => commands.push(Cmd::Lend(program, kept.file)),
        (_, Ok(_)) => complain(model, other()),
        (_, Err(error)) => complain(model, error),
    }
}

/// Turns to the log that the Board is about. Whoever reads in a log of its run is not torn away from it.
fn on_the_board(model: &mut Model) {
    let rows = layout::log_rows(model);
    if model.log.filter.is_some() {
        model.log.show_only(None, rows);
    }
    let run = model.board_run().map(|run| run.id);
    let is_read = model.stage.is_none()
        && !model.log.is_led()
        && model.log.address.as_ref().is_some_and(|log| Some(log.run) == run && !log.is_whole_run());
    if !is_read {
        let address = model.subject_log();
        model.log.open(address);
    }
}

/// The log of the stage that Logs is about, once there is one: the view may be opened before the daemon has said anything, or
/// before the stage begins.
fn once_it_is_there(model: &mut Model) {
    if let Some(address) = model.subject_log() {
        model.log.open(Some(address));
    }
}

/// Asks for what is visible and not here.
pub(super) fn follow_up(model: &mut Model, commands: &mut Vec<Cmd>) {
    if model.view == View::Board {
        on_the_board(model);
    } else if model.view == View::Logs && model.log.address.is_none() {
        once_it_is_there(model);
    }
    let rows = layout::log_rows(model);
    if !model.is_connected() || rows == 0 {
        return;
    }
    if let Some(part) = model.log.next_part(rows, model.is_frozen)
        && let Some(log) = model.log.address.clone()
    {
        if model.log.filter.is_some() {
            commands.extend(model.log.rows_question(part).map(Cmd::AskLog));
        } else {
            commands.push(past::log_question(model, log, part));
        }
    }
    // A report may be long, and this comes behind every message.
    if model.log.can_look_for_failure()
        && let Some(report) = failed_tests(model).cloned()
    {
        model.log.look_for_failure(&report);
    }
    commands.extend(model.log.next_questions().into_iter().map(Cmd::AskLog));
}

/// What the tests said of which the log is that is shown, if some of them failed.
fn failed_tests(model: &Model) -> Option<&TestReport> {
    let log = model.log.address.as_ref()?;
    let work = model.run_of(log.run).and_then(|run| run.stages.get(&log.stage))?;
    let has_failed = matches!(work.state, StageState::Failed { .. }) && work.attempt == log.attempt;
    work.outputs.as_ref().filter(|_| has_failed)?.tests.as_ref().filter(|report| report.failed > 0)
}

/// Shows where the failure is told, once that is known, and says how to go on from there.
fn tell_failure(model: &mut Model) {
    match model.log.found_failure() {
        Some(Failure::Line(line)) if model.log.is_led() => {
            let rows = layout::log_rows(model);
            model.log.lead_to_failure(line, rows);
            if model.view == View::Logs {
                let key = |backward| key_of(model, Action::SearchAgain { backward });
                let (next, before) = (key(false), key(true));
                say(
                    model,
                    format!(
                        "line {} tells of a failed test; {next} goes to the next such line, {before} back",
                        line + 1
                    ),
                );
            }
        }
        // Whoever reads meanwhile is not led away, nor shown what he did not look for.
        Some(Failure::Line(_) | Failure::Untold) => model.log.search = None,
        Some(Failure::Unknown) | None => {}
    }
}

/// Goes on to the next level when no line is of the one that was chosen, and to all lines when none is of any.
fn pass_empty_level(model: &mut Model) {
    let Some(table) = model.log.filter.as_ref().filter(|table| table.is_whole() && table.rows() == 0) else { return };
    let is_of_level_alone = table.filter.pattern.is_none() && table.filter.level.is_some();
    if !is_of_level_alone || model.log.error.is_some() {
        return;
    }
    match next_level(table.filter.level) {
        Some(level) => {
            show_only(model, |filter| filter.level = Some(level));
            say(model, format!("{} and worse: nothing here is worse than that", level.word()));
        }
        None => {
            show_only(model, |filter| *filter = LogFilter::default());
            let key = key_of(model, Action::Search);
            complain(model, format!("the lines of this log have no level, so all are shown; {key} searches them"));
        }
    }
}
