//! What the host itself has to say.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

/// Bytes after which the host's log starts anew at the next start of a host; the one before is kept.
const LARGEST: u64 = 1 << 20;

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
