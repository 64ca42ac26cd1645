//! `trainyard link`: the far end of a line. It says who answers here, and stays until whoever asked is gone.

use std::io::{self, Write};
use std::path::Path;

use super::failure::{Failure, failed};
use super::project::{block_on, client, layout};
use super::up;
use crate::api::client::ClientError;
use crate::api::ssh::LinkCard;

/// Prints the card of the daemon, which is started if none runs and this is for more than watching.
pub fn run(folder: &Path, is_observer: bool, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let client = client(&layout)?;
    let hello = || block_on(async { Ok(client.hello().await) });
    let hello = match hello()? {
        // One that runs is not in need of a configuration that can be read now, so it is asked first.
        Err(ClientError::NotRunning(_) | ClientError::Unheard(_) | ClientError::Broken(_)) if !is_observer => {
            up::start(&layout)?;
            hello()??
        }
        answer => answer?,
    };
    let socket = layout.socket();
    let socket = socket.to_str().ok_or_else(|| failed(format!("the path {} is not UTF-8", socket.display())))?;
    let card = LinkCard {
        version: hello.daemon.version,
        api: hello.daemon.api,
        socket: socket.to_owned(),
        project: hello.daemon.project,
        folder: hello.daemon.folder,
        host: hello.daemon.host,
        pid: hello.daemon.pid,
    };
    serde_json::to_writer(&mut *out, &card).map_err(failed)?;
    writeln!(out)?;
    out.flush()?;
    // What comes in means nothing but that somebody is there.
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}
