//! `trainyard up` and `trainyard down`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::confirm;
use super::failure::{Failure, failed};
use super::inherited;
use super::project::{block_on, call, client, layout, resting, state, unheard};
use crate::api::client::{Client, ClientError};
use crate::api::types::Snapshot;
use crate::disk::{FileLock, Layout};
use crate::engine::release_host::ReleaseHost;

/// How long a daemon may take to answer after its start.
const START: Duration = Duration::from_secs(30);
/// How long it may take to end.
const STOP: Duration = Duration::from_secs(30);
/// How long another one may take to answer that holds the lock, from when ours has ended because of it; and to end, if it is
/// on its way.
const OTHER: Duration = Duration::from_secs(10);
/// How often it is asked meanwhile.
const EVERY: Duration = Duration::from_millis(20);

/// Starts the daemon unless one runs, and says which.
pub fn up(folder: &Path, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let is_new = start(&layout)?;
    let word = if is_new { "started" } else { "runs already" };
    writeln!(out, "daemon {word} for {}", layout.project().display())?;
    Ok(())
}

/// Starts the daemon unless one answers, and waits until it does. Whether it was started now.
pub fn start(layout: &Layout) -> Result<bool, Failure> {
    let client = client(layout)?;
    // One that runs is not in need of a configuration that can be read now.
    if block_on(async { Ok(client.hello().await.is_ok()) })? {
        return Ok(false);
    }
    // Said at once and whole, in place of the tail of a log.
    crate::config::load(&layout.configuration()).map_err(|error| Failure::Usage(error.to_string()))?;
    let at = |error: std::io::Error| {
        Failure::Unreachable(format!(
            "cannot write {}: {error}; trainyard keeps its journal and logs there, so the project folder must be writable",
            layout.state().display()
        ))
    };
    layout.create().map_err(at)?;
    let log = OpenOptions::new().create(true).append(true).open(layout.daemon_log()).map_err(at)?;
    let said_before = log.metadata().map_err(at)?.len();
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    inherited::leave_out(&mut command);
    command
        .arg("-C")
        .arg(layout.project())
        .arg("daemon")
        .current_dir(layout.project())
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(at)?)
        .stderr(log)
        .process_group(0);
    let mut spawn =
        || command.spawn().map_err(|error| Failure::Unreachable(format!("cannot start the daemon: {error}")));
    let heard = match until_heard(layout, &client, &mut spawn()?)? {
        // One that was about to end held its place.
        Heard::Nobody { other_ended: true } => until_heard(layout, &client, &mut spawn()?)?,
        heard => heard,
    };
    match heard {
        Heard::Daemon { is_child } => Ok(is_child),
        Heard::Nobody { .. } => Err(Failure::Unreachable(said(layout, said_before))),
    }
}

/// Who is there once a daemon was started.
enum Heard {
    /// One that answers: the one that was started, or one that was faster.
    Daemon { is_child: bool },
    /// None: ours has ended, and so has the other in whose favour it did, if there was one.
    Nobody { other_ended: bool },
}

