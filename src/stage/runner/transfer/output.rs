//! The lines that a stage appends for the board, as they come from its pod.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::TransferError;
use crate::stage::runner::site::Site;

/// The output file of the stage here, to which is added what it has written there.
#[derive(Debug)]
pub struct OutputFile<'a> {
    here: &'a Site,
    there: &'a Site,
    received: u64,
    /// The beginning of a line that has not come to its end.
    pending: Vec<u8>,
}

impl<'a> OutputFile<'a> {
    /// The output of the stage; nothing has come yet.
    pub fn new(here: &'a Site, there: &'a Site) -> Self {
        Self { here, there, received: 0, pending: Vec::new() }
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Adds the lines that are complete with these bytes.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.received += u64::try_from(bytes.len()).unwrap_or(0);
        self.pending.extend_from_slice(bytes);
        let Some(end) = self.pending.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
        let rest = self.pending.split_off(end + 1);
        let lines = std::mem::replace(&mut self.pending, rest);
        self.append(&lines)
    }

    /// Adds a last line without an end.
    pub fn finish(&mut self) -> Result<(), TransferError> {
        let rest = std::mem::take(&mut self.pending);
        self.append(&rest)
    }

    fn append(&self, lines: &[u8]) -> Result<(), TransferError> {
        if lines.is_empty() {
            return Ok(());
        }
        let text: Vec<u8> = lines.split_inclusive(|byte| *byte == b'\n').flat_map(|line| self.moved(line)).collect();
        let path = &self.here.output;
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|error| TransferError::write(path, error))?;
        file.write_all(&text).map_err(|error| TransferError::write(path, error))
    }

    /// A line in which the path of an artifact is the one that it has here.
    fn moved(&self, line: &[u8]) -> Vec<u8> {
        let moved = || {
            let mut value: Value = serde_json::from_slice(line).ok()?;
            let path = value.get_mut("artifact")?.get_mut("path")?;
            *path = Value::from(self.path_here(Path::new(path.as_str()?))?.display().to_string());
            let mut text = serde_json::to_vec(&value).ok()?;
            text.push(b'\n');
            Some(text)
        };
        moved().unwrap_or_else(|| line.to_vec())
    }

    fn path_here(&self, there: &Path) -> Option<PathBuf> {
        let folders = [(&self.there.model, &self.here.model), (&self.there.reports, &self.here.reports)];
        folders.into_iter().find_map(|(from, to)| there.strip_prefix(from).ok().map(|place| to.join(place)))
    }
}
