//! Seeing what changes: the source, the data folder and the configuration, reported as facts to the engine.
//!
//! One thread owns everything (the kernel's watches, the settling data files, the digests of the source) and sends
//! [`Report`]s. Folders are watched, never files, for editors replace the file; each folder on its own, never recursively,
//! so that ignored folders and our own cost nothing.
//!
//! **Invariant:** a data file is reported only once it is complete: closed by every writer, quiet for the settle time, with a
//! readable header, and equal before and after it was digested.

mod data;
mod fast_forward;
mod filesystem;
mod folders;
mod open_files;
mod pointers;
mod repository;
mod source;
mod worker;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

pub use data::data_files;
pub use fast_forward::{Advance, FollowError, FollowedBranch};
pub use filesystem::network as network_filesystem;
pub use pointers::is_lfs_pointer;
pub use repository::{RepositoryError, checkout, is_bare};
pub use worker::WatchError;

use crate::api::types::WatchHealth;
use crate::pipeline::{Inputs, StageName, Trigger};

/// Variables by which git tells programs that it starts, such as hooks, of one repository. Whoever goes on to work on another
/// must not hand them down.
pub const GIT_VARIABLES: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_GRAFT_FILE",
    "GIT_SHALLOW_FILE",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_REFLOG_ACTION",
    "GIT_PUSH_OPTION_COUNT",
];

/// What the watcher has seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Data and source are in this state.
    Observed {
        /// The state.
        inputs: Inputs,
        /// What seems to have changed; `None` for the first look.
        cause: Option<Trigger>,
    },
    /// A data file was held back.
    Refused {
        /// Its name.
        file: String,
        /// Why.
        reason: String,
    },
    /// These data files are all that are held back.
    HeldBack(BTreeSet<String>),
    /// `trainyard.toml` changed.
    Settings,
    /// The watcher itself is in this state.
    Health(WatchHealth),
    /// What of the source is not really there, if something is not.
    Incomplete(Option<String>),
    /// Something that people should know.
    Note(String),
}

/// What of the source counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The files of the work tree, whenever one is saved.
    Saves,
    /// The commits of HEAD or the branch, where there is a repository.
    Commits,
    /// The same, and a repository must be there.
    Pushes,
    /// The files of the work tree; in a bare repository, its commits.
    Nothing,
}

impl Follow {
    /// Whether only commits count, whatever the repository is.
    pub fn is_by_commit(self) -> bool {
        matches!(self, Self::Commits | Self::Pushes)
    }
}

/// Which part of the source a stage depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageGlobs {
    /// The stage.
    pub stage: StageName,
    /// Globs of its files; empty means all.
    pub globs: Vec<String>,
}

/// Whether a data file is fit to be registered: its rows, or why not.
pub type Verify = Arc<dyn Fn(&Path) -> Result<u64, String> + Send + Sync>;

/// What is watched.
#[derive(Clone)]
pub struct Watched {
    /// The configuration file.
    pub configuration: PathBuf,
    /// The source tree.
    pub source: PathBuf,
    /// What of it counts.
    pub follow: Follow,
    /// The branch whose commits count; `None` is that of HEAD.
    pub branch: Option<String>,
    /// Globs ignored beyond `.gitignore`.
    pub ignore: Vec<String>,
    /// Which parts of it matter to whom.
    pub stages: Vec<StageGlobs>,
    /// The data folder.
    pub data: PathBuf,
    /// Globs of the data files that count.
    pub include: Vec<String>,
    /// Quiet time before a closed data file counts as complete.
    pub settle: Duration,
    /// Judges a data file.
    pub verify: Verify,
    /// What `verify` goes by: when this file changes, every data file is judged anew. It is no part of the source.
    pub contract: PathBuf,
    /// Our own folder: never watched but for the probe file in it.
    pub own: PathBuf,
}

pub(crate) enum Message {
    Notify(notify::Result<notify::Event>),
    End,
}

/// A running watcher; dropping it ends its thread.
pub struct Watcher {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts to watch. The first report of inputs has no cause.
    pub fn start(watched: Watched, report: impl Fn(Report) + Send + 'static) -> Result<Self, WatchError> {
        let (messages, receiver) = channel();
        let worker = worker::Worker::new(watched, messages.clone(), Box::new(report))?;
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || worker.run(&receiver))
            .map_err(WatchError::Thread)?;
        Ok(Self { messages, thread: Some(thread) })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.messages.send(Message::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
