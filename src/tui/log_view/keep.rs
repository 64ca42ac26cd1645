//! Writing a log to a file of the operator's: whole or not at all, and never with the log in memory.
//!
//! With the times of the screen before its lines where these are shown; without them, what is saved of one stage's log is
//! byte for byte what the stage printed. What another program is to show has lost everything that would command a terminal; a
//! pager keeps the colours.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};

use super::question::{Kept, Program, Purpose};
use super::stamps::Stamps;
use crate::api::client::{Client, ClientError};
use crate::api::types::{
    LINE_LIMIT, LogAddress, LogFilter, LogLine, LogPiece, LogRowsRequest, LogStretch, colours_only, visible,
};

/// Lines asked for at once.
const LINES_AT_ONCE: u64 = 1_000;

/// Why it could not be written.
#[derive(Debug, thiserror::Error)]
pub(in crate::tui) enum KeepError {
    /// There is a file already.
    #[error("{0} is there already; choose another name")]
    Exists(PathBuf),
    /// The file cannot be written.
    #[error("cannot write {file}: {source}; nothing was left there, choose another place")]
    Write {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The daemon did not tell all of it.
    #[error("the log did not come whole: {0}; nothing was kept of it")]
    Client(#[from] ClientError),
}

/// Writes a log, or of it what passes, for a purpose.
pub(in crate::tui) async fn keep(
    client: &Client,
    log: &LogAddress,
    filter: Option<&LogFilter>,
    stamps: Option<Stamps>,
    purpose: &Purpose,
) -> Result<Kept, KeepError> {
    let file = match purpose {
        // Whole, so that it can be told where the file lies.
        Purpose::Save(file) => std::path::absolute(file).unwrap_or_else(|_| file.clone()),
        Purpose::Show(_) => temporary(log),
    };
    let write = |source| KeepError::Write { file: file.clone(), source };
    if matches!(purpose, Purpose::Save(_)) && tokio::fs::try_exists(&file).await.map_err(write)? {
        return Err(KeepError::Exists(file));
    }
    let partial = beside(&file);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let opened = options.open(&partial).await.map_err(write)?;
    let mut sink = Sink {
        out: BufWriter::new(opened),
        purpose: purpose.clone(),
        stamps,
        kept: Kept { file: file.clone(), bytes: 0, cut: 0 },
    };
    let written = match filter {
        Some(filter) => sink.rows(client, log, filter).await,
        None if log.is_whole_run() || sink.stamps.is_some() => sink.lines(client, log).await,
        None => sink.bytes(client, log).await,
    };
    let written = match written.and(sink.finish().await) {
        Ok(()) => tokio::fs::rename(&partial, &file).await.map_err(Failed::Write),
        Err(failed) => Err(failed),
    };
    match written {
        Ok(()) => Ok(sink.kept),
        Err(failed) => {
            let _ = tokio::fs::remove_file(&partial).await;
            Err(match failed {
                Failed::Write(source) => write(source),
                Failed::Client(error) => KeepError::Client(error),
            })
        }
    }
}

/// What ends the writing.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("{0}")]
    Write(#[from] io::Error),
    #[error("{0}")]
    Client(#[from] ClientError),
}

struct Sink {
    out: BufWriter<File>,
    purpose: Purpose,
    stamps: Option<Stamps>,
    kept: Kept,
}

impl Sink {
    /// The log of one stage, as it was printed.
    async fn bytes(&mut self, client: &Client, log: &LogAddress) -> Result<(), Failed> {
        let mut offset = 0;
        // The beginning of a line whose end has not come yet.
        let mut begun = Vec::new();
        loop {
            let bytes = client.log_bytes(log, offset).await?;
            if bytes.is_empty() {
                return if begun.is_empty() { Ok(()) } else { self.washed(&begun).await };
            }
            offset += u64::try_from(bytes.len()).unwrap_or(0);
            if matches!(self.purpose, Purpose::Save(_)) {
                self.write(&bytes).await?;
                continue;
            }
            begun.extend_from_slice(&bytes);
            let whole = match memchr::memrchr(b'\n', &begun) {
                Some(end) => end + 1,
                // A line without an end in sight is handed over in parts.
                None => begun.len(),
            };
            let rest = begun.split_off(whole);
            self.washed(&begun).await?;
            begun = rest;
        }
    }

    async fn washed(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        let mut clean = Vec::with_capacity(bytes.len());
        let ended = bytes.strip_suffix(b"\n");
        for (index, line) in ended.unwrap_or(bytes).split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                clean.push(b'\n');
            }
            clean.extend_from_slice(&self.fit(line));
        }
        if ended.is_some() {
            clean.push(b'\n');
        }
        self.write(&clean).await
    }

    /// A line as its reader may have it.
    fn fit<'a>(&self, line: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
        match self.purpose {
            Purpose::Save(_) => line.into(),
            Purpose::Show(Program::Pager) => colours_only(line),
            Purpose::Show(Program::Editor) => visible(line),
        }
    }

