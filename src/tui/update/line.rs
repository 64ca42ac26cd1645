//! The line to the daemon's machine.

use crate::api::types::LineState;
use crate::tui::app::{Connection, Model};
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
