//! Why there is no line to another machine, from what `ssh` says, and what to do about it.
//!
//! `ssh` tells by its exit code only that it failed (255); why stands in its words, which have been the same for many years.
//! Each message here says what is so, then `; `, then what to do next. What nobody foresaw is told in the words of `ssh`.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;

use super::place::Place;
use super::said::OURS;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With an exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// It said nothing more and had to be ended.
    Silent,
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        status.code().map(Self::Code).or_else(|| status.signal().map(Self::Signal)).unwrap_or(Self::Silent)
    }
}

/// The exit code by which `ssh` says that it is its own.
const OF_SSH: i32 = 255;

/// Why there is no line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// There is no `ssh` here.
    #[error("cannot start `{program}` ({reason}); install OpenSSH's client, or name another one in TRAINYARD_SSH")]
    NoSsh {
        /// What was to be started.
        program: String,
        /// Why it was not.
        reason: String,
    },
    /// The folder of the sockets cannot be made.
    #[error("cannot make a folder for the sockets of the line: {reason}; set XDG_RUNTIME_DIR to a folder of yours")]
    Folder {
        /// Why.
        reason: String,
    },
    /// The kernel has no room for the path of a socket.
    #[error(
        "the path of the line's socket takes {length} bytes and may take {longest} ({}); set XDG_RUNTIME_DIR to a folder with a \
         shorter path, such as /tmp/run-$USER",
        .path.display()
    )]
    PathTooLong {
        /// The path, without what `ssh` adds while it makes it.
        path: PathBuf,
        /// Its length with that.
        length: usize,
        /// The longest possible.
        longest: usize,
    },
    /// The name of the host, or of one on the way, means nothing.
    #[error(
        "the host name {name} does not resolve; look for a typing error, or name the host in ~/.ssh/config (`ssh {host}` tries \
         the same)"
    )]
    Unresolved {
        /// Where we want to go.
        host: String,
        /// What does not resolve.
        name: String,
    },
    /// Nobody listens.
    #[error(
        "{host} refuses the connection ({said}); is sshd up there, and is the port right? `ssh {host}` tries the same"
    )]
    Refused {
        /// Where we want to go.
        host: String,
        /// In the words of `ssh`.
        said: String,
    },
    /// Nobody answers.
    #[error(
        "{host} does not answer in time; is it up, and does a firewall let SSH through? `ssh {host}` tries the same"
    )]
    TimedOut {
        /// Where we want to go.
        host: String,
    },
    /// There is no way.
    #[error("there is no way to {host} ({said}); is this machine connected, by VPN where one is needed?")]
    NoWay {
        /// Where we want to go.
        host: String,
        /// In the words of `ssh`.
        said: String,
    },
    /// It is another machine, or somebody is between.
    #[error(
        "the host key of {host} is another than before; ask its owner whether it was changed, and only then remove the old one \
         with `ssh-keygen -R`, as `ssh {host}` tells"
    )]
    HostKeyChanged {
        /// Where we want to go.
        host: String,
    },
    /// We have not been there before.
    #[error("the host key of {host} is not known here; `ssh {host}` shows it and asks, then come again")]
    HostKeyUnknown {
        /// Where we want to go.
        host: String,
    },
    /// No key was taken.
    #[error(
        "{host} lets nobody in with what `ssh` has to show (it takes {methods}); is it the right user, and is the key in its \
         authorized_keys? `ssh -v {host}` tells what was tried"
    )]
    Denied {
        /// Where we want to go.
        host: String,
        /// What the server takes.
        methods: String,
    },
    /// Nobody can be asked while the screen is there.
    #[error(
        "{host} wants a password, or the key a passphrase, which cannot be asked for behind the screen; leave with q and attach \
         again, or `ssh-add` the key to an agent first"
    )]
    Asks {
        /// Where we want to go.
        host: String,
    },
    /// An agent showed too many.
    #[error(
        "{host} was shown too many keys; name the right one for it in ~/.ssh/config: `IdentityFile …` and `IdentitiesOnly yes`"
    )]
    TooManyKeys {
        /// Where we want to go.
        host: String,
    },
    /// `ssh` does not take the user's configuration.
    #[error("ssh does not take its configuration ({said}); mend it, then come again")]
    Configuration {
        /// In the words of `ssh`.
        said: String,
    },
    /// The server carries no sockets.
    #[error(
        "{host} forwards no sockets; its sshd_config may say `AllowStreamLocalForwarding no` or `DisableForwarding yes`, or the \
         key's line in authorized_keys `restrict` or `no-port-forwarding`. Without it, `ssh -t {host} trainyard` shows the screen"
    )]
    NoForwarding {
        /// Where we want to go.
        host: String,
    },
    /// The socket could not be forwarded at this end.
    #[error(
        "the daemon's socket cannot be forwarded from {host} ({said}); come again, or use `ssh -t {host} trainyard`"
    )]
    Forwarding {
        /// Where we want to go.
        host: String,
        /// In the words of `ssh`.
        said: String,
    },
    /// There is no trainyard.
    #[error(
        "there is no trainyard on {host}; a copy of this one is enough where the machine is of the same kind: `ssh {host} mkdir \
         -p .local/bin && scp $(command -v trainyard) {host}:.local/bin/` (or name it in TRAINYARD_REMOTE_PROGRAM)"
    )]
    NoProgram {
        /// Where we are.
        host: String,
    },
    /// There is one that cannot be run.
    #[error("trainyard on {host} cannot be run ({said}); is it executable, and built for a machine of that kind?")]
    Unfit {
        /// Where we are.
        host: String,
        /// In the words of the shell.
        said: String,
    },
    /// Both speak, but not the same.
    #[error(
        "trainyard on {host} is {theirs} (API {their_api}) and here it is {ours} (API {our_api}); {}",
        remedy(.their_api < .our_api, .host)
    )]
    Version {
        /// Where we are.
        host: String,
        /// The version over there.
        theirs: String,
        /// The version of its API.
        their_api: u32,
        /// The version here.
        ours: String,
        /// The version of our API.
        our_api: u32,
    },
    /// It is from before there were lines.
    #[error("trainyard on {host} is older than this one and does not know `link`; {}", remedy(true, .host))]
    Older {
        /// Where we are.
        host: String,
    },
    /// The folder holds no project.
    #[error("on {host}: {said}; name the project's folder: `trainyard attach {host}:DIR`")]
    NoProject {
        /// Where we are.
        host: String,
        /// In the words of trainyard over there.
        said: String,
    },
    /// The daemon does not answer, or does not start.
    #[error("the daemon on {host} does not serve: {said}; `ssh {host}` and `trainyard doctor` there tell more")]
    Daemon {
        /// Where we are.
        host: String,
        /// In the words of trainyard over there.
        said: String,
    },
    /// What no other case is about.
    #[error("there is no line to {host} ({said}); `ssh {host}` tries the same")]
    Broken {
        /// Where we want to go.
        host: String,
        /// In the words of `ssh`.
        said: String,
    },
}

