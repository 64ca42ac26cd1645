//! A socket that stays where clients look for it.
//!
//! The run-time folder of a user goes when their last login ends and comes back with the next one, and a cleaner may empty a
//! temporary folder. Whoever listens here outlives both, so it looks every moment whether clients would still find its socket,
//! and opens it anew where they look if they would not: where the run-time folder is noted. Where that is gone, or where there
//! is a better one than the temporary folder now, it is noted anew, and the other one who listens for this project follows.
//! Connections that are open go on. Whoever binds holds a lock of the project: a file in the socket's place is what a dead
//! process left.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::Layout;

/// How often it is looked: whoever logs in again finds the daemon by the time that a command is typed.
const LOOK: Duration = Duration::from_secs(1);

/// Is told when the socket was opened anew, and of the first time that it could not be.
type Tell = Box<dyn Fn(Result<(), &io::Error>) + Send>;

/// A socket of a project, closed to other users, which comes back where it was taken away.
pub struct LastingListener {
    layout: Layout,
    place: fn(&Layout) -> PathBuf,
    open: Open,
    looks: Interval,
    is_lost: bool,
    tell: Tell,
}

impl LastingListener {
    /// Opens the socket at its place in the layout. The run-time folder is made, or closed again if somebody opened it.
    pub fn bind(
        layout: &Layout,
        place: fn(&Layout) -> PathBuf,
        tell: impl Fn(Result<(), &io::Error>) + Send + 'static,
    ) -> io::Result<Self> {
        let open = Open::anew(layout, place)?;
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { layout: layout.clone(), place, open, looks, is_lost: false, tell: Box::new(tell) })
    }

    /// Opens the socket anew if clients would not find it. With its project it goes for good.
    fn look(&mut self) {
        if !self.layout.state().is_dir() {
            return;
        }
        if !self.layout.is_runtime_settled() {
            // If none can be made it is said below, where the socket cannot be opened either.
            let _ = self.layout.create_runtime();
        }
        if self.open.is_at(&(self.place)(&self.layout)) {
            return;
        }
        match Open::anew(&self.layout, self.place) {
            Ok(open) => {
                std::mem::replace(&mut self.open, open).remove();
                self.is_lost = false;
                (self.tell)(Ok(()));
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_lost, true) {
                    (self.tell)(Err(&error));
                }
            }
        }
    }
}

impl fmt::Debug for LastingListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastingListener").field("open", &self.open).finish_non_exhaustive()
    }
}

impl Listener for LastingListener {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            tokio::select! {
                accepted = Listener::accept(&mut self.open.listener) => return accepted,
                _ = self.looks.tick() => self.look(),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.open.listener.local_addr()
    }
}

/// A socket that is open now, and by what its file is told from another of the same name.
#[derive(Debug)]
struct Open {
    listener: UnixListener,
    path: PathBuf,
    identity: (u64, u64),
}

impl Open {
    fn anew(layout: &Layout, place: fn(&Layout) -> PathBuf) -> io::Result<Self> {
        // First, so that there is never a socket in a folder that is open to others.
        layout.create_runtime()?;
        let path = place(layout);
        let listener = bind_closed(&path)?;
        let identity = identity(&path)?;
        Ok(Self { listener, path, identity })
    }

    fn is_at(&self, path: &Path) -> bool {
        self.path == path && identity(path).is_ok_and(|identity| identity == self.identity)
    }

    /// Takes its file away where another has been opened elsewhere; that of another in the same place stays.
    fn remove(self) {
        if self.is_at(&self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Binds a socket that at no instant is open to others: it gets its place only when it has its mode. (A mask of the process
/// would be simpler, but it holds for the files of all threads.)
fn bind_closed(socket: &Path) -> io::Result<UnixListener> {
    // Not longer than the name itself, for a path may hold 107 bytes.
    let beside = socket.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&beside)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o600))?;
    fs::rename(&beside, socket)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// How long a socket may take to come back.
    const DEADLINE: Duration = Duration::from_secs(20);

    fn project() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        (folder, layout)
    }

    fn runtime_of(layout: &Layout) -> PathBuf {
        layout.socket().parent().unwrap().to_owned()
    }

