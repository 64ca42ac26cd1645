//! The walk along the causal line: from what is selected in any view to what it led to, or to what made it.

use std::sync::Arc;

use super::{actions, events, refuse};
use crate::pipeline::{Run, RunId};
use crate::tui::app::{Model, Pane, View};
use crate::tui::models;
use crate::tui::walk::{self, Link, Subject, Thing};

/// One step, or why there is none.
pub(super) fn step(model: &mut Model, backward: bool) {
    let Some(here) = here(model) else {
        refuse(model, "nothing to walk from: no run is known here yet".to_owned());
        return;
    };
    let Some(run) = model.run_of(here.run).cloned() else {
        refuse(model, format!("run {} is not known any more", here.run));
        return;
    };
    match walk::step(&model.state, &run, here.link, backward) {
        Ok(link) => go(model, &run, link),
        Err(reason) => {
            model.walk = Some(here);
            refuse(model, reason);
        }
    }
}

/// Shows a link of the line of a run.
fn go(model: &mut Model, run: &Run, link: Link) {
    let Ok(subject) = walk::subject(&model.state, run, link) else { return };
    match subject {
        Subject::Cause => {
            actions::show(model, View::Events);
            events::search(model, search_of(run.id));
        }
        Subject::Run => to_run(model, run.id),
        Subject::Stage(stage) => {
            to_run(model, run.id);
            model.is_in_detail = true;
            model.stage = Some(stage);
        }
        Subject::Model(version) => {
            actions::show(model, View::Models);
            model.models.is_comparing = false;
            model.models.filter.clear();
            model.models.chosen = Some(version);
        }
        Subject::Release(release) => {
            actions::show(model, View::Releases);
            model.releases.is_comparing = false;
            // A filter must not hide where one goes.
            model.releases.filter.clear();
            model.releases.chosen = Some(release);
        }
        Subject::Metric => actions::show(model, View::Metrics),
    }
    model.walk = Some(Thing { run: run.id, link });
}

fn to_run(model: &mut Model, run: RunId) {
    actions::show(model, View::Runs);
    model.runs.list.is_comparing = false;
    model.runs.list.filter.clear();
    model.runs.list.chosen = Some(run);
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
        Subject::Cause => model.view == View::Events && model.event_search == search_of(thing.run),
        Subject::Run => model.view == View::Runs && !model.is_in_detail && is_chosen_run(),
        Subject::Stage(stage) => {
            let is_chosen_stage = model.is_in_detail && model.stage.as_ref() == Some(&stage);
            model.view == View::Runs && is_chosen_stage && is_chosen_run()
        }
        Subject::Model(version) => model.view == View::Models && model.models.chosen == Some(version),
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
        View::Events => (model.shown_events().rev().find_map(|recorded| recorded.event.run())?, Link::Cause),
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
