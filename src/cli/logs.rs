//! `trainyard logs`: what stages printed, byte for byte; or the lines of it that are asked for, by the same search as the
//! screen's.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use jiff::Timestamp;

use super::failure::{Failure, failed};
use super::moments;
use super::project::{block_on, client, layout, state};
use crate::api::types::{LogAddress, LogFilter, LogLevel, StreamItem};
use crate::engine::spool::{LogReader, SearchError, Timeline};
use crate::engine::supervisor::AttemptFolder;
use crate::pipeline::{Attempt, Event, Moment, Run, RunId, StageName, State};

/// Bytes copied at once.
const PIECE: usize = 1 << 16;

/// Which log is wanted, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct LogsArguments {
    /// The stage
    #[arg(value_name = "STAGE")]
    pub stage: String,
    /// Go on as the log grows, until the stage ends
    #[arg(short, long)]
    pub follow: bool,
    /// Of this run; without it, of the last one in which the stage was started
    #[arg(long, value_name = "N")]
    pub run: Option<u64>,
    /// Only the last lines
    #[arg(long, value_name = "LINES")]
    pub tail: Option<u64>,
    /// Only lines that match a regular expression, in either case unless it has a capital
    #[arg(long, value_name = "RE")]
    pub grep: Option<String>,
    /// With so many lines before and behind each
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub context: u64,
    /// Only lines that say that they are at least so bad: trace, debug, info, warn, error
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub level: Option<LogLevel>,
    /// Only what came since then: `10m` (ago), a day, a moment
    #[arg(long, value_name = "WHEN", value_parser = moments::from)]
    pub since: Option<Moment>,
    /// With the moment before each line
    #[arg(long)]
    pub timestamps: bool,
}

impl LogsArguments {
    fn filter(&self) -> LogFilter {
        LogFilter { pattern: self.grep.clone(), also: None, level: self.level, context: self.context }
    }

    /// Whether lines are asked for, and not bytes.
    fn wants_lines(&self) -> bool {
        self.grep.is_some() || self.level.is_some() || self.since.is_some() || self.timestamps
    }
}

fn level(text: &str) -> Result<LogLevel, String> {
    let is_named = |level: &LogLevel| level.word().eq_ignore_ascii_case(text);
    let known = || LogLevel::ALL.map(LogLevel::word).join(", ");
    LogLevel::ALL
        .into_iter()
        .find(is_named)
        .ok_or_else(|| format!("there is no level `{text}`; write one of {}", known()))
}

/// Writes a log byte for byte, or the lines of it that are asked for.
pub fn logs(folder: &Path, arguments: &LogsArguments, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let (state, snapshot) = state(&layout)?;
    let stage = StageName::from(arguments.stage.as_str());
    let address = find(&state, &stage, arguments.run.map(RunId))?;
    let attempt = AttemptFolder::new(layout.attempt(address.run, &address.stage, address.attempt));
    let mut printed = Printed::new(&attempt, arguments)?;
    let goes_on = arguments.follow && attempt.exit().is_none() && snapshot.is_some();
    printed.go_on(&attempt, !goes_on, out)?;
    if !goes_on {
        return Ok(());
    }
    let client = client(&layout)?;
    block_on(async {
        let mut stream = client.events(state.sequence).await?;
        while let Some(item) = stream.next().await {
            let item = item?;
            // One whose supervisor was killed has no exit file, but it has an end.
            let is_over = attempt.exit().is_some() || is_end_of(&item, &address);
            printed.go_on(&attempt, is_over, out)?;
            if is_over {
                return Ok(());
            }
            if item == StreamItem::Behind {
                stream = client.events(client.snapshot().await?.state.sequence).await?;
            }
        }
        Ok(())
    })
}

fn is_end_of(item: &StreamItem, log: &LogAddress) -> bool {
    let StreamItem::Event(recorded) = item else { return false };
    matches!(&recorded.event, Event::StageFinished { run, stage, attempt, .. }
        if *run == log.run && *stage == log.stage && *attempt == log.attempt)
}

