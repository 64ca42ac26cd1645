//! What runs inside of the pod, as command lines: a few lines of shell, or the program itself where there is no shell.

use super::super::PROGRAM;
use crate::stage::runner::transfer::SEAL;

/// The folder of the stage in its pod.
pub const ROOT: &str = "/trainyard";
/// Appears when all files are there.
pub const START: &str = ".start";
/// Has the exit code as soon as the command has ended; it is also the seal of what is collected.
pub const EXIT: &str = SEAL;
/// Appears when all files were collected.
pub const COLLECTED: &str = ".collected";
/// The most bytes of output that one look brings.
pub const PIECE: usize = 1 << 20;

/// Waits for the files, runs the command, waits until its files were collected.
const HOLD: &str = include_str!("hold.sh");

/// What the image has for us to work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// A shell and the usual programs.
    Shell,
    /// The program itself, see [`crate::stage::runner::agent`].
    Agent,
}

/// How the command of a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// Whether the kernel killed something in the container for want of memory.
    pub out_of_memory: bool,
}

/// How far a stage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How its command ended, if it has.
    pub ended: Option<Ended>,
    /// What was added to its output.
    pub output: Vec<u8>,
}

impl Hand {
    /// The command of the container, which holds the command of the stage.
    pub fn hold(self, command: &[String]) -> Vec<String> {
        let mut line = match self {
            Self::Shell => vec!["sh".to_owned(), "-c".to_owned(), HOLD.to_owned(), ROOT.to_owned()],
            Self::Agent => agent(&["hold", "--"]),
        };
        line.extend_from_slice(command);
        line
    }

    /// Unpacks a tar stream of `size` bytes that comes on the standard input. The size must be known there, for the end of
    /// the input cannot be sent.
    pub fn put(self, size: u64) -> Vec<String> {
        match self {
            Self::Shell => shell(&format!("cd {ROOT} && head -c {size} | tar -xof -")),
            Self::Agent => agent(&["put"]),
        }
    }

    /// Packs these folders, those that are there, and behind them [`EXIT`].
    pub fn get(self, folders: &[&str]) -> Vec<String> {
        match self {
            Self::Shell => {
                let script =
                    "cd \"$0\" || exit 1; for name do shift; [ -d \"$name\" ] && set -- \"$@\" \"$name\"; done; ";
                let mut line = shell(&format!("{script}tar -cf - \"$@\" {EXIT}"));
                line.push(ROOT.to_owned());
                line.extend(folders.iter().map(|folder| (*folder).to_owned()));
                line
            }
            Self::Agent => {
                let mut line = agent(&["get"]);
                line.extend(folders.iter().map(|folder| (*folder).to_owned()));
                line
            }
        }
    }

    /// Tells how far the stage is, and what its output has from byte `from` on. The exit comes first: what is written
    /// behind it is not the stage's.
    pub fn state(self, from: u64) -> Vec<String> {
        match self {
            Self::Shell => {
                let first = from + 1;
                shell(&format!(
                    "if read -r line <{ROOT}/{EXIT}; then echo \"exit $line\"; else echo running; fi 2>/dev/null; \
                     tail -c +{first} {ROOT}/output.jsonl 2>/dev/null | head -c {PIECE}"
                ))
            }
            Self::Agent => agent(&["state", &from.to_string()]),
        }
    }

    /// Makes one of the files that are waited for.
    pub fn mark(self, name: &str) -> Vec<String> {
        match self {
            Self::Shell => shell(&format!(": >{ROOT}/{name}")),
            Self::Agent => agent(&["mark", name]),
        }
    }
}

fn agent(words: &[&str]) -> Vec<String> {
    [PROGRAM, "agent"].iter().chain(words).map(|word| (*word).to_owned()).collect()
}

fn shell(script: &str) -> Vec<String> {
    vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()]
}

