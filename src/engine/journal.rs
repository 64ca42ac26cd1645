//! The journal: every event, append-only, in SQLite.
//!
//! One commit holds all events of one turn of the loop and is on disk before any effect leaves. Events are numbered without
//! holes and chained by digest, so a truncated or altered journal shows. Snapshots are a cache that can be deleted: the
//! state is the fold of all events. [`milestones`] are snapshots of long ago, for whoever looks back; how that is done stands
//! in [`look`].

mod look;
mod milestones;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use crate::disk::digest_bytes;
use crate::pipeline::{ApplyError, Digest, Event, Moment, Recorded, SCHEMA, State};

/// Events between two snapshots.
const SNAPSHOT_EVERY: u64 = 500;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The database cannot be read or written.
    #[error("the journal {path} cannot be used: {source}; check the disk space and the rights of the folder")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// It was written by a later version of the program.
    #[error(
        "the journal was written by a later version of trainyard (event schema {found}, this one knows {SCHEMA}); update trainyard"
    )]
    Newer {
        /// The schema found.
        found: u32,
    },
    /// An event is not readable or not in its place.
    #[error(
        "event {sequence} of the journal is damaged: {reason}; move {path} away to begin anew, or bring back a copy"
    )]
    Damaged {
        /// Which.
        sequence: u64,
        /// What is wrong.
        reason: String,
        /// The file.
        path: PathBuf,
    },
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    connection: Connection,
    path: PathBuf,
    chain: Digest,
    snapshot_at: u64,
    milestone_at: u64,
    identity: String,
}

impl Journal {
    /// Opens or makes the journal and folds it into the state.
    pub fn open(path: &Path) -> Result<(Self, State), JournalError> {
        let at = |source| JournalError::Database { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(at)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 CREATE TABLE IF NOT EXISTS events (
                     sequence INTEGER PRIMARY KEY,
                     at INTEGER NOT NULL,
                     schema INTEGER NOT NULL,
                     body TEXT NOT NULL,
                     chain TEXT NOT NULL
                 );
                 CREATE TABLE IF NOT EXISTS snapshots (
                     sequence INTEGER PRIMARY KEY,
                     schema INTEGER NOT NULL,
                     program TEXT NOT NULL,
                     body TEXT NOT NULL
                 );",
            )
            .map_err(at)?;
        // Without them it is only slower to look back.
        let milestone_at = milestones::prepare(&connection).unwrap_or_default();
        // On a disk that cannot be written there is none, which costs whoever comes back no more than a new snapshot.
        let identity = identify(&connection).unwrap_or_default();
        let (path, chain) = (path.to_owned(), Digest(String::new()));
        let mut journal = Self { connection, path, chain, snapshot_at: 0, milestone_at, identity };
        let state = journal.load()?;
        Ok((journal, state))
    }

