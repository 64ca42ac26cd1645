//! The walk along the causal line: from what is selected in any view to what it led to, or to what made it.

use std::sync::Arc;

use super::{actions, events, refuse};
use crate::api::types::LogAddress;
use crate::pipeline::{Event, ModelVersion, Recorded, ReleaseId, Run, RunId, StageName};
use crate::tui::app::{Model, Pane, View};
use crate::tui::event_list;
use crate::tui::list::ListState;
use crate::tui::models;
use crate::tui::walk::{self, Link, Subject, Thing};

/// One step, or why there is none.
pub(super) fn step(model: &mut Model, backward: bool) {
    let Some(here) = here(model) else {
        refuse(model, "nothing to walk from: what is selected is of no run that is known".to_owned());
        return;
    };
    let Some(run) = model.run_of(here.run).cloned() else {
        refuse(model, format!("run {} is not known any more", here.run));
        return;
    };
    let is_at_the_beginning = backward && here.link == Link::Cause;
    let next = match walk::step(&model.state, &run, here.link, backward) {
        Ok(link) => Ok((run, link)),
        Err(end) if is_at_the_beginning => before_the_line(model, &run, end),
        Err(end) => Err(end),
    };
    match next {
        Ok((run, link)) => go(model, &run, link),
        Err(reason) => {
            model.walk = Some(here);
            refuse(model, reason);
        }
    }
}

/// What a run took over lies before the beginning of its line: nothing of the line itself is passed over on the way there.
fn before_the_line(model: &Model, run: &Run, end: String) -> Result<(Arc<Run>, Link), String> {
    let Some((version, made)) = walk::taken_over(&model.state, run) else { return Err(end) };
    let forgotten = || format!("run {} used model {version} of run {made}, which is not known any more", run.id);
    model.run_of(made).map(|made| (Arc::clone(made), Link::Model)).ok_or_else(forgotten)
}

/// Shows a link of the line of a run.
fn go(model: &mut Model, run: &Run, link: Link) {
    let Ok(subject) = walk::subject(&model.state, run, link) else { return };
    match subject {
        Subject::Cause => {
            actions::show(model, View::Events);
            events::search(model, search_of(run.id));
            model.event_list.chosen = beginning(model, run.id);
        }
        Subject::Run => to_run(model, run.id),
        Subject::Stage(stage) => to_stage(model, run.id, stage),
        Subject::Model(version) => to_model(model, version),
        Subject::Release(release) => to_release(model, release),
        Subject::Metric => actions::show(model, View::Metrics),
    }
    model.walk = Some(at_its_origin(model, Thing { run: run.id, link }));
}

/// A model is made by one run, and a rollback has no image and no tests of its own: from the model that it brought back one
/// walks on along the line of the run that made it, if that is known.
fn at_its_origin(model: &Model, thing: Thing) -> Thing {
    let origin = || {
        let run = model.run_of(thing.run).filter(|run| thing.link == Link::Model && run.trigger.is_rollback())?;
        let (_, made) = walk::taken_over(&model.state, run)?;
        model.run_of(made).map(|run| Thing { run: run.id, ..thing })
    };
    origin().unwrap_or(thing)
}

/// Shows a run.
pub(super) fn to_run(model: &mut Model, run: RunId) {
    actions::show(model, View::Runs);
    lead_to(&mut model.runs.list, run);
}

/// Shows a stage of a run.
pub(super) fn to_stage(model: &mut Model, run: RunId, stage: StageName) {
    to_run(model, run);
    model.is_in_detail = true;
    model.stage = Some(stage);
}

/// Shows a log.
pub(super) fn to_log(model: &mut Model, log: LogAddress) {
    actions::show(model, View::Logs);
    model.stage = Some(log.stage.clone());
    model.log.open(Some(log));
}

/// Shows a model.
pub(super) fn to_model(model: &mut Model, version: ModelVersion) {
    actions::show(model, View::Models);
    lead_to(&mut model.models.list, version);
}

/// Shows a release.
pub(super) fn to_release(model: &mut Model, release: ReleaseId) {
    actions::show(model, View::Releases);
    lead_to(&mut model.releases, release);
}

/// Neither a filter nor a comparison must hide where one goes.
fn lead_to<Id>(list: &mut ListState<Id>, row: Id) {
    list.is_comparing = false;
    list.filter.clear();
    list.chosen = Some(row);
}

