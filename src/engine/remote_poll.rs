//! The remote of the source: fetched at its pace with the user's own git, and the branch moved on, never back.
//!
//! The program is git's own, for only that knows the user's keys, helpers and proxies. Nobody is there to be asked, so it is
//! not to ask; it is ended with all that it started when it takes too long; and of what it says the end is kept.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::watch::Receiver;

use super::effects::{CurrentSettings, current};
use super::status::Status;
use super::supervisor::SERVICE_VARIABLES;
use crate::config::{RemoteSettings, SourceSettings};
use crate::disk::Layout;
use crate::watch::{Advance, FollowError, FollowedBranch, GIT_VARIABLES};

/// The subject under which the board tells of a remote that cannot be followed.
const SUBJECT: &str = "remote";
/// How long git may take: a first fetch over a slow line, but not a server that never answers.
const LIMIT: Duration = Duration::from_mins(5);
/// How long the last words of git may take behind its end: a master of ssh that goes on keeps its output open.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// The most that is kept of what git says, in bytes.
const SAID: usize = 16 * 1024;
/// The longest time between two looks when they fail, unless it is said to be longer.
const LONGEST: Duration = Duration::from_mins(15);

/// Why the branch was not brought to where the remote has it.
#[derive(Debug, thiserror::Error)]
enum PollError {
    #[error("git cannot be started, and only it can fetch: {0}; install it, or remove `remote` from [source]")]
    NoGit(io::Error),
    #[error("`git {command}` in {path} did not end within {} s and was ended; try it there by hand", LIMIT.as_secs())]
    TimedOut { command: String, path: PathBuf },
    #[error("`git {command}` in {path} failed: {said}; try it there by hand")]
    Failed { command: String, path: PathBuf, said: String },
    #[error(transparent)]
    Branch(#[from] FollowError),
}

/// Looks at the remote again and again, as the settings of that moment say, until the daemon ends.
pub(super) async fn follow(layout: Layout, settings: CurrentSettings, status: Status, mut reloaded: Receiver<()>) {
    let mut failures = 0;
    loop {
        let source = current(&settings).source.clone();
        let wait = match &source.remote {
            None => {
                status.problem(SUBJECT, None);
                None
            }
            Some(remote) => {
                let failed = look(&layout.project().join(&source.path), &source, remote).await.err();
                failures = if failed.is_some() { failures + 1 } else { 0 };
                status.problem(SUBJECT, failed.map(|error| without_credentials(&error.to_string())));
                Some(pause(remote.poll, failures))
            }
        };
        let pause = async {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = pause => {}
            changed = reloaded.changed() => match changed {
                Ok(()) => failures = 0,
                // The daemon ends.
                Err(_) => return,
            },
        }
    }
}

/// The time to the next look: what fails again and again is asked less and less often.
fn pause(poll: Duration, failures: u32) -> Duration {
    poll.saturating_mul(1 << failures.min(10)).min(LONGEST.max(poll))
}

/// One look: fetch, and move on.
async fn look(path: &Path, source: &SourceSettings, remote: &RemoteSettings) -> Result<(), PollError> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // An open repository is not kept while git works on it.
    let (branch, fetched, has_own_ssh) = {
        let followed = FollowedBranch::open(&path, source.branch.as_deref())?;
        (followed.branch().to_owned(), followed.fetched(), followed.has_own_ssh())
    };
    let refs = format!("+refs/heads/{branch}:{fetched}");
    git(&path, has_own_ssh, &["fetch", "--quiet", "--no-tags", "--", &remote.name, &refs]).await?;
    match FollowedBranch::open(&path, Some(&branch)).and_then(|followed| followed.advance())? {
        Advance::Done => Ok(()),
        Advance::Merge => git(&path, has_own_ssh, &["merge", "--quiet", "--ff-only", &fetched]).await,
    }
}

/// Runs git in the repository at `path`.
async fn git(path: &Path, has_own_ssh: bool, arguments: &[&str]) -> Result<(), PollError> {
    let shown = arguments.iter().filter(|word| !word.starts_with("--")).copied().collect::<Vec<_>>().join(" ");
    let mut command = Command::new("git");
    for name in GIT_VARIABLES.iter().chain(SERVICE_VARIABLES) {
        command.env_remove(name);
    }
    command
        .arg("-C")
        .arg(path)
        // What tidies up behind a fetch would go on in the background and keep our pipe open.
        .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"])
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("SSH_ASKPASS_REQUIRE", "never")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let is_set = |name: &str| env::var_os(name).is_some();
    if !has_own_ssh && !is_set("GIT_SSH_COMMAND") && !is_set("GIT_SSH") {
        command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
    }
    let (ended, said) = run(command, LIMIT).await.map_err(PollError::NoGit)?;
    let path = path.to_owned();
    match ended {
        Some(status) if status.success() => Ok(()),
        Some(status) => {
            let said = last_words(&said).unwrap_or_else(|| status.to_string());
            Err(PollError::Failed { command: shown, path, said })
        }
        None => Err(PollError::TimedOut { command: shown, path }),
    }
}

