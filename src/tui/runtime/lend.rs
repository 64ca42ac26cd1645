//! Handing the terminal to another program for a while: a pager, an editor.
//!
//! While it has the terminal, nothing here reads from it or writes to it, and what the terminal tells the whole job is that
//! program's affair.

use std::io;
use std::path::Path;

use rustix::process::{Signal, getpid, kill_process};
use signal_hook::consts::{SIGINT, SIGQUIT};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::tui::TuiError;
use crate::tui::log_view::question::Program;
use crate::tui::terminal::{Caught, TerminalGuard};

/// Which program, with its first arguments: what the environment names, else what every system has.
fn words(program: Program, variable: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let (names, usual): (&[&str], &str) = match program {
        Program::Pager => (&["PAGER"], "less"),
        Program::Editor => (&["VISUAL", "EDITOR"], "vi"),
    };
    let named = names.iter().filter_map(|name| variable(name)).find(|named| !named.trim().is_empty());
    named.as_deref().unwrap_or(usual).split_whitespace().map(str::to_owned).collect()
}

/// Lets a program show a file, and removes the file. Returns what went wrong with the program, if anything did.
pub(super) async fn lend(
    guard: &mut TerminalGuard,
    caught: &mut UnboundedReceiver<Caught>,
    program: Program,
    file: &Path,
) -> Result<Option<String>, TuiError> {
    let ended = open(guard, caught, program, file).await;
    let _ = std::fs::remove_file(file);
    ended
}

/// Lets a program show or change a file, which stays.
pub(super) async fn open(
    guard: &mut TerminalGuard,
    caught: &mut UnboundedReceiver<Caught>,
    program: Program,
    file: &Path,
) -> Result<Option<String>, TuiError> {
    let words = words(program, &|name| std::env::var(name).ok());
    guard.lend()?;
    let ended = show(&words, file, caught).await;
    if ended.is_err() {
        guard.put_right();
    }
    let complaint = ended?;
    guard.take_back()?;
    Ok(complaint)
}

async fn show(
    words: &[String],
    file: &Path,
    caught: &mut UnboundedReceiver<Caught>,
) -> Result<Option<String>, TuiError> {
    let Some((name, arguments)) = words.split_first() else { return Ok(None) };
    let mut command = Command::new(name);
    command.args(arguments).arg(file);
    if std::env::var_os("LESS").is_none() {
        // Colours, and nothing else: that is all that the file has.
        command.env("LESS", "-R");
    }
    match command.spawn() {
        Ok(child) => wait(child, caught).await.map(|()| None),
        Err(error) => Ok(Some(format!("cannot run `{name}`: {error}; set PAGER or EDITOR to a program that is there"))),
    }
}

async fn wait(mut child: Child, caught: &mut UnboundedReceiver<Caught>) -> Result<(), TuiError> {
    loop {
        let signal = tokio::select! {
            ended = child.wait() => return Ok(ended.map(|_| ())?),
            Some(signal) = caught.recv() => signal,
        };
        match signal {
            // The keys for them were meant for the program.
            Caught::End(SIGINT | SIGQUIT) | Caught::Continued | Caught::Resized => {}
            // The terminal is not ours at present, so nothing of it was given back.
            Caught::Broken => {}
            // The whole job stops; the shell continues both of us.
            Caught::Stop => kill_process(getpid(), Signal::STOP).map_err(io::Error::from)?,
            Caught::End(signal) => {
                // What it still does to the terminal must not come behind our giving it back.
                let _ = child.kill().await;
                return Err(TuiError::Signal { signal });
            }
            Caught::Lost => return Err(TuiError::Lost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_names_the_program_with_its_arguments() {
        let variable = |name: &str| match name {
            "PAGER" => Some("most -w".to_owned()),
            "VISUAL" => Some(" ".to_owned()),
            "EDITOR" => Some("nano".to_owned()),
            _ => None,
        };
        assert_eq!(words(Program::Pager, &variable), ["most", "-w"]);
        assert_eq!(words(Program::Editor, &variable), ["nano"]);
        assert_eq!(words(Program::Editor, &|_| None), ["vi"]);
    }
}