fn find(state: &State, stage: &StageName, run: Option<RunId>) -> Result<LogAddress, Failure> {
    let started = |run: &Run| {
        let attempt = run.stages.get(stage)?.attempt;
        (attempt > Attempt(0)).then(|| LogAddress { run: run.id, stage: stage.clone(), attempt })
    };
    let found = match run {
        Some(id) => state.runs.get(&id).and_then(|run| started(run)),
        None => state.runs.values().rev().find_map(|run| started(run)),
    };
    found.ok_or_else(|| {
        let names: Vec<_> = state.graph.stages().iter().map(|spec| spec.name.as_str()).collect();
        let known = names.join(", ");
        match (state.graph.get(stage), run) {
            (None, _) => Failure::Usage(format!("there is no stage `{stage}`; the stages are {known}")),
            (Some(_), Some(run)) => Failure::Failed(format!("`{stage}` was not started in run {run}")),
            (Some(_), None) => Failure::Failed(format!("`{stage}` has never been started")),
        }
    })
}

/// How far a log was printed.
enum Printed {
    /// To this byte.
    Bytes(u64),
    /// Those of its lines that are asked for.
    Lines(Lines),
}

impl Printed {
    fn new(attempt: &AttemptFolder, arguments: &LogsArguments) -> Result<Self, Failure> {
        if !arguments.wants_lines() {
            let from = match arguments.tail {
                Some(lines) => start_of_tail(attempt, lines)?,
                None => 0,
            };
            return Ok(Self::Bytes(from));
        }
        let log = Timeline::of_attempt(attempt)?;
        let since = arguments.since.map_or(Ok(0), |moment| log.line_at(moment))?;
        let tail = arguments.tail.map_or(0, |lines| log.total().saturating_sub(lines));
        let (filter, has_moments) = (arguments.filter(), arguments.timestamps);
        Ok(Self::Lines(Lines { filter, has_moments, looked_at: since.max(tail), next: since.max(tail), last: None }))
    }

    /// Prints what is new. The last line of a log that grows is printed once it has an end.
    fn go_on(&mut self, attempt: &AttemptFolder, is_over: bool, out: &mut impl Write) -> Result<(), Failure> {
        match self {
            Self::Bytes(from) => copy(attempt, from, out),
            Self::Lines(lines) => lines.go_on(attempt, is_over, out),
        }
    }
}

/// Lines that pass a filter.
struct Lines {
    filter: LogFilter,
    has_moments: bool,
    /// The first line that was not looked at.
    looked_at: u64,
    /// The first line that may be printed.
    next: u64,
    /// The line printed last.
    last: Option<u64>,
}

impl Lines {
    fn go_on(&mut self, attempt: &AttemptFolder, is_over: bool, out: &mut impl Write) -> Result<(), Failure> {
        let log = Timeline::of_attempt(attempt)?;
        let end = if is_over { log.total() } else { log.ended()? };
        // Lines before one that passes now may have been passed by.
        let from = self.looked_at.saturating_sub(self.filter.context).max(self.next);
        let (has_moments, has_context) = (self.has_moments, self.filter.context > 0);
        let (next, last) = (&mut self.next, &mut self.last);
        let printed = log.each_row(&self.filter, from..end, &mut |row| {
            if has_context && last.is_some_and(|last| last + 1 < row.number) {
                out.write_all(b"--\n")?;
            }
            if has_moments {
                write!(out, "{} ", moment(row.at))?;
            }
            out.write_all(row.text)?;
            out.write_all(b"\n")?;
            (*next, *last) = (row.number + 1, Some(row.number));
            Ok(())
        });
        self.looked_at = end.max(self.looked_at);
        match printed {
            Ok(()) => Ok(out.flush()?),
            Err(SearchError::Read(error)) => Err(error.into()),
            Err(error @ SearchError::Pattern { .. }) => Err(Failure::Usage(error.to_string())),
        }
    }
}

/// `2026-11-24T14:03:11.482Z`, the same everywhere.
fn moment(at: Moment) -> String {
    Timestamp::from_millisecond(at.0).map_or_else(|_| "unknown".to_owned(), |at| format!("{at:.3}"))
}

/// The byte at which the last `lines` lines begin, found from the end.
fn start_of_tail(attempt: &AttemptFolder, lines: u64) -> Result<u64, Failure> {
    let log = LogReader::open(&attempt.log(), &attempt.index()).map_err(failed)?;
    log.offset_of_tail(lines).map_err(failed)
}