/// Reads what [`Hand::state`] prints.
pub fn parse(said: &[u8]) -> Option<State> {
    let end = said.iter().position(|byte| *byte == b'\n')?;
    let (first, rest) = said.split_at(end);
    let output = rest.get(1..).unwrap_or_default().to_vec();
    let mut words = std::str::from_utf8(first).ok()?.split_whitespace();
    let ended = match words.next()? {
        "running" => None,
        "exit" => {
            let code = words.next()?.parse().ok()?;
            Some(Ended { code, out_of_memory: words.next() == Some("oom") })
        }
        _ => return None,
    };
    Some(State { ended, output })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::Path;
    use std::process::{Command, Output, Stdio};

    use super::*;
    use crate::stage::runner::fixtures::{pod_root, words};

    /// Runs a command line of ours here, below `root`.
    fn run(line: &[String], root: &Path, input: &[u8]) -> Output {
        let line: Vec<String> = line.iter().map(|word| word.replace(ROOT, &root.display().to_string())).collect();
        let (program, arguments) = line.split_first().unwrap();
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    #[test]
    fn the_shell_runs_the_command_in_the_source_and_keeps_its_exit_code() {
        let root = pod_root();
        for name in [START, COLLECTED] {
            assert!(run(&Hand::Shell.mark(name), root.path(), b"").status.success());
        }
        let line = Hand::Shell.hold(&words(&["sh", "-c", "pwd; echo \"$1\"; exit 7", "x", "a $b"]));
        let ended = run(&line, root.path(), b"");
        let expected = format!("{}/source\na $b\n", root.path().canonicalize().unwrap().display());
        assert_eq!(String::from_utf8_lossy(&ended.stdout), expected);
        assert_eq!(ended.status.code(), Some(7));
        let state = parse(&run(&Hand::Shell.state(0), root.path(), b"").stdout).unwrap();
        assert_eq!(state.ended, Some(Ended { code: 7, out_of_memory: false }));
    }

    #[test]
    fn the_shell_tells_the_output_from_a_byte_on_and_that_nothing_has_ended() {
        let root = pod_root();
        let state = || parse(&run(&Hand::Shell.state(2), root.path(), b"").stdout).unwrap();
        assert_eq!(state(), State { ended: None, output: Vec::new() });
        fs::write(root.path().join("output.jsonl"), "{\"progress\": 1}\n").unwrap();
        assert_eq!(state().output, b"progress\": 1}\n");
    }

    #[test]
    fn the_shell_unpacks_what_is_sent_though_the_input_does_not_end_and_packs_what_is_there() {
        let root = pod_root();
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_mode(0o644);
        tar.append_data(&mut header, "source/a.py", b"hello".as_slice()).unwrap();
        let mut stream = tar.into_inner().unwrap();
        let size = u64::try_from(stream.len()).unwrap();
        stream.extend_from_slice(b"no part of it");
        let put = run(&Hand::Shell.put(size), root.path(), &stream);
        assert!(put.status.success(), "{put:?}");
        assert_eq!(fs::read_to_string(root.path().join("source/a.py")).unwrap(), "hello");

        fs::write(root.path().join(EXIT), "0\n").unwrap();
        fs::write(root.path().join("reports/junit.xml"), "<x/>").unwrap();
        let got = run(&Hand::Shell.get(&["gone", "reports"]), root.path(), b"");
        assert!(got.status.success(), "{got:?}");
        let staging = root.path().join("staging");
        crate::stage::runner::transfer::unpack(got.stdout.as_slice(), &staging, &["gone", "reports"]).unwrap();
        assert_eq!(fs::read_to_string(staging.join("reports/junit.xml")).unwrap(), "<x/>");
    }

    #[test]
    fn a_state_is_read_with_what_stands_behind_it() {
        let state = parse(b"exit 137 oom\n{}\n").unwrap();
        assert_eq!(state.ended, Some(Ended { code: 137, out_of_memory: true }));
        assert_eq!(state.output, b"{}\n");
        assert_eq!(parse(b"running\n").unwrap().ended, None);
        assert!(parse(b"").is_none() && parse(b"no such thing\n").is_none() && parse(b"exit x\n").is_none());
    }
}