/// What to do where the two are of different versions.
fn remedy(is_older_there: bool, host: &str) -> String {
    if is_older_there {
        format!(
            "the older is there: copy this one with `scp $(command -v trainyard) {host}:.local/bin/` and end its daemon with \
             `trainyard down` there; stages and the app go on"
        )
    } else {
        format!("the older is here: install the version of {host} here, or use `ssh -t {host} trainyard`")
    }
}

impl LineError {
    /// Why a process that was to run trainyard over there ended as it did.
    pub fn of_end(place: &Place, end: End, said: &str, is_batch: bool) -> Self {
        let host = place.machine();
        match end {
            End::Code(OF_SSH) => of_ssh(host, said, is_batch),
            End::Code(127) => Self::NoProgram { host },
            End::Code(126) => Self::Unfit { host, said: last_line(said) },
            End::Code(2) if said.contains("unrecognized subcommand") => Self::Older { host },
            End::Code(2) if is_about_the_folder(said) => Self::NoProject { host, said: of_trainyard(said) },
            End::Code(1..=3) => Self::Daemon { host, said: of_trainyard(said) },
            End::Code(_) | End::Signal(_) | End::Silent => Self::Broken { host, said: because(end, said) },
        }
    }

    /// Whether the same may go well a while later though nobody does anything about it.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unresolved { .. }
            | Self::Refused { .. }
            | Self::TimedOut { .. }
            | Self::NoWay { .. }
            | Self::Forwarding { .. }
            | Self::Daemon { .. }
            | Self::Broken { .. } => true,
            Self::NoSsh { .. }
            | Self::Folder { .. }
            | Self::PathTooLong { .. }
            | Self::HostKeyChanged { .. }
            | Self::HostKeyUnknown { .. }
            | Self::Denied { .. }
            | Self::Asks { .. }
            | Self::TooManyKeys { .. }
            | Self::Configuration { .. }
            | Self::NoForwarding { .. }
            | Self::NoProgram { .. }
            | Self::Unfit { .. }
            | Self::Version { .. }
            | Self::Older { .. }
            | Self::NoProject { .. } => false,
        }
    }

    /// What is so, without what to do.
    pub fn brief(&self) -> String {
        let whole = self.to_string();
        whole.split_once("; ").map_or_else(|| whole.clone(), |(what, _)| what.to_owned())
    }
}

