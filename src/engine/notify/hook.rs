//! A program of the user that tells people: started once a notice, with the facts as arguments, variables and JSON.
//!
//! It has a process group of its own, which is killed when its time is over or when it ended and left something behind.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, Command};

use super::message::Message;
use super::webhook::Undelivered;
use crate::config::NoticeTemplate;
use crate::engine::supervisor::SERVICE_VARIABLES;

/// The most bytes of what it complains of that are kept.
const COMPLAINT: usize = 4 * 1024;
/// The most characters of it that are shown.
const SHOWN: usize = 160;
/// How long after its end is read what it wrote last; something that it left behind may hold the pipe open for ever.
const DRAIN: Duration = Duration::from_millis(200);
/// The exit code by which a program says that it may go well later (`EX_TEMPFAIL` of sysexits.h).
const TRY_AGAIN: i32 = 75;

/// Its process group, which does not outlive this value.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Fails when nothing is left, which is the rule.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs the program once, in the project `folder`, within `timeout`; says how it ended.
pub(super) async fn run(
    words: &[NoticeTemplate],
    message: &Message,
    timeout: Duration,
    folder: &Path,
) -> Result<String, Undelivered> {
    let words: Vec<String> = words.iter().map(|word| word.fill(|field| message.field(field))).collect();
    let Some((program, arguments)) = words.split_first() else {
        return Err(Undelivered::never("`command` names no program"));
    };
    let mut command = Command::new(path_of(program, folder));
    for name in SERVICE_VARIABLES {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .current_dir(folder)
        .envs(message.variables())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .map_err(|error| Undelivered::never(format!("`{program}` cannot be started: {error}; mend `command`")))?;
    let group = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let _group = Group(group);
    match tokio::time::timeout(timeout, attend(&mut child, &message.line())).await {
        Ok(Ok((status, complaint))) => judge(program, status, &complaint),
        Ok(Err(error)) => Err(Undelivered::later(format!("the end of `{program}` was not seen: {error}"))),
        Err(_) => {
            let milliseconds = timeout.as_millis();
            Err(Undelivered::later(format!("`{program}` did not end within {milliseconds} ms and was killed")))
        }
    }
}

/// A program with a slash in its name lies in the project.
fn path_of(program: &str, folder: &Path) -> PathBuf {
    if program.contains('/') { folder.join(program) } else { PathBuf::from(program) }
}

/// Gives it its input and waits for its end, and says what it complained of.
async fn attend(child: &mut Child, input: &str) -> io::Result<(ExitStatus, Vec<u8>)> {
    if let Some(mut stdin) = child.stdin.take() {
        // Who does not read its input has the facts from elsewhere.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let mut complaint = Vec::new();
    let Some(mut stderr) = child.stderr.take() else { return Ok((child.wait().await?, complaint)) };
    let status = tokio::select! {
        status = child.wait() => status?,
        () = listen(&mut stderr, &mut complaint) => child.wait().await?,
    };
    let _ = tokio::time::timeout(DRAIN, listen(&mut stderr, &mut complaint)).await;
    Ok((status, complaint))
}

/// Reads to the end and keeps the beginning.
async fn listen(stderr: &mut ChildStderr, complaint: &mut Vec<u8>) {
    let mut piece = [0; 1_024];
    while let Ok(length) = stderr.read(&mut piece).await {
        if length == 0 {
            return;
        }
        let room = COMPLAINT.saturating_sub(complaint.len()).min(length);
        complaint.extend_from_slice(piece.get(..room).unwrap_or_default());
    }
}

fn judge(program: &str, status: ExitStatus, complaint: &[u8]) -> Result<String, Undelivered> {
    if status.success() {
        return Ok(format!("`{program}` ended well"));
    }
    let text = String::from_utf8_lossy(complaint);
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let line: String = line.trim().chars().filter(|letter| !letter.is_control()).take(SHOWN).collect();
    let said = if line.is_empty() { String::new() } else { format!(": {line}") };
    match status.code() {
        Some(TRY_AGAIN) => Err(Undelivered::later(format!("`{program}` asks to be tried again (exit code 75){said}"))),
        Some(code) => Err(Undelivered::never(format!("`{program}` ended with exit code {code}{said}"))),
        None => Err(Undelivered::never(format!("`{program}` was killed{said}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::notify::message::Origin;
    use crate::pipeline::{Moment, Notice, NoticeKind};

    async fn told(script: &str, timeout: Duration, folder: &Path) -> Result<String, Undelivered> {
        let notice = Notice {
            kind: NoticeKind::Alert,
            title: "it's \"bad\"; $(touch here)".to_owned(),
            text: "all of it".to_owned(),
            run: None,
            stage: None,
            release: None,
            alert: Some("Bad".to_owned()),
            at: Moment(0),
            sequence: 9,
        };
        let message = Message::new(&notice, Origin { project: "wine".to_owned(), host: "box".to_owned() }, 0);
        let words = ["sh", "-c", script, "hook", "{title}"];
        let words: Vec<NoticeTemplate> = words.iter().map(|word| NoticeTemplate::parse(word).unwrap()).collect();
        run(&words, &message, timeout, folder).await
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn it_gets_the_facts_in_three_ways_and_no_shell_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let script = "printf '%s|%s|' \"$1\" \"$TRAINYARD_NOTICE_ALERT\" > out; cat >> out";
        told(script, PATIENCE, folder.path()).await.unwrap();
        let written = std::fs::read_to_string(folder.path().join("out")).unwrap();
        let (words, json) = written.split_once("|Bad|").unwrap();
        assert_eq!(words, "it's \"bad\"; $(touch here)");
        assert_eq!(serde_json::from_str::<serde_json::Value>(json).unwrap()["text"], "all of it");
        assert!(!folder.path().join("here").exists());
    }

    #[tokio::test]
    async fn its_complaint_is_told_and_only_some_ends_are_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let refused = told("echo first >&2; echo no such room >&2; exit 3", PATIENCE, folder.path()).await;
        assert_eq!(refused, Err(Undelivered::never("`sh` ended with exit code 3: no such room")));
        let later = told("exit 75", PATIENCE, folder.path()).await.unwrap_err();
        assert!(matches!(later, Undelivered::Later { .. }), "{later:?}");
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed_with_what_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let script = "sleep 600 & echo $! > pid; wait";
        let later = told(script, Duration::from_secs(2), folder.path()).await.unwrap_err();
        assert!(later.reason().contains("did not end within 2000 ms"), "{later:?}");
        let pid: i32 = std::fs::read_to_string(folder.path().join("pid")).unwrap().trim().parse().unwrap();
        // The kernel takes a moment to end it.
        let deadline = std::time::Instant::now() + PATIENCE;
        let lives = || crate::disk::ProcessStat::read(pid).is_some_and(|stat| !matches!(stat.state, 'Z' | 'X'));
        while lives() {
            assert!(std::time::Instant::now() < deadline, "process {pid} lives on");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn one_that_leaves_its_output_open_does_not_hold_us() {
        let folder = tempfile::tempdir().unwrap();
        told("sleep 600 & exit 0", PATIENCE, folder.path()).await.unwrap();
    }
}
