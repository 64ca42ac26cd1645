//! The daemon of one project: its parts, put together, started and ended in order.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

use super::alerting::Alerting;
use super::core::{self, CoreHandle, pending_effects};
use super::data_verify::DataVerifier;
use super::disk_watch::{self, DiskReadings};
use super::door::Door;
use super::effects::{CurrentSettings, Effects, current};
use super::holder;
use super::journal::{Journal, JournalError};
use super::monitoring::Monitoring;
use super::notify;
use super::past::Archive;
use super::release_host::ReleaseHost;
use super::releases;
use super::remote_poll;
use super::schedule;
use super::status::Status;
use crate::api::types::{API_VERSION, DaemonInformation};
use crate::config::{self, LoadError, Settings, SourceTrigger};
use crate::disk::{FileLock, Layout, ProjectCard, now, write_whole};
use crate::monitor::expression_refusal;
use crate::pipeline::{Input, RunId, Trigger};
use crate::target::host::host_lock;
use crate::watch::{Follow, Report, StageGlobs, Watched, Watcher};

/// Why a daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// One runs already.
    #[error("a daemon already runs for {0}; `trainyard` opens its screen, `trainyard down` stops it")]
    Running(PathBuf),
    /// Our folder cannot be made.
    #[error(
        "cannot write {path}: {source}; trainyard keeps its journal and logs there, so the project folder must be writable"
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The configuration is wrong.
    #[error(transparent)]
    Configuration(#[from] LoadError),
    /// The journal is not usable.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The system does not give what is needed.
    #[error("the system refuses what the daemon needs: {0}")]
    System(io::Error),
}

/// A running daemon, without its server.
pub struct Daemon {
    /// Who it is.
    pub information: DaemonInformation,
    /// The project.
    pub layout: Layout,
    /// The one writer.
    pub core: CoreHandle,
    /// Everything as it was.
    pub archive: Archive,
    /// What changes often.
    pub status: Status,
    /// Charts.
    pub monitoring: Monitoring,
    /// Alerts.
    pub alerting: Alerting,
    /// What runs releases.
    pub host: ReleaseHost,
    /// What the disks have free.
    pub disks: DiskReadings,
    watcher: Arc<Mutex<Option<Watcher>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    _lock: FileLock,
}

impl Daemon {
    /// Starts everything but the server. `program` is this binary, which supervisors and stages are started from.
    pub async fn start(folder: &Path, program: PathBuf) -> Result<Self, DaemonError> {
        let at = |path: PathBuf| move |source| DaemonError::Folder { path, source };
        let layout = Layout::new(folder).map_err(at(folder.to_owned()))?;
        // Before anything is made: a folder without a valid configuration is no project.
        let settings = config::load_judged(&layout.configuration(), &expression_refusal)?;
        layout.create().map_err(at(layout.state()))?;
        let lock = FileLock::acquire_soon(&layout.daemon_lock())
            .map_err(at(layout.daemon_lock()))?
            .ok_or_else(|| DaemonError::Running(layout.project().to_owned()))?;
        // Until it is said who we are, nobody must be sent to the process that was there before.
        let _ = fs::remove_file(layout.daemon_information());
        layout.settle_runtime(&host_lock(&layout)).map_err(at(layout.socket()))?;
        let (journal, state) = Journal::open(&layout.journal())?;
        set_unknown_runs_aside(&layout, state.last_run).map_err(at(layout.state()))?;
        let pending = pending_effects(&state);
        let live_release = state.live.is_some();
        let information = information(&layout, &settings, journal.identity());
        write_whole(&layout.daemon_information(), &serde_json::to_vec(&information).unwrap_or_default())
            .map_err(at(layout.state()))?;
        ProjectCard::leave(&layout, &information.project).map_err(at(layout.project_card()))?;
        let settings = Arc::new(settings);
        let door = Door::of(settings.clone(), layout.project());
        let status = Status::default().behind(door.clone());
        let (effects, receiver) = mpsc::unbounded_channel();
        let told = status.clone();
        let complain = move |subject: &str, problem| told.problem(subject, problem);
        let (core, thread) = core::start(journal, state, effects.clone(), complain).map_err(DaemonError::System)?;
        let core = core.behind(door);
        let port = settings.deploy().map(|deploy| deploy.port);
        let graph = settings.graph.clone();
        let settings: CurrentSettings = Arc::new(RwLock::new(settings));
        let host = ReleaseHost::new(layout.clone(), program.clone()).redacting(settings.clone());
        if let Some(port) = port.filter(|_| live_release) {
            // What was live is brought back before anything new is decided.
            if !host.is_running() {
                status.problem("release", host.ensure(port).await.err());
            }
        }
        let worker = Effects {
            layout: layout.clone(),
            settings: settings.clone(),
            core: core.clone(),
            status: status.clone(),
            program,
            host: host.clone(),
        };
        tokio::spawn(worker.run(receiver));
        for effect in pending {
            let _ = effects.send(effect);
        }
        core.input(Input::Configured(graph));
        let alerting = Alerting::new(settings.clone(), core.clone(), status.clone(), layout.clone());
        let alerted = alerting.clone();
        let monitoring =
            Monitoring::new(settings.clone(), core.clone(), status.clone(), host.clone(), &layout, alerted);
        tokio::spawn(monitoring.clone().run());
        tokio::spawn(releases::watch(layout.clone(), host.clone(), status.clone(), settings.clone()));
        tokio::spawn(notify::run(layout.clone(), settings.clone(), core.clone(), status.clone()));
        tokio::spawn(holder::watch(core.clone()));
        let disks = DiskReadings::default();
        tokio::spawn(disk_watch::watch(layout.clone(), settings.clone(), core.clone(), status.clone(), disks.clone()));
        let (reloads, reloaded) = tokio::sync::watch::channel(());
        tokio::spawn(remote_poll::follow(layout.clone(), settings.clone(), status.clone(), reloaded.clone()));
        let has_looked = Arc::new(AtomicBool::new(false));
        let looked = has_looked.clone();
        tokio::spawn(schedule::keep(layout.clone(), settings.clone(), core.clone(), status.clone(), reloaded, looked));
        let watcher = Arc::new(Mutex::new(None));
        let watching = Watching {
            layout: layout.clone(),
            settings,
            verifier: Arc::new(DataVerifier::new(status.clone())),
            core: core.clone(),
            status: status.clone(),
            watcher: watcher.clone(),
            reloading: Arc::default(),
            reloads,
            has_looked,
        };
        watching.start(None);
        let thread = Mutex::new(Some(thread));
        let archive = Archive::new(layout.journal());
        Ok(Self {
            information,
            layout,
            core,
            archive,
            status,
            monitoring,
            alerting,
            host,
            disks,
            watcher,
            thread,
            _lock: lock,
        })
    }

