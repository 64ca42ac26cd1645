//! The files of an attempt, which explain themselves: with them alone the journal could be rebuilt.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::tree::ProcessIdentity;
use crate::disk::{FileLock, now, write_whole};
use crate::engine::redact::{Redactor, redact_file, redact_lines};
use crate::pipeline::Moment;

/// What a supervisor is to do, as people and later daemons read it. Values that may be secrets come by [`super::Handed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The program and its arguments, as they are configured.
    pub command: Vec<String>,
    /// The working folder.
    pub folder: PathBuf,
    /// The names of the variables set beside those of the daemon.
    #[serde(default)]
    pub variables: Vec<String>,
    /// Milliseconds between TERM and KILL.
    pub grace: u64,
    /// Milliseconds for which something that the stage left behind may hold the log open.
    pub drain: u64,
    /// Unique to this attempt and in the environment of all its processes, by which they are found when their supervisor is gone.
    pub mark: String,
}

/// The name of the variable that carries [`Job::mark`].
pub const MARK: &str = "TRAINYARD_MARK";

/// Who supervises, written before the stage is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// The supervisor.
    pub supervisor: ProcessIdentity,
    /// When it began.
    pub at: Moment,
}

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code, if it ended by itself.
    pub code: Option<i32>,
    /// The signal, if it was killed.
    pub signal: Option<i32>,
    /// Why it could not even be started.
    pub not_started: Option<String>,
    /// Whether it had been told to stop.
    pub stopped: bool,
    /// Whether something it left behind held the log open.
    pub output_held: bool,
    /// How many processes it left behind, which were ended.
    pub left_behind: u64,
    /// Bytes that could not be written to the log.
    pub log_lost: u64,
    /// Why they could not.
    pub log_error: Option<String>,
    /// Why secrets could not be taken out of files that the stage wrote.
    #[serde(default)]
    pub unredacted: Option<String>,
    /// When it ended.
    pub at: Moment,
}

/// Bytes kept free for the exit file, so that a full disk cannot hide how a stage ended.
const EXIT_RESERVE: usize = 4096;

/// The folder of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFolder(PathBuf);

impl AttemptFolder {
    /// The attempt in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the stage printed, byte for byte.
    pub fn log(&self) -> PathBuf {
        self.0.join("log")
    }

    /// Where lines begin in the log; see [`crate::engine::spool`].
    pub fn index(&self) -> PathBuf {
        self.0.join("index")
    }

    /// What the stage appended for the board.
    pub fn output(&self) -> PathBuf {
        self.0.join("output.jsonl")
    }

    /// The list of the data files on which the stage works.
    pub fn data_list(&self) -> PathBuf {
        self.0.join("data.txt")
    }

    /// JUnit XML.
    pub fn reports(&self) -> PathBuf {
        self.0.join("reports")
    }

    /// Takes secrets out of what the stage wrote itself: its output and its reports.
    pub fn redact(&self, redactor: &Arc<Redactor>) -> io::Result<()> {
        if redactor.is_empty() {
            return Ok(());
        }
        redact_lines(&self.output(), redactor)?;
        for entry in fs::read_dir(self.reports()).into_iter().flatten() {
            redact_file(&entry?.path(), redactor)?;
        }
        Ok(())
    }

    /// The lock that a supervisor holds for its life.
    pub fn lock(&self) -> PathBuf {
        self.0.join("supervisor.lock")
    }

    fn exit_path(&self) -> PathBuf {
        self.0.join("exit.json")
    }

    fn exit_reserve(&self) -> PathBuf {
        self.0.join("exit.reserve")
    }

    /// Writes what is to be done; the daemon does this before it starts the supervisor.
    pub fn write_job(&self, job: &Job) -> io::Result<()> {
        fs::create_dir_all(self.reports())?;
        write_whole(&self.0.join("job.json"), &serde_json::to_vec_pretty(job)?)
    }

    /// What is to be done.
    pub fn job(&self) -> io::Result<Job> {
        read(&self.0.join("job.json"))
    }

    /// Notes who supervises.
    pub fn write_supervision(&self, supervision: &Supervision) -> io::Result<()> {
        write_whole(&self.0.join("supervisor.json"), &serde_json::to_vec(supervision)?)
    }

    /// Who supervises, or did; `None` before any supervisor came that far.
    pub fn supervision(&self) -> Option<Supervision> {
        read(&self.0.join("supervisor.json")).ok()
    }

    /// Takes the space of the exit file.
    pub fn reserve_exit(&self) -> io::Result<File> {
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(self.exit_reserve())?;
        file.write_all(&[b' '; EXIT_RESERVE])?;
        file.sync_all()?;
        Ok(file)
    }

    /// Writes how the stage ended into the reserved space and then gives the file its name.
    pub fn write_exit(&self, reserve: &File, exit: &Exit) -> io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        let mut text = serde_json::to_vec(exit)?;
        if text.len() < EXIT_RESERVE {
            text.resize(EXIT_RESERVE, b' ');
        }
        reserve.write_all_at(&text, 0)?;
        reserve.sync_all()?;
        fs::rename(self.exit_reserve(), self.exit_path())?;
        File::open(&self.0)?.sync_all()
    }

    /// How the stage ended; `None` while nobody has written it.
    pub fn exit(&self) -> Option<Exit> {
        read(&self.exit_path()).ok()
    }

    /// Whether a supervisor has come so far that it noted itself, or has ended.
    pub fn has_begun(&self) -> bool {
        self.exit().is_some() || self.supervision().is_some()
    }

    /// Gives up a supervisor that has not come: one that comes later finds that all is over, and starts nothing. False if one
    /// has come after all.
    pub fn give_up(&self, reason: String) -> io::Result<bool> {
        let Some(_lock) = FileLock::acquire_soon(&self.lock())? else { return Ok(false) };
        if self.has_begun() {
            return Ok(false);
        }
        let exit = Exit { not_started: Some(reason), at: now(), ..Exit::default() };
        self.write_exit(&self.reserve_exit()?, &exit)?;
        Ok(true)
    }

    /// Whether a supervisor holds its lock now.
    pub fn is_supervised(&self) -> bool {
        FileLock::is_held(&self.lock()).unwrap_or(false)
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}
