//! The supervisor: one small single-threaded process a stage, which outlives the daemon.
//!
//! The daemon starts it by exec with the folder of an attempt. It runs the stage in a process group of its own, writes what
//! the stage prints to the log, and writes how the stage ended to disk. It holds a lock for its life: nothing is started
//! twice, and one that died is known at once, whatever process number it had.
//!
//! Secrets come to it through its standard input, never through a file, and leave neither it nor the files of the attempt.
//!
//! **Invariants:** it never opens the journal and never talks to the daemon. The log is synced before the exit file gets
//! its name. It is a sub-reaper, so no process that the stage started can leave it, and it leaves none behind.

mod files;
mod handed;
mod supervise;
mod tree;

pub use files::{AttemptFolder, Exit, Job, MARK, Supervision};
pub use handed::Handed;
pub use supervise::{SuperviseError, supervise};
pub use tree::{ProcessIdentity, kill_marked};

/// Variables by which a service manager speaks with the daemon that it started; see `sd_notify(3)` and `sd_listen_fds(3)`.
/// What the daemon starts in turn is not the service: it must not say in its place that it is ready, and must not be told
/// of a watchdog or of sockets that are not its own.
pub const SERVICE_VARIABLES: &[&str] =
    &["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"];
