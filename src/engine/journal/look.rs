//! Looking into a journal that somebody else writes: with a connection of its own that can only read, so that the writer is
//! never waited for and never waits.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{Journal, JournalError, milestones};
use crate::pipeline::{Digest, Moment, Recorded, SCHEMA, State};

/// How long a look waits where the database is being cleaned up by another process.
const BUSY: Duration = Duration::from_secs(2);

impl Journal {
    /// Opens it to look only: nothing is folded, and nothing can be appended.
    pub fn open_to_look(path: &Path) -> Result<Self, JournalError> {
        let at = |source| JournalError::Database { path: path.to_owned(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(at)?;
        connection.busy_timeout(BUSY).map_err(at)?;
        let (path, chain, identity) = (path.to_owned(), Digest(String::new()), String::new());
        Ok(Self { connection, path, chain, snapshot_at: 0, milestone_at: 0, identity })
    }

    /// The number of the last event; 0 if there is none.
    pub fn last(&self) -> Result<u64, JournalError> {
        let last = self.connection.query_row("SELECT max(sequence) FROM events", [], |row| row.get(0));
        let last: Option<u64> = last.map_err(|source| self.database(source))?;
        Ok(last.unwrap_or_default())
    }

    /// When an event was decided; `None` if it is not there.
    pub fn moment_of(&self, sequence: u64) -> Result<Option<Moment>, JournalError> {
        let read = || -> rusqlite::Result<Option<i64>> {
            let mut select = self.connection.prepare_cached("SELECT at FROM events WHERE sequence = ?1")?;
            select.query_row(params![sequence], |row| row.get(0)).optional()
        };
        read().map(|at| at.map(Moment)).map_err(|source| self.database(source))
    }

    /// The number of the last event at or before a moment; 0 if all came later. Where a clock was put back, one of several.
    pub fn last_until(&self, moment: Moment) -> Result<u64, JournalError> {
        let (mut low, mut high) = (0, self.last()?);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.moment_of(middle)?.is_some_and(|at| at <= moment) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(low)
    }

    /// The state at the last milestone or snapshot at or before event `sequence`; the empty one if there is none.
    pub fn kept_before(&self, sequence: u64) -> Result<State, JournalError> {
        let snapshot = self.snapshot_before(sequence).map_err(|source| self.database(source))?;
        if let Some(state) = snapshot {
            return Ok(state);
        }
        // An older program made no table of them.
        Ok(milestones::nearest(&self.connection, sequence).ok().flatten().unwrap_or_default())
    }

    /// The newest snapshot, if it is not too new. It is about as new as any milestone before it.
    fn snapshot_before(&self, sequence: u64) -> rusqlite::Result<Option<State>> {
        let mut select = self.connection.prepare_cached(
            "SELECT body FROM snapshots WHERE schema = ?1 AND program = ?2 AND sequence <= ?3 \
             ORDER BY sequence DESC LIMIT 1",
        )?;
        let found: Option<String> =
            select.query_row(params![SCHEMA, env!("CARGO_PKG_VERSION"), sequence], |row| row.get(0)).optional()?;
        Ok(found.and_then(|body| serde_json::from_str::<State>(&body).ok()).filter(|state| state.sequence <= sequence))
    }

    /// Folds up to `count` events more into a state, and returns how many there were.
    pub fn fold_on(&self, state: &mut State, count: u64) -> Result<u64, JournalError> {
        let rows = self.rows(state.sequence, count)?;
        for row in &rows {
            let recorded = self.read(row)?;
            state.apply(&recorded).map_err(|error| self.damaged(row.sequence, error.to_string()))?;
        }
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    /// Shows all events behind number `after` whose kind is wanted, one by one, and returns the number of the last of all.
    /// The others are not even read as events.
    pub fn pick(
        &self,
        after: u64,
        is_wanted: impl Fn(&str) -> bool,
        mut show: impl FnMut(&Recorded),
    ) -> Result<u64, JournalError> {
        let database = |source| self.database(source);
        let mut select = self
            .connection
            .prepare_cached("SELECT sequence, at, body FROM events WHERE sequence > ?1 ORDER BY sequence")
            .map_err(database)?;
        let mut rows = select.query(params![after]).map_err(database)?;
        let mut last = after;
        while let Some(row) = rows.next().map_err(database)? {
            let (sequence, at): (u64, i64) = (row.get(0).map_err(database)?, row.get(1).map_err(database)?);
            let body = row.get_ref(2).map_err(database)?;
            let body = body.as_str().map_err(|error| self.damaged(sequence, error.to_string()))?;
            last = sequence;
            if is_wanted(kind(body)) {
                let event = serde_json::from_str(body).map_err(|error| self.damaged(sequence, error.to_string()))?;
                show(&Recorded { sequence, at: Moment(at), event });
            }
        }
        Ok(last)
    }
}

/// The kind of an event as it is written: `{"run_started":{…}}`.
fn kind(body: &str) -> &str {
    body.strip_prefix("{\"").and_then(|rest| rest.split('"').next()).unwrap_or_default()
}