    /// Ends everything but the stages and releases, which go on without it.
    pub fn end(&self) {
        drop(self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.core.end();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
        let _ = fs::remove_file(self.layout.socket());
        let _ = fs::remove_file(self.layout.daemon_information());
        ProjectCard::take_away(&self.layout);
    }
}

/// Folders of runs that the journal has not heard of belong to another journal, which was moved away or replaced by a copy.
/// Their results must not pass for those of runs to come that get the same numbers.
fn set_unknown_runs_aside(layout: &Layout, last: RunId) -> io::Result<()> {
    let runs = layout.state().join("runs");
    let aside = layout.state().join(format!("runs.before.{}", now().0));
    for entry in fs::read_dir(&runs)?.flatten() {
        let is_unknown =
            entry.file_name().to_str().and_then(|name| name.parse().ok()).is_some_and(|run: u64| run > last.0);
        if is_unknown {
            fs::create_dir_all(&aside)?;
            fs::rename(entry.path(), aside.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn information(layout: &Layout, settings: &Settings, journal: &str) -> DaemonInformation {
    let target = settings.deploy().map(|deploy| deploy.target.kind().word().to_owned());
    DaemonInformation {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        project: settings.name.clone(),
        folder: layout.project().display().to_string(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        target,
        started: now(),
        api: API_VERSION,
        journal: journal.to_owned(),
    }
}

/// How long after a watcher could not be made it is tried again.
const WATCH_AGAIN: Duration = Duration::from_secs(5);

/// The watcher, and what it is made anew with.
#[derive(Clone)]
struct Watching {
    layout: Layout,
    settings: CurrentSettings,
    verifier: Arc<DataVerifier>,
    core: CoreHandle,
    status: Status,
    watcher: Arc<Mutex<Option<Watcher>>>,
    reloading: Arc<Mutex<()>>,
    /// Tells those who wait of other settings.
    reloads: tokio::sync::watch::Sender<()>,
    /// Whether data and source were seen by this daemon.
    has_looked: Arc<AtomicBool>,
}

impl Watching {
    /// Starts the watcher anew for the present settings. Its first look has no cause of its own: what differs, differs by
    /// what made it anew.
    fn start(&self, first: Option<Trigger>) {
        let watched = watched(&self.layout, &current(&self.settings), &self.verifier);
        let (this, cause) = (self.clone(), first.clone());
        // What is there now says it again.
        self.status.problem("source", None);
        match Watcher::start(watched, move |report| this.take(report, cause.as_ref())) {
            Ok(watcher) => {
                self.status.problem("watch", None);
                let former = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).replace(watcher);
                // Outside of the lock, for it waits for the former's thread.
                drop(former);
            }
            Err(error) => {
                self.status.problem("watch", Some(error.to_string()));
                let this = self.clone();
                // Whoever follows the advice need not do more than that.
                let again = move || {
                    std::thread::park_timeout(WATCH_AGAIN);
                    this.start(first);
                };
                let _ = std::thread::Builder::new().name("watch-again".to_owned()).spawn(again);
            }
        }
    }

    fn take(&self, report: Report, first: Option<&Trigger>) {
        match report {
            Report::Observed { inputs, cause } => {
                let is_data = matches!(cause, Some(Trigger::Data { .. }));
                let automatic = is_data || current(&self.settings).source.trigger != SourceTrigger::Manual;
                self.core.input(Input::Observed { inputs, cause: cause.or_else(|| first.cloned()), automatic });
                // Behind it: whoever waits for this works on what was seen.
                self.has_looked.store(true, Ordering::Release);
            }
            Report::Refused { file, reason } => self.core.input(Input::DataRefused { file, reason }),
            Report::HeldBack(files) => self.core.input(Input::HeldBack(files)),
            Report::Incomplete(what) => self.status.problem("source", what),
            Report::Health(health) => self.status.watch(health),
            Report::Note(text) => self.core.input(Input::Note(text)),
            Report::Settings => {
                let this = self.clone();
                // Not on the watcher's own thread, which ends when it is replaced.
                let _ = std::thread::Builder::new().name("settings".to_owned()).spawn(move || this.reload());
            }
        }
    }

    fn reload(&self) {
        // Two saves in a row are taken one after the other, and the later file is what is read last.
        let _one_at_a_time = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        match config::load_judged(&self.layout.configuration(), &expression_refusal) {
            Ok(new) => {
                self.status.problem("configuration", None);
                if *current(&self.settings) == new {
                    return;
                }
                let (graph, new) = (new.graph.clone(), Arc::new(new));
                self.core.door().follow(new.clone());
                *self.settings.write().unwrap_or_else(PoisonError::into_inner) = new;
                self.reloads.send_replace(());
                self.core.input(Input::Configured(graph));
                self.start(Some(Trigger::Settings));
            }
            Err(error) => {
                let first = error.to_string().lines().next().unwrap_or_default().to_owned();
                let text =
                    format!("{first}; the former configuration stays in force, `trainyard check` shows all errors");
                self.status.problem("configuration", Some(text));
            }
        }
    }
}

fn watched(layout: &Layout, settings: &Settings, verifier: &Arc<DataVerifier>) -> Watched {
    let absolute = |path: &Path| {
        let path = layout.project().join(path);
        path.canonicalize().unwrap_or(path)
    };
    let stages = settings.stages.iter().filter(|stage| stage.spec.uses_source);
    let contract = layout.project().join(&settings.data.contract);
    let data = absolute(&settings.data.path);
    let (verifier, by, root) = (verifier.clone(), contract.clone(), data.clone());
    Watched {
        configuration: layout.configuration(),
        source: absolute(&settings.source.path),
        follow: match settings.source.trigger {
            SourceTrigger::Save => Follow::Saves,
            SourceTrigger::Commit => Follow::Commits,
            SourceTrigger::Push => Follow::Pushes,
            SourceTrigger::Manual => Follow::Nothing,
        },
        branch: settings.source.branch.clone(),
        ignore: settings.source.ignore.clone(),
        stages: stages
            .map(|stage| StageGlobs { stage: stage.spec.name.clone(), globs: stage.inputs.clone() })
            .collect(),
        data,
        include: settings.data.include.clone(),
        settle: settings.data.settle,
        verify: Arc::new(move |file: &Path| verifier.judge(&root, &by, file)),
        contract,
        own: layout.state(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_runs_that_the_journal_does_not_know_are_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        for run in 1..=3 {
            fs::create_dir_all(layout.run(RunId(run))).unwrap();
        }
        set_unknown_runs_aside(&layout, RunId(2)).unwrap();
        assert_eq!([1, 2, 3].map(|run| layout.run(RunId(run)).exists()), [true, true, false]);
        let names: Vec<_> = fs::read_dir(layout.state()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert!(names.iter().any(|name| name.to_string_lossy().starts_with("runs.before.")), "{names:?}");
    }
}
