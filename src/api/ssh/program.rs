//! The user's own `ssh`, and the words it is given.

use std::path::Path;
use std::process::Command;

use super::folder::LineFolder;
use super::place::Place;
use super::shell::remote_line;

/// The variable that names another `ssh`, with its first arguments, parted at spaces: `ssh -F other.config`.
pub const SSH_VARIABLE: &str = "TRAINYARD_SSH";
/// The variable that names trainyard on the other machine, where it lies at no usual place.
pub const REMOTE_PROGRAM_VARIABLE: &str = "TRAINYARD_REMOTE_PROGRAM";

/// The options of a line. Who is asked how is not among them; the rest of the user's configuration holds.
const LINE_OPTIONS: [&str; 8] = [
    // The process is the line: it must not go on behind our back.
    "ControlPersist=no",
    "ExitOnForwardFailure=yes",
    "StreamLocalBindUnlink=yes",
    "Compression=yes",
    // Ports that the user forwards to this host belong to another session of theirs, and would be taken already.
    "ClearAllForwardings=yes",
    // The far end starts a daemon that stays: the keys and the display of whoever came are not for it.
    "ForwardAgent=no",
    "ForwardX11=no",
    // A configured command would be refused beside ours.
    "RemoteCommand=none",
];
/// Those of everything that goes there: a line that is silent for 15 seconds is lost, and a script must not wait for ever.
const PATIENCE_OPTIONS: [&str; 3] = ["ServerAliveInterval=5", "ServerAliveCountMax=3", "ConnectTimeout=15"];

/// How `ssh` is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    words: Vec<String>,
    remote_program: Option<String>,
    is_observer: bool,
}

impl Ssh {
    /// As the variables say; without them, `ssh` from the path.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let words = variable(SSH_VARIABLE).unwrap_or_default();
        let mut words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        if words.is_empty() {
            words.push("ssh".to_owned());
        }
        let remote_program = variable(REMOTE_PROGRAM_VARIABLE).filter(|program| !program.is_empty());
        Self { words, remote_program, is_observer: false }
    }

    /// For somebody who only watches: no daemon is started for one.
    #[must_use]
    pub fn for_observer(mut self, is_observer: bool) -> Self {
        self.is_observer = is_observer;
        self
    }

    /// The program itself.
    pub fn program(&self) -> &str {
        self.words.first().map_or("ssh", String::as_str)
    }

    /// Whether trainyard is looked for at one place only.
    pub(super) fn remote_program(&self) -> Option<&str> {
        self.remote_program.as_deref()
    }

    /// Runs a command of trainyard's over there. With a terminal, it is as if it were typed there.
    pub fn command(
        &self,
        place: &Place,
        has_terminal: bool,
        variables: &[(&str, String)],
        arguments: &[String],
    ) -> Command {
        let mut command = self.begin();
        if has_terminal {
            // Errors only: at its end `ssh -t` would say that the connection is closed, below what was asked for.
            command.args(["-t", "-o", "LogLevel=ERROR"]);
        } else {
            command.arg("-T");
        }
        for option in PATIENCE_OPTIONS {
            command.args(["-o", option]);
        }
        command.args(["-o", "RemoteCommand=none"]).arg(place.destination());
        command.arg(remote_line(place, self.remote_program(), variables, arguments));
        command
    }

    /// The process that is the line. In a batch it asks for nothing.
    pub(super) fn line(&self, place: &Place, folder: &LineFolder, is_batch: bool) -> Command {
        let mut command = self.begin();
        command.arg("-M").arg("-S").arg(literal(&folder.control())).arg("-T");
        for option in LINE_OPTIONS.into_iter().chain(PATIENCE_OPTIONS) {
            command.args(["-o", option]);
        }
        if is_batch {
            command.args(["-o", "BatchMode=yes"]);
        }
        command.arg(place.destination());
        let mut words = vec!["link".to_owned()];
        words.extend(self.is_observer.then(|| "--read-only".to_owned()));
        command.arg(remote_line(place, self.remote_program(), &[], &words));
        command
    }

    /// Has the line carry a socket over there to one here.
    pub(super) fn forward(&self, place: &Place, folder: &LineFolder, remote: &str) -> Command {
        let mut command = self.begin();
        // The process of the line does the work; what the user's configuration says of this host has been said to it.
        command.args(["-F", "none"]).arg("-S").arg(literal(&folder.control())).args(["-O", "forward", "-L"]);
        command.arg(format!("{}:{}", end_of_forwarding(&folder.socket().to_string_lossy()), end_of_forwarding(remote)));
        command.arg(place.destination());
        command
    }

    fn begin(&self) -> Command {
        let mut command = Command::new(self.program());
        command.args(self.words.iter().skip(1));
        command
    }
}

/// A path in which `ssh` finds nothing to fill in.
fn literal(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%%")
}

/// The same for an end of a forwarding, where a colon parts the two.
fn end_of_forwarding(path: &str) -> String {
    path.replace('\\', "\\\\").replace(':', "\\:").replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> Vec<String> {
        let words = [command.get_program()].into_iter().chain(command.get_args());
        words.map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn another_ssh_comes_with_its_first_arguments() {
        let ssh = Ssh::from_variables(|name| (name == SSH_VARIABLE).then(|| " /opt/ssh  -F conf ".to_owned()));
        let command = ssh.command(&"ann@[::1]".parse().unwrap(), false, &[], &["status".to_owned()]);
        assert_eq!(words(&command)[..4], ["/opt/ssh", "-F", "conf", "-T"]);
        let words_of_command = words(&command);
        assert_eq!(words_of_command[words_of_command.len() - 2], "ann@::1");
        assert_eq!(words(&Ssh::from_variables(|_| Some(String::new())).begin()), ["ssh"]);
    }

    #[test]
    fn nothing_but_the_options_of_the_line_is_set_and_a_batch_asks_nothing() {
        let folder = LineFolder::at("/run/100%".into());
        let place = "box:~/app".parse().unwrap();
        let ssh = Ssh::from_variables(|_| None);
        let asking = words(&ssh.line(&place, &folder, false));
        assert_eq!(asking[..5], ["ssh", "-M", "-S", "/run/100%%/c", "-T"]);
        assert!(asking.last().is_some_and(|line| line.ends_with("trainyard -C ~/app link'")), "{asking:?}");
        assert!(!asking.iter().any(|word| word.starts_with("BatchMode") || word.starts_with("StrictHostKey")));
        let batch = words(&ssh.line(&place, &folder, true));
        assert_eq!(batch.iter().filter(|word| *word == "BatchMode=yes").count(), 1);
    }

    #[test]
    fn a_colon_or_a_percent_sign_in_a_path_parts_and_means_nothing() {
        let folder = LineFolder::at("/run/a:b".into());
        let command = Ssh::from_variables(|_| None).forward(&"box".parse().unwrap(), &folder, "/tmp/50%/d.sock");
        assert!(words(&command).contains(&"/run/a\\:b/s:/tmp/50%%/d.sock".to_owned()), "{command:?}");
    }
}
