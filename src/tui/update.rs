//! `update`: the only function that changes the model. Pure: a message goes in, requests to the world come out.
//!
//! [`stream`] folds what the daemon says, [`keys`] turns keys into actions, [`actions`] does them, [`metrics`] those of the
//! charts, [`models`] those of the registry, [`logs`] those of logs, [`list`] those of all lists, [`enter`] goes in and comes
//! back out, [`walk`] goes along the causal line, [`events`] goes from an event to what it is of, [`runs`] asks for runs that
//! the state has forgotten, [`past`] shows what was, [`palette`] does what was found, [`selection`] takes lines to copy,
//! [`mouse`] turns presses into all that, [`line`] tells of the line to the daemon's machine, and [`questions`] asks first
//! where that is due. After each message [`follow_up`] looks at what is visible and asks for the log lines and charts that are
//! missing, so no view ever has to.

mod actions;
mod enter;
mod events;
mod keys;
mod line;
mod list;
pub(super) mod logs;
mod metrics;
mod models;
mod mouse;
mod palette;
mod past;
mod questions;
mod runs;
mod selection;
mod stream;
mod walk;

#[cfg(test)]
mod alert_tests;
#[cfg(test)]
mod announcement_tests;
#[cfg(test)]
mod hold_tests;
#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod metrics_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod mouse_tests;
#[cfg(test)]
mod operator_tests;
#[cfg(test)]
mod past_tests;
#[cfg(test)]
mod selection_tests;
#[cfg(test)]
mod tests;

use crate::api::types::CommandReply;
use crate::pipeline::{ModelVersion, RunId, Silence};

use super::announcement;
use super::app::{Message, Model, Until, View};
use super::commands::{Action, COMMANDS, key_of, view_name};
use super::event_list;
use super::layout;
use super::message::{Cmd, Msg};
use super::past::keep_time;
use super::preferences::{self, PreferenceFault, Preferences};
use super::walk::Thing;
use super::widgets::text::sanitize;

/// Whether the view shows the link of the causal line to which the last step led.
pub(super) fn is_on_the_way(model: &Model, thing: Thing) -> bool {
    walk::is_shown(model, thing)
}

/// Takes a message in and says what has to be done.
pub(super) fn update(model: &mut Model, msg: Msg) -> Vec<Cmd> {
    let mut commands = Vec::new();
    let view = model.view;
    model.is_dirty = true;
    keep_time(model);
    let away = past::turn_to_the_present(model, &msg);
    match msg {
        Msg::Key(key) => keys::press(model, &key, &mut commands),
        Msg::Mouse(event) => mouse::happened(model, event, &mut commands),
        Msg::Preferences(answer) => preferred(model, *answer),
        Msg::Gathered(Ok(yank)) => commands.push(Cmd::Yank(yank)),
        Msg::Yanked(Ok(text)) => say(model, text),
        Msg::Gathered(Err(error)) | Msg::Yanked(Err(error)) => complain(model, error),
        Msg::Resized(columns, rows) => model.size = (columns, rows),
        Msg::Connected(snapshot) => stream::connected(model, *snapshot, &mut commands),
        Msg::Resumed(daemon) => stream::resumed(model, daemon, &mut commands),
        Msg::Line(state) => line::changed(model, state, &mut commands),
        Msg::Stream(item) => stream::heard(model, *item, &mut commands),
        Msg::Lost(reason) => stream::lost(model, reason),
        Msg::Log(address, answer) => past::log_came(model, &address, answer),
        Msg::Found(request, answer) => logs::found(model, &request, answer, &mut commands),
        Msg::AboutLog(question, answer) => logs::answered(model, question, answer, &mut commands),
        Msg::Charts(answer) => metrics::received(model, answer),
        Msg::Comparison(request, answer) => metrics::compared(model, &request, answer),
        Msg::Completions(request, answer) => metrics::completed(model, request, answer, &mut commands),
        Msg::Checked(expression, answer) => metrics::checked(model, expression, answer),
        Msg::Plan(answer) => model.plan = answer.ok(),
        Msg::RollbackPlan(to, answer) => questions::planned(model, to, answer),
        Msg::ReleaseLog(answer) => model.release_log.receive(answer, model.now, model.is_frozen),
        Msg::Models(answer) => past::models_came(model, answer),
        Msg::ModelDetail(version, answer) => past::model_came(model, version, answer),
        Msg::ModelProfile(version, answer) => model.models.profiled(version, answer),
        Msg::Noted(version, answer) => noted(model, version, answer),
        Msg::History(answer) => stream::history(model, answer),
        Msg::Events(filter, answer) => {
            if !runs::received(model, &filter, &answer) {
                events::received(model, &filter, answer);
            }
        }
        Msg::Past(asked, answer) => past::told(model, &asked, answer),
        Msg::PastPlace(asked, answer) => past::placed(model, &asked, answer, &mut commands),
        Msg::TimeLine(asked, answer) => past::lined(model, asked, answer),
        Msg::Projects(rows) => questions::projects::found(model, rows),
        Msg::Replied(asked, answer) => {
            replied(model, &asked, answer);
        }
        Msg::Silenced(alert, answer) => silenced(model, &alert, answer),
        Msg::Demo(Ok(text)) => {
            // What was done to the project is told until the run that has it is over.
            let until = Until::Verdict { from: model.state.last_run.next() };
            model.message = Some(Message { until: Some(until), ..Message::word(text) });
        }
        Msg::Demo(Err(error)) => complain(model, error),
        // The second hand also goes for lines that are to be asked for; then there is nothing new to draw yet.
        Msg::Second => {
            let grows = model.shows_a_growing_duration() || event_list::age_turns(model);
            model.is_dirty = grows || announcement::ends(model);
        }
    }
    past::turn_back(model, away);
    follow_up(model, &mut commands);
    selection::settle(model);
    if model.view != view && model.is_connected() {
        commands.push(Cmd::ShowView(view_name(model.view).to_owned()));
    }
    if model.past.is_some() {
        // Nothing that acts is offered there; should it be asked for all the same, it is not done.
        commands.retain(|command| !command.acts());
    }
    commands
}