fn copy(attempt: &AttemptFolder, from: &mut u64, out: &mut impl Write) -> Result<(), Failure> {
    let mut file = match File::open(attempt.log()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    file.seek(SeekFrom::Start(*from))?;
    let mut piece = vec![0; PIECE];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            out.flush()?;
            return Ok(());
        }
        out.write_all(&piece[..length])?;
        *from += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::spool::LogWriter;

    fn arguments(words: &[&str]) -> LogsArguments {
        #[derive(clap::Parser)]
        struct Program {
            #[command(flatten)]
            logs: LogsArguments,
        }
        let words = ["logs", "train"].iter().chain(words);
        <Program as clap::Parser>::try_parse_from(words).unwrap().logs
    }

    fn attempt(text: &str) -> (tempfile::TempDir, AttemptFolder, LogWriter) {
        let folder = tempfile::tempdir().unwrap();
        let attempt = AttemptFolder::new(folder.path().to_owned());
        let mut writer = LogWriter::create(&attempt.log(), &attempt.index()).unwrap();
        writer.append(text.as_bytes());
        (folder, attempt, writer)
    }

    fn go_on(printed: &mut Printed, attempt: &AttemptFolder, is_over: bool) -> String {
        let mut out = Vec::new();
        printed.go_on(attempt, is_over, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_that_match_come_with_those_around_them() {
        let (_folder, attempt, _writer) = attempt("a\nb\n\x1b[31mERROR\x1b[0m x\nc\nd\ne\nerror\n");
        let mut printed = Printed::new(&attempt, &arguments(&["--grep", "^error", "--context", "1"])).unwrap();
        assert_eq!(go_on(&mut printed, &attempt, true), "b\n\x1b[31mERROR\x1b[0m x\nc\n--\ne\nerror\n");
        let mut printed = Printed::new(&attempt, &arguments(&["--level", "warn"])).unwrap();
        assert_eq!(go_on(&mut printed, &attempt, true), "\x1b[31mERROR\x1b[0m x\n");
    }

    #[test]
    fn a_log_that_grows_gives_each_line_once_and_when_it_is_whole() {
        let (_folder, attempt, mut writer) = attempt("one\nhit 1\ntwo\nhit");
        let mut printed = Printed::new(&attempt, &arguments(&["--grep", "hit", "--context", "1"])).unwrap();
        assert_eq!(go_on(&mut printed, &attempt, false), "one\nhit 1\ntwo\n");
        writer.append(b" 2\nthree\nfour\n");
        assert_eq!(go_on(&mut printed, &attempt, false), "hit 2\nthree\n");
        assert_eq!(go_on(&mut printed, &attempt, false), "");
        writer.append(b"hit 3");
        assert_eq!(go_on(&mut printed, &attempt, true), "four\nhit 3\n");
    }

    #[test]
    fn a_moment_stands_before_each_line_where_it_is_asked_for() {
        let (_folder, attempt, _writer) = attempt("one\n");
        let mut printed = Printed::new(&attempt, &arguments(&["--timestamps"])).unwrap();
        let told = go_on(&mut printed, &attempt, true);
        let (at, text) = told.split_once(' ').unwrap();
        assert!(at.parse::<Timestamp>().is_ok() && at.ends_with('Z'), "{at}");
        assert_eq!(text, "one\n");
        let mut later = Printed::new(&attempt, &arguments(&["--since", "2999-01-01"])).unwrap();
        assert_eq!(go_on(&mut later, &attempt, true), "");
    }

    #[test]
    fn what_cannot_be_looked_for_is_told() {
        let (_folder, attempt, _writer) = attempt("one\n");
        let mut printed = Printed::new(&attempt, &arguments(&["--grep", "("])).unwrap();
        let refused = printed.go_on(&attempt, true, &mut Vec::new()).unwrap_err();
        assert!(matches!(&refused, Failure::Usage(text) if text.starts_with("`(` is not")), "{refused}");
        assert!(level("loud").unwrap_err().contains("trace, debug, info, warn, error"));
    }
}
