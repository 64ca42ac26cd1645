//! The screen of a project, and of the one that is switched to; the daemon is started if none runs, and whoever has no
//! valid configuration is led to one.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::failure::{Failure, failed};
use super::plain::{self, Look};
use super::project::{call, client_as, identity, layout};
use super::{first_run, projects, up};
use crate::disk::FileLock;
use crate::tui::{self, DemoHooks, Left, Options, TuiError};

/// Opens the screen, and says after it what goes on. An observer changes nothing, so no daemon is started for one.
pub fn open(folder: &Path, is_observer: bool, look: Look, out: &mut impl Write) -> Result<(), Failure> {
    if look.is_in_lines() {
        let layout = layout(folder)?;
        if !is_observer {
            up::start(&layout)?;
        }
        let client = client_as(&layout, identity(is_observer))?;
        return plain::open(client, Options { is_ascii: look.ascii, ..Options::default() }, is_observer);
    }
    let mut folder = folder.to_owned();
    loop {
        // Whoever only watches writes no configuration.
        if !is_observer && !first_run::lead(&folder, look.ascii)? {
            return Ok(());
        }
        let options = Options { projects: Some(Arc::new(projects::rows)), is_ascii: look.ascii, ..Options::default() };
        match show(&folder, is_observer, options)? {
            Left::Detached => return if is_observer { Ok(()) } else { farewell(&folder, out) },
            Left::Switch(other) => folder = other,
        }
    }
}

/// An empty prompt would leave open whether anything still runs. Somebody else may have ended the daemon meanwhile.
fn farewell(folder: &Path, out: &mut impl Write) -> Result<(), Failure> {
    let call = call(folder);
    if !FileLock::is_held(&layout(folder)?.daemon_lock()).unwrap_or(true) {
        writeln!(out, "the daemon has ended; `{call}` starts it again")?;
        return Ok(());
    }
    writeln!(out, "the daemon and all that it runs go on; `{call}` comes back, `{call} down --all` stops all of it")?;
    Ok(())
}

/// Opens the screen with the keys of the demo, which has one project.
pub fn open_demo(folder: &Path, demo: DemoHooks) -> Result<(), Failure> {
    show(folder, false, Options { demo: Some(demo), ..Options::default() }).map(drop)
}

fn show(folder: &Path, is_observer: bool, options: Options) -> Result<Left, Failure> {
    let layout = layout(folder)?;
    if !is_observer {
        up::start(&layout)?;
    }
    let client = client_as(&layout, identity(is_observer))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    let shown = runtime.block_on(async {
        if is_observer {
            // Said on the line, in place of a screen that waits for a daemon which nobody has started.
            client.hello().await?;
        }
        Ok::<_, Failure>(tui::run(client, options).await)
    });
    // A task that still waits for an answer must not hold the terminal's owner up.
    runtime.shutdown_background();
    shown?.map_err(|error| failure_of(&error))
}

/// How a command ends whose screen ended so.
pub fn failure_of(error: &TuiError) -> Failure {
    match error {
        TuiError::NotATerminal => Failure::Usage(error.to_string()),
        TuiError::Signal { signal } => Failure::Said(u8::try_from(128 + signal).unwrap_or(1)),
        TuiError::Lost => Failure::Said(129),
        TuiError::Terminal(_) | TuiError::Broken => Failure::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::disk::Layout;

    #[test]
    fn whoever_leaves_is_told_what_goes_on_and_not_that_a_daemon_does_which_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        fs::write(layout.configuration(), "").unwrap();
        let told = || {
            let mut out = Vec::new();
            farewell(folder.path(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(told().starts_with("the daemon has ended; `trainyard -C "), "{}", told());
        let _lock = FileLock::try_acquire(&layout.daemon_lock()).unwrap().unwrap();
        assert!(told().starts_with("the daemon and all that it runs go on; "), "{}", told());
    }
}
