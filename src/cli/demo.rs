//! `trainyard demo`: a sample project through the whole chain, on the screen or, with `--headless`, line by line.
//!
//! How a daemon is started and a screen is opened is handed in: this file only puts the parts in order, and sees to it
//! that nothing is left running behind the demo, however it ends.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::{Failure, failed};
use super::project::{client_as, quoted};
use crate::api::client::{Client, Identity};
use crate::config::TargetKind;
use crate::demo::{
    BATCHES, DemoError, DemoHandles, DemoProject, Recovered, Summary, TemporaryFolder, bad_release, cancel_runs,
    headless, load,
};

/// Where the demo is written when nothing else is said.
const FOLDER: &str = "trainyard-demo";
/// Who gives the demo's commands, as the audit trail names it.
const OPERATOR: &str = "demo";

/// `trainyard demo [--headless [--bad-release]] [--target TARGET] [--dir DIR] [--port PORT]`
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArguments {
    /// No screen: tell every event in a line, and end once the deployed app has answered and was scraped
    #[arg(long)]
    pub headless: bool,
    /// Then deploy a model that refuses what clients send, and end once its alert has brought the release before back
    #[arg(long, requires = "headless")]
    pub bad_release: bool,
    /// The folder of the project; without it `./trainyard-demo`, or for --headless a temporary one
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Where the app runs; without it as processes, which need no engine
    #[arg(long, value_name = "TARGET", value_enum)]
    pub target: Option<DemoTarget>,
    /// The port of the deployed app on loopback; without it, a free one
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
}

/// Where the app of the demo runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DemoTarget {
    /// Processes on this machine
    Process,
    /// Docker Engine
    Docker,
    /// The present context of your kubeconfig; its nodes must share this machine's Docker Engine
    Kubernetes,
}

impl From<DemoTarget> for TargetKind {
    fn from(target: DemoTarget) -> Self {
        match target {
            DemoTarget::Process => Self::Process,
            DemoTarget::Docker => Self::Docker,
            DemoTarget::Kubernetes => Self::Kubernetes,
        }
    }
}

/// Shows the demo. Must not be called from inside of a runtime, and the closures are not either.
///
/// `start_daemon` returns once a daemon answers for the folder; `stop_all` ends the daemon and the app, if they run;
/// `open_screen` returns when the screen is left.
pub fn run(
    arguments: &DemoArguments,
    out: &mut impl Write,
    start_daemon: impl Fn(&Path) -> Result<(), String>,
    stop_all: impl Fn(&Path),
    open_screen: impl FnOnce(DemoHandles) -> Result<(), String>,
) -> Result<(), Failure> {
    if arguments.headless {
        run_headless(arguments, out, start_daemon, stop_all)
    } else {
        run_on_screen(arguments, out, start_daemon, stop_all, open_screen)
    }
}

fn run_headless(
    arguments: &DemoArguments,
    out: &mut impl Write,
    start_daemon: impl Fn(&Path) -> Result<(), String>,
    stop_all: impl Fn(&Path),
) -> Result<(), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    // Listening begins before there is anything that would be left behind.
    let signals = {
        let _inside = runtime.enter();
        Signals::listen().map_err(failed)?
    };
    let (folder, _temporary) = match &arguments.dir {
        Some(folder) => (folder.clone(), None),
        None => {
            let temporary = TemporaryFolder::new().map_err(failure)?;
            (temporary.path().to_owned(), Some(temporary))
        }
    };
    let project = DemoProject::create_or_open(&folder, arguments.port, arguments.target.map(TargetKind::from))
        .map_err(failure)?;
    writeln!(out, "project wine-quality in {}", project.folder().display())?;
    out.flush()?;
    let shown = start_daemon(project.folder())
        .map_err(Failure::Unreachable)
        .and_then(|()| runtime.block_on(follow(&project, arguments.bad_release, signals, out)));
    stop_all(project.folder());
    let (summary, recovered) = shown?;
    write!(out, "{summary}")?;
    if let Some(recovered) = recovered {
        write!(out, "{recovered}")?;
    }
    Ok(())
}

async fn follow(
    project: &DemoProject,
    is_bad: bool,
    mut signals: Signals,
    out: &mut impl Write,
) -> Result<(Summary, Option<Recovered>), Failure> {
    let client = demo_client(project)?;
    let shown = tokio::select! {
        shown = course(project, is_bad, &client, out) => shown,
        () = signals.any() => Err(DemoError::Interrupted),
    };
    cancel_runs(&client).await;
    shown.map_err(failure)
}

async fn course(
    project: &DemoProject,
    is_bad: bool,
    client: &Client,
    out: &mut impl Write,
) -> Result<(Summary, Option<Recovered>), DemoError> {
    let summary = headless(project, client.clone(), out).await?;
    if !is_bad {
        return Ok((summary, None));
    }
    let recovered = bad_release(project, client.clone(), out).await?;
    Ok((summary, Some(recovered)))
}

