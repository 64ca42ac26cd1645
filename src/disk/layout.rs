//! The folder `.trainyard/` of a project, and its sockets in the run-time folder.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::projects::CARD;
use super::runtime::{self, DAEMON_SOCKET};
use super::{FileLock, digest_bytes};
use crate::pipeline::{Attempt, ModelVersion, RunId, StageName};

/// All paths of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    project: PathBuf,
}

impl Layout {
    /// The layout of the project in `folder`, which must exist.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self { project: folder.canonicalize()? })
    }

    /// Makes `.trainyard/`, closed to other users and ignored by git through its own `.gitignore`.
    pub fn create(&self) -> io::Result<()> {
        let state = self.state();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&state)?;
        for folder in ["runs", "models", "images", "releases", "series", "feedback"] {
            fs::create_dir_all(state.join(folder))?;
        }
        let ignore = state.join(".gitignore");
        if !ignore.exists() {
            fs::write(ignore, "*\n")?;
        }
        Ok(())
    }

    /// The project folder, absolute and without symbolic links.
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// `trainyard.toml`.
    pub fn configuration(&self) -> PathBuf {
        self.project.join("trainyard.toml")
    }

    /// `.trainyard/`.
    pub fn state(&self) -> PathBuf {
        self.project.join(".trainyard")
    }

    /// The journal of events.
    pub fn journal(&self) -> PathBuf {
        self.state().join("journal.db")
    }

    /// The lock that the daemon holds for its life.
    pub fn daemon_lock(&self) -> PathBuf {
        self.state().join("daemon.lock")
    }

    /// Where a daemon says who it is, for as long as it runs.
    pub fn daemon_information(&self) -> PathBuf {
        self.state().join("daemon.json")
    }

    /// What the daemon itself has to say.
    pub fn daemon_log(&self) -> PathBuf {
        self.state().join("daemon.log")
    }

    /// All that belongs to one run.
    pub fn run(&self, run: RunId) -> PathBuf {
        self.state().join("runs").join(run.to_string())
    }

    /// The folder of one attempt of a stage: log, index, exit, output, reports.
    pub fn attempt(&self, run: RunId, stage: &StageName, attempt: Attempt) -> PathBuf {
        self.run(run).join(format!("{stage}.{attempt}"))
    }

    /// The folder of a model version.
    pub fn model(&self, version: ModelVersion) -> PathBuf {
        self.state().join("models").join(version.to_string())
    }

    /// Where searches note how far they came, so that one that was killed goes on.
    pub fn searches(&self) -> PathBuf {
        self.state().join("search")
    }

    /// Where images lie, named by their digest.
    pub fn images(&self) -> PathBuf {
        self.state().join("images")
    }

    /// Where releases collect labelled rows.
    pub fn feedback(&self) -> PathBuf {
        self.state().join("feedback")
    }

    /// Where scraped series lie.
    pub fn series(&self) -> PathBuf {
        self.state().join("series")
    }

    /// Where the process target unpacks images and keeps its state.
    pub fn releases(&self) -> PathBuf {
        self.state().join("releases")
    }

    /// The daemon's socket.
    pub fn socket(&self) -> PathBuf {
        self.runtime(DAEMON_SOCKET)
    }

    /// The socket of the process target's host.
    pub fn host_socket(&self) -> PathBuf {
        self.runtime("host.sock")
    }

    /// What the daemon says of itself to those who list projects.
    pub fn project_card(&self) -> PathBuf {
        self.runtime(CARD)
    }

    /// A file in this project's run-time folder.
    fn runtime(&self, name: &str) -> PathBuf {
        self.runtime_folder().join(name)
    }

    /// The run-time folder of this project: where it is noted, else where the environment tells.
    fn runtime_folder(&self) -> PathBuf {
        self.runtime_in(&self.noted_runtime().unwrap_or_else(runtime::by_environment))
    }

    /// The path of a socket must be short, so the folder's name is a digest of the project path.
    fn runtime_in(&self, of_all: &Path) -> PathBuf {
        of_all.join(digest_bytes(self.project.as_os_str().as_encoded_bytes()).short())
    }

    /// Where it is noted in which folder those of all projects lie.
    fn runtime_note(&self) -> PathBuf {
        self.state().join("runtime")
    }

    fn noted_runtime(&self) -> Option<PathBuf> {
        runtime::noted(&self.runtime_note())
    }

    /// Makes the run-time folder of this project, closed to other users, and notes where it is. What is noted stays if it can be
    /// used, for others listen or look there.
    pub fn create_runtime(&self) -> io::Result<()> {
        self.create_runtime_beside(self.noted_runtime())
    }

    /// The same for the daemon or the host when it starts, with its own lock in its hand; `other` is the lock of the other one.
    /// Where that is not held nobody listens, so what was noted counts no more and our own environment does.
    pub fn settle_runtime(&self, other: &Path) -> io::Result<()> {
        let is_used = FileLock::is_held(other).unwrap_or(false);
        self.create_runtime_beside(self.noted_runtime().filter(|_| is_used))
    }

    fn create_runtime_beside(&self, kept: Option<PathBuf>) -> io::Result<()> {
        let chosen = runtime::chosen(kept, runtime::by_environment());
        // The folder first: what is noted and not there is not believed.
        let is_made = runtime::create(&self.runtime_in(&chosen)).is_ok();
        if is_made && self.noted_runtime().as_ref() != Some(&chosen) {
            // Where it cannot be written, we and all others go by what was noted before, or by the environment.
            let _ = runtime::note(&self.runtime_note(), &chosen);
        }
        // Where all will look for it, whatever became of that.
        runtime::create(&self.runtime_folder())
    }

    /// Whether it is noted where the run-time folder is, and whoever listens there need not go elsewhere.
    pub(super) fn is_runtime_settled(&self) -> bool {
        let usual = runtime::by_environment();
        self.noted_runtime().is_some_and(|noted| runtime::chosen(Some(noted.clone()), usual) == noted)
    }

    /// Whether a socket can be in the run-time folder, and whether that is this user's own and nobody else can put anything
    /// into it, if it is there.
    pub fn check_runtime(&self) -> io::Result<()> {
        runtime::check(&self.runtime_folder())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A project, and beside it a folder for sockets that is noted in it.
    fn noting() -> (tempfile::TempDir, Layout, PathBuf) {
        let temporary = tempfile::tempdir().unwrap();
        let project = temporary.path().join("project");
        fs::create_dir(&project).unwrap();
        let layout = Layout::new(&project).unwrap();
        layout.create().unwrap();
        let sockets = temporary.path().join("trainyard");
        fs::DirBuilder::new().mode(0o700).create(&sockets).unwrap();
        runtime::note(&layout.runtime_note(), &sockets).unwrap();
        (temporary, layout, sockets)
    }

    #[test]
    fn all_sockets_are_where_it_is_noted_and_without_a_note_where_the_environment_tells() {
        let (_temporary, layout, sockets) = noting();
        for path in [layout.socket(), layout.host_socket(), layout.project_card()] {
            assert!(path.starts_with(&sockets), "{}", path.display());
        }
        layout.check_runtime().unwrap();
        fs::remove_dir(&sockets).unwrap();
        assert!(layout.socket().starts_with(runtime::by_environment()));
    }

    #[test]
    fn a_copy_of_a_project_finds_no_socket_of_the_original() {
        let (temporary, layout, sockets) = noting();
        let copy = temporary.path().join("copy");
        fs::create_dir(&copy).unwrap();
        let copy = Layout::new(&copy).unwrap();
        copy.create().unwrap();
        fs::copy(layout.runtime_note(), copy.runtime_note()).unwrap();
        assert!(copy.socket().starts_with(&sockets));
        assert_ne!(copy.socket(), layout.socket());
    }

    #[test]
    fn who_starts_goes_where_the_other_one_listens_and_else_by_the_environment() {
        let (_temporary, layout, sockets) = noting();
        let other = layout.state().join("other.lock");
        let held = FileLock::try_acquire(&other).unwrap().unwrap();
        layout.settle_runtime(&other).unwrap();
        assert!(layout.socket().starts_with(&sockets) && layout.socket().parent().unwrap().is_dir());
        drop(held);
        layout.settle_runtime(&other).unwrap();
        let usual = runtime::by_environment();
        assert_eq!(layout.noted_runtime(), Some(usual.clone()));
        assert!(layout.socket().starts_with(usual));
        fs::remove_dir(layout.socket().parent().unwrap()).unwrap();
    }

    #[test]
    fn a_folder_that_was_taken_away_is_noted_no_more_and_one_that_is_there_stays() {
        let (_temporary, layout, sockets) = noting();
        layout.create_runtime().unwrap();
        assert!(layout.is_runtime_settled() && layout.socket().starts_with(&sockets));
        fs::remove_dir_all(&sockets).unwrap();
        assert!(!layout.is_runtime_settled());
        layout.create_runtime().unwrap();
        assert!(layout.is_runtime_settled());
        assert_eq!(layout.noted_runtime(), Some(runtime::by_environment()));
        fs::remove_dir(layout.socket().parent().unwrap()).unwrap();
    }
}
