//! `trainyard events`: what happened, who asked for it, and the whole trail as JSON lines.

use std::io::Write;
use std::path::Path;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::failure::{Failure, failed};
use super::moments;
use super::project::{block_on, client, layout, state};
use super::show::clock;
use crate::api::client::Client;
use crate::api::types::StreamItem;
use crate::disk::Layout;
use crate::engine::journal::Journal;
use crate::pipeline::{EventFilter, EventKind, Moment, Recorded, RunId, StageName, narrate};

/// Events read at once.
const BATCH: usize = 1_000;

/// Which events are shown, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct EventsArguments {
    /// How many of the last; 0 for all there are
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
    /// Go on with those that come
    #[arg(short, long)]
    pub follow: bool,
    /// Which
    #[command(flatten)]
    pub filter: FilterArguments,
    /// As JSON lines
    #[arg(long)]
    pub json: bool,
}

/// Which events are wanted: those of which everything holds that is given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct FilterArguments {
    /// Only what this operator asked for
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
    /// Only what is of this kind; `alert`, `model` and `release` are also all that tells of one
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    pub kind: Option<EventKind>,
    /// Only what is of this run
    #[arg(long, value_name = "RUN")]
    pub run: Option<u64>,
    /// Only what is of this stage
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,
    /// Only what is of this alert
    #[arg(long, value_name = "ALERT")]
    pub alert: Option<String>,
    /// Only events whose sentence holds this, in any case
    #[arg(long, value_name = "TEXT")]
    pub grep: Option<String>,
    /// Not before: `2h` ago, 2026-11-28, or a moment of RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = moments::from)]
    pub since: Option<Moment>,
    /// Not behind, in the same words; a day counts to its end
    #[arg(long, value_name = "WHEN", value_parser = moments::until)]
    pub until: Option<Moment>,
}

impl FilterArguments {
    fn filter(&self) -> EventFilter {
        EventFilter {
            alert: self.alert.clone(),
            by: self.by.clone(),
            kind: self.kind,
            run: self.run.map(RunId),
            stage: self.stage.as_deref().map(StageName::from),
            text: self.grep.clone(),
            since: self.since,
            until: self.until,
        }
    }
}

/// The kinds, as help and completions list them.
fn kinds() -> impl TypedValueParser<Value = EventKind> {
    let value = |kind: EventKind| {
        let value = PossibleValue::new(kind.word());
        if kind == EventKind::Release { value.alias(EventKind::DEPLOY) } else { value }
    };
    PossibleValuesParser::new(EventKind::ALL.map(value)).try_map(|word| word.parse::<EventKind>())
}

/// Writes what happened, and with `follow` all that comes.
pub fn run(folder: &Path, arguments: &EventsArguments, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let (state, snapshot) = state(&layout)?;
    let filter = arguments.filter.filter();
    let trail = Trail::open(&layout, snapshot.is_some())?;
    if arguments.limit == 0 {
        trail.all(&filter, state.sequence, |recorded| write_event(recorded, arguments.json, out))?;
    } else {
        for recorded in trail.last(&filter, state.sequence, arguments.limit)? {
            write_event(&recorded, arguments.json, out)?;
        }
    }
    if !arguments.follow {
        return Ok(());
    }
    let client = client(&layout)?;
    block_on(follow(&client, state.sequence, |recorded| {
        if filter.matches(recorded) { write_event(recorded, arguments.json, out) } else { Ok(()) }
    }))
}

/// Every event behind number `last` as it comes, until the daemon ends. What a reader was too slow for is read from the
/// daemon's journal, for a trail has no holes.
async fn follow(
    client: &Client,
    mut last: u64,
    mut each: impl FnMut(&Recorded) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut stream = client.events(last).await?;
    while let Some(item) = stream.next().await {
        match item? {
            StreamItem::Event(recorded) => {
                each(&recorded)?;
                last = recorded.sequence;
            }
            StreamItem::Live(_) | StreamItem::Changes(_) => {}
            StreamItem::Behind => {
                let newest = client.hello().await?.sequence;
                while last < newest {
                    // Events are numbered without holes, so the end of a window says where it begins.
                    let size = BATCH.min(usize::try_from(newest - last).unwrap_or(BATCH));
                    let found = client.history(Some(last + size as u64 + 1), size).await?;
                    let Some(end) = found.last().map(|recorded| recorded.sequence).filter(|end| *end > last) else {
                        break;
                    };
                    found.iter().try_for_each(&mut each)?;
                    last = end;
                }
                stream = client.events(last).await?;
            }
        }
    }
    Ok(())
}

/// Where events are read from.
enum Trail {
    /// The daemon.
    Daemon(Client),
    /// The journal, when no daemon runs.
    Journal(Box<Journal>),
    /// Nothing has happened yet.
    Empty,
}

impl Trail {
    fn open(layout: &Layout, has_daemon: bool) -> Result<Self, Failure> {
        if has_daemon {
            return Ok(Self::Daemon(client(layout)?));
        }
        if !layout.journal().is_file() {
            return Ok(Self::Empty);
        }
        let (journal, _) = Journal::open(&layout.journal()).map_err(failed)?;
        Ok(Self::Journal(Box::new(journal)))
    }

    /// Up to `limit` events before number `before`, in order, whatever they are of.
    fn before(&self, before: u64, limit: usize) -> Result<Vec<Recorded>, Failure> {
        match self {
            Self::Daemon(client) => block_on(async { Ok(client.history(Some(before), limit).await?) }),
            Self::Journal(journal) => journal.before(before, limit as u64).map_err(failed),
            Self::Empty => Ok(Vec::new()),
        }
    }

