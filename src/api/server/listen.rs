//! Where the daemon is heard: its socket, and what is to be said when that is taken away.

use std::io;

pub(super) use crate::disk::LastingListener;
use crate::disk::{Layout, ProjectCard};
use crate::engine::Daemon;

/// Opens the socket. A file left by a dead daemon is replaced: whoever calls this holds the daemon's lock.
pub fn bind(daemon: &Daemon) -> io::Result<LastingListener> {
    let (layout, status) = (daemon.layout.clone(), daemon.status.clone());
    let name = daemon.information.project.clone();
    LastingListener::bind(&daemon.layout, Layout::socket, move |opened| {
        if opened.is_ok() {
            // It lay beside the socket and went with it; without it the project is only not listed.
            let _ = ProjectCard::leave(&layout, &name);
        }
        let problem = opened.err().map(|error| {
            let socket = layout.socket();
            format!("the socket was taken away and cannot be opened anew at {}: {error}", socket.display())
        });
        status.problem("socket", problem);
    })
}