/// Why a line that was there is lost, in a few words.
pub(super) fn because(end: End, said: &str) -> String {
    let last = last_line(said);
    if !last.is_empty() {
        return last;
    }
    match end {
        End::Code(code) => format!("ssh ended with exit code {code}"),
        End::Signal(signal) => format!("ssh was ended by signal {signal}"),
        End::Silent => "the other end said nothing more".to_owned(),
    }
}

fn of_ssh(host: String, said: &str, is_batch: bool) -> LineError {
    let line_with = |words: &[&str]| said.lines().rev().find(|line| words.iter().any(|word| line.contains(word)));
    if line_with(&["REMOTE HOST IDENTIFICATION HAS CHANGED"]).is_some() {
        return LineError::HostKeyChanged { host };
    }
    if line_with(&["Host key verification failed"]).is_some() {
        return LineError::HostKeyUnknown { host };
    }
    if let Some((_, behind)) = line_with(&["Could not resolve hostname"]).and_then(|line| line.split_once("hostname "))
    {
        let name = behind.split(": ").next().unwrap_or(behind).to_owned();
        return LineError::Unresolved { host, name };
    }
    if let Some((_, behind)) = line_with(&["Permission denied ("]).and_then(|line| line.split_once("denied (")) {
        let methods = behind.split(')').next().unwrap_or(behind).replace(',', ", ");
        return if is_batch { LineError::Asks { host } } else { LineError::Denied { host, methods } };
    }
    if line_with(&["Too many authentication failures"]).is_some() {
        return LineError::TooManyKeys { host };
    }
    // The first line says where; a summary follows.
    let is_of_configuration =
        |line: &&str| line.contains("Bad configuration option") || line.contains("Bad owner or permissions");
    if let Some(line) = said.lines().find(is_of_configuration) {
        return LineError::Configuration { said: line.trim().to_owned() };
    }
    if let Some(line) = line_with(&["Connection refused"]) {
        return LineError::Refused { host, said: of_connect(line) };
    }
    if line_with(&["timed out", "Timeout, server"]).is_some() {
        return LineError::TimedOut { host };
    }
    if let Some(line) = line_with(&["No route to host", "Network is unreachable"]) {
        return LineError::NoWay { host, said: of_connect(line) };
    }
    LineError::Broken { host, said: because(End::Code(OF_SSH), said) }
}

/// `ssh: connect to host box port 22: Connection refused` without its first word.
fn of_connect(line: &str) -> String {
    let line = line.trim();
    line.strip_prefix("ssh: ").unwrap_or(line).to_owned()
}

fn is_about_the_folder(said: &str) -> bool {
    said.contains("no trainyard.toml in") || said.contains("cannot enter")
}

/// What trainyard over there said, which may be several lines; whatever was said if it said nothing.
fn of_trainyard(said: &str) -> String {
    let from = said.lines().position(|line| line.starts_with(OURS));
    let Some(from) = from else { return last_line(said) };
    let words = said.lines().skip(from).collect::<Vec<_>>().join("\n");
    words.strip_prefix(OURS).unwrap_or(&words).trim_end().to_owned()
}

fn last_line(said: &str) -> String {
    said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