fn run_on_screen(
    arguments: &DemoArguments,
    out: &mut impl Write,
    start_daemon: impl Fn(&Path) -> Result<(), String>,
    stop_all: impl Fn(&Path),
    open_screen: impl FnOnce(DemoHandles) -> Result<(), String>,
) -> Result<(), Failure> {
    let folder = arguments.dir.clone().unwrap_or_else(|| PathBuf::from(FOLDER));
    let project = Arc::new(
        DemoProject::create_or_open(&folder, arguments.port, arguments.target.map(TargetKind::from))
            .map_err(failure)?,
    );
    let shown = show(&project, start_daemon, open_screen);
    stop_all(project.folder());
    shown?;
    let folder = quoted(&folder);
    writeln!(out, "the demo is stopped, its daemon and its app with it; everything it made is in {folder}")?;
    writeln!(out, "to go on:  cd {folder} && trainyard")?;
    Ok(())
}

fn show(
    project: &Arc<DemoProject>,
    start_daemon: impl Fn(&Path) -> Result<(), String>,
    open_screen: impl FnOnce(DemoHandles) -> Result<(), String>,
) -> Result<(), Failure> {
    // The screen has the main thread, so the load needs one of its own.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(failed)?;
    start_daemon(project.folder()).map_err(Failure::Unreachable)?;
    if project.batches_left() == BATCHES.len() {
        project.register_next_batch().map_err(failure)?;
    }
    let load = runtime.spawn(load::run(project.port()));
    let shown = open_screen(DemoHandles::of(project)).map_err(Failure::Failed);
    load.abort();
    let client = demo_client(project)?;
    runtime.block_on(cancel_runs(&client));
    shown
}

/// The demo asks in a name of its own, so that the audit trail tells it from a person.
fn demo_client(project: &DemoProject) -> Result<Client, Failure> {
    client_as(project.layout(), Identity { name: OPERATOR.to_owned(), ..Identity::default() })
}

/// What tells a program to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn any(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

fn failure(error: DemoError) -> Failure {
    match error {
        DemoError::Client(error) => error.into(),
        DemoError::Output(error) => error.into(),
        DemoError::DaemonEnded => Failure::Unreachable(error.to_string()),
        DemoError::Occupied(_)
        | DemoError::File { .. }
        | DemoError::Port { .. }
        | DemoError::OtherPort { .. }
        | DemoError::Configuration(_)
        | DemoError::NoDeploy(_) => Failure::Usage(error.to_string()),
        _ => Failure::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn arguments(headless: bool, dir: Option<&Path>) -> DemoArguments {
        DemoArguments { headless, bad_release: false, dir: dir.map(Path::to_owned), target: None, port: None }
    }

    #[test]
    fn a_temporary_demo_is_removed_even_when_no_daemon_can_be_started() {
        let (started, stopped) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
        let start = |folder: &Path| {
            assert!(folder.join("trainyard.toml").is_file());
            started.borrow_mut().push(folder.to_owned());
            Err("no daemon today".to_owned())
        };
        let stop = |folder: &Path| stopped.borrow_mut().push(folder.to_owned());
        let ended = run(&arguments(true, None), &mut Vec::new(), start, stop, |_| Ok(())).unwrap_err();
        assert_eq!((ended.code(), ended.to_string()), (3, "no daemon today".to_owned()));
        assert_eq!(*started.borrow(), *stopped.borrow());
        assert!(!started.borrow()[0].exists());
    }

    #[test]
    fn leaving_the_screen_stops_everything_and_says_how_to_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("the demo");
        let stopped = RefCell::new(0);
        let mut out = Vec::new();
        let open = |handles: DemoHandles| {
            // The first batch is registered already.
            assert_eq!((handles.register)().unwrap(), "registered 2023-autumn.csv, 320 rows");
            assert!((handles.break_source)().unwrap().contains("is broken"));
            Ok(())
        };
        run(&arguments(false, Some(&place)), &mut out, |_| Ok(()), |_| *stopped.borrow_mut() += 1, open).unwrap();
        assert_eq!(*stopped.borrow(), 1);
        let said = String::from_utf8(out).unwrap();
        assert!(said.ends_with(&format!("to go on:  cd '{}' && trainyard\n", place.display())), "{said}");
    }

    #[test]
    fn a_folder_of_somebody_else_is_wrong_usage() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "mine").unwrap();
        for headless in [true, false] {
            let arguments = arguments(headless, Some(folder.path()));
            let ended = run(&arguments, &mut Vec::new(), |_| Ok(()), |_| {}, |_| Ok(())).unwrap_err();
            assert_eq!(ended.code(), 2);
        }
    }
}
