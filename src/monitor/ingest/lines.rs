//! The lines that a target had on its last page, and the series that each stands for.
//!
//! A page is like the one before it as a rule. So a line is first compared with the one that stood behind the line before
//! it; only where that is another one is it looked for by its text, which costs a hash of the whole line.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::storage::SeriesId;

/// A line that was on a page.
#[derive(Debug)]
pub(super) struct Known {
    /// Everything before its value.
    pub(super) text: Arc<str>,
    /// Its series; none while there is no room for it.
    pub(super) id: Option<SeriesId>,
    /// The scrape in which the line stood last; 0 before the first.
    pub(super) seen: u64,
    /// The scrape in which its series got a sample at the moment of the scrape; 0 once it has ended. Samples with a
    /// timestamp of their own end no series by their absence.
    pub(super) alive: u64,
}

/// The lines, in the order in which they came up.
#[derive(Debug, Default)]
pub(super) struct Lines {
    known: Vec<Known>,
    places: HashMap<Arc<str>, usize>,
    /// Where the next line of the page is expected.
    next: usize,
}

impl Lines {
    /// A page begins.
    pub(super) fn rewind(&mut self) {
        self.next = 0;
    }

    /// The line with this text, the next of the page; one that was not known has no series yet.
    pub(super) fn take(&mut self, text: &str) -> Option<&mut Known> {
        let is_next = self.known.get(self.next).is_some_and(|known| *known.text == *text);
        let place = if is_next { self.next } else { self.place_of(text) };
        self.next = place + 1;
        self.known.get_mut(place)
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Known] {
        &self.known
    }

    /// All of them, to be changed.
    pub(super) fn all_mut(&mut self) -> &mut [Known] {
        &mut self.known
    }

    /// Forgets those that do not please `keeps`.
    pub(super) fn retain(&mut self, keeps: impl FnMut(&Known) -> bool) {
        let before = self.known.len();
        self.known.retain(keeps);
        if self.known.len() < before {
            let places = self.known.iter().enumerate();
            self.places = places.map(|(place, known)| (known.text.clone(), place)).collect();
        }
    }

    fn place_of(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.known.len();
        let text: Arc<str> = Arc::from(text);
        self.places.insert(text.clone(), place);
        self.known.push(Known { text, id: None, seen: 0, alive: 0 });
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes the lines of a page; how often each stood before.
    fn page(lines: &mut Lines, texts: &str) -> Vec<u64> {
        lines.rewind();
        let take = |text: &str| {
            let known = lines.take(text).unwrap();
            assert_eq!(&*known.text, text);
            known.seen += 1;
            known.seen - 1
        };
        texts.split(' ').map(take).collect()
    }

    #[test]
    fn a_line_is_found_wherever_it_stands() {
        let mut lines = Lines::default();
        assert_eq!(page(&mut lines, "a b c"), [0, 0, 0]);
        assert_eq!(page(&mut lines, "a b c"), [1, 1, 1]);
        assert_eq!(page(&mut lines, "c a new b b"), [2, 2, 0, 2, 3]);
        lines.retain(|known| &*known.text != "a");
        assert_eq!(page(&mut lines, "b c new a"), [4, 3, 1, 0]);
        assert_eq!(lines.all().len(), 4);
    }
}
