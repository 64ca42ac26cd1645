//! What is not journaled, told to one client: whole, then only what changed, and never more often than the client asked for.
//!
//! Between two pushes any number of changes may happen; the newest state wins, and a client that does not read costs nothing,
//! for nothing is made before it is asked for.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::api::types::{Live, StreamItem};

/// Milliseconds between two pushes for a client that does not say.
const USUAL: u64 = 100;
/// The fewest that a client gets: more pushes a second nobody can see.
const FEWEST: u64 = 50;
/// The most: a screen that is told less often looks as if it hung.
const MOST: u64 = 5_000;

/// One client's view of what is not journaled.
pub(super) struct Pushes {
    live: watch::Receiver<Live>,
    /// What the client knows.
    said: Option<Live>,
    /// Whether there may be something that it does not know.
    is_new: bool,
    pace: Duration,
    /// Nothing is said before.
    due: Instant,
}

impl Pushes {
    /// For a client that wants `pace` milliseconds between two pushes.
    pub(super) fn new(live: watch::Receiver<Live>, pace: Option<u64>) -> Self {
        let pace = Duration::from_millis(pace.unwrap_or(USUAL).clamp(FEWEST, MOST));
        Self { live, said: None, is_new: false, pace, due: Instant::now() }
    }

    /// The next to say; `None` when the daemon is ending. May be given up at any time and asked again.
    pub(super) async fn next(&mut self) -> Option<StreamItem> {
        loop {
            let Some(said) = &self.said else {
                let live = self.live.borrow_and_update().clone();
                self.due = Instant::now() + self.pace;
                self.said = Some(live.clone());
                return Some(StreamItem::Live(live));
            };
            if !self.is_new {
                self.live.changed().await.ok()?;
                self.is_new = true;
            }
            sleep_until(self.due).await;
            self.is_new = false;
            let live = self.live.borrow_and_update().clone();
            let changes = said.changes_to(&live);
            if changes.is_empty() {
                // It changed and changed back.
                continue;
            }
            self.due = Instant::now() + self.pace;
            self.said = Some(live);
            return Some(StreamItem::Changes(changes));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::api::types::LiveChange;
    use crate::pipeline::Moment;

    fn scraped(at: i64) -> Live {
        Live { scraped: Some(Ok(Moment(at))), ..Live::default() }
    }

    #[tokio::test]
    async fn the_whole_comes_first_and_then_the_newest_of_all_that_changed() {
        let (sender, receiver) = watch::channel(scraped(1));
        let mut pushes = Pushes::new(receiver, Some(0));
        sender.send_replace(scraped(2));
        assert_eq!(pushes.next().await, Some(StreamItem::Live(scraped(2))));
        for at in 3..=1_000 {
            sender.send_replace(scraped(at));
        }
        let newest = StreamItem::Changes(vec![LiveChange::Scraped(Some(Ok(Moment(1_000))))]);
        assert_eq!(pushes.next().await, Some(newest));
        assert_eq!(pushes.next().now_or_never(), None, "all is said");
        drop(sender);
        assert_eq!(pushes.next().await, None);
    }

    #[tokio::test]
    async fn nothing_is_said_before_its_time_and_then_it_is_not_forgotten() {
        let (sender, receiver) = watch::channel(scraped(1));
        // In five seconds this test is over.
        let mut pushes = Pushes::new(receiver, Some(u64::MAX));
        assert!(pushes.next().await.is_some(), "the first comes at once");
        sender.send_replace(scraped(2));
        assert_eq!(pushes.next().now_or_never(), None);
        assert!(pushes.is_new, "whoever gives up the wait may ask again");
        pushes.due = Instant::now();
        let change = StreamItem::Changes(vec![LiveChange::Scraped(Some(Ok(Moment(2))))]);
        assert_eq!(pushes.next().await, Some(change));
    }

    #[tokio::test]
    async fn what_changed_back_is_not_told() {
        let (sender, receiver) = watch::channel(scraped(1));
        let mut pushes = Pushes::new(receiver, None);
        assert!(pushes.next().await.is_some());
        pushes.due = Instant::now();
        sender.send_replace(scraped(2));
        sender.send_replace(scraped(1));
        assert_eq!(pushes.next().now_or_never(), None);
    }

    #[test]
    fn a_pace_lies_between_what_can_be_seen_and_what_looks_hung() {
        let pace = |asked| Pushes::new(watch::channel(Live::default()).1, asked).pace.as_millis();
        assert_eq!([None, Some(0), Some(250), Some(u64::MAX)].map(pace), [100, 50, 250, 5_000]);
    }
}
