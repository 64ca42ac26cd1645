//! Looks backwards through the journal for events of some kind, in pieces, for the core waits for nobody.

use std::collections::VecDeque;

use super::core::CoreHandle;
use crate::pipeline::{EventFilter, Recorded};

/// Events that are read from the journal in one look.
const AT_ONCE: u64 = 500;
/// Looks, at most: a journal of a million events takes a second or two, and whoever asks waits for thirty.
const LOOKS: usize = 4_000;

/// Up to `limit` events that match, before number `before`, or the last ones, in order. `None` if the daemon is ending.
pub async fn events_matching(
    core: &CoreHandle,
    filter: &EventFilter,
    before: Option<u64>,
    limit: usize,
) -> Option<Result<Vec<Recorded>, String>> {
    let mut search = Search { filter, limit, found: VecDeque::new() };
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

struct Search<'filter> {
    filter: &'filter EventFilter,
    limit: usize,
    found: VecDeque<Recorded>,
}

impl Search<'_> {
    /// Takes what matches of a page; the number before which to look next, if there is more to look for.
    fn take(&mut self, page: Vec<Recorded>) -> Option<u64> {
        let first = page.first()?;
        // What lies before the moment asked for cannot match, however far it is looked back.
        let is_too_old = self.filter.since.is_some_and(|since| first.at < since);
        let next = Some(first.sequence).filter(|first| *first > 1 && !is_too_old);
        for recorded in page.into_iter().rev().filter(|recorded| self.filter.matches(recorded)) {
            if self.found.len() >= self.limit {
                break;
            }
            self.found.push_front(recorded);
        }
        next.filter(|_| self.found.len() < self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Event, Moment};

    fn page(numbers: std::ops::Range<u64>) -> Vec<Recorded> {
        let recorded = |sequence: u64| {
            let (alert, by) = (if sequence.is_multiple_of(3) { "Drift" } else { "Other" }.to_owned(), "me".to_owned());
            let at = Moment(i64::try_from(sequence).unwrap() * 1_000);
            Recorded { sequence, at, event: Event::SilenceLifted { alert, by } }
        };
        numbers.map(recorded).collect()
    }

    fn drift() -> EventFilter {
        EventFilter { alert: Some("Drift".to_owned()), ..EventFilter::default() }
    }

    fn found(search: &Search<'_>) -> Vec<u64> {
        search.found.iter().map(|recorded| recorded.sequence).collect()
    }

    #[test]
    fn pages_are_looked_through_backwards_until_there_are_enough_or_no_more() {
        let filter = drift();
        let mut search = Search { filter: &filter, limit: 4, found: VecDeque::new() };
        assert_eq!(search.take(page(11..16)), Some(11));
        assert_eq!(search.take(page(6..11)), None);
        assert_eq!(found(&search), [6, 9, 12, 15]);
        let mut search = Search { filter: &filter, limit: 99, found: VecDeque::new() };
        assert_eq!(search.take(page(6..11)), Some(6));
        assert_eq!(search.take(page(1..6)), None, "before the first event there is none");
        assert_eq!(found(&search), [3, 6, 9]);
        assert_eq!(search.take(Vec::new()), None);
    }

    #[test]
    fn of_more_than_enough_the_newest_are_kept() {
        let filter = drift();
        let mut search = Search { filter: &filter, limit: 2, found: VecDeque::new() };
        assert_eq!(search.take(page(1..16)), None);
        assert_eq!(found(&search), [12, 15]);
    }

    #[test]
    fn nobody_looks_further_back_than_the_moment_asked_for() {
        let filter = EventFilter { since: Some(Moment(9_000)), ..drift() };
        let mut search = Search { filter: &filter, limit: 99, found: VecDeque::new() };
        assert_eq!(search.take(page(11..16)), Some(11));
        assert_eq!(search.take(page(6..11)), None);
        assert_eq!(found(&search), [9, 12, 15]);
    }
}
