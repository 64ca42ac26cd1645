//! Which projects of this user have a daemon: each leaves a card beside its socket.
//!
//! A card is a hint and no more: whoever reads it looks by the daemon's lock whether it still runs. A daemon that ends removes
//! its card; one that was killed leaves it, and it goes with its project, or with the run-time folder when the machine starts.
//! Where it is noted that sockets are stands in each project, so cards are looked for by the environment alone: one of a daemon
//! that was started with another run-time folder is not seen.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::runtime::own_by_environment;
use super::{FileLock, Layout, write_whole};

/// What a daemon tells of its project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectCard {
    /// The project folder.
    pub folder: PathBuf,
    /// The project's name.
    pub name: String,
    /// The process of the daemon.
    pub pid: u32,
}

impl ProjectCard {
    /// Leaves the card of this process beside the socket of the project.
    pub fn leave(layout: &Layout, name: &str) -> io::Result<()> {
        let card = Self { folder: layout.project().to_owned(), name: name.to_owned(), pid: std::process::id() };
        write_whole(&layout.project_card(), &serde_json::to_vec(&card)?)
    }

    /// Takes it away; none is fine.
    pub fn take_away(layout: &Layout) {
        let _ = fs::remove_file(layout.project_card());
    }

    /// Whether a daemon of the project runs.
    pub fn is_running(&self) -> bool {
        Layout::new(&self.folder).is_ok_and(|layout| FileLock::is_held(&layout.daemon_lock()).unwrap_or(false))
    }

    /// All cards of projects that are still there, by name and folder.
    pub fn all() -> Vec<Self> {
        // What anybody else could have put there is no card.
        let Ok(entries) = own_by_environment().and_then(fs::read_dir) else { return Vec::new() };
        let mut found: Vec<Self> = entries
            .flatten()
            .filter_map(|entry| {
                let card: Self = serde_json::from_slice(&fs::read(entry.path().join(CARD)).ok()?).ok()?;
                let layout = Layout::new(&card.folder).ok()?;
                // A folder that was moved to another's place does not answer for it.
                let is_there = layout.configuration().is_file() && layout.project_card() == entry.path().join(CARD);
                is_there.then_some(card)
            })
            .collect();
        found.sort_by(|one, other| (&one.name, &one.folder).cmp(&(&other.name, &other.folder)));
        found
    }
}

/// The name of a card.
pub(super) const CARD: &str = "project.json";
