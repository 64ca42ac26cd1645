//! A command in a pod, over one WebSocket: bytes in, bytes out, and how it ended.
//!
//! The input cannot be ended without ending the connection: an older API server knows no other way, and then it is not
//! known how the command ended. So commands that read count the bytes. What a command says on its standard error is kept for
//! the error message.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{Api, AttachParams, AttachedProcess};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::JobError;
use super::object::CONTAINER;
use crate::target::kubernetes::connection::ClusterError;

/// Bytes that are under way in one direction.
const BUFFER: usize = 256 << 10;
/// How long it may take to open the connection.
const OPEN: Duration = Duration::from_secs(20);
/// Bytes of the standard error that are kept.
const KEPT: usize = 4 << 10;
/// What is being done, for errors.
const DOING: &str = "running a command in the pod";

/// Pieces of the standard input; an error gives the command up.
pub type Input = mpsc::Receiver<io::Result<Vec<u8>>>;

/// Where the standard output goes.
#[derive(Debug)]
pub enum Sink<'a> {
    /// Into memory.
    Memory(&'a mut Vec<u8>),
    /// To somebody who reads at their own pace.
    Channel(mpsc::Sender<Vec<u8>>),
}

impl Sink<'_> {
    /// False if nobody wants it any more.
    async fn take(&mut self, bytes: &[u8]) -> bool {
        match self {
            Self::Memory(memory) => {
                memory.extend_from_slice(bytes);
                true
            }
            Self::Channel(sender) => sender.send(bytes.to_vec()).await.is_ok(),
        }
    }
}

/// Runs `command` in the pod named `pod`.
pub async fn exec(
    api: &Api<Pod>,
    pod: &str,
    command: &[String],
    input: Option<Input>,
    mut sink: Sink<'_>,
    silence: Duration,
) -> Result<(), JobError> {
    let mut process = open(api, pod, command, input.is_some()).await?;
    let (Some(mut output), Some(mut complaints), Some(status)) =
        (process.stdout(), process.stderr(), process.take_status())
    else {
        return Err(lost("the connection has no output"));
    };
    let sent = AtomicU64::new(0);
    let mut feeding = pin!(feed(process.stdin(), input, &sent));
    let mut status = pin!(status);
    let (mut bytes, mut complaint, mut said) = (vec![0_u8; BUFFER], vec![0_u8; KEPT], Vec::new());
    let (mut output_open, mut complaints_open, mut sent_before) = (true, true, 0);
    // Held to the end: to drop it might end the input.
    let mut fed = None;
    let mut ended = None;
    while ended.is_none() || output_open || complaints_open {
        tokio::select! {
            read = output.read(&mut bytes), if output_open => match read {
                Ok(count) if count > 0 => {
                    if !sink.take(bytes.get(..count).unwrap_or_default()).await {
                        return Err(JobError::HungUp);
                    }
                }
                _ => output_open = false,
            },
            read = complaints.read(&mut complaint), if complaints_open => match read {
                Ok(count) if count > 0 => {
                    let room = KEPT.saturating_sub(said.len()).min(count);
                    said.extend_from_slice(complaint.get(..room).unwrap_or_default());
                }
                _ => complaints_open = false,
            },
            done = &mut feeding, if fed.is_none() => fed = Some(done.map_err(JobError::Input)?),
            status = &mut status, if ended.is_none() => match status {
                Some(status) => ended = Some(status),
                None => return Err(lost("the connection was closed before the command had ended")),
            },
            () = sleep(silence) => {
                let sent_now = sent.load(Ordering::Relaxed);
                if sent_now == sent_before {
                    return Err(lost(&format!("the connection was silent for {} s", silence.as_secs())));
                }
                sent_before = sent_now;
            }
        }
    }
    ended.map_or(Ok(()), |status| judge(&status, &said))
}

async fn open(api: &Api<Pod>, pod: &str, command: &[String], has_input: bool) -> Result<AttachedProcess, JobError> {
    let parameters = AttachParams {
        container: Some(CONTAINER.to_owned()),
        stdin: has_input,
        max_stdin_buf_size: Some(BUFFER),
        max_stdout_buf_size: Some(BUFFER),
        max_stderr_buf_size: Some(BUFFER),
        ..AttachParams::default()
    };
    match timeout(OPEN, api.exec(pod, command.to_vec(), &parameters)).await {
        Ok(Ok(process)) => Ok(process),
        // A right that is lacking is not given by trying again; all else may pass.
        Ok(Err(error @ kube::Error::Api(_))) if is_forbidden(&error) => Err(ClusterError::from(error).into()),
        Ok(Err(error)) => Err(lost(&ClusterError::from(error).to_string())),
        Err(_) => Err(lost(&format!("no connection within {} s", OPEN.as_secs()))),
    }
}

fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403))
}

/// Sends the input; gives back what it was sent to, so that it stays open.
async fn feed<W: AsyncWrite + Unpin>(to: Option<W>, from: Option<Input>, sent: &AtomicU64) -> io::Result<Option<W>> {
    let (Some(mut to), Some(mut from)) = (to, from) else { return Ok(None) };
    while let Some(piece) = from.recv().await {
        to.write_all(&piece?).await?;
        sent.fetch_add(1, Ordering::Relaxed);
    }
    to.flush().await?;
    Ok(Some(to))
}

fn judge(status: &Status, said: &[u8]) -> Result<(), JobError> {
    if status.status.as_deref() == Some("Success") {
        return Ok(());
    }
    let causes = status.details.as_ref().and_then(|details| details.causes.as_deref()).unwrap_or_default();
    let code = causes.iter().find(|cause| cause.reason.as_deref() == Some("ExitCode"));
    let code = code.and_then(|cause| cause.message.as_deref());
    let said = String::from_utf8_lossy(said);
    let said = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    Err(JobError::Command {
        how: code.map_or_else(|| "not started".to_owned(), |code| format!("exit code {code}")),
        said: if said.is_empty() { status.message.clone().unwrap_or_default() } else { said },
    })
}

fn lost(reason: &str) -> JobError {
    JobError::Lost { doing: DOING, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(status: serde_json::Value) -> Status {
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn a_command_that_failed_says_its_code_and_its_words() {
        let failed = status(json!({
            "status": "Failure",
            "message": "command terminated with non-zero exit code",
            "details": { "causes": [{ "reason": "ExitCode", "message": "127" }] },
        }));
        let error = judge(&failed, b"sh: tar: not found\n").unwrap_err().to_string();
        assert!(error.starts_with("a command in the pod failed (exit code 127): sh: tar: not found;"), "{error}");
        let error = judge(&failed, b"").unwrap_err().to_string();
        assert!(error.contains("command terminated"), "{error}");
        assert!(judge(&status(json!({ "status": "Success" })), b"a warning").is_ok());
    }

    #[tokio::test]
    async fn an_input_that_cannot_be_read_to_its_end_gives_the_command_up() {
        let (sender, from) = mpsc::channel(2);
        sender.send(Ok(b"one".to_vec())).await.unwrap();
        sender.send(Err(io::Error::other("became shorter"))).await.unwrap();
        let (to, _far) = tokio::io::duplex(64);
        let sent = AtomicU64::new(0);
        let error = feed(Some(to), Some(from), &sent).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), sent.load(Ordering::Relaxed)), ("became shorter", 1));
    }
}
