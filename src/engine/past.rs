//! The past: everything as it was at any moment, folded from the journal.
//!
//! It reads with a connection of its own, which cannot write, and one look at a time: the core is not asked and does not wait.
//! A look costs the fold of the events since the last milestone.

mod landmarks;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::journal::{Journal, JournalError};
use crate::api::types::{
    AlertStatus, Live, Past, PastPlace, PastRequest, RunEdge, Stride, TimeLine, TimeLineColumn, TimeLineRequest,
};
use crate::disk::now;
use crate::pipeline::{AlertState, Moment, Reaction, RunId, State, narrate};
use landmarks::Landmarks;

/// Events that are read and folded at once, and between two states that are kept in memory.
const AT_ONCE: u64 = 1_000;
/// States that are kept in memory at the most. They share what did not change between them.
const STATES_KEPT: usize = 128;
/// Columns of a line of time at the most.
const MOST_COLUMNS: usize = 1_000;

/// Why the past cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal is empty.
    #[error("nothing has happened yet, so there is no past to look at")]
    Empty,
    /// Neither a moment nor an event nor a run was named.
    #[error("which moment is not said; name a moment (at), an event (sequence) or a run (run)")]
    Unsaid,
    /// There is no such event.
    #[error("there is no event {sequence}; the last is {last}")]
    UnknownEvent {
        /// Which.
        sequence: u64,
        /// The number of the last one.
        last: u64,
    },
    /// There is no such run.
    #[error("run {0} never began; `trainyard runs` lists runs")]
    UnknownRun(RunId),
    /// It has no end to look at.
    #[error("run {0} is not over yet; look at where it began")]
    NotOver(RunId),
    /// There is nothing to step to.
    #[error("there is no {side} {}", .stride.word())]
    NoStep {
        /// By what.
        stride: Stride,
        /// `earlier` or `later`.
        side: &'static str,
    },
}

/// Everything that a journal tells of the past.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    reader: Mutex<Option<Reader>>,
}

impl Archive {
    /// Of the journal at `path`, which is opened with the first look.
    pub fn new(path: PathBuf) -> Self {
        Self { path, reader: Mutex::default() }
    }

    /// Everything as it was.
    pub fn past(&self, wanted: &PastRequest) -> Result<Past, PastError> {
        self.look(|reader| {
            let (sequence, at) = reader.place(wanted)?;
            let state = reader.state_at(sequence)?;
            let live = live(&state, at);
            Ok(Past { place: reader.told(sequence, at)?, state, live })
        })
    }

    /// Where a moment is on the line of time, without all that was there.
    pub fn place(&self, wanted: &PastRequest) -> Result<PastPlace, PastError> {
        self.look(|reader| {
            let (sequence, at) = reader.place(wanted)?;
            reader.told(sequence, at)
        })
    }

    /// A part of the line of time.
    pub fn time_line(&self, wanted: TimeLineRequest) -> Result<TimeLine, PastError> {
        self.look(|reader| reader.time_line(wanted))
    }

    /// One look at a time. After an error the journal is opened anew: it may have been moved away and begun again.
    fn look<T>(&self, look: impl FnOnce(&mut Reader) -> Result<T, PastError>) -> Result<T, PastError> {
        let mut known = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reader = match known.take() {
            Some(reader) => reader,
            None => Reader::open(&self.path)?,
        };
        let found = look(&mut reader);
        if !matches!(found, Err(PastError::Journal(_))) {
            *known = Some(reader);
        }
        found
    }
}

/// What can be known of what is not journaled: which alerts fired and which were silenced. What was to follow from them is
/// not kept, so it is not told.
fn live(state: &State, at: Moment) -> Live {
    let firing = state.alerts.firing.iter().map(|(name, series)| {
        let since = series.values().map(|firing| firing.fired).min();
        (name, AlertState::Firing, since)
    });
    let is_quiet = |name: &&String| !state.alerts.firing.contains_key(*name);
    let silences = state.alerts.silences.iter().filter(|(_, silence)| silence.until > at);
    let quiet = silences.map(|(name, _)| name).filter(is_quiet).map(|name| (name, AlertState::Inactive, None));
    let status = |(name, alert, since): (&String, AlertState, Option<Moment>)| AlertStatus {
        name: name.clone(),
        state: alert,
        since,
        severity: None,
        then: Reaction::Notify,
        silence: state.alerts.silence(name, at).cloned(),
        error: None,
    };
    Live { alerts: firing.chain(quiet).map(status).collect(), ..Live::default() }
}

/// An open journal, and what was found in it.
#[derive(Debug)]
struct Reader {
    journal: Journal,
    states: BTreeMap<u64, State>,
    landmarks: Landmarks,
}

impl Reader {
    fn open(path: &Path) -> Result<Self, PastError> {
        let journal = Journal::open_to_look(path)?;
        Ok(Self { journal, states: BTreeMap::new(), landmarks: Landmarks::default() })
    }