    /// The last snapshot of this very program version, and all events behind it.
    fn load(&mut self) -> Result<State, JournalError> {
        let snapshot: Option<(u64, String)> = self
            .connection
            .query_row(
                "SELECT sequence, body FROM snapshots WHERE schema = ?1 AND program = ?2 ORDER BY sequence DESC LIMIT 1",
                params![SCHEMA, env!("CARGO_PKG_VERSION")],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(|source| self.database(source))?;
        // A snapshot that cannot be read is no loss: the events are all there.
        let mut state = snapshot
            .and_then(|(sequence, body)| {
                serde_json::from_str::<State>(&body).ok().filter(|state| state.sequence == sequence)
            })
            .unwrap_or_default();
        self.snapshot_at = state.sequence;
        self.chain = self.chain_at(state.sequence)?;
        for row in self.rows(state.sequence, u64::MAX)? {
            let recorded = self.read(&row)?;
            state.apply(&recorded).map_err(|error: ApplyError| self.damaged(row.sequence, error.to_string()))?;
            self.chain = row.chain;
        }
        Ok(state)
    }

    /// What tells this journal from any other: the same at every start, another when the journal was begun anew. Numbers of
    /// events mean something only together with it. Empty if it cannot be told.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Appends events in one commit. On an error nothing has been appended.
    pub fn append(&mut self, events: &[Recorded]) -> Result<(), JournalError> {
        let mut chain = self.chain.clone();
        let result = (|| {
            let transaction = self.connection.transaction()?;
            {
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO events (sequence, at, schema, body, chain) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?;
                for recorded in events {
                    let body = serde_json::to_string(&recorded.event)
                        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
                    chain = link(&chain, &body);
                    insert.execute(params![recorded.sequence, recorded.at.0, SCHEMA, body, chain.0])?;
                }
            }
            transaction.commit()
        })();
        result.map_err(|source| self.database(source))?;
        self.chain = chain;
        Ok(())
    }

    /// Keeps a snapshot if enough has happened since the last; a failure costs only time at the next start.
    pub fn maybe_snapshot(&mut self, state: &State) {
        if state.sequence >= self.milestone_at + milestones::EVERY {
            self.milestone_at = state.sequence;
            let _ = milestones::keep(&self.connection, state);
        }
        if state.sequence < self.snapshot_at + SNAPSHOT_EVERY {
            return;
        }
        self.snapshot_at = state.sequence;
        if let Ok(body) = serde_json::to_string(state) {
            let _ = self.connection.execute(
                "INSERT OR REPLACE INTO snapshots (sequence, schema, program, body) VALUES (?1, ?2, ?3, ?4)",
                params![state.sequence, SCHEMA, env!("CARGO_PKG_VERSION"), body],
            );
            let _ = self.connection.execute("DELETE FROM snapshots WHERE sequence < ?1", params![state.sequence]);
        }
    }

    /// Up to `limit` events behind number `after`, in order.
    pub fn after(&self, after: u64, limit: u64) -> Result<Vec<Recorded>, JournalError> {
        self.rows(after, limit)?.iter().map(|row| self.read(row)).collect()
    }

    /// Up to `limit` events before number `before`, in order.
    pub fn before(&self, before: u64, limit: u64) -> Result<Vec<Recorded>, JournalError> {
        self.after(before.saturating_sub(limit.saturating_add(1)), limit.min(before.saturating_sub(1)))
    }

    /// Folds the whole journal, checks its chain, and returns the state and the number of events.
    pub fn verify(&self) -> Result<State, JournalError> {
        let mut state = State::default();
        let mut chain = Digest(String::new());
        for row in self.rows(0, u64::MAX)? {
            chain = link(&chain, &row.body);
            if chain != row.chain {
                return Err(self.damaged(row.sequence, "its digest does not continue the chain".to_owned()));
            }
            let recorded = self.read(&row)?;
            state.apply(&recorded).map_err(|error| self.damaged(row.sequence, error.to_string()))?;
        }
        Ok(state)
    }

    fn rows(&self, after: u64, limit: u64) -> Result<Vec<Row>, JournalError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = || -> rusqlite::Result<Vec<Row>> {
            let mut select = self.connection.prepare_cached(
                "SELECT sequence, at, schema, body, chain FROM events WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
            )?;
            let rows = select.query_map(params![after, limit], |row| {
                Ok(Row {
                    sequence: row.get(0)?,
                    at: Moment(row.get(1)?),
                    schema: row.get(2)?,
                    body: row.get(3)?,
                    chain: Digest(row.get(4)?),
                })
            })?;
            rows.collect()
        };
        read().map_err(|source| self.database(source))
    }

    fn read(&self, row: &Row) -> Result<Recorded, JournalError> {
        if row.schema > SCHEMA {
            return Err(JournalError::Newer { found: row.schema });
        }
        let event: Event =
            serde_json::from_str(&row.body).map_err(|error| self.damaged(row.sequence, error.to_string()))?;
        Ok(Recorded { sequence: row.sequence, at: row.at, event })
    }

    fn chain_at(&self, sequence: u64) -> Result<Digest, JournalError> {
        let chain: Option<String> = self
            .connection
            .query_row("SELECT chain FROM events WHERE sequence = ?1", params![sequence], |row| row.get(0))
            .optional()
            .map_err(|source| self.database(source))?;
        Ok(Digest(chain.unwrap_or_default()))
    }

