//! The end of a log file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes that are looked at for the last lines.
const WINDOW: u64 = 1 << 16;

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
    use std::fs;

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
