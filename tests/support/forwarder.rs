//! A line to an engine that a test can cut and mend: what comes in on one end goes out on the other.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// The line. Connections that come while it is cut are closed at once, as by an engine that is gone.
pub struct Forwarder {
    shared: Arc<Shared>,
    /// The port on loopback on which it listens, if it does on one.
    pub port: Option<u16>,
}

#[derive(Default)]
struct Shared {
    is_cut: Mutex<bool>,
    open: Mutex<Vec<Line>>,
}

enum Line {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Line {
    fn end(&self) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

impl Forwarder {
    /// From a socket at `path` to the one at `engine`.
    pub fn between_sockets(path: &Path, engine: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let shared = Arc::new(Shared::default());
        let (own, engine): (_, PathBuf) = (Arc::clone(&shared), engine.to_owned());
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = UnixStream::connect(&engine) else { continue };
                let ends = (near.try_clone(), far.try_clone());
                let (Ok(near_again), Ok(far_again)) = ends else { continue };
                if own.admit([near.try_clone().map(Line::Unix), far.try_clone().map(Line::Unix)]) {
                    thread::spawn(move || pass(near, far, |far| drop(far.shutdown(Shutdown::Write))));
                    thread::spawn(move || pass(far_again, near_again, |near| drop(near.shutdown(Shutdown::Write))));
                }
            }
        });
        Self { shared, port: None }
    }

    /// From a port of its own to the port `engine`, both on loopback.
    pub fn to_port(engine: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(("127.0.0.1", engine)) else { continue };
                let ends = (near.try_clone(), far.try_clone());
                let (Ok(near_again), Ok(far_again)) = ends else { continue };
                if own.admit([near.try_clone().map(Line::Tcp), far.try_clone().map(Line::Tcp)]) {
                    thread::spawn(move || pass(near, far, |far| drop(far.shutdown(Shutdown::Write))));
                    thread::spawn(move || pass(far_again, near_again, |near| drop(near.shutdown(Shutdown::Write))));
                }
            }
        });
        Self { shared, port: Some(port) }
    }

    /// Cuts it: every connection ends, and none comes through.
    pub fn cut(&self) {
        *self.shared.is_cut.lock().unwrap() = true;
        for line in self.shared.open.lock().unwrap().drain(..) {
            line.end();
        }
    }

    /// Mends it.
    pub fn mend(&self) {
        *self.shared.is_cut.lock().unwrap() = false;
    }
}

impl Shared {
    /// Notes both ends of a connection; false if the line is cut.
    fn admit(&self, ends: [io::Result<Line>; 2]) -> bool {
        let is_cut = self.is_cut.lock().unwrap();
        let ends: Vec<Line> = ends.into_iter().flatten().collect();
        if *is_cut {
            ends.iter().for_each(Line::end);
            return false;
        }
        self.open.lock().unwrap().extend(ends);
        true
    }
}

fn pass<R: Read, W: Write>(mut from: R, mut to: W, end: impl Fn(&W)) {
    let _ = io::copy(&mut from, &mut to);
    end(&to);
}