    /// All lines, each with its time and its stage where these are shown.
    async fn lines(&mut self, client: &Client, log: &LogAddress) -> Result<(), Failed> {
        let mut next = 0;
        loop {
            let window = client.log_lines(log, next, LINES_AT_ONCE).await?;
            if window.lines.is_empty() {
                return Ok(());
            }
            next += u64::try_from(window.lines.len()).unwrap_or(0);
            for line in &window.lines {
                self.line(line).await?;
            }
        }
    }

    /// What passes.
    async fn rows(&mut self, client: &Client, log: &LogAddress, filter: &LogFilter) -> Result<(), Failed> {
        let mut next = Some(0);
        while let Some(from) = next {
            let scan = client.log_scan(log, filter, from, None).await?;
            for piece in scan.stretches.iter().flat_map(pieces) {
                let request = LogRowsRequest { filter: filter.clone(), pieces: vec![piece] };
                for row in client.log_rows(log, &request).await? {
                    self.line(&row.line).await?;
                }
            }
            next = scan.next;
        }
        Ok(())
    }

    async fn line(&mut self, line: &LogLine) -> Result<(), Failed> {
        let mut text = self.stamps.as_ref().map(|stamps| stamps.before(line.at)).unwrap_or_default().into_bytes();
        if let Some(stage) = &line.stage {
            text.extend_from_slice(format!("{stage} | ").as_bytes());
        }
        text.extend_from_slice(&self.fit(line.text.as_bytes()));
        text.push(b'\n');
        self.kept.cut += u64::from(line.cut > 0);
        self.write(&text).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        self.kept.bytes += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(self.out.write_all(bytes).await?)
    }

    async fn finish(&mut self) -> Result<(), Failed> {
        self.out.flush().await?;
        Ok(self.out.get_ref().sync_all().await?)
    }
}

/// How all rows of a stretch are asked for.
fn pieces(stretch: &LogStretch) -> Vec<LogPiece> {
    if !stretch.numbers.is_empty() {
        return vec![LogPiece::Numbers(stretch.numbers.clone())];
    }
    let mut pieces = Vec::new();
    let mut skip = 0;
    while skip < stretch.rows {
        pieces.push(LogPiece::Part { first: stretch.first, end: stretch.end, skip, count: LINES_AT_ONCE });
        skip += LINES_AT_ONCE;
    }
    pieces
}

/// The name that a file has until it is whole.
fn beside(file: &Path) -> PathBuf {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    file.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}

/// A file for another program, which nobody else can read.
fn temporary(log: &LogAddress) -> PathBuf {
    let name = name_of(log);
    std::env::temp_dir().join(format!("trainyard-{}-{name}", std::process::id()))
}

/// What a log is called as a file.
pub(in crate::tui) fn name_of(log: &LogAddress) -> String {
    if log.is_whole_run() { format!("run{}.log", log.run) } else { format!("{}-run{}.log", log.stage, log.run) }
}

/// Where the operator means a file to be; `~` is his home.
pub(in crate::tui) fn place(typed: &str, home: Option<&Path>) -> PathBuf {
    match (typed.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(typed),
    }
}

/// Lines that were cut, in words.
pub(in crate::tui) fn cut_note(kept: &Kept) -> String {
    match kept.cut {
        0 => String::new(),
        1 => format!("; one line was cut after {LINE_LIMIT} bytes"),
        cut => format!("; {cut} lines were cut after {LINE_LIMIT} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Attempt, RunId};

    #[test]
    fn files_are_called_by_what_they_hold_and_lie_where_they_are_meant() {
        let log = LogAddress { run: RunId(3), stage: "train".into(), attempt: Attempt(2) };
        assert_eq!(name_of(&log), "train-run3.log");
        assert_eq!(name_of(&LogAddress::whole_run(RunId(3))), "run3.log");
        let home = Path::new("/home/ann");
        assert_eq!(place("~/a.log", Some(home)), Path::new("/home/ann/a.log"));
        assert_eq!(place("~/a.log", None), Path::new("~/a.log"));
        assert_eq!(place("a.log", Some(home)), Path::new("a.log"));
        assert_eq!(beside(Path::new("/tmp/a.log")).parent(), Some(Path::new("/tmp")));
    }

    #[test]
    fn a_stretch_of_many_rows_is_asked_for_in_parts() {
        let stretch = LogStretch { first: 5, end: 9_000, rows: 2_500, numbers: Vec::new() };
        assert_eq!(pieces(&stretch).len(), 3);
        let sparse = LogStretch { rows: 2, numbers: vec![7, 8], ..stretch };
        assert_eq!(pieces(&sparse), [LogPiece::Numbers(vec![7, 8])]);
    }
}
