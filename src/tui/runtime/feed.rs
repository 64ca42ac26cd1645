//! The connection to the daemon: a snapshot, then its events, again and again.
//!
//! A connection that broke is taken up where it ended, as long as the daemon still has the same journal: only what was missed
//! comes over the line, and the screen keeps what it shows.
//!
//! The waits between attempts are timers with a purpose: a daemon that is starting needs a moment, one that is gone must not
//! be asked a thousand times a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::sync::{Notify, watch};

use crate::api::client::{Client, EventStream};
use crate::api::types::{Hello, StreamItem, WatchRequest};
use crate::tui::message::Msg;

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

enum Ended {
    /// A new attempt is wanted.
    Asked,
    /// The daemon is not heard any more.
    Lost(String),
    /// The screen is gone.
    Closed,
}

/// How far the screen has come.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    /// The identity of the journal.
    journal: String,
    /// The number of the last event that was passed on.
    last: u64,
}

impl Known {
    /// Whether the daemon can go on from here. A journal that is shorter was brought back from a copy.
    fn goes_on(&self, hello: &Hello) -> bool {
        !self.journal.is_empty() && hello.daemon.journal == self.journal && hello.sequence >= self.last
    }
}

/// Passes on what the daemon says.
pub(super) struct Feed {
    client: Client,
    sender: Sender<Msg>,
    reconnect: Arc<Notify>,
    /// Without a view, for that changes.
    session: WatchRequest,
    view: watch::Receiver<String>,
    known: Option<Known>,
    wait: Duration,
}

impl Feed {
    /// A screen that nothing was said to yet.
    pub(super) fn new(
        client: Client,
        sender: Sender<Msg>,
        reconnect: Arc<Notify>,
        session: WatchRequest,
        view: watch::Receiver<String>,
    ) -> Self {
        Self { client, sender, reconnect, session, view, known: None, wait: FIRST_WAIT }
    }

    /// Sends what the daemon says until the screen is gone.
    pub(super) async fn run(mut self) {
        loop {
            match self.follow().await {
                Ended::Asked => {}
                Ended::Lost(reason) => {
                    if self.sender.send(Msg::Lost(reason)).await.is_err() {
                        return;
                    }
                }
                Ended::Closed => return,
            }
            tokio::select! {
                () = tokio::time::sleep(self.wait) => self.wait = (self.wait * 2).min(LONGEST_WAIT),
                // Whoever asks has a reason: the line is there again.
                () = self.reconnect.notified() => self.wait = FIRST_WAIT,
            }
        }
    }

    async fn follow(&mut self) -> Ended {
        let reconnect = Arc::clone(&self.reconnect);
        let begun = tokio::select! {
            begun = self.begin() => begun,
            // An answer over a line that broke may be awaited for long; a new line brings one at once.
            () = reconnect.notified() => return Ended::Asked,
        };
        let mut stream = match begun {
            Ok(stream) => stream,
            Err(ended) => return ended,
        };
        loop {
            let item = tokio::select! {
                item = stream.next() => item,
                () = reconnect.notified() => {
                    // What the screen has does not fit what comes: it must begin anew.
                    self.known = None;
                    return Ended::Asked;
                }
            };
            match item {
                Some(Ok(item)) => {
                    self.wait = FIRST_WAIT;
                    let (sequence, is_behind) = match &item {
                        StreamItem::Event(recorded) => (Some(recorded.sequence), false),
                        StreamItem::Live(_) | StreamItem::Changes(_) => (None, false),
                        StreamItem::Behind => (None, true),
                    };
                    if self.sender.send(Msg::Stream(Box::new(item))).await.is_err() {
                        return Ended::Closed;
                    }
                    if is_behind {
                        self.known = None;
                        return Ended::Asked;
                    }
                    if let (Some(sequence), Some(known)) = (sequence, &mut self.known) {
                        known.last = sequence;
                    }
                }
                Some(Err(error)) => return Ended::Lost(error.to_string()),
                None => return Ended::Lost("it closed the connection".to_owned()),
            }
        }
    }

    /// Goes on where the last connection ended, or takes a snapshot; either is told to the screen.
    async fn begin(&mut self) -> Result<EventStream, Ended> {
        let after = match self.resume().await? {
            Some(after) => after,
            None => self.start_anew().await?,
        };
        let view = self.view.borrow().clone();
        let session = WatchRequest { view: view.clone(), ..self.session.clone() };
        let stream = self.client.watch(after, &session).await.map_err(|error| Ended::Lost(error.to_string()))?;
        // Whoever turned to another view meanwhile said so to a daemon that did not know the screen yet.
        let newest = self.view.borrow().clone();
        if newest != view {
            // It is only a word in a list.
            let _ = self.client.show_view(session.session, &newest).await;
        }
        Ok(stream)
    }

    async fn resume(&mut self) -> Result<Option<u64>, Ended> {
        let Some(known) = &self.known else { return Ok(None) };
        let hello = self.client.hello().await.map_err(|error| Ended::Lost(error.to_string()))?;
        if !known.goes_on(&hello) {
            return Ok(None);
        }
        let last = known.last;
        self.sender.send(Msg::Resumed(hello.daemon)).await.map_err(|_| Ended::Closed)?;
        Ok(Some(last))
    }

    async fn start_anew(&mut self) -> Result<u64, Ended> {
        let snapshot = self.client.snapshot().await.map_err(|error| Ended::Lost(error.to_string()))?;
        let known = Known { journal: snapshot.daemon.journal.clone(), last: snapshot.state.sequence };
        let last = known.last;
        self.sender.send(Msg::Connected(Box::new(snapshot))).await.map_err(|_| Ended::Closed)?;
        self.known = Some(known);
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::{API_VERSION, DaemonInformation};
    use crate::pipeline::Moment;

    fn hello(journal: &str, sequence: u64) -> Hello {
        let daemon = DaemonInformation {
            version: "1".to_owned(),
            pid: 1,
            project: "p".to_owned(),
            folder: "/p".to_owned(),
            host: "here".to_owned(),
            target: None,
            started: Moment(1),
            api: API_VERSION,
            journal: journal.to_owned(),
        };
        Hello { daemon, sequence }
    }

    #[test]
    fn only_the_same_journal_that_is_not_shorter_goes_on() {
        let known = Known { journal: "a".to_owned(), last: 7 };
        assert!(known.goes_on(&hello("a", 7)) && known.goes_on(&hello("a", 8)));
        assert!(!known.goes_on(&hello("a", 6)), "a copy was brought back");
        assert!(!known.goes_on(&hello("b", 8)), "it was begun anew");
        let of_an_older_daemon = Known { journal: String::new(), last: 7 };
        assert!(!of_an_older_daemon.goes_on(&hello("", 8)));
    }
}