/// Waits until a daemon answers, `child` or one that was faster, or none is left.
fn until_heard(layout: &Layout, client: &Client, child: &mut Child) -> Result<Heard, Failure> {
    let mut deadline = Instant::now() + START;
    let (mut has_ended, mut has_seen_other) = (false, false);
    loop {
        match block_on(async { Ok(client.snapshot().await) })? {
            // Another `up` may have won the race; then its daemon serves us as well.
            Ok(snapshot) => return Ok(Heard::Daemon { is_child: snapshot.daemon.pid == child.id() }),
            Err(error @ (ClientError::NotRunning(_) | ClientError::Unheard(_) | ClientError::Broken(_))) => {
                if Instant::now() >= deadline {
                    return Err(unheard(layout).unwrap_or(error).into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        if !has_ended && child.try_wait().map_err(failed)?.is_some() {
            has_ended = true;
            // It found another one, which may just be starting, or runs and will never be heard.
            deadline = deadline.min(Instant::now() + OTHER);
        }
        if has_ended && unheard(layout).is_none() {
            if block_on(async { Ok(client.snapshot().await.is_ok()) })? {
                return Ok(Heard::Daemon { is_child: false });
            }
            return Ok(Heard::Nobody { other_ended: has_seen_other });
        }
        has_seen_other |= has_ended;
        std::thread::park_timeout(EVERY);
    }
}

/// What the daemon wrote since.
fn said(layout: &Layout, from: u64) -> String {
    let text = fs::read(layout.daemon_log()).unwrap_or_default();
    let from = usize::try_from(from).unwrap_or(0).min(text.len());
    let text = String::from_utf8_lossy(&text[from..]).trim().to_owned();
    let text = text.strip_prefix("trainyard: ").unwrap_or(&text).to_owned();
    if text.is_empty() { format!("the daemon ended at once; see {}", layout.daemon_log().display()) } else { text }
}

/// What is stopped.
#[derive(Debug, Clone, clap::Args)]
pub struct DownArguments {
    /// Stop the deployed app too
    #[arg(long)]
    pub all: bool,
    /// Do not ask
    #[arg(long, requires = "all")]
    pub yes: bool,
    /// The project's name, which production wants where nobody can be asked
    #[arg(long, value_name = "NAME", requires = "all")]
    pub confirm: Option<String>,
}

/// Stops the daemon, and if it is wanted the deployed app, after saying what stops serving.
pub fn down(folder: &Path, arguments: &DownArguments, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    // What cannot be read must not keep anybody from stopping it.
    let (state, snapshot) = state(&layout).unwrap_or_default();
    let goes_on = snapshot.as_ref().and_then(serving);
    if arguments.all {
        let snapshot = snapshot.unwrap_or_else(|| resting(&layout, state));
        confirm::stop(&layout, &snapshot, arguments.confirm.as_deref(), arguments.yes)?;
    }
    stop_daemon(&layout, arguments.all, out)?;
    if arguments.all {
        return stop_app(layout, out);
    }
    if let Some(serving) = goes_on {
        writeln!(out, "{serving} goes on serving; `{} down --all` stops it too", call(folder))?;
    }
    Ok(())
}

/// What serves by the daemon's last word, and where.
fn serving(snapshot: &Snapshot) -> Option<String> {
    let live = snapshot.state.live_release()?;
    let serves = snapshot.live.target.as_ref().is_none_or(|report| report.serving);
    let place = live.address.as_ref().map(|address| format!(" at {address}")).unwrap_or_default();
    serves.then(|| format!("release {}{place}", live.id))
}

/// Stops both, asking nobody.
pub fn down_all(folder: &Path, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    stop_daemon(&layout, true, out)?;
    stop_app(layout, out)
}

fn stop_daemon(layout: &Layout, with_app: bool, out: &mut impl Write) -> Result<(), Failure> {
    let client = client(layout)?;
    let deadline = Instant::now() + OTHER;
    loop {
        match block_on(async { Ok(client.end(with_app).await) })? {
            Ok(()) => break,
            Err(ClientError::NotRunning(_)) => {
                writeln!(out, "no daemon runs for {}", layout.project().display())?;
                return Ok(());
            }
            // It may be about to begin or to end.
            Err(ClientError::Unheard(_)) if Instant::now() < deadline => std::thread::park_timeout(EVERY),
            Err(error) => return Err(error.into()),
        }
    }
    let deadline = Instant::now() + STOP;
    while FileLock::is_held(&layout.daemon_lock()).unwrap_or(false) {
        if Instant::now() > deadline {
            return Err(Failure::Unreachable("the daemon does not end; its log may say why".to_owned()));
        }
        std::thread::park_timeout(EVERY);
    }
    writeln!(out, "daemon stopped")?;
    Ok(())
}

/// Takes the deployed app out of service, wherever it runs. What is left of it is an error, for it may go on serving.
fn stop_app(layout: Layout, out: &mut impl Write) -> Result<(), Failure> {
    let host = ReleaseHost::new(layout, std::env::current_exe()?);
    let farewell = block_on(async { Ok(host.stop().await) })?.map_err(Failure::Unreachable)?;
    for note in &farewell.notes {
        writeln!(out, "{note}")?;
    }
    if !farewell.left.is_empty() {
        let left = farewell.left.join("; ");
        return Err(Failure::Unreachable(format!("{left}; `trainyard down --all` tries it again")));
    }
    writeln!(out, "nothing of the app runs any more")?;
    Ok(())
}
