//! One log, or those of all stages of a run merged by time: any line of it is found through the indexes.
//!
//! All lines of an index record came at its moment, so the merged order is that of the records: by moment, then by stage.
//! How many lines came before a moment is told by one search in each index, and so the place of any merged line is found by
//! halving the time, without reading a log.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::index::Record;
use super::reader::{Lines, LogReader, WINDOW_LIMIT, shown_line};
use crate::api::types::{LINE_LIMIT, LogWindow};
use crate::engine::supervisor::AttemptFolder;
use crate::pipeline::{Moment, StageName};

/// The log of one stage.
#[derive(Debug)]
struct Member {
    stage: StageName,
    log: LogReader,
    total: u64,
}

/// One log or several on one time line, as they are now.
#[derive(Debug)]
pub struct Timeline {
    members: Vec<Member>,
    is_merged: bool,
    total: u64,
    bytes: u64,
}

impl Timeline {
    /// The log of one attempt of a stage.
    pub fn of_attempt(folder: &AttemptFolder) -> io::Result<Self> {
        Self::new(vec![(StageName(String::new()), LogReader::open(&folder.log(), &folder.index())?)], false)
    }

    /// The logs of all stages of the run in `folder`, each in its last attempt. A run that is gone has none.
    pub fn of_run(folder: &Path) -> io::Result<Self> {
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::new(Vec::new(), true),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Some((stage, attempt)) = name.rsplit_once('.') else { continue };
            let Ok(attempt) = attempt.parse::<u64>() else { continue };
            let known = last.entry(stage.to_owned()).or_default();
            *known = attempt.max(*known);
        }
        let mut logs = Vec::new();
        for (stage, attempt) in last {
            let attempt = AttemptFolder::new(folder.join(format!("{stage}.{attempt}")));
            logs.push((StageName(stage), LogReader::open(&attempt.log(), &attempt.index())?));
        }
        Self::new(logs, true)
    }

    pub(super) fn new(logs: Vec<(StageName, LogReader)>, is_merged: bool) -> io::Result<Self> {
        let mut members = Vec::new();
        for (stage, log) in logs {
            let total = log.total()?;
            members.push(Member { stage, log, total });
        }
        let total = members.iter().map(|member| member.total).sum();
        let bytes = members.iter().map(|member| member.log.length()).sum();
        Ok(Self { members, is_merged, total, bytes })
    }

    /// How many lines there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many lines there are that have an end; of a log that grows, the last one may have none yet.
    pub fn ended(&self) -> io::Result<u64> {
        let mut ended = self.total;
        for member in &self.members {
            let last = member.log.length().checked_sub(1);
            if let Some(last) = last
                && member.log.bytes(last, 1)? != b"\n"
            {
                ended -= 1;
            }
        }
        Ok(ended)
    }

    /// How many bytes they have.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The log itself, where it is one alone.
    pub(super) fn single(&self) -> Option<&LogReader> {
        if self.is_merged { None } else { self.members.first().map(|member| &member.log) }
    }

    /// Whose a line is, where several are merged.
    pub(super) fn stage_of(&self, seen: Seen) -> Option<StageName> {
        self.members.get(seen.member).filter(|_| self.is_merged).map(|member| member.stage.clone())
    }

    /// `count` lines from line `first` on.
    pub fn window(&self, first: u64, count: u64) -> io::Result<LogWindow> {
        let mut window = LogWindow { first, lines: Vec::new(), total: self.total };
        let mut cursor = self.cursor(first)?;
        let mut text = Vec::new();
        for _ in 0..count.min(WINDOW_LIMIT) {
            let Some(seen) = cursor.next(LINE_LIMIT, &mut text)? else { break };
            window.lines.push(shown_line(&text, seen.cut, seen.at, self.stage_of(seen)));
        }
        Ok(window)
    }

    /// The last `count` lines.
    pub fn tail(&self, count: u64) -> io::Result<LogWindow> {
        self.window(self.total.saturating_sub(count.min(WINDOW_LIMIT)), count)
    }

    /// The first line that came at a moment or later, as far as the indexes tell.
    pub fn line_at(&self, moment: Moment) -> io::Result<u64> {
        let mut before = 0;
        for member in &self.members {
            before += member.log.line_at(moment, member.total)?;
        }
        Ok(before)
    }

    /// Lines from line `first` on.
    pub(super) fn cursor(&self, first: u64) -> io::Result<Cursor<'_>> {
        let mut heads = Vec::new();
        for (member, line) in self.members.iter().zip(self.places(first)?) {
            heads.push(Head::new(member, line)?);
        }
        Ok(Cursor { timeline: self, heads, number: first.min(self.total) })
    }

    /// Where in each log the lines from merged line `number` on begin.
    fn places(&self, number: u64) -> io::Result<Vec<u64>> {
        if self.members.len() == 1 || number >= self.total {
            // Of one log alone the number itself is the place.
            let whole = |member: &Member| member.total.min(number);
            return Ok(self.members.iter().map(whole).collect());
        }
        let (mut low, mut high) = (i64::MAX, i64::MIN);
        for member in &self.members {
            let (first, last) = member.log.span()?;
            (low, high) = (low.min(first.0), high.max(last.0.saturating_add(1)));
        }
        // The last moment before which there are no more lines than that.
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.line_at(Moment(middle))? <= number {
                low = middle;
            } else {
                high = middle;
            }
        }
        let mut places = Vec::new();
        let mut rest = number;
        for member in &self.members {
            let place = member.log.line_at(Moment(low), member.total)?;
            rest = rest.saturating_sub(place);
            places.push(place);
        }
        // What came at that very moment stands stage after stage.
        for (member, place) in self.members.iter().zip(&mut places) {
            let end = member.log.line_at(Moment(low.saturating_add(1)), member.total)?;
            let step = rest.min(end.saturating_sub(*place));
            *place += step;
            rest -= step;
        }
        Ok(places)
    }
}

