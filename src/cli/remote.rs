//! `trainyard --host PLACE COMMAND…`: the same command on another machine.
//!
//! It is run over there as it was typed here, with this terminal or these pipes as its own, and its exit code is ours. So it
//! needs no version of this program but the one over there.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::process::{ChildStderr, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::attach::{origin, ssh};
use super::failure::Failure;
use super::project::operator;
use crate::api::ssh::{End, LineError, Place};

/// By this exit code `ssh` says that it could not do what it should.
const OF_SSH: u8 = 255;
/// Bytes of what `ssh` says last that are looked at for the reason.
const LAST_WORDS: usize = 16 * 1024;
/// How long they may take after its end: a connection that the user's `ssh` shares and leaves open may hold the pipe.
const PIPE_HELD: Duration = Duration::from_secs(1);

/// Runs the command of our own command line at a place.
pub fn run(place: &Place) -> Result<(), Failure> {
    let arguments = without_place(std::env::args_os().skip(1))?;
    let has_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let who: Vec<(&str, String)> =
        operator().map(|name| ("TRAINYARD_OPERATOR", name)).into_iter().chain([("TRAINYARD_FROM", origin())]).collect();
    let ssh = ssh();
    let mut command = ssh.command(place, has_terminal, &who, &arguments);
    let no_ssh = |error: io::Error| {
        Failure::from(LineError::NoSsh { program: ssh.program().to_owned(), reason: error.to_string() })
    };
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(no_ssh)?;
    let stderr = child.stderr.take();
    let (sender, last_words) = mpsc::channel();
    thread::spawn(move || sender.send(stderr.map(handed_through).unwrap_or_default()));
    let status = child.wait().map_err(no_ssh)?;
    let said = last_words.recv_timeout(PIPE_HELD).unwrap_or_default();
    let hands_on_a_code = arguments.iter().any(|argument| argument == "--");
    match End::from(status) {
        End::Code(0) => Ok(()),
        // A trainyard that is there speaks for itself, also of a command of the operator's that is not.
        end @ End::Code(127) if !hands_on_a_code => Err(LineError::of_end(place, end, &said, false).into()),
        End::Code(code) if code != i32::from(OF_SSH) => Err(Failure::Said(u8::try_from(code).unwrap_or(1))),
        end => Err(LineError::of_end(place, end, &said, false).into()),
    }
}

/// Hands everything through as it comes, and returns the last of it.
fn handed_through(mut stderr: ChildStderr) -> String {
    let mut last = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stderr.read(&mut buffer) {
        let piece = buffer.get(..length).unwrap_or_default();
        // A terminal that is gone is no reason not to listen.
        let _ = io::stderr().write_all(piece);
        last.extend_from_slice(piece);
        let too_many = last.len().saturating_sub(LAST_WORDS);
        last.drain(..too_many);
    }
    String::from_utf8_lossy(&last).into_owned()
}

/// Our own arguments without the one that says where. Behind `--` nothing is ours.
fn without_place(arguments: impl Iterator<Item = OsString>) -> Result<Vec<String>, Failure> {
    let mut arguments = arguments.map(|argument| {
        argument.into_string().map_err(|argument| {
            Failure::Usage(format!("the argument {} is not UTF-8, and cannot be sent", argument.to_string_lossy()))
        })
    });
    let mut kept = Vec::new();
    while let Some(argument) = arguments.next().transpose()? {
        match argument.as_str() {
            "--" => {
                kept.push(argument);
                for rest in arguments {
                    kept.push(rest?);
                }
                break;
            }
            "--host" => drop(arguments.next()),
            option if option.starts_with("--host=") => {}
            option if is_folder(option) => {
                let text =
                    "-C is a folder here; with --host the folder over there stands behind the host: --host HOST:DIR";
                return Err(Failure::Usage(text.to_owned()));
            }
            _ => kept.push(argument),
        }
    }
    Ok(kept)
}

fn is_folder(option: &str) -> bool {
    option == "--project" || option.starts_with("--project=") || (option.starts_with("-C") && !option.starts_with("--"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(arguments: &[&str]) -> Result<Vec<String>, Failure> {
        without_place(arguments.iter().map(OsString::from))
    }

    #[test]
    fn what_is_sent_is_what_was_typed_but_for_the_place() {
        let table: [(&[&str], &[&str]); 5] = [
            (&["--host", "box", "status", "--json"], &["status", "--json"]),
            (&["status", "--json", "--host=box:/srv/app"], &["status", "--json"]),
            (&["run", "--host", "box", "-m", "it's $HOME"], &["run", "-m", "it's $HOME"]),
            (
                &["--host", "box", "lock", "why", "--", "ssh", "--host", "-C"],
                &["lock", "why", "--", "ssh", "--host", "-C"],
            ),
            (&["--host", "box", "query", "-c"], &["query", "-c"]),
        ];
        for (typed, sent) in table {
            assert_eq!(kept(typed).unwrap(), sent, "{typed:?}");
        }
    }

    #[test]
    fn a_folder_here_and_a_place_there_are_not_both_meant() {
        for folder in [&["-C", "x"][..], &["-Cx"], &["--project", "x"], &["--project=x"]] {
            let typed: Vec<&str> = ["--host", "box", "status"].iter().chain(folder).copied().collect();
            let failure = kept(&typed).unwrap_err();
            assert!(failure.code() == 2 && failure.to_string().contains("HOST:DIR"), "{failure}");
        }
    }
}
