//! The folder of the demo project: written once, then changed as a person would change it.
//!
//! Writing is idempotent. The marker comes first, so a demo that was cut off while it was written is continued and not
//! refused; what is there already is never overwritten.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::batches::{BATCHES, Batch};
use super::error::DemoError;
use super::repository;
use crate::config::{self, TargetKind};
use crate::disk::{Layout, write_whole};

/// Says that a folder is a demo.
const MARKER: &str = ".trainyard-demo";
/// What is in it.
const MARKER_TEXT: &str = "This folder was made by `trainyard demo`, which continues it.\n";
/// The files of the project, without its configuration.
const FILES: [(&str, &str); 5] = [
    (".gitignore", include_str!("template/gitignore")),
    ("README.md", include_str!("template/README.md")),
    (PAGE, include_str!("template/app/index.html")),
    ("app/samples.json", include_str!("template/app/samples.json")),
    ("tests/run.sh", include_str!("template/tests/run.sh")),
];
const CONFIGURATION: &str = include_str!("template/trainyard.toml");
const PORT: &str = "@PORT@";
const TARGET: &str = "@TARGET@";
/// The file that is broken, and the two forms of one statement in it.
const PAGE: &str = "app/index.html";
const SOUND: &str = "target.textContent = text;";
const BROKEN: &str = "target.innerHTML = text;";

/// The line of the configuration that leaves a column out of the model, and what it becomes when somebody takes it away.
/// Clients of the app do not send that column; see `load`.
const MODEST: &str = "exclude = [\"chlorides\"]";
const DEMANDING: &str = "exclude = []";

/// A demo project on disk.
#[derive(Debug)]
pub struct DemoProject {
    layout: Layout,
    port: u16,
    /// One change at a time, for keys may be pressed faster than a disk writes.
    changing: Mutex<()>,
}

impl DemoProject {
    /// Writes the project into `folder`, which must be absent or empty, or continues the demo that is there. Without a
    /// `port` the app gets a free one, or keeps its own; without a `target` it runs as processes, or where it runs already.
    pub fn create_or_open(folder: &Path, port: Option<u16>, target: Option<TargetKind>) -> Result<Self, DemoError> {
        if !folder.join(MARKER).is_file() {
            refuse_occupied(folder)?;
        }
        let configuration = folder.join(config::FILE_NAME);
        if !configuration.exists() {
            // Before anything is written: a wrong port leaves nothing behind.
            let text = configuration_text(free_port(port)?, target.unwrap_or(TargetKind::Process));
            write_missing(folder, MARKER, MARKER_TEXT)?;
            write_missing(folder, config::FILE_NAME, &text)?;
        }
        for (name, text) in FILES {
            write_missing(folder, name, text)?;
        }
        let layout = prepare(folder)?;
        repository::prepare(layout.project())
            .map_err(|error| DemoError::Git { path: folder.to_owned(), reason: error.message().to_owned() })?;
        let settings = config::load(&layout.configuration())?;
        let configured = settings.deploy().map(|deploy| deploy.port);
        let configured = configured.ok_or_else(|| DemoError::NoDeploy(folder.to_owned()))?;
        if port.is_some_and(|port| port != configured) {
            return Err(DemoError::OtherPort { folder: folder.to_owned(), configured });
        }
        let runs_at = settings.deploy().map(|deploy| deploy.target.kind());
        if let Some(runs_at) = runs_at
            && target.is_some_and(|target| target != runs_at)
        {
            return Err(DemoError::OtherTarget { folder: folder.to_owned(), configured: runs_at.word() });
        }
        Ok(Self { layout, port: configured, changing: Mutex::new(()) })
    }

    /// The project folder, absolute.
    pub fn folder(&self) -> &Path {
        self.layout.project()
    }

    /// The paths of the project.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The port on loopback where the deployed app answers.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many batches have not been registered yet.
    pub fn batches_left(&self) -> usize {
        BATCHES.iter().filter(|batch| !self.data_file(batch).exists()).count()
    }

    /// Puts the next batch into the data folder, and says which.
    pub fn register_next_batch(&self) -> Result<String, DemoError> {
        let _one_at_a_time = self.lock();
        let Some(batch) = BATCHES.iter().find(|batch| !self.data_file(batch).exists()) else {
            return Ok("all batches are registered".to_owned());
        };
        let path = self.data_file(batch);
        // Under a hidden name first, so that nobody sees half of it.
        write_whole(&path, batch.text.as_bytes()).map_err(|source| DemoError::File { path, source })?;
        Ok(format!("registered {}, {} rows", batch.name, batch.rows()))
    }

