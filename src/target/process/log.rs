//! What the host itself has to say, and the tails of logs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes after which the host's log starts anew at the next start of a host; the one before is kept.
const LARGEST: u64 = 1 << 20;
/// Bytes that are looked at for the last lines.
const WINDOW: u64 = 1 << 16;

/// The log of the host: one line an event, with its time.
#[derive(Debug, Clone)]
pub struct HostLog {
    path: PathBuf,
}

impl HostLog {
    /// The log in the file `path`, which is put aside if it has become long.
    pub fn new(path: PathBuf) -> io::Result<Self> {
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LARGEST) {
            fs::rename(&path, path.with_extension("log.1"))?;
        }
        Ok(Self { path })
    }

    /// Appends a line. A full disk must not stop what serves, so a line that cannot be written is lost.
    pub fn say(&self, text: &str) {
        let line = format!("{:.3} {text}\n", jiff::Timestamp::now());
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&self.path) {
            let _ = file.write_all(line.as_bytes());
        }
    }
}

/// The last `count` lines of a file that lie behind the byte `from`; none if it cannot be read.
pub fn tail(path: &Path, from: u64, count: usize) -> Vec<String> {
    let text = read_end(path, from).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(count);
    lines.into_iter().skip(first).map(str::to_owned).collect()
}

fn read_end(path: &Path, from: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = from.max(length.saturating_sub(WINDOW));
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(WINDOW).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if start == from {
        return Ok(text);
    }
    // The window begins somewhere in a line; half a line would mislead.
    match text.split_once('\n') {
        Some((_, rest)) => Ok(rest.to_owned()),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_has_the_last_lines_behind_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "old\none\ntwo\nthree\n").unwrap();
        assert_eq!(tail(&path, 4, 2), ["two", "three"]);
        assert_eq!(tail(&path, 4, 9), ["one", "two", "three"]);
        assert_eq!(tail(&folder.path().join("gone"), 0, 9), Vec::<String>::new());
        fs::write(&path, "x".repeat(100_000) + "\nlast\n").unwrap();
        assert_eq!(tail(&path, 0, 9), ["last"]);
    }
}