    /// The last `limit` events that match, up to number `last`, in order.
    fn last(&self, filter: &EventFilter, last: u64, limit: usize) -> Result<Vec<Recorded>, Failure> {
        let mut batches: Vec<Vec<Recorded>> = Vec::new();
        let (mut before, mut wanted) = (last + 1, limit);
        while wanted > 0 && before > 1 {
            let found = match self {
                Self::Daemon(client) if !filter.is_empty() => {
                    let size = wanted.min(BATCH);
                    let found = block_on(async { Ok(client.history_matching(filter, Some(before), size).await?) })?;
                    before = found.first().map_or(1, |first| first.sequence);
                    found
                }
                // What is not looked for is counted only once it is known to match.
                Self::Daemon(_) | Self::Journal(_) | Self::Empty => {
                    let size = if filter.is_empty() { wanted.min(BATCH) } else { BATCH };
                    let mut found = self.before(before, size)?;
                    before = found.first().map_or(1, |first| first.sequence);
                    found.retain(|recorded| filter.matches(recorded));
                    found.drain(..found.len().saturating_sub(wanted));
                    found
                }
            };
            wanted -= found.len().min(wanted);
            batches.push(found);
        }
        Ok(batches.into_iter().rev().flatten().collect())
    }

    /// Every event that matches up to number `last`, in order and a batch at a time: a trail of any length costs a batch.
    fn all(
        &self,
        filter: &EventFilter,
        last: u64,
        mut each: impl FnMut(&Recorded) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut after = 0;
        while after < last {
            // Events are numbered without holes, so the end of a window says where it begins.
            let size = BATCH.min(usize::try_from(last - after).unwrap_or(BATCH));
            let found = self.before(after + size as u64 + 1, size)?;
            let Some(newest) = found.last().map(|recorded| recorded.sequence).filter(|newest| *newest > after) else {
                return Ok(());
            };
            for recorded in found.iter().filter(|recorded| filter.matches(recorded)) {
                each(recorded)?;
            }
            after = newest;
        }
        Ok(())
    }
}

fn write_event(recorded: &Recorded, json: bool, out: &mut impl Write) -> Result<(), Failure> {
    if json {
        serde_json::to_writer(&mut *out, recorded).map_err(failed)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{}", line_of(recorded))?;
    }
    out.flush()?;
    Ok(())
}

/// An event as people read it: one line, whatever file names and reasons hold, for whoever writes them must not write lines
/// of the trail.
fn line_of(recorded: &Recorded) -> String {
    let told = narrate(&recorded.event).replace(['\n', '\r', '\u{2028}', '\u{2029}'], " ");
    format!("{:>6}  {}  {told}", recorded.sequence, clock(recorded.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Event;

    #[test]
    fn nobody_writes_a_line_of_the_trail_by_a_reason() {
        let text = "why\n     8  2026-11-29 03:53:40  alice approved it\r\u{2028}".to_owned();
        let line = line_of(&Recorded { sequence: 7, at: Moment(0), event: Event::Noted { by: None, text } });
        assert!(!line.contains(['\n', '\r', '\u{2028}']) && line.contains("why      8  2026"), "{line}");
    }

    /// A journal of so many notes.
    fn trail(folder: &Path, notes: u64) -> Trail {
        let (mut journal, _) = Journal::open(&folder.join("journal.db")).unwrap();
        let note = |sequence: u64| Recorded {
            sequence,
            at: Moment(i64::try_from(sequence).unwrap()),
            event: Event::Noted { by: None, text: format!("note {sequence}") },
        };
        let notes: Vec<Recorded> = (1..=notes).map(note).collect();
        journal.append(&notes).unwrap();
        Trail::Journal(Box::new(journal))
    }

    fn numbers(found: &[Recorded]) -> Vec<u64> {
        found.iter().map(|recorded| recorded.sequence).collect()
    }

    #[test]
    fn the_whole_trail_comes_in_order_and_without_holes_however_many_batches_it_takes() {
        let folder = tempfile::tempdir().unwrap();
        let trail = trail(folder.path(), 2_500);
        let mut told = Vec::new();
        trail
            .all(&EventFilter::default(), 2_400, |recorded| {
                told.push(recorded.sequence);
                Ok(())
            })
            .unwrap();
        assert!(told.iter().copied().eq(1..=2_400), "{} events", told.len());
    }

    #[test]
    fn the_last_that_match_are_found_however_far_back_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let trail = trail(folder.path(), 2_500);
        let early = EventFilter { text: Some("NOTE 7".to_owned()), until: Some(Moment(100)), ..EventFilter::default() };
        assert_eq!(numbers(&trail.last(&early, 2_500, 3).unwrap()), [77, 78, 79]);
        assert_eq!(numbers(&trail.last(&early, 2_500, 100).unwrap()).len(), 11);
        assert_eq!(numbers(&trail.last(&EventFilter::default(), 2_500, 2).unwrap()), [2_499, 2_500]);
        let notes = EventFilter { kind: Some(EventKind::Note), ..EventFilter::default() };
        assert_eq!(numbers(&trail.last(&notes, 2_500, 2).unwrap()), [2_499, 2_500]);
        let runs = EventFilter { kind: Some(EventKind::Run), ..EventFilter::default() };
        assert!(trail.last(&runs, 2_500, 10).unwrap().is_empty());
        let none = EventFilter { by: Some("nobody".to_owned()), ..EventFilter::default() };
        assert!(trail.last(&none, 2_500, 10).unwrap().is_empty());
    }
}
