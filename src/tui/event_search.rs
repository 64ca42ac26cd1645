//! What Events shows: the filter that was typed or chosen, and the older events that the daemon told of it.

use crate::pipeline::{EventFilter, EventKind, Recorded, RunId, StageName, UnknownEventKind};

/// Older events beyond this many are not asked for; whoever wants more narrows the filter.
const OLDER_KEPT: usize = 10_000;

/// Events that pass a filter and lie before all others that are known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FilteredEvents {
    /// Which.
    pub(super) filter: EventFilter,
    /// The oldest first; empty while the daemon is being asked for the first time.
    pub(super) events: Vec<Recorded>,
    /// Whether the daemon is being asked.
    pub(super) is_pending: bool,
    /// Whether there is nothing more to ask for.
    pub(super) is_whole: bool,
}

impl FilteredEvents {
    /// Nothing is known yet.
    pub(super) fn new(filter: EventFilter) -> Self {
        Self { filter, events: Vec::new(), is_pending: false, is_whole: false }
    }

    /// Events before those that are here, of which at most `limit` were asked for.
    pub(super) fn receive(&mut self, mut older: Vec<Recorded>, limit: usize) {
        self.is_pending = false;
        self.is_whole = older.len() < limit || self.events.len() + older.len() >= OLDER_KEPT;
        older.sort_by_key(|recorded| recorded.sequence);
        // What fell out of the list of the newest meanwhile is here already.
        let first_known = self.events.first().map_or(u64::MAX, |recorded| recorded.sequence);
        older.retain(|recorded| recorded.sequence < first_known);
        older.append(&mut self.events);
        self.events = older;
    }

    /// The daemon could not tell; it is not asked again before something else is looked for.
    pub(super) fn fail(&mut self) {
        (self.is_pending, self.is_whole) = (false, true);
    }

    /// An event fell out of the list of the newest.
    pub(super) fn keep(&mut self, recorded: Recorded) {
        // The daemon has told of it already, where it was asked before the last events had come.
        let is_there = self.events.last().is_some_and(|last| last.sequence >= recorded.sequence);
        if is_there || !self.filter.matches(&recorded) {
            return;
        }
        self.events.push(recorded);
        if self.events.len() > OLDER_KEPT {
            self.events.remove(0);
        }
    }
}

/// What was typed, as a filter: `by:NAME`, `kind:KIND`, `run:NUMBER` and `stage:NAME` stand for themselves, all else is looked
/// for in the sentences.
pub(super) fn parse(typed: &str) -> EventFilter {
    let mut filter = EventFilter::default();
    let mut words = Vec::new();
    for word in typed.split_whitespace() {
        let run = || word.strip_prefix("run:").and_then(|number| number.parse().ok()).map(RunId);
        if let Some(name) = word.strip_prefix("by:").filter(|name| !name.is_empty()) {
            filter.by = Some(name.to_owned());
        } else if let Some(name) = word.strip_prefix("stage:").filter(|name| !name.is_empty()) {
            filter.stage = Some(StageName::from(name));
        } else if let Some(Ok(kind)) = kind_of(word) {
            filter.kind = Some(kind);
        } else if let Some(run) = run() {
            filter.run = Some(run);
        } else {
            words.push(word);
        }
    }
    filter.text = Some(words.join(" ")).filter(|text| !text.is_empty());
    filter
}

/// Why what was typed cannot be looked for: it names a kind that there is not.
pub(super) fn refusal(typed: &str) -> Option<String> {
    typed.split_whitespace().find_map(|word| kind_of(word)?.err()).map(|error| error.to_string())
}

/// The kind that a word names, if it is there to name one.
fn kind_of(word: &str) -> Option<Result<EventKind, UnknownEventKind>> {
    word.strip_prefix("kind:").filter(|kind| !kind.is_empty()).map(str::parse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Event, Moment};

    fn told(sequences: std::ops::RangeInclusive<u64>) -> Vec<Recorded> {
        let event =
            |sequence| Recorded { sequence, at: Moment(0), event: Event::Noted { by: None, text: "hot".to_owned() } };
        sequences.map(event).collect()
    }

    #[test]
    fn words_with_a_name_before_them_narrow_and_the_others_are_looked_for() {
        let filter = parse("  by:mina hot   fix run:42 stage:deploy ");
        assert_eq!((filter.by.as_deref(), filter.text.as_deref()), (Some("mina"), Some("hot fix")));
        assert_eq!((filter.run, filter.stage), (Some(RunId(42)), Some(StageName::from("deploy"))));
        assert_eq!(parse("hot kind:deploy").kind, Some(EventKind::Release));
        assert_eq!(parse("run:all by:").text.as_deref(), Some("run:all by:"), "what cannot be read is looked for");
        assert!(parse("  ").is_empty());
    }

    #[test]
    fn a_kind_that_there_is_not_is_refused_with_those_that_there_are() {
        let told = refusal("by:mina kind:deploys hot").unwrap();
        assert!(told.contains("`deploys`") && told.contains("release, model, alert"), "{told}");
        assert_eq!(refusal("by:mina kind:alert kind: hot"), None);
    }

    #[test]
    fn older_events_come_before_the_known_ones_and_each_once() {
        let mut known = FilteredEvents::new(parse("hot"));
        known.receive(told(50..=59), 10);
        assert!(!known.is_whole);
        known.receive(told(45..=52), 10);
        assert!(known.events.iter().map(|recorded| recorded.sequence).eq(45..=59));
        assert!(known.is_whole, "fewer came than were asked for");
    }

    #[test]
    fn what_falls_out_of_the_newest_is_kept_if_it_passes_and_is_not_there() {
        let mut known = FilteredEvents::new(parse("hot"));
        known.receive(told(50..=59), 10);
        for recorded in told(58..=61) {
            known.keep(recorded);
        }
        known.keep(Recorded { sequence: 62, at: Moment(0), event: Event::Noted { by: None, text: "cold".to_owned() } });
        assert!(known.events.iter().map(|recorded| recorded.sequence).eq(50..=61));
    }
}
