//! What every command about a project begins with: its layout, its daemon, its state.

use std::path::Path;

use crate::api::client::{Client, ClientError, Identity};
use crate::api::types::{API_VERSION, Live, Snapshot};
use crate::disk::{FileLock, Layout};
use crate::engine::journal::Journal;
use crate::pipeline::State;

use super::failure::{Failure, failed};

/// A variable of the environment that is there and not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Who gives a command, as the audit trail names it; `None` where the environment does not tell, as in a hook. The daemon
/// names the account then.
pub fn operator() -> Option<String> {
    ["TRAINYARD_OPERATOR", "USER", "LOGNAME"].into_iter().find_map(variable)
}

/// Who we are to a daemon. Through SSH we come from where its client is, unless whoever sent us here knows better.
pub fn identity(is_observer: bool) -> Identity {
    let from = variable("TRAINYARD_FROM").or_else(|| first_word(&variable("SSH_CONNECTION")?));
    Identity { name: operator().unwrap_or_default(), from, is_observer }
}

/// Of `SSH_CONNECTION` the first word is the address of the client.
fn first_word(text: &str) -> Option<String> {
    text.split_whitespace().next().map(str::to_owned)
}

/// A client of the project's daemon; nothing is sent yet.
pub fn client(layout: &Layout) -> Result<Client, Failure> {
    client_as(layout, identity(false))
}

/// A client of the project's daemon that comes as `identity`.
pub fn client_as(layout: &Layout, identity: Identity) -> Result<Client, Failure> {
    // In its own words: that no connection broke, for none can be made.
    layout.check_runtime().map_err(|error| Failure::Unreachable(error.to_string()))?;
    Ok(Client::connect(layout, identity)?)
}

/// The layout of the project in `folder`, which must have a configuration.
pub fn layout(folder: &Path) -> Result<Layout, Failure> {
    let layout =
        Layout::new(folder).map_err(|error| Failure::Usage(format!("cannot enter {}: {error}", folder.display())))?;
    if !layout.configuration().is_file() {
        let folder = layout.project().display();
        return Err(Failure::Usage(format!("no trainyard.toml in {folder}; `trainyard init` writes one")));
    }
    Ok(layout)
}

/// Runs a future on a small runtime of its own.
pub fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(future)
}

/// Why nobody answers, if it is not that no daemon runs.
pub fn unheard(layout: &Layout) -> Option<ClientError> {
    FileLock::is_held(&layout.daemon_lock()).unwrap_or(false).then(|| ClientError::unheard(layout))
}

/// The state as the daemon tells it, or, when none is heard, as the journal does.
pub fn state(layout: &Layout) -> Result<(State, Option<Snapshot>), Failure> {
    let client = client(layout)?;
    match block_on(async { Ok(client.snapshot().await) })? {
        Ok(snapshot) => Ok((snapshot.state.clone(), Some(snapshot))),
        Err(ClientError::NotRunning(_) | ClientError::Unheard(_)) if layout.journal().is_file() => {
            let (_, state) = Journal::open(&layout.journal()).map_err(failed)?;
            Ok((state, None))
        }
        Err(ClientError::NotRunning(_) | ClientError::Unheard(_)) => Ok((State::default(), None)),
        Err(error) => Err(error.into()),
    }
}

/// A path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// How `trainyard` is called for this project from the folder in which this was typed.
pub fn call(folder: &Path) -> String {
    if folder == Path::new(".") { "trainyard".to_owned() } else { format!("trainyard -C {}", quoted(folder)) }
}

/// A snapshot without a daemon has nothing that changes.
pub fn resting(layout: &Layout, state: State) -> Snapshot {
    let daemon = crate::api::types::DaemonInformation {
        version: String::new(),
        pid: 0,
        project: crate::config::load(&layout.configuration()).map_or_else(|_| String::new(), |settings| settings.name),
        folder: layout.project().display().to_string(),
        host: String::new(),
        target: None,
        started: crate::pipeline::Moment::default(),
        api: API_VERSION,
        journal: String::new(),
    };
    Snapshot { daemon, state, live: Live::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_says_first_where_its_client_is() {
        assert_eq!(first_word("10.0.0.7 50122 10.0.0.1 22").as_deref(), Some("10.0.0.7"));
        assert_eq!(first_word("  "), None);
    }
}
