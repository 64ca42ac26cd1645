//! A line that comes back by itself: one [`Session`] after another, with a wait between them that grows.
//!
//! The socket at this end keeps its path, so a client goes on asking there; what it missed it asks for by number. The waits are
//! timers with a purpose: a machine that is starting, or a network that is coming back, must not be asked a thousand times.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::card::LinkCard;
use super::failure::LineError;
use super::folder::LineFolder;
use super::place::Place;
use super::program::Ssh;
use super::session::Session;
use crate::api::types::LineState;
use crate::disk::now;

/// The wait before the first try to come back.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait; each is twice the one before.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A line to a daemon on another machine. Dropping it ends it; the daemon goes on.
#[derive(Debug)]
pub struct Line {
    socket: PathBuf,
    card: LinkCard,
    state: watch::Receiver<LineState>,
    closing: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Line {
    /// Opens it. `ssh` may ask on the terminal, and `tell` is given what it says, line by line; later it asks for nothing.
    pub async fn open(ssh: Ssh, place: Place, tell: fn(&str)) -> Result<Self, LineError> {
        let folder = LineFolder::create()?;
        let session = Session::open(&ssh, &place, &folder, Some(tell)).await?;
        let (sender, state) = watch::channel(LineState::Up);
        let (socket, card) = (folder.socket(), session.card.clone());
        let closing = Arc::new(Notify::new());
        let task = tokio::spawn(supervise(session, Way { ssh, place, folder }, sender, Arc::clone(&closing)));
        Ok(Self { socket, card, state, closing, task })
    }

    /// Where the daemon is heard at this end, for as long as the line is there.
    pub fn socket(&self) -> PathBuf {
        self.socket.clone()
    }

    /// Who answered at the other end when it was opened.
    pub fn card(&self) -> &LinkCard {
        &self.card
    }

    /// How it stands, now and whenever that changes.
    pub fn state(&self) -> watch::Receiver<LineState> {
        self.state.clone()
    }

    /// Ends it and waits until its process is gone.
    pub async fn close(mut self) {
        self.closing.notify_one();
        // That the task was ended from elsewhere is the same.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // With the task go its process, which is killed, and the folder of the sockets.
        self.task.abort();
    }
}

/// All that is needed to go there again.
struct Way {
    ssh: Ssh,
    place: Place,
    folder: LineFolder,
}

async fn supervise(mut session: Session, way: Way, state: watch::Sender<LineState>, closing: Arc<Notify>) {
    loop {
        let reason = tokio::select! {
            reason = session.ended() => Some(reason),
            () = closing.notified() => None,
        };
        let Some(reason) = reason else {
            session.close().await;
            return;
        };
        let again = tokio::select! {
            again = way.again(reason, &state) => again,
            () = closing.notified() => return,
        };
        let Some(again) = again else { break };
        session = again;
        state.send_replace(LineState::Up);
    }
    // Its last word stays until nobody looks any more.
    closing.notified().await;
}

impl Way {
    /// Tries until it succeeds, or until that is of no use.
    async fn again(&self, mut reason: String, state: &watch::Sender<LineState>) -> Option<Session> {
        let since = now();
        let mut wait = FIRST_WAIT;
        loop {
            let next_try = now().plus(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            state.send_replace(LineState::Lost { since, reason: reason.clone(), next_try: Some(next_try) });
            tokio::time::sleep(wait).await;
            state.send_replace(LineState::Lost { since, reason, next_try: None });
            match Session::open(&self.ssh, &self.place, &self.folder, None).await {
                Ok(session) => return Some(session),
                Err(error) if error.may_pass() => reason = error.brief(),
                Err(error) => {
                    state.send_replace(LineState::Ended { reason: error.to_string() });
                    return None;
                }
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
