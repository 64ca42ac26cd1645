//! Whether a command can be done now, as far as that is more than its view.

use crate::pipeline::StageKind;
use crate::tui::app::{Model, View};
use crate::tui::metrics::pick;
use crate::tui::{alerts, holds, models, release_list, run_history, selection};

pub(super) fn always(_: &Model) -> bool {
    true
}

pub(super) fn is_demo(model: &Model) -> bool {
    model.is_demo
}

pub(super) fn is_connected(model: &Model) -> bool {
    model.is_connected()
}

pub(super) fn can_ask_log(model: &Model) -> bool {
    model.is_connected() && model.log.address.is_some()
}

pub(super) fn is_past(model: &Model) -> bool {
    // Whoever asked for a moment may change his mind before it is there.
    model.past.is_some() || model.past_asked.is_some()
}

pub(super) fn can_look_back(model: &Model) -> bool {
    model.is_connected() && model.meant_moment().is_some()
}

pub(super) fn has_row(model: &Model) -> bool {
    match model.view {
        View::Runs => model.chosen_run().is_some(),
        View::Models => models::chosen_made(model).is_some(),
        View::Releases => model.chosen_release().is_some(),
        View::Board | View::Logs | View::Metrics | View::Events => false,
    }
}

pub(super) fn can_compare_rows(model: &Model) -> bool {
    match model.view {
        View::Runs => model.runs.list.is_comparing || run_history::partner(model).is_some(),
        View::Models => model.models.list.is_comparing || models::partner(model).is_some(),
        View::Releases => model.releases.is_comparing || release_list::partner(model).is_some(),
        View::Board | View::Logs | View::Metrics | View::Events => false,
    }
}

pub(super) fn has_panels(model: &Model) -> bool {
    !model.metrics.charts.panels.is_empty()
}

pub(super) fn can_pick(model: &Model) -> bool {
    let can_begin = model.metrics.compared.is_some() || has_panels(model);
    can_begin && pick::choices(&model.state).nth(1).is_some()
}

pub(super) fn can_run(model: &Model) -> bool {
    model.is_connected() && !model.state.graph.stages().is_empty()
}

pub(super) fn can_train(model: &Model) -> bool {
    model.is_connected() && model.stage_of_kind(StageKind::Train).is_some()
}

pub(super) fn can_test(model: &Model) -> bool {
    model.is_connected() && model.stage_of_kind(StageKind::Command).is_some()
}

pub(super) fn can_build(model: &Model) -> bool {
    model.is_connected() && model.stage_of_kind(StageKind::Image).is_some()
}

pub(super) fn can_deploy(model: &Model) -> bool {
    model.is_connected() && model.stage_of_kind(StageKind::Deploy).is_some()
}

pub(super) fn can_cancel(model: &Model) -> bool {
    model.is_connected() && (model.state.active_run().is_some() || model.state.queued_run().is_some())
}

pub(super) fn can_approve(model: &Model) -> bool {
    model.is_connected() && holds::awaiting(model).is_some()
}

pub(super) fn can_lock(model: &Model) -> bool {
    model.is_connected() && model.state.lock.is_none()
}

pub(super) fn can_unlock(model: &Model) -> bool {
    model.is_connected() && model.state.lock.is_some()
}

pub(super) fn can_switch(model: &Model) -> bool {
    model.can_switch
}

pub(super) fn can_roll_back(model: &Model) -> bool {
    model.is_connected() && model.way_back().is_some()
}

pub(super) fn can_silence(model: &Model) -> bool {
    model.is_connected() && alerts::to_silence(model).is_some()
}

pub(super) fn can_unsilence(model: &Model) -> bool {
    model.is_connected() && alerts::to_hear(model).is_some()
}

pub(super) fn can_promote(model: &Model) -> bool {
    let serves_already = |made: &crate::api::types::ModelSummary| made.champion && made.live;
    model.is_connected() && models::chosen_made(model).is_some_and(|made| !serves_already(made))
}

pub(super) fn can_note(model: &Model) -> bool {
    model.is_connected() && models::chosen_made(model).is_some()
}

pub(super) fn can_select(model: &Model) -> bool {
    selection::can_select(model)
}

pub(super) fn can_copy_lines(model: &Model) -> bool {
    model.lines.is_some()
}

pub(super) fn can_copy_thing(model: &Model) -> bool {
    selection::thing(model).is_some()
}

pub(super) fn has_log(model: &Model) -> bool {
    model.log.address.is_some()
}

pub(super) fn has_search(model: &Model) -> bool {
    model.log.search.is_some()
}
