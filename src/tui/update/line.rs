//! The way to the daemon: the line to its machine, and what goes on after the daemon was heard again without a gap.

use super::questions;
use crate::api::types::{DaemonInformation, LineState};
use crate::tui::app::{Connection, Model, Overlay};
use crate::tui::message::Cmd;

/// How the line to the daemon's machine is.
pub(super) fn changed(model: &mut Model, state: LineState, commands: &mut Vec<Cmd>) {
    if model.line.as_ref() == Some(&state) {
        model.is_dirty = false;
        return;
    }
    let is_back = state == LineState::Up;
    model.line = Some(state);
    if is_back && matches!(model.connection, Connection::Lost { .. }) {
        // Whoever waits before he asks the daemon again need not wait longer.
        commands.push(Cmd::Reconnect);
    }
}

/// The daemon is heard again, and its next event follows the last that is known.
pub(super) fn resumed(model: &mut Model, daemon: DaemonInformation, commands: &mut Vec<Cmd>) {
    model.daemon = Some(daemon);
    model.connection = Connection::Connected;
    model.message = None;
    // Answers that were under way when the connection broke will not come.
    model.log.invalidate();
    model.release_log.reconnected();
    model.models.reconnected();
    model.metrics.is_pending = false;
    model.metrics.asked = None;
    if let Some(compared) = &mut model.metrics.compared {
        compared.asked = None;
    }
    if let Some(Overlay::Explorer(explorer)) = &mut model.overlay {
        explorer.reconnected();
    }
    if let Some(known) = &mut model.filtered_events {
        known.is_pending = false;
    }
    commands.push(Cmd::FetchPlan);
    questions::ask_again(model, commands);
}