/// What is known of a line beside its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) number: u64,
    pub(super) at: Moment,
    pub(super) cut: u64,
    member: usize,
}

/// Line after line.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    timeline: &'a Timeline,
    heads: Vec<Head>,
    number: u64,
}

impl Cursor<'_> {
    /// The number of the next line.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line, `limit` bytes of it at the most, in the place of what was in `text`.
    pub(super) fn next(&mut self, limit: usize, text: &mut Vec<u8>) -> io::Result<Option<Seen>> {
        let open = self.heads.iter_mut().zip(&self.timeline.members).enumerate();
        let nearest = open
            .filter(|(_, (head, member))| head.line < member.total)
            .min_by_key(|(index, (head, _))| (head.at, *index));
        let Some((index, (head, member))) = nearest else { return Ok(None) };
        let at = head.at;
        let Some(cut) = head.next_line(member, limit, text)? else { return Ok(None) };
        let seen = Seen { number: self.number, at, cut, member: index };
        self.number += 1;
        Ok(Some(seen))
    }
}

/// The next line of one log.
#[derive(Debug)]
struct Head {
    line: u64,
    /// When it came.
    at: Moment,
    /// The record that comes next, from whose line on another moment holds.
    next: Option<Record>,
    /// Its number.
    record: u64,
    /// Opened only when it is its turn.
    lines: Option<Lines>,
}

impl Head {
    fn new(member: &Member, line: u64) -> io::Result<Self> {
        let record = member.log.index().behind(line)?;
        let at = member.log.moment_before(record)?;
        let next = member.log.index().get(record)?;
        Ok(Self { line, at, next, record, lines: None })
    }

    fn next_line(&mut self, member: &Member, limit: usize, text: &mut Vec<u8>) -> io::Result<Option<u64>> {
        if self.lines.is_none() {
            self.lines = member.log.lines_from(self.line)?;
        }
        let Some(lines) = &mut self.lines else { return Ok(None) };
        let behind = member.log.byte_behind(self.line, self.next, member.total);
        let cut = lines.next_line(limit, behind, text)?;
        self.line += 1;
        while let Some(reached) = self.next.filter(|next| next.line <= self.line) {
            self.at = reached.at;
            self.record += 1;
            self.next = member.log.index().get(self.record)?;
        }
        Ok(cut)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A log whose lines came at these moments, one record a line.
    fn log_of(folder: &Path, stage: &str, moments: &[i64]) -> (StageName, LogReader) {
        let (log, index) = (folder.join(format!("{stage}.log")), folder.join(format!("{stage}.index")));
        let (mut text, mut records) = (Vec::new(), Vec::new());
        for (line, at) in moments.iter().enumerate() {
            let record = Record { line: line as u64, offset: text.len() as u64, at: Moment(*at) };
            records.extend_from_slice(&record.to_bytes());
            text.extend_from_slice(format!("{stage} {line}\n").as_bytes());
        }
        fs::write(&log, text).unwrap();
        fs::write(&index, records).unwrap();
        (stage.into(), LogReader::open(&log, &index).unwrap())
    }

    fn texts(window: &LogWindow) -> Vec<&str> {
        window.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn stages_are_merged_by_time_and_each_line_says_whose_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (build, train) =
            (log_of(folder.path(), "build", &[5, 5, 9]), log_of(folder.path(), "train", &[1, 5, 6, 20]));
        let timeline = Timeline::new(vec![build, train], true).unwrap();
        let window = timeline.window(0, 10).unwrap();
        assert_eq!(texts(&window), ["train 0", "build 0", "build 1", "train 1", "train 2", "build 2", "train 3"]);
        assert_eq!(window.lines[0].stage, Some("train".into()));
        assert_eq!(timeline.line_at(Moment(6)).unwrap(), 4);
        assert_eq!(texts(&timeline.tail(2).unwrap()), ["build 2", "train 3"]);
    }

    #[test]
    fn the_last_attempt_of_each_stage_of_a_run_is_merged() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("train.1", "old\n"), ("train.2", "new\n"), ("test.1", "tested\n"), ("notes", "")] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("log"), text).unwrap();
        }
        let timeline = Timeline::of_run(folder.path()).unwrap();
        assert_eq!(texts(&timeline.window(0, 10).unwrap()), ["tested", "new"]);
        assert_eq!(Timeline::of_run(&folder.path().join("gone")).unwrap().total(), 0);
    }

    proptest! {
        #[test]
        fn every_window_of_a_merged_log_is_a_part_of_the_whole(
            mut one in proptest::collection::vec(0_i64..30, 0..20),
            mut other in proptest::collection::vec(0_i64..30, 0..20),
            first in 0_u64..45,
            count in 1_u64..45,
        ) {
            one.sort_unstable();
            other.sort_unstable();
            let folder = tempfile::tempdir().unwrap();
            let logs = vec![log_of(folder.path(), "one", &one), log_of(folder.path(), "other", &other)];
            let timeline = Timeline::new(logs, true).unwrap();
            let whole = timeline.window(0, 100).unwrap();
            prop_assert_eq!(whole.lines.len(), one.len() + other.len());
            prop_assert!(whole.lines.is_sorted_by_key(|line| line.at));
            let window = timeline.window(first, count).unwrap();
            let (skip, count) = (usize::try_from(first).unwrap(), usize::try_from(count).unwrap());
            let expected: Vec<_> = whole.lines.iter().skip(skip).take(count).cloned().collect();
            prop_assert_eq!(window.lines, expected);
        }
    }
}
