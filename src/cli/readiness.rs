//! What a service manager is told: that the daemon serves, that it is alive, and that it ends. See `sd_notify(3)`.
//!
//! Without `NOTIFY_SOCKET` nobody wants to know, and nothing is sent.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::fs::fstat;

/// Where a service manager listens.
#[derive(Debug)]
pub struct Readiness {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Readiness {
    /// What the environment names; `None` when there is no service manager.
    pub fn from_environment() -> io::Result<Option<Self>> {
        env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty()).map(|path| Self::at(path.as_bytes())).transpose()
    }

    /// A path, or behind an `@` the name of an abstract address.
    fn at(path: &[u8]) -> io::Result<Self> {
        let address = match path.strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(OsStr::from_bytes(path))?,
        };
        Ok(Self { socket: UnixDatagram::unbound()?, address })
    }

    /// The daemon answers from now on.
    pub fn ready(&self, status: &str) -> io::Result<()> {
        let status = status.replace('\n', " ");
        self.tell(&format!("READY=1\nSTATUS={status}\nMAINPID={}", std::process::id()))
    }

    /// It is alive.
    pub fn alive(&self) -> io::Result<()> {
        self.tell("WATCHDOG=1")
    }

    /// It ends; stages and releases go on.
    pub fn stopping(&self) -> io::Result<()> {
        self.tell("STOPPING=1\nSTATUS=ends; stages and the deployed app go on")
    }

    fn tell(&self, text: &str) -> io::Result<()> {
        self.socket.send_to_addr(text.as_bytes(), &self.address).map(drop)
    }
}

/// How often the service manager wants to hear that we are alive: twice as often as it loses patience.
pub fn heartbeat() -> Option<Duration> {
    let number = |name: &str| env::var(name).ok()?.parse::<u64>().ok();
    // Meant for another process that has handed its environment down to us.
    if number("WATCHDOG_PID").is_some_and(|pid| pid != u64::from(std::process::id())) {
        return None;
    }
    number("WATCHDOG_USEC").filter(|patience| *patience > 1).map(|patience| Duration::from_micros(patience / 2))
}

/// Before a complaint: its level, where our complaints go to the journal of the system. The variable outlives a redirection,
/// so it is compared with what standard error is.
pub fn error_prefix() -> &'static str {
    let journal = env::var("JOURNAL_STREAM").unwrap_or_default();
    match fstat(io::stderr()) {
        Ok(stat) if journal == format!("{}:{}", stat.st_dev, stat.st_ino) => "<3>",
        Ok(_) | Err(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(manager: &UnixDatagram) -> String {
        manager.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut bytes = [0; 512];
        let length = manager.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    #[test]
    fn a_service_manager_is_told_by_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let readiness = Readiness::at(path.as_os_str().as_bytes()).unwrap();
        readiness.ready("serves wine\nin /srv").unwrap();
        let own = std::process::id();
        assert_eq!(heard(&manager), format!("READY=1\nSTATUS=serves wine in /srv\nMAINPID={own}"));
        readiness.alive().unwrap();
        assert_eq!(heard(&manager), "WATCHDOG=1");
    }

    #[test]
    fn a_service_manager_is_told_by_an_abstract_address() {
        let name = format!("trainyard-test-{}", std::process::id());
        let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Readiness::at(format!("@{name}").as_bytes()).unwrap().stopping().unwrap();
        assert!(heard(&manager).starts_with("STOPPING=1\n"));
    }
}