    /// The number of the last event that had happened, and the moment.
    fn place(&mut self, wanted: &PastRequest) -> Result<(u64, Moment), PastError> {
        let (sequence, at) = self.named(wanted)?;
        let Some((stride, steps)) = wanted.stride.zip(wanted.steps).filter(|(_, steps)| *steps != 0) else {
            return Ok((sequence, at));
        };
        let last = self.journal.last()?;
        let sequence = match stride {
            Stride::Event => sequence.saturating_add_signed(steps).clamp(1, last.max(1)),
            Stride::Run | Stride::Deploy | Stride::Alert => {
                self.landmarks.follow(&self.journal)?;
                let found = self.landmarks.beside(sequence, stride, steps);
                let side = if steps < 0 { "earlier" } else { "later" };
                found.ok_or(PastError::NoStep { stride, side })?
            }
        };
        Ok((sequence, self.moment_of(sequence)?))
    }

    /// What is named, before any step.
    fn named(&mut self, wanted: &PastRequest) -> Result<(u64, Moment), PastError> {
        let last = self.journal.last()?;
        if last == 0 {
            return Err(PastError::Empty);
        }
        if let Some(sequence) = wanted.sequence {
            if sequence == 0 || sequence > last {
                return Err(PastError::UnknownEvent { sequence, last });
            }
            let decided = self.moment_of(sequence)?;
            // Not beyond what came next, for then it was not the last any more.
            let next = self.journal.moment_of(sequence + 1)?.unwrap_or_else(now).max(decided);
            return Ok((sequence, wanted.at.map_or(decided, |at| at.clamp(decided, next))));
        }
        if let Some(run) = wanted.run {
            self.landmarks.follow(&self.journal)?;
            let ends = self.landmarks.run(run).ok_or(PastError::UnknownRun(run))?;
            let sequence = match wanted.place {
                Some(RunEdge::Start) => ends.start,
                Some(RunEdge::End) => ends.end.ok_or(PastError::NotOver(run))?,
                None => ends.end.unwrap_or(ends.start),
            };
            return Ok((sequence, self.moment_of(sequence)?));
        }
        let at = wanted.at.ok_or(PastError::Unsaid)?.min(now());
        // Before the first event there was nothing, so that is where the line begins.
        let sequence = self.journal.last_until(at)?.max(1);
        Ok((sequence, self.moment_of(sequence)?.max(at)))
    }

    fn moment_of(&self, sequence: u64) -> Result<Moment, PastError> {
        let last = self.journal.last()?;
        self.journal.moment_of(sequence)?.ok_or(PastError::UnknownEvent { sequence, last })
    }

    fn told(&self, sequence: u64, at: Moment) -> Result<PastPlace, PastError> {
        let events = self.journal.after(sequence.saturating_sub(1), 1)?;
        let told = events.first().map(|recorded| narrate(&recorded.event)).unwrap_or_default();
        Ok(PastPlace { sequence, at, told, event_at: events.first().map(|recorded| recorded.at) })
    }

    /// The state behind event `sequence`.
    fn state_at(&mut self, sequence: u64) -> Result<State, PastError> {
        let remembered = self.states.range(..=sequence).next_back().map(|(_, state)| state.clone());
        let near = remembered.filter(|state| sequence - state.sequence < AT_ONCE);
        let mut state = match near {
            Some(state) => state,
            None => self.nearest(sequence)?,
        };
        while state.sequence < sequence {
            let count = (sequence - state.sequence).min(AT_ONCE);
            if self.journal.fold_on(&mut state, count)? == 0 {
                let last = self.journal.last()?;
                return Err(PastError::UnknownEvent { sequence, last });
            }
            if count == AT_ONCE && self.states.len() < STATES_KEPT {
                self.states.insert(state.sequence, state.clone());
            }
        }
        Ok(state)
    }

    /// The nearest state that is kept anywhere.
    fn nearest(&self, sequence: u64) -> Result<State, PastError> {
        let kept = self.journal.kept_before(sequence)?;
        let remembered = self.states.range(..=sequence).next_back().map(|(_, state)| state);
        Ok(remembered.filter(|state| state.sequence > kept.sequence).cloned().unwrap_or(kept))
    }

    fn time_line(&mut self, wanted: TimeLineRequest) -> Result<TimeLine, PastError> {
        if self.journal.last()? == 0 {
            return Err(PastError::Empty);
        }
        self.landmarks.follow(&self.journal)?;
        let to = wanted.to.unwrap_or_else(now);
        let from = match wanted.from {
            Some(from) => from,
            None => self.moment_of(1)?,
        };
        // A line without length has no columns to tell apart.
        let from = from.min(Moment(to.0.saturating_sub(1)));
        let count = wanted.columns.clamp(1, MOST_COLUMNS);
        let mut line = TimeLine { from, to, columns: vec![TimeLineColumn::default(); count] };
        let mut before = self.journal.last_until(Moment(from.0.saturating_sub(1)))?;
        let (span, all) = (i128::from(to.since(from)), i128::try_from(count).unwrap_or(1));
        for (index, column) in (1..=all).zip(&mut line.columns) {
            // Up to the beginning of the next one, but the last, which ends with the line.
            let passed = i64::try_from((span * index + all - 1) / all).unwrap_or(i64::MAX);
            let end = if index == all { to.0 } else { from.0.saturating_add(passed).saturating_sub(1) };
            let until = self.journal.last_until(Moment(end))?.max(before);
            column.events = until - before;
            before = until;
        }
        for (at, what) in self.landmarks.between(from, to) {
            let column = line.column(at).and_then(|index| line.columns.get_mut(index));
            if let Some(column) = column {
                column.add(what);
            }
        }
        Ok(line)
    }
}

#[cfg(test)]
mod tests;
