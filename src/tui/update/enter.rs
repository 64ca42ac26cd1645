//! In and out: Enter goes into what is selected, be it in another view, and Escape comes back to where one was, with what was
//! selected there. Whoever goes to a view by its name has no way back but to the Board.

use super::actions;
use crate::tui::app::{Model, Origin};

/// Goes somewhere; Escape there comes back to here.
pub(super) fn into(model: &mut Model, go: impl FnOnce(&mut Model)) {
    let mut way = std::mem::take(&mut model.came_from);
    way.push(Origin {
        view: model.view,
        is_zoomed: model.is_zoomed,
        is_in_detail: model.is_in_detail,
        stage: model.stage.clone(),
        alert: model.alert.clone(),
        event: model.event_list.chosen,
    });
    go(model);
    model.came_from = way;
}

/// Back to where one came from; false if one came from nowhere.
pub(super) fn back(model: &mut Model) -> bool {
    let mut way = std::mem::take(&mut model.came_from);
    let Some(origin) = way.pop() else { return false };
    actions::show(model, origin.view);
    model.is_zoomed = origin.is_zoomed;
    model.is_in_detail = origin.is_in_detail;
    model.stage = origin.stage;
    model.alert = origin.alert;
    model.event_list.chosen = origin.event;
    model.came_from = way;
    true
}