    /// Gives back every byte on every connection.
    async fn echo(mut listener: LastingListener) {
        loop {
            let (mut stream, _) = listener.accept().await;
            tokio::spawn(async move {
                let mut byte = [0];
                while stream.read_exact(&mut byte).await.is_ok() {
                    stream.write_all(&byte).await.unwrap();
                }
            });
        }
    }

    async fn answers(stream: &mut UnixStream) -> bool {
        let mut byte = [0];
        stream.write_all(b"x").await.is_ok() && stream.read_exact(&mut byte).await.is_ok()
    }

    #[tokio::test]
    async fn a_socket_comes_back_when_its_folder_was_taken_away_and_open_connections_go_on() {
        let (_folder, layout) = project();
        let listener = LastingListener::bind(&layout, Layout::socket, |_| ()).unwrap();
        let echo = tokio::spawn(echo(listener));
        let mut first = UnixStream::connect(layout.socket()).await.unwrap();
        assert!(answers(&mut first).await);
        // As at the end of the last login.
        fs::remove_dir_all(runtime_of(&layout)).unwrap();
        let connecting = async {
            loop {
                match UnixStream::connect(layout.socket()).await {
                    Ok(stream) => return stream,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        let mut later = tokio::time::timeout(DEADLINE, connecting).await.expect("the socket comes back");
        assert!(answers(&mut later).await);
        assert!(answers(&mut first).await);
        assert_eq!(fs::metadata(layout.socket()).unwrap().permissions().mode() & 0o777, 0o600);
        echo.abort();
        fs::remove_dir_all(runtime_of(&layout)).unwrap();
    }

    #[tokio::test]
    async fn a_socket_goes_for_good_with_its_project_and_not_before() {
        let (folder, layout) = project();
        let mut listener = LastingListener::bind(&layout, Layout::socket, |_| ()).unwrap();
        let runtime = runtime_of(&layout);
        fs::remove_file(layout.socket()).unwrap();
        listener.look();
        assert!(layout.socket().exists());
        folder.close().unwrap();
        fs::remove_dir_all(&runtime).unwrap();
        listener.look();
        assert!(!runtime.exists());
    }

    #[tokio::test]
    async fn a_socket_goes_where_it_is_noted_and_with_that_folder_to_the_usual_one() {
        let (folder, layout) = project();
        let mut listener = LastingListener::bind(&layout, Layout::socket, |_| ()).unwrap();
        let usual = layout.socket();
        // As when the other one who listens for the project had to go elsewhere.
        let elsewhere = folder.path().join("trainyard");
        fs::create_dir(&elsewhere).unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(layout.state().join("runtime"), elsewhere.as_os_str().as_encoded_bytes()).unwrap();
        listener.look();
        assert!(layout.socket().starts_with(&elsewhere) && !usual.exists());
        UnixStream::connect(layout.socket()).await.unwrap();
        fs::remove_dir_all(&elsewhere).unwrap();
        listener.look();
        assert_eq!(layout.socket(), usual);
        UnixStream::connect(usual).await.unwrap();
        fs::remove_dir_all(runtime_of(&layout)).unwrap();
    }

    #[tokio::test]
    async fn what_somebody_else_put_in_its_place_is_replaced() {
        let (_folder, layout) = project();
        let mut listener = LastingListener::bind(&layout, Layout::socket, |_| ()).unwrap();
        fs::remove_file(layout.socket()).unwrap();
        fs::write(layout.socket(), "no socket").unwrap();
        listener.look();
        UnixStream::connect(layout.socket()).await.unwrap();
        fs::remove_dir_all(runtime_of(&layout)).unwrap();
    }

    #[tokio::test]
    async fn a_socket_is_closed_to_others_and_takes_the_place_of_one_that_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("daemon.sock");
        fs::write(&socket, "left by a dead daemon").unwrap();
        fs::write(folder.path().join("daemon.new"), "left by one that died early").unwrap();
        let _listener = bind_closed(&socket).unwrap();
        assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["daemon.sock"]);
        UnixStream::connect(&socket).await.unwrap();
    }
}
