//! How the line to the daemon's machine is, told to the screen.

use tokio::sync::mpsc::Sender;
use tokio::sync::watch::Receiver;

use crate::api::types::LineState;
use crate::tui::message::Msg;

/// Tells each state of the line, the present one first, until the screen or the line is gone.
pub(super) async fn forward(mut line: Receiver<LineState>, sender: Sender<Msg>) {
    loop {
        let state = line.borrow_and_update().clone();
        if sender.send(Msg::Line(state)).await.is_err() {
            return;
        }
        let changed = tokio::select! {
            changed = line.changed() => changed,
            () = sender.closed() => return,
        };
        if changed.is_err() {
            return;
        }
    }
}
