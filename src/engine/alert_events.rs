//! Looks backwards through the journal for the events of one alert, in pieces, for the core waits for nobody.

use std::collections::VecDeque;

use super::core::CoreHandle;
use crate::pipeline::Recorded;

/// Events that are read from the journal in one look.
const AT_ONCE: u64 = 500;
/// Looks, at most: what lies further back is for `trainyard events`.
const LOOKS: usize = 200;

/// Up to `limit` events about `alert` before number `before`, or the last ones, in order. `None` if the daemon is ending.
pub async fn events_of_alert(
    core: &CoreHandle,
    alert: &str,
    before: Option<u64>,
    limit: usize,
) -> Option<Result<Vec<Recorded>, String>> {
    let mut search = Search { alert, limit, found: VecDeque::new() };
    let mut before = before;
    for _ in 0..LOOKS {
        let look = core.look(move |state, journal| {
            let before = before.unwrap_or(state.sequence.saturating_add(1));
            journal.before(before, AT_ONCE).map_err(|error| error.to_string())
        });
        match look.await? {
            Ok(page) => match search.take(page) {
                Some(next) => before = Some(next),
                None => break,
            },
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(search.found.into()))
}

struct Search<'alert> {
    alert: &'alert str,
    limit: usize,
    found: VecDeque<Recorded>,
}

impl Search<'_> {
    /// Takes what a page has of the alert; the number before which to look next, if there is more to look for.
    fn take(&mut self, page: Vec<Recorded>) -> Option<u64> {
        let first = page.first().map(|recorded| recorded.sequence).filter(|first| *first > 1);
        for recorded in page.into_iter().rev().filter(|recorded| recorded.event.is_about_alert(self.alert)) {
            if self.found.len() >= self.limit {
                break;
            }
            self.found.push_front(recorded);
        }
        first.filter(|_| self.found.len() < self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Event, Moment};

    fn page(numbers: std::ops::Range<u64>) -> Vec<Recorded> {
        let recorded = |sequence: u64| {
            let (alert, by) = (if sequence.is_multiple_of(3) { "Drift" } else { "Other" }.to_owned(), "me".to_owned());
            Recorded { sequence, at: Moment(0), event: Event::SilenceLifted { alert, by } }
        };
        numbers.map(recorded).collect()
    }

    fn found(search: &Search<'_>) -> Vec<u64> {
        search.found.iter().map(|recorded| recorded.sequence).collect()
    }

    #[test]
    fn pages_are_looked_through_backwards_until_there_are_enough_or_no_more() {
        let mut search = Search { alert: "Drift", limit: 4, found: VecDeque::new() };
        assert_eq!(search.take(page(11..16)), Some(11));
        assert_eq!(search.take(page(6..11)), None);
        assert_eq!(found(&search), [6, 9, 12, 15]);
        let mut search = Search { alert: "Drift", limit: 99, found: VecDeque::new() };
        assert_eq!(search.take(page(6..11)), Some(6));
        assert_eq!(search.take(page(1..6)), None, "before the first event there is none");
        assert_eq!(found(&search), [3, 6, 9]);
        assert_eq!(search.take(Vec::new()), None);
    }

    #[test]
    fn of_more_than_enough_the_newest_are_kept() {
        let mut search = Search { alert: "Drift", limit: 2, found: VecDeque::new() };
        assert_eq!(search.take(page(1..16)), None);
        assert_eq!(found(&search), [12, 15]);
    }
}
