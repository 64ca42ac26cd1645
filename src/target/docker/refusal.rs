//! What the engine means when it refuses. It has few statuses and much text, so the text decides.
//!
//! Texts are those of Docker Engine 20.10 (tried). One that is not known says nothing about the release: only
//! what is surely the image's own fault rejects it.

use bollard::errors::Error;

use super::engine::EngineError;
use crate::target::Failure;
use crate::target::runtime_words::essence;

/// Why a container was not started.
#[derive(Debug)]
pub enum NotStarted {
    /// Another program took the port meanwhile; another may do.
    PortTaken(String),
    /// Trying again would not help.
    Failed(Failure),
}

impl From<Failure> for NotStarted {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<EngineError> for NotStarted {
    fn from(error: EngineError) -> Self {
        Self::Failed(Failure::not_tried(format!("could not be started: {error}")))
    }
}

impl From<Error> for NotStarted {
    fn from(error: Error) -> Self {
        let Some((_, message)) = refusal(&error) else { return EngineError::from(error).into() };
        match cause(message) {
            Cause::Port => Self::PortTaken(message.to_owned()),
            Cause::Image => {
                let reason = format!("could not be started from its image: {}", essence(message));
                Self::Failed(Failure::unfit(reason, Vec::new()))
            }
            Cause::NoCommand => Self::Failed(Failure::not_tried(
                "has no command: set `command` in the deploy stage, or `CMD` or `ENTRYPOINT` in the Dockerfile",
            )),
            Cause::NoImage => Self::Failed(Failure::not_tried(
                "could not be started: its image is not in Docker Engine any more; build it again with `trainyard run`, or \
                 for a rollback choose another release (`trainyard releases`)",
            )),
            Cause::Setting(key) => {
                let essence = essence(message);
                Self::Failed(Failure::not_tried(format!("cannot have the `{key}` of the deploy stage: {essence}")))
            }
            Cause::Unknown => EngineError::from(error).into(),
        }
    }
}

/// Whether what was asked for is not there.
pub fn is_missing(error: &Error) -> bool {
    refusal(error).is_some_and(|(status, _)| status == 404)
}

/// Whether something else stands against it.
pub fn is_conflict(error: &Error) -> bool {
    refusal(error).is_some_and(|(status, _)| status == 409)
}

/// The status and the text of a refusal; `None` for what is no answer of the engine.
pub fn refusal(error: &Error) -> Option<(u16, &str)> {
    match error {
        Error::DockerResponseServerError { status_code, message } => Some((*status_code, message)),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Port,
    Image,
    NoCommand,
    NoImage,
    Setting(&'static str),
    Unknown,
}

/// What stands for each cause, in small letters; the first that is found decides.
const CAUSES: &[(&[&str], Cause)] = &[
    (&["port is already allocated", "address already in use", "ports are not available"], Cause::Port),
    (&["no command specified"], Cause::NoCommand),
    (&["no such image"], Cause::NoImage),
    (&["memory limit", "memoryswap limit", "memory swap", "range of cpus", "nanocpus"], Cause::Setting("limits")),
    // Before the image: a mount that cannot be made is also an error of the OCI runtime.
    (
        &[
            "error mounting",
            "mount source path",
            "mount denied",
            "mounts denied",
            "invalid mount",
            "invalid volume",
            "local volume name",
            "volume driver",
            "duplicate mount point",
        ],
        Cause::Setting("volumes"),
    ),
    // Of the machine, although the OCI runtime tells it.
    (
        &[
            "docker-init",
            "no space left on device",
            "cannot allocate memory",
            "resource temporarily unavailable",
            "too many open files",
            "cgroup",
            "apparmor",
            "seccomp",
        ],
        Cause::Unknown,
    ),
    (
        &["oci runtime", "executable file not found", "exec format error", "unable to find user", "cannot mkdir"],
        Cause::Image,
    ),
];

fn cause(message: &str) -> Cause {
    let message = message.to_lowercase();
    let found = CAUSES.iter().find(|(texts, _)| texts.iter().any(|text| message.contains(text)));
    found.map_or(Cause::Unknown, |(_, cause)| *cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status_code: u16, message: &str) -> NotStarted {
        Error::DockerResponseServerError { status_code, message: message.to_owned() }.into()
    }

    #[test]
    fn a_port_that_was_taken_meanwhile_is_worth_another_try() {
        let proxy = "driver failed programming external connectivity on endpoint wine (35fd): Error starting userland \
                     proxy: listen tcp4 127.0.0.1:45999: bind: address already in use";
        let bind = "driver failed programming external connectivity on endpoint wine (6771): Bind for 127.0.0.1:45998 \
                    failed: port is already allocated";
        assert!(matches!(refused(500, proxy), NotStarted::PortTaken(_)));
        assert!(matches!(refused(500, bind), NotStarted::PortTaken(_)));
    }

    #[test]
    fn what_is_wrong_with_the_image_rejects_the_release() {
        let exec = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container \
                    process: exec: \"/nope\": stat /nope: no such file or directory: unknown";
        let NotStarted::Failed(Failure::Unfit { reason, .. }) = refused(400, exec) else { panic!("{exec}") };
        let expected = "could not be started from its image: exec: \"/nope\": stat /nope: no such file or directory";
        assert_eq!(reason, expected);
        let user = "unable to find user nobodyx: no matching entries in passwd file";
        assert!(matches!(refused(500, user), NotStarted::Failed(Failure::Unfit { .. })));
    }

    #[test]
    fn what_is_wrong_with_the_settings_or_the_machine_says_nothing_about_the_release() {
        let mount = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container \
                     process: error during container init: error mounting \"/etc/passwd\" to rootfs at \"/tmp\": mount \
                     /etc/passwd:/tmp, flags: 0x5000: not a directory: unknown: Are you trying to mount a directory onto \
                     a file (or vice-versa)?";
        let texts = [
            (mount, "`volumes`"),
            (
                "error while creating mount source path '/proc/1/x': mkdir /proc/1: no such file or directory",
                "`volumes`",
            ),
            ("Minimum memory limit allowed is 6MB", "`limits`"),
            ("Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available", "`limits`"),
            ("No command specified", "`command`"),
            ("No such image: nosuch:1", "`trainyard run`"),
        ];
        for (text, said) in texts {
            let NotStarted::Failed(Failure::NotTried { reason, .. }) = refused(400, text) else { panic!("{text}") };
            assert!(reason.contains(said), "{reason}");
        }
        let init = "exec: \"docker-init\": executable file not found in $PATH";
        assert!(matches!(refused(400, init), NotStarted::Failed(Failure::NotTried { .. })));
    }
}
