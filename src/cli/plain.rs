//! How the screen is shown: drawn or in lines, with all signs or with those of ASCII.

use std::io::{self, BufRead, IsTerminal, Read};
use std::thread;

use tokio::sync::mpsc;

use super::failure::{Failure, failed};
use crate::api::client::Client;
use crate::tui::{self, Options, TuiError};

/// No command is longer; what is beyond on one line is not read.
const LONGEST: u64 = 4 * 1024;
/// Lines that may wait.
const WAITING: usize = 64;

/// How the screen is shown.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Look {
    /// Lines in place of a screen: the board, then each event; commands are typed
    #[arg(long)]
    pub plain: bool,
    /// Draw with ASCII signs only
    #[arg(long)]
    pub ascii: bool,
}

impl Look {
    /// Whether lines are told: they are asked for, or the terminal moves no cursor.
    pub fn is_in_lines(self) -> bool {
        let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        self.plain || (is_terminal && tui::wants_lines(&|name| std::env::var(name).ok()))
    }
}

/// Tells in lines what a daemon says, and does what is typed.
pub async fn show(client: Client, options: Options) -> Result<(), TuiError> {
    let (sender, typed) = mpsc::channel(WAITING);
    // It ends with the program: nothing takes a thread away from a terminal that says nothing.
    thread::Builder::new().name("typed".to_owned()).spawn(move || read(&mut io::stdin().lock(), &sender))?;
    tui::lines(client, options, typed, &mut io::stdout().lock()).await
}

/// Opens the project of a client in lines.
pub fn open(client: Client, options: Options, is_observer: bool) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    let shown = runtime.block_on(async {
        if is_observer {
            // Said as a failure, in place of a wait for a daemon which nobody has started.
            client.hello().await?;
        }
        Ok::<_, Failure>(show(client, options).await)
    });
    runtime.shutdown_background();
    shown?.map_err(|error| super::screen::failure_of(&error))
}

/// Hands on line after line, until there are no more or nobody wants them.
fn read(input: &mut impl BufRead, sender: &mpsc::Sender<String>) {
    let mut is_rest = false;
    loop {
        let mut line = Vec::new();
        match input.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        // The rest of a line that is too long is no command.
        let is_new = !std::mem::replace(&mut is_rest, !line.ends_with(b"\n"));
        if is_new && sender.blocking_send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_handed_on_and_the_rest_of_an_endless_one_is_no_command() {
        let (sender, mut typed) = mpsc::channel(WAITING);
        let text = format!("board\n{}run\nquit", "x".repeat(10_000));
        read(&mut text.as_bytes(), &sender);
        drop(sender);
        let mut lines = Vec::new();
        while let Ok(line) = typed.try_recv() {
            lines.push(line);
        }
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0], "board\n");
        assert!(lines[1].chars().all(|letter| letter == 'x'));
        assert_eq!(lines[2], "quit");
    }
}
