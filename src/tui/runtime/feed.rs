//! The connection to the daemon: a snapshot, then its events, again and again.
//!
//! The waits between attempts are timers with a purpose: a daemon that is starting needs a moment, one that is gone must not
//! be asked a thousand times a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::Sender;

use crate::api::client::Client;
use crate::tui::message::Msg;

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

enum Ended {
    /// A new snapshot is wanted.
    Asked,
    /// The daemon is not heard any more.
    Lost(String),
    /// The screen is gone.
    Closed,
}

/// Sends what the daemon says until the screen is gone.
pub(super) async fn feed(client: Client, sender: Sender<Msg>, reconnect: Arc<Notify>) {
    let mut wait = FIRST_WAIT;
    loop {
        match follow(&client, &sender, &reconnect, &mut wait).await {
            Ended::Asked => {}
            Ended::Lost(reason) => {
                if sender.send(Msg::Lost(reason)).await.is_err() {
                    return;
                }
            }
            Ended::Closed => return,
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn follow(client: &Client, sender: &Sender<Msg>, reconnect: &Notify, wait: &mut Duration) -> Ended {
    let snapshot = match client.snapshot().await {
        Ok(snapshot) => snapshot,
        Err(error) => return Ended::Lost(error.to_string()),
    };
    let after = snapshot.state.sequence;
    if sender.send(Msg::Connected(Box::new(snapshot))).await.is_err() {
        return Ended::Closed;
    }
    let mut stream = match client.events(after).await {
        Ok(stream) => stream,
        Err(error) => return Ended::Lost(error.to_string()),
    };
    loop {
        let item = tokio::select! {
            item = stream.next() => item,
            () = reconnect.notified() => return Ended::Asked,
        };
        match item {
            Some(Ok(item)) => {
                *wait = FIRST_WAIT;
                if sender.send(Msg::Stream(Box::new(item))).await.is_err() {
                    return Ended::Closed;
                }
            }
            Some(Err(error)) => return Ended::Lost(error.to_string()),
            None => return Ended::Lost("it closed the connection".to_owned()),
        }
    }
}