    fn database(&self, source: rusqlite::Error) -> JournalError {
        JournalError::Database { path: self.path.clone(), source }
    }

    fn damaged(&self, sequence: u64, reason: String) -> JournalError {
        JournalError::Damaged { sequence, reason, path: self.path.clone() }
    }
}

struct Row {
    sequence: u64,
    at: Moment,
    schema: u32,
    body: String,
    chain: Digest,
}

/// The identity, made with the first opening.
fn identify(connection: &Connection) -> rusqlite::Result<String> {
    // An insert takes the lock of writers even where there is nothing to insert, so it is looked first.
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS identity (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL)",
    )?;
    let read = || connection.query_row("SELECT body FROM identity", [], |row| row.get::<_, String>(0)).optional();
    if let Some(known) = read()? {
        return Ok(known);
    }
    // Two that open it at once come to the same.
    connection.execute("INSERT OR IGNORE INTO identity (one, body) VALUES (1, lower(hex(randomblob(16))))", [])?;
    Ok(read()?.unwrap_or_default())
}

fn link(chain: &Digest, body: &str) -> Digest {
    digest_bytes(format!("{chain}\n{body}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(from: u64, count: u64) -> Vec<Recorded> {
        let note = |sequence| Recorded {
            sequence,
            at: Moment(1),
            event: Event::Noted { by: None, text: format!("note {sequence}") },
        };
        (from..from + count).map(note).collect()
    }

    fn fill(path: &Path, count: u64) {
        let (mut journal, mut state) = Journal::open(path).unwrap();
        let events = notes(state.sequence + 1, count);
        journal.append(&events).unwrap();
        for event in &events {
            state.apply(event).unwrap();
        }
        journal.maybe_snapshot(&state);
    }

    #[test]
    fn the_state_is_the_same_from_a_snapshot_and_from_all_events() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        fill(&path, SNAPSHOT_EVERY + 10);
        fill(&path, 5);
        let (journal, from_snapshot) = Journal::open(&path).unwrap();
        assert_eq!(journal.snapshot_at, SNAPSHOT_EVERY + 10);
        assert_eq!(journal.verify().unwrap(), from_snapshot);
    }

    #[test]
    fn an_altered_event_is_found_by_its_chain() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        fill(&path, 3);
        let (journal, _) = Journal::open(&path).unwrap();
        journal.connection.execute("UPDATE events SET body = replace(body, 'note 2', 'note 7')", []).unwrap();
        let error = journal.verify().unwrap_err().to_string();
        assert!(error.starts_with("event 2 of the journal is damaged: its digest"), "{error}");
    }

    #[test]
    fn a_hole_is_an_error_and_not_a_guess() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        fill(&path, 3);
        Journal::open(&path).unwrap().0.connection.execute("DELETE FROM events WHERE sequence = 2", []).unwrap();
        let error = Journal::open(&path).unwrap_err().to_string();
        assert!(error.contains("event 3 follows event 1"), "{error}");
    }

    #[test]
    fn a_journal_keeps_its_identity_and_another_has_another() {
        let folder = tempfile::tempdir().unwrap();
        let identity = |name: &str| Journal::open(&folder.path().join(name)).unwrap().0.identity().to_owned();
        let first = identity("one.db");
        assert_eq!(first.len(), 32, "{first}");
        assert_eq!(identity("one.db"), first);
        assert_ne!(identity("other.db"), first);
    }

    #[test]
    fn windows_of_history_are_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        fill(&path, 10);
        let (journal, _) = Journal::open(&path).unwrap();
        let numbers = |events: Vec<Recorded>| events.iter().map(|event| event.sequence).collect::<Vec<_>>();
        assert_eq!(numbers(journal.before(8, 3).unwrap()), [5, 6, 7]);
        assert_eq!(numbers(journal.before(3, 10).unwrap()), [1, 2]);
        assert_eq!(numbers(journal.after(8, 10).unwrap()), [9, 10]);
    }
}
