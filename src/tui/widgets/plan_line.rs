//! What a run by hand would do now, in one line: which key runs what and why, what is held and which key does it all the same.
//!
//! Where there is no room for all of it, reasons go first, from the last one on; a fact is told whole or not at all.

use super::text::{cells, sanitize};
use crate::pipeline::{Planned, PlannedAction, StageKind};
use crate::tui::app::{Model, View};
use crate::tui::commands::{Action, key_of};
use crate::tui::message::DemoAction;

/// How the core ends the reason of what only a person may deploy.
const BY_HAND: &str = "by hand";

/// The line for `width` cells; whoever draws it cuts what is longer even in its shortest form. Empty if nothing is known.
pub(in crate::tui) fn text(model: &Model, width: usize) -> String {
    if let Some(queued) = model.state.queued_run() {
        return format!("run {} waits: {}", queued.id, sanitize(&crate::pipeline::explain::trigger(&queued.trigger)));
    }
    if model.state.active_run().is_some() {
        return String::new();
    }
    let Some(plan) = model.plan.as_ref().filter(|plan| !plan.is_empty()) else { return String::new() };
    let does = |wanted: fn(PlannedAction) -> bool| {
        plan.iter().filter(|planned| wanted(planned.action)).collect::<Vec<&Planned>>()
    };
    let runs: Vec<&Planned> = does(|action| matches!(action, PlannedAction::Run | PlannedAction::Maybe));
    let held: Vec<&Planned> = does(|action| action == PlannedAction::Hold);
    if runs.is_empty() && held.is_empty() {
        return "everything is up to date".to_owned();
    }
    let told = |reasons: usize, held: String| {
        let runs = run_text(model, &runs, reasons);
        [runs, held].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
    };
    let forms = (0..=runs.len()).rev().map(|reasons| (reasons, true)).chain([(0, false)]);
    let mut text = String::new();
    for (reasons, with_advice) in forms {
        text = told(reasons, held_text(model, &held, with_advice));
        if cells(&text) <= width {
            break;
        }
    }
    text
}

/// Which key runs what; of the first stages also why.
fn run_text(model: &Model, runs: &[&Planned], reasons: usize) -> String {
    if runs.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = runs
        .iter()
        .enumerate()
        .map(|(index, planned)| {
            let stage = sanitize(planned.stage.as_str());
            let maybe = if planned.action == PlannedAction::Maybe { "maybe " } else { "" };
            if index < reasons {
                let reason = sanitize(&planned.reason);
                format!("{maybe}{stage} ({})", reason.strip_prefix("runs ").unwrap_or(&reason))
            } else {
                format!("{maybe}{stage}")
            }
        })
        .collect();
    format!("{} runs {}", key(model, Action::RunAll), parts.join(", "))
}

/// What is held and why; what only follows from that is not told again.
fn held_text(model: &Model, held: &[&Planned], with_advice: bool) -> String {
    let Some(first) = held.first() else { return String::new() };
    let (stage, reason) = (sanitize(first.stage.as_str()), sanitize(&first.reason));
    let is_deploy = model.state.graph.get(&first.stage).is_some_and(|spec| spec.kind == StageKind::Deploy);
    if !(is_deploy && reason.ends_with(BY_HAND)) {
        return format!("{stage} is held: {reason}");
    }
    let why = reason.split(';').next().unwrap_or_default();
    if model.is_observer || !with_advice {
        return format!("{stage} is held: {why}");
    }
    let deploy = key(model, Action::RunFrom(StageKind::Deploy));
    let mend = if model.is_demo && was_left_by_an_alert(model) {
        format!("{} mends it, ", key_of(model, Action::Demo(DemoAction::BadRelease)))
    } else {
        String::new()
    };
    format!("{stage} is held: {why}; {mend}{deploy} deploys it all the same")
}

/// Whether an alert brought back what is live: in the demo only the bad release does that.
fn was_left_by_an_alert(model: &Model) -> bool {
    let live = model.state.live;
    let made = |run: &crate::pipeline::Run| run.stages.values().any(|entry| live.is_some() && entry.release == live);
    let run = model.state.runs.values().rev().find(|run| made(run));
    run.is_some_and(|run| run.trigger.is_by_alert() && run.trigger.is_rollback())
}

/// A key, and where it does that: in other views it may do something else.
fn key(model: &Model, action: Action) -> String {
    let key = key_of(model, action);
    if model.view == View::Board { key } else { format!("{key} on the Board") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::StageName;
    use crate::tui::fixtures;

    fn planned(stage: &str, action: PlannedAction, reason: &str) -> Planned {
        Planned { stage: StageName::from(stage), action, reason: reason.to_owned(), took: None }
    }

    fn model(plan: Vec<Planned>) -> Model {
        Model { plan: Some(plan), ..fixtures::idle() }
    }

    #[test]
    fn reasons_give_way_whole_and_the_last_one_first() {
        let maybe = "runs if train gives something else than before";
        let model = model(vec![
            planned("train", PlannedAction::Run, "it has never passed"),
            planned("test", PlannedAction::Maybe, maybe),
        ]);
        let whole = "r runs train (it has never passed), maybe test (if train gives something else than before)";
        assert_eq!(text(&model, 200), whole);
        assert_eq!(text(&model, cells(whole)), whole);
        assert_eq!(text(&model, cells(whole) - 1), "r runs train (it has never passed), maybe test");
        assert_eq!(text(&model, 30), "r runs train, maybe test");
    }

    #[test]
    fn what_was_rejected_is_told_with_the_key_that_deploys_it_all_the_same() {
        let reason = "the same was rejected as release 5; change an input, or run this stage by hand";
        let mut model = model(vec![planned("deploy", PlannedAction::Hold, reason)]);
        let told = "deploy is held: the same was rejected as release 5; d deploys it all the same";
        assert_eq!(text(&model, 78), told);
        assert_eq!(text(&model, 58), "deploy is held: the same was rejected as release 5");
        model.view = View::Models;
        let elsewhere = "deploy is held: the same was rejected as release 5; d on the Board deploys it all the same";
        assert_eq!(text(&model, 100), elsewhere, "there d does something else");
        model.is_observer = true;
        assert_eq!(text(&model, 100), "deploy is held: the same was rejected as release 5");
    }

    #[test]
    fn the_core_ends_the_reason_of_what_was_rejected_as_this_line_expects() {
        let release = crate::pipeline::ReleaseId(5);
        let reason = crate::pipeline::explain::obstacle(&crate::pipeline::Obstacle::Quarantined { release });
        assert!(reason.ends_with(BY_HAND), "{reason}");
    }
}