    /// Breaks the page so that a test fails, or mends it again; says what was done and what will follow.
    pub fn toggle_break(&self) -> Result<String, DemoError> {
        let _one_at_a_time = self.lock();
        let path = self.folder().join(PAGE);
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        let (text, said) = if text.contains(BROKEN) {
            (text.replacen(BROKEN, SOUND, 1), format!("{PAGE} is mended: the next run passes"))
        } else if text.contains(SOUND) {
            let said =
                format!("{PAGE} is broken: a test fails, nothing is built, and the live release goes on serving");
            (text.replacen(SOUND, BROKEN, 1), said)
        } else {
            return Err(DemoError::Edited(PathBuf::from(PAGE)));
        };
        self.save(&path, &text)?;
        Ok(said)
    }

    /// Lets the model learn from a column that clients do not send, or leaves it out again; says what was done and what will
    /// follow. All tests pass either way, for none of them speaks for the clients.
    pub fn toggle_demand(&self) -> Result<String, DemoError> {
        let _one_at_a_time = self.lock();
        let path = self.layout.configuration();
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        let (text, said) = if text.contains(MODEST) {
            let said = "the model learns from `chlorides` too, which clients do not send: the next release passes its tests \
                        and refuses them, until its alert goes back";
            (text.replacen(MODEST, DEMANDING, 1), said)
        } else if text.contains(DEMANDING) {
            let said = "the model does without `chlorides` again: the next release answers its clients";
            (text.replacen(DEMANDING, MODEST, 1), said)
        } else {
            return Err(DemoError::Edited(PathBuf::from(config::FILE_NAME)));
        };
        self.save(&path, &text)?;
        Ok(said.to_owned())
    }

    /// Saves a source file in one step. The temporary file lies where nobody watches, or it would be a change of its own.
    fn save(&self, path: &Path, text: &str) -> Result<(), DemoError> {
        let temporary = self.layout.state().join("demo.partial");
        write_whole(&temporary, text.as_bytes()).map_err(failed(&temporary))?;
        fs::rename(&temporary, path).map_err(failed(path))
    }

    fn data_file(&self, batch: &Batch) -> PathBuf {
        self.folder().join("data").join(batch.name)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> DemoError + use<> {
    let path = path.to_owned();
    move |source| DemoError::File { path, source }
}

/// A folder with files of somebody else is left alone.
fn refuse_occupied(folder: &Path) -> Result<(), DemoError> {
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(DemoError::Occupied(folder.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(folder)(error)),
    }
}

/// The port that was asked for, if nobody listens there, or any free one. Somebody may take it before the app does; then
/// the deploy stage says so.
fn free_port(wanted: Option<u16>) -> Result<u16, DemoError> {
    let port = wanted.unwrap_or(0);
    let taken = |source| DemoError::Port { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(taken)?;
    Ok(listener.local_addr().map_err(taken)?.port())
}

fn configuration_text(port: u16, target: TargetKind) -> String {
    let (word, meaning) = match target {
        TargetKind::Process => {
            ("process", "processes on this machine; the old release serves until the new one is healthy")
        }
        TargetKind::Docker => ("docker", "a container beside the old one, until the new one is healthy"),
        TargetKind::Kubernetes => ("kubernetes", "a Deployment in the present context of your kubeconfig"),
    };
    let target = format!("{:<30}# {meaning}", format!("target = \"{word}\""));
    CONFIGURATION.replace(PORT, &port.to_string()).replace(TARGET, &target)
}

fn write_missing(folder: &Path, name: &str, text: &str) -> Result<(), DemoError> {
    let path = folder.join(name);
    if path.exists() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed(parent))?;
    }
    write_whole(&path, text.as_bytes()).map_err(failed(&path))
}

fn prepare(folder: &Path) -> Result<Layout, DemoError> {
    let data = folder.join("data");
    fs::create_dir_all(&data).map_err(failed(&data))?;
    let layout = Layout::new(folder).map_err(failed(folder))?;
    layout.create().map_err(failed(&layout.state()))?;
    Ok(layout)
}

#[cfg(test)]
#[path = "project_tests.rs"]
mod tests;