/// Asks for what is visible and not here.
fn follow_up(model: &mut Model, commands: &mut Vec<Cmd>) {
    announcement::settle(model);
    list::settle(model);
    logs::follow_up(model, commands);
    if !model.is_connected() {
        return;
    }
    if model.view == View::Releases && model.state.live.is_some() && model.past.is_none() {
        let rows = layout::release_log_rows(model);
        let asked = model.release_log.next_request(rows, model.now, model.is_frozen);
        commands.extend(asked.map(|lines| Cmd::FetchReleaseLog { lines }));
    }
    past::follow_up(model, commands);
    commands.extend(events::missing(model));
    runs::follow_up(model, commands);
    metrics::follow_up(model, commands);
    models::follow_up(model, commands);
}

fn replied(model: &mut Model, asked: &str, answer: Result<CommandReply, String>) {
    match answer {
        Ok(Ok(Some(run))) => {
            let text = begun(model, asked, run);
            model.message = Some(Message { until: Some(Until::RunIsOver(run)), ..Message::word(text) });
        }
        Ok(Ok(None)) => say(model, format!("{asked}: done")),
        Ok(Err(refusal)) => complain(model, refusal.to_string()),
        Err(error) => complain(model, error),
    }
}

/// What was started, and how to stop it.
fn begun(model: &Model, asked: &str, run: RunId) -> String {
    let Some(from) = asked.strip_prefix("run") else { return format!("{asked}: run {run}") };
    let key = key_of(model, Action::Cancel);
    let acts_here = COMMANDS.iter().any(|command| command.action == Action::Cancel && command.belongs(model.view));
    let stop = match (key.is_empty(), acts_here) {
        (true, _) => "`cancel` stops it".to_owned(),
        (false, true) => format!("{key} cancels"),
        (false, false) => format!("{key} on the Board cancels"),
    };
    format!("run {run}{}; {stop}", sanitize(from))
}

fn silenced(model: &mut Model, alert: &str, answer: Result<Option<Silence>, String>) {
    match answer {
        Ok(Some(silence)) => {
            let until = model.clock.when(silence.until, model.now);
            say(model, format!("alert {alert} is silenced until {until}"));
        }
        Ok(None) => say(model, format!("alert {alert} is heard again")),
        Err(error) => complain(model, error),
    }
}

/// The operator's files were changed while the screen is open.
fn preferred(model: &mut Model, answer: Result<Preferences, Vec<PreferenceFault>>) {
    match answer {
        Ok(preferred) => {
            preferences::prefer(model, preferred);
            say(model, "your preferences were read anew".to_owned());
        }
        Err(faults) => complain(model, format!("{}; what was in force stays", preferences::told(&faults))),
    }
}

fn noted(model: &mut Model, version: ModelVersion, answer: Result<(), String>) {
    match answer {
        Ok(()) => say(model, format!("noted on model {version}")),
        Err(error) => complain(model, error),
    }
}

fn say(model: &mut Model, text: String) {
    model.message = Some(Message::word(text));
}

fn complain(model: &mut Model, text: String) {
    model.message = Some(Message::complaint(text));
}

/// A key does nothing here; why.
fn refuse(model: &mut Model, text: String) {
    complain(model, text);
    model.has_said_why_not = true;
}
