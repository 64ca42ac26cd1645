//! Milestones: the state as it was every so many events, so that any moment of a long journal is found by folding only a few.
//!
//! They are a cache as snapshots are, but those of long ago stay. Their number is bounded: in a very long journal they lie
//! further apart.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use rusqlite::{Connection, OptionalExtension, params};

use crate::pipeline::{SCHEMA, State};

/// Events between two milestones of a journal that is not very long.
pub(super) const EVERY: u64 = 1_000;
/// Milestones that are kept at the most. Each is some ten kilobytes.
const MOST: usize = 128;
/// Bytes that a state can have at the most; what is larger is no state of ours.
const LARGEST: u64 = 256 << 20;

/// Makes their table, if it is not there, and returns the number of the last event in one; 0 if there is none.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<u64> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS milestones (
             sequence INTEGER PRIMARY KEY,
             schema INTEGER NOT NULL,
             program TEXT NOT NULL,
             body BLOB NOT NULL
         )",
    )?;
    let last: Option<u64> = connection.query_row(
        "SELECT max(sequence) FROM milestones WHERE schema = ?1 AND program = ?2",
        params![SCHEMA, env!("CARGO_PKG_VERSION")],
        |row| row.get(0),
    )?;
    Ok(last.unwrap_or_default())
}

/// Keeps a state. What another version of the program left, and what lies too close together where there are too many, is
/// dropped.
pub(super) fn keep(connection: &Connection, state: &State) -> rusqlite::Result<()> {
    let Some(body) = packed(state) else { return Ok(()) };
    let program = env!("CARGO_PKG_VERSION");
    connection.execute("DELETE FROM milestones WHERE schema <> ?1 OR program <> ?2", params![SCHEMA, program])?;
    connection.execute(
        "INSERT OR REPLACE INTO milestones (sequence, schema, program, body) VALUES (?1, ?2, ?3, ?4)",
        params![state.sequence, SCHEMA, program, body],
    )?;
    let mut kept = sequences(connection)?;
    while let Some(index) = dispensable(&kept, MOST) {
        let sequence = kept.remove(index);
        connection.execute("DELETE FROM milestones WHERE sequence = ?1", params![sequence])?;
    }
    Ok(())
}

/// The last one at or before event `sequence` that can be read.
pub(super) fn nearest(connection: &Connection, sequence: u64) -> rusqlite::Result<Option<State>> {
    let found: Option<(u64, Vec<u8>)> = connection
        .query_row(
            "SELECT sequence, body FROM milestones WHERE schema = ?1 AND program = ?2 AND sequence <= ?3 \
             ORDER BY sequence DESC LIMIT 1",
            params![SCHEMA, env!("CARGO_PKG_VERSION"), sequence],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    // One that cannot be read is no loss: the events are all there.
    Ok(found.and_then(|(number, body)| unpacked(&body).filter(|state| state.sequence == number)))
}

fn sequences(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    let mut select = connection.prepare_cached("SELECT sequence FROM milestones ORDER BY sequence")?;
    let rows = select.query_map([], |row| row.get(0))?;
    rows.collect()
}

/// Where there are more than `most`: the one whose neighbours come closest without it, the oldest of several. The last one
/// stays.
fn dispensable(kept: &[u64], most: usize) -> Option<usize> {
    if kept.len() <= most {
        return None;
    }
    let before = std::iter::once(0).chain(kept.iter().copied());
    let gaps = before.zip(kept.iter().skip(1)).map(|(before, behind)| behind.saturating_sub(before));
    gaps.enumerate().min_by_key(|(_, gap)| *gap).map(|(index, _)| index)
}

fn packed(state: &State) -> Option<Vec<u8>> {
    let body = serde_json::to_vec(state).ok()?;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&body).ok()?;
    encoder.finish().ok()
}

fn unpacked(body: &[u8]) -> Option<State> {
    let mut text = Vec::new();
    ZlibDecoder::new(body).take(LARGEST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_long_a_journal_grows_the_milestones_are_few_and_lie_evenly() {
        let mut kept: Vec<u64> = Vec::new();
        for number in 1..=5_000 {
            kept.push(number * EVERY);
            while let Some(index) = dispensable(&kept, MOST) {
                kept.remove(index);
            }
            assert!(kept.len() <= MOST);
        }
        assert_eq!(kept.last(), Some(&(5_000 * EVERY)), "the newest stays");
        let gaps: Vec<u64> =
            std::iter::once(0).chain(kept.iter().copied()).zip(&kept).map(|(before, behind)| behind - before).collect();
        let even = 5_000 * EVERY / u64::try_from(MOST).unwrap();
        assert!(gaps.iter().all(|gap| *gap <= even * 4), "{gaps:?}");
    }

    #[test]
    fn a_state_comes_back_as_it_was_and_what_is_no_state_is_none() {
        let state = State { sequence: 7, ..State::default() };
        assert_eq!(unpacked(&packed(&state).unwrap()), Some(state));
        assert_eq!(unpacked(b"no state"), None);
    }
}
