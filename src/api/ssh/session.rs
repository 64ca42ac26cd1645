//! One `ssh` process from its start to its end: the other end introduces itself, its socket is forwarded, and the daemon has
//! answered through it once. Whether there is another after it is the affair of the line.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::card::LinkCard;
use super::failure::{End, LineError, because};
use super::folder::LineFolder;
use super::place::Place;
use super::program::Ssh;
use super::said::Said;
use crate::api::client::{Client, ClientError, Identity};
use crate::api::types::API_VERSION;

/// How long all of it may take when nobody is asked: the daemon over there may have to start.
const OPENING: Duration = Duration::from_secs(90);
/// How long an `ssh` that has closed its output may take to end.
const END: Duration = Duration::from_secs(2);
/// How long the process of the line may take to open a socket beside itself.
const FORWARDING: Duration = Duration::from_secs(10);
/// Within so many bytes the card must come: a shell may print something at its start, but no book.
const CARD_WITHIN: u64 = 64 * 1024;

/// A process that carries.
#[derive(Debug)]
pub(super) struct Session {
    child: Child,
    /// While it is open, the program at the other end stays.
    _input: ChildStdin,
    output: BufReader<ChildStdout>,
    said: Said,
    /// Who answers at the other end.
    pub(super) card: LinkCard,
}

impl Session {
    /// Opens one. With `tell`, `ssh` may ask the operator on the terminal, and what it says is told; without, it may not.
    pub(super) async fn open(
        ssh: &Ssh,
        place: &Place,
        folder: &LineFolder,
        tell: Option<fn(&str)>,
    ) -> Result<Self, LineError> {
        let opening = Self::begin(ssh, place, folder, tell);
        if tell.is_some() {
            // An operator may look for a password as long as it takes.
            return opening.await;
        }
        match timeout(OPENING, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(LineError::TimedOut { host: place.machine() }),
        }
    }

    async fn begin(ssh: &Ssh, place: &Place, folder: &LineFolder, tell: Option<fn(&str)>) -> Result<Self, LineError> {
        let is_batch = tell.is_none();
        folder.clear();
        let mut command = Command::from(ssh.line(place, folder, is_batch));
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::piped()).kill_on_drop(true);
        if is_batch {
            // What the keyboard sends to the screen's group is not meant for the line.
            command.process_group(0);
        }
        let no_ssh = |reason: String| LineError::NoSsh { program: ssh.program().to_owned(), reason };
        let mut child = command.spawn().map_err(|error| no_ssh(error.to_string()))?;
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(no_ssh("it has no pipes".to_owned()));
        };
        let mut said = Said::listen(errors, tell);
        let mut output = BufReader::new(output);
        let Some(card) = first_card(&mut output).await else {
            let end = end_of(&mut child).await;
            return Err(LineError::of_end(place, end, &said.last_words().await, is_batch));
        };
        let mut session = Self { child, _input: input, output, said, card };
        session.compare_versions(place)?;
        session.forward(ssh, place, folder).await?;
        session.try_it(place, &folder.socket(), is_batch).await?;
        session.said.silence();
        Ok(session)
    }

    fn compare_versions(&self, place: &Place) -> Result<(), LineError> {
        if self.card.api == API_VERSION {
            return Ok(());
        }
        Err(LineError::Version {
            host: place.machine(),
            theirs: self.card.version.clone(),
            their_api: self.card.api,
            ours: env!("CARGO_PKG_VERSION").to_owned(),
            our_api: API_VERSION,
        })
    }

    async fn forward(&self, ssh: &Ssh, place: &Place, folder: &LineFolder) -> Result<(), LineError> {
        let failed = |said: String| LineError::Forwarding { host: place.machine(), said };
        let mut command = Command::from(ssh.forward(place, folder, &self.card.socket));
        command.stdin(std::process::Stdio::null()).kill_on_drop(true);
        let output = match timeout(FORWARDING, command.output()).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("ssh does not answer".to_owned())),
        };
        if output.status.success() {
            return Ok(());
        }
        Err(failed(because(End::from(output.status), &String::from_utf8_lossy(&output.stderr))))
    }

    /// A server that forwards no sockets says so only when one is used.
    async fn try_it(&mut self, place: &Place, socket: &Path, is_batch: bool) -> Result<(), LineError> {
        let daemon = |said: String| LineError::Daemon { host: place.machine(), said };
        let client =
            Client::at_socket(socket.to_owned(), Identity::default()).map_err(|error| daemon(error.to_string()))?;
        match client.hello().await {
            Ok(_) => Ok(()),
            Err(ClientError::Refused(said) | ClientError::Answer(said)) => Err(daemon(said)),
            Err(ClientError::NotRunning(_) | ClientError::Unheard(_) | ClientError::Broken(_)) => {
                let Ok(Some(status)) = self.child.try_wait() else {
                    // The daemon has just answered at the other end, and the line is there.
                    return Err(LineError::NoForwarding { host: place.machine() });
                };
                Err(LineError::of_end(place, End::from(status), &self.said.last_words().await, is_batch))
            }
        }
    }

    /// Waits until it carries no more, and says why in a few words.
    pub(super) async fn ended(&mut self) -> String {
        tokio::select! {
            _ = self.child.wait() => {}
            // The program at the other end is gone, though connections through the line may keep `ssh` alive.
            () = drained(&mut self.output) => {}
        }
        let end = end_of(&mut self.child).await;
        because(end, &self.said.last_words().await)
    }

    /// Ends it; the daemon at the other end goes on.
    pub(super) async fn close(&mut self) {
        let _ = self.child.kill().await;
    }
}

/// How a process ended that should be about to.
async fn end_of(child: &mut Child) -> End {
    match timeout(END, child.wait()).await {
        Ok(Ok(status)) => End::from(status),
        Ok(Err(_)) | Err(_) => {
            let _ = child.kill().await;
            End::Silent
        }
    }
}

/// The first line that is a card.
async fn first_card(output: &mut BufReader<ChildStdout>) -> Option<LinkCard> {
    let mut output = output.take(CARD_WITHIN);
    let mut line = Vec::new();
    loop {
        line.clear();
        if !matches!(output.read_until(b'\n', &mut line).await, Ok(1..)) {
            return None;
        }
        if let Some(card) = LinkCard::read(&String::from_utf8_lossy(&line)) {
            return Some(card);
        }
    }
}

/// Waits for the end of the output; nothing in it is of interest any more.
async fn drained(output: &mut BufReader<ChildStdout>) {
    let mut rest = [0; 4096];
    while matches!(output.read(&mut rest).await, Ok(1..)) {}
}
