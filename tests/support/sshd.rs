//! A real `sshd` on loopback with keys and a configuration of its own, and the configuration of a client that leads there.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::commands::{PATIENCE, finish, wait_for};
use super::disk::is_root;
use super::project::{Project, free_port};

/// A server must be started by its whole path, for it starts itself again for each connection.
const PROGRAM: &str = "/usr/sbin/sshd";
/// How long it may take to listen.
const LISTENS: Duration = Duration::from_secs(20);
/// What a login finds in its environment, so that what it starts is the project's.
const HANDED_ON: [&str; 4] = ["XDG_RUNTIME_DIR", "HOME", "XDG_CONFIG_HOME", "LC_ALL"];

/// Whether there is an `sshd`; where one must be, its absence is a failure.
#[track_caller]
pub fn has_sshd(test: &str) -> bool {
    let is_there = Path::new(PROGRAM).is_file();
    let must = std::env::var("TRAINYARD_TEST_SSH").is_ok_and(|value| value == "1");
    assert!(is_there || !must, "TRAINYARD_TEST_SSH is 1, but there is no {PROGRAM}");
    if !is_there {
        eprintln!("skipped: {test}: there is no {PROGRAM}");
    }
    is_there
}

/// The server of a machine on which a project lies. It lets in who runs the tests, with one key.
pub struct Sshd {
    child: Option<Child>,
    folder: PathBuf,
    port: u16,
}

impl Sshd {
    /// Starts one with these lines before all others. The client knows it as `box`; as `stranger` it shows a key that is not
    /// let in, as `unknown` it does not know the key of the host, on `closed` nobody listens, and `nowhere` does not resolve.
    #[track_caller]
    pub fn start(far: &Project, more: &str) -> Self {
        let folder = far.outside().join("ssh");
        fs::create_dir(&folder).unwrap();
        let port = free_port();
        let path = |name: &str| folder.join(name).display().to_string();
        for key in ["host_key", "key", "other_key"] {
            let mut make = Command::new("ssh-keygen");
            finish(make.args(["-q", "-t", "ed25519", "-N", "", "-f", &path(key)]), PATIENCE).ok();
        }
        fs::copy(path("key.pub"), path("authorized_keys")).unwrap();
        let host_key = fs::read_to_string(path("host_key.pub")).unwrap();
        fs::write(path("known_hosts"), format!("[127.0.0.1]:{port} {host_key}")).unwrap();
        let environment = far.environment();
        let handed_on: Vec<String> = environment
            .iter()
            .filter(|(name, _)| HANDED_ON.contains(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let server = format!(
            "{more}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nSetEnv {}\n",
            path("host_key"),
            path("authorized_keys"),
            handed_on.join(" "),
        );
        fs::write(path("sshd.conf"), &server).unwrap();
        if is_root() {
            // Where the part of the server that has no rights is shut in.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        // Newer servers turn away who failed a few times, which tests do; older ones do not know the word.
        fs::write(path("newer.conf"), format!("{server}PerSourcePenalties no\n")).unwrap();
        let takes = |name: &str| finish(Command::new(PROGRAM).args(["-t", "-f", &path(name)]), PATIENCE);
        if takes("newer.conf").code == Some(0) {
            fs::rename(path("newer.conf"), path("sshd.conf")).unwrap();
        }
        takes("sshd.conf").ok();
        fs::write(path("config"), client(&folder, port)).unwrap();
        let mut sshd = Self { child: None, folder, port };
        sshd.start_again();
        sshd
    }

    /// Starts the server again, with the same keys on the same port.
    #[track_caller]
    pub fn start_again(&mut self) {
        let log = self.folder.join("sshd.log");
        let mut command = Command::new(PROGRAM);
        command.args(["-D", "-e", "-f"]).arg(self.folder.join("sshd.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        wait_for("sshd to listen", LISTENS, || {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "sshd ended: {}", fs::read_to_string(&log).unwrap_or_default());
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).ok()
        });
        self.child = Some(child);
    }

    /// Lets nobody in any more; who is in, stays.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Takes the right to come in from the key.
    pub fn revoke(&self) {
        fs::write(self.folder.join("authorized_keys"), "").unwrap();
    }

    /// How a client is called that knows this server.
    pub fn client(&self) -> String {
        format!("ssh -F {}", self.folder.join("config").display())
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The configuration of a client: what stands first counts.
fn client(folder: &Path, port: u16) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let user = finish(Command::new("id").arg("-un"), PATIENCE).ok();
    let closed = free_port();
    format!(
        "Host box\n  IdentityFile {}\nHost stranger\n  IdentityFile {}\nHost unknown\n  UserKnownHostsFile /dev/null\n\
         Host closed\n  Port {closed}\nHost nowhere\n  HostName nowhere.invalid\n\
         Host *\n  HostName 127.0.0.1\n  Port {port}\n  User {}\n  IdentitiesOnly yes\n  IdentityAgent none\n\
         \x20 UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n",
        path("key"),
        path("other_key"),
        user.stdout.trim(),
        path("known_hosts"),
    )
}