/// Runs a program to its end: how it ended, and the end of what it complained of. `None` when it took too long; then it is
/// ended, with all that it started in its group.
async fn run(mut command: Command, limit: Duration) -> io::Result<(Option<ExitStatus>, String)> {
    let mut child = command.spawn()?;
    let group = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let said = Arc::new(Mutex::new(Vec::new()));
    let mut reading = child.stderr.take().map(|errors| tokio::spawn(keep_end(errors, said.clone())));
    let waited = tokio::time::timeout(limit, child.wait()).await;
    let ended = match waited {
        Ok(ended) => Some(ended?),
        Err(_) => {
            if let Some(group) = group {
                let _ = kill_process_group(group, Signal::KILL);
            }
            // Reaps it.
            let _ = child.kill().await;
            None
        }
    };
    if let Some(reading) = &mut reading
        && tokio::time::timeout(LAST_WORDS, &mut *reading).await.is_err()
    {
        reading.abort();
    }
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((ended, String::from_utf8_lossy(&said).into_owned()))
}

/// Reads to the end, and keeps the last of it.
async fn keep_end(mut from: impl AsyncRead + Unpin, kept: Arc<Mutex<Vec<u8>>>) {
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(piece.get(..read).unwrap_or_default());
        let too_much = kept.len().saturating_sub(SAID);
        kept.drain(..too_much);
    }
}

/// The line of git that says most. Behind a failure of ssh git only says that there was one, and what might be wrong.
fn last_words(said: &str) -> Option<String> {
    let advice = ["Please make sure you have the correct access rights", "and the repository exists."];
    let lines: Vec<&str> =
        said.lines().map(str::trim).filter(|line| !line.is_empty() && !advice.contains(line)).collect();
    let (last, before) = lines.split_last()?;
    let line = match before.last() {
        Some(reason) if last.starts_with("fatal: Could not read from remote repository") => reason,
        _ => last,
    };
    Some((*line).to_owned())
}

/// The text without names and passwords in URLs: everybody who is attached reads it.
fn without_credentials(text: &str) -> String {
    let mut parts = text.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(['/', '\'', '"', '`', ' ', '\n']).unwrap_or(part.len());
        let (authority, rest) = part.split_at(end);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        clean.push_str("://");
        clean.push_str(host);
        clean.push_str(rest);
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_told_to_nobody() {
        assert_eq!(
            without_credentials("`git fetch https://me:s3cret@example.org/a.git` failed: 'ssh://git@b/c@d' is gone"),
            "`git fetch https://example.org/a.git` failed: 'ssh://b/c@d' is gone"
        );
        assert_eq!(without_credentials("git@example.org: Permission denied"), "git@example.org: Permission denied");
    }

    #[test]
    fn what_fails_is_asked_less_and_less_often_but_not_less_than_is_said() {
        let minute = Duration::from_mins(1);
        let pauses = [0, 1, 2, 3, 4, 40].map(|failures| pause(minute, failures).as_secs() / 60);
        assert_eq!(pauses, [1, 2, 4, 8, 15, 15]);
        assert_eq!(pause(Duration::from_hours(2), 3), Duration::from_hours(2));
    }

    #[test]
    fn the_reason_is_told_and_not_the_advice_behind_it() {
        let ssh = "git@example.org: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\n\
                   Please make sure you have the correct access rights\nand the repository exists.\n";
        assert_eq!(last_words(ssh).unwrap(), "git@example.org: Permission denied (publickey).");
        let gone = "fatal: couldn't find remote ref refs/heads/x\n";
        assert_eq!(last_words(gone).unwrap(), "fatal: couldn't find remote ref refs/heads/x");
        assert_eq!(last_words("\n"), None);
    }

    #[tokio::test]
    async fn what_takes_too_long_is_ended_and_only_the_end_of_what_is_said_is_kept() {
        let shell = |script: &str| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            command.process_group(0).kill_on_drop(true);
            command
        };
        let limit = Duration::from_secs(1);
        let (ended, said) = run(shell("echo begun >&2; sleep 600 & wait"), limit).await.unwrap();
        assert_eq!((ended, said.trim()), (None, "begun"));
        let much = "i=0; while [ $i -lt 4000 ]; do echo 0123456789 >&2; i=$((i + 1)); done; echo last >&2; exit 3";
        let (ended, said) = run(shell(much), LIMIT).await.unwrap();
        assert_eq!(ended.and_then(|status| status.code()), Some(3));
        assert!(said.len() <= SAID && said.ends_with("last\n"), "{}", said.len());
    }
}