/// The event with which a run begins, if it is known.
fn beginning(model: &Model, run: RunId) -> Option<u64> {
    let begins =
        |recorded: &&Recorded| matches!(&recorded.event, Event::RunCreated { run: created, .. } if *created == run);
    model.shown_events().find(begins).map(|recorded| recorded.sequence)
}

/// What Events is narrowed to for a run.
fn search_of(run: RunId) -> String {
    format!("run:{run}")
}

/// Where one is: where the last step led, as long as that is what the view shows; else what is selected in it.
fn here(model: &Model) -> Option<Thing> {
    model.walk.filter(|thing| is_shown(model, *thing)).or_else(|| selected(model))
}

/// Whether the view shows this link.
pub(super) fn is_shown(model: &Model, thing: Thing) -> bool {
    let Some(run) = model.run_of(thing.run) else { return false };
    let Ok(subject) = walk::subject(&model.state, run, thing.link) else { return false };
    let is_chosen_run = || model.chosen_run().is_some_and(|chosen| chosen.id == thing.run);
    match subject {
        Subject::Cause => {
            let is_narrowed = model.view == View::Events && model.event_list.filter == search_of(thing.run);
            is_narrowed && model.event_list.chosen == beginning(model, thing.run)
        }
        Subject::Run => model.view == View::Runs && !model.is_in_detail && is_chosen_run(),
        Subject::Stage(stage) => {
            let is_chosen_stage = model.is_in_detail && model.stage.as_ref() == Some(&stage);
            model.view == View::Runs && is_chosen_stage && is_chosen_run()
        }
        Subject::Model(version) => model.view == View::Models && model.models.list.chosen == Some(version),
        Subject::Release(release) => {
            model.view == View::Releases && model.chosen_release().is_some_and(|chosen| chosen.id == release)
        }
        Subject::Metric => model.view == View::Metrics,
    }
}

/// What is selected in the view, as a link of the line of a run.
fn selected(model: &Model) -> Option<Thing> {
    let live = || {
        let release = model.state.live_release()?;
        Some((release.run, Link::Release))
    };
    let (run, link) = match model.view {
        View::Board if model.focus == Pane::Release => live()?,
        View::Board => (model.board_run()?.id, chosen_stage(model).unwrap_or(Link::Run)),
        View::Runs if model.is_in_detail => (model.chosen_run()?.id, chosen_stage(model).unwrap_or(Link::Run)),
        View::Runs => (model.chosen_run()?.id, Link::Run),
        View::Logs => {
            let log = model.log.address.as_ref()?;
            (log.run, model.state.graph.get(&log.stage).map_or(Link::Run, walk::link_of))
        }
        View::Models => {
            let version = models::chosen(model)?.version();
            let known = model.state.registry.models.get(&version).map(|made| made.run);
            let writes = |run: &&Arc<Run>| run.stages.values().any(|entry| entry.writes_model == Some(version));
            let training = || model.state.runs.values().rev().find(writes).map(|run| run.id);
            (known.or_else(training)?, Link::Model)
        }
        View::Releases => (model.chosen_release()?.run, Link::Release),
        View::Metrics => (live()?.0, Link::Metric),
        View::Events => match event_list::subject(&event_list::chosen(model)?.event)? {
            event_list::Subject::Run(run) => (run, Link::Cause),
            event_list::Subject::Stage(run, stage) => {
                (run, model.state.graph.get(&stage).map_or(Link::Run, walk::link_of))
            }
            event_list::Subject::Model(version) => (model.state.registry.models.get(&version)?.run, Link::Model),
            event_list::Subject::Release(release) => (model.state.releases.get(&release)?.run, Link::Release),
        },
    };
    let known = model.run_of(run)?;
    // What a stage should have made may not exist; then one stands at its run.
    let link = if walk::subject(&model.state, known, link).is_ok() { link } else { Link::Run };
    Some(Thing { run, link })
}

/// The link of the stage that was chosen.
fn chosen_stage(model: &Model) -> Option<Link> {
    let stage = if model.view == View::Runs { model.subject_stage() } else { model.stage.as_ref() };
    stage.and_then(|stage| model.state.graph.get(stage)).map(walk::link_of)
}
