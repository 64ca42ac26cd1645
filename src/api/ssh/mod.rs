//! The line to a daemon on another machine, through the user's own OpenSSH.
//!
//! [`Place`] says where. [`Line`] is one `ssh` process that runs `trainyard link` over there for as long as it lives, and
//! forwards the daemon's socket to one of ours, so that the client at this end is the same as at the other. How the user comes
//! in (configuration, keys, agent, jump hosts) is the affair of `ssh` alone: this room knows no key and no password, and asks
//! for none. What goes wrong is told by [`LineError`], from what `ssh` itself says.
//!
//! **Invariant:** nothing here listens on a network port, and a line ends no process but its own `ssh`.

mod card;
mod failure;
mod folder;
mod line;
mod place;
mod program;
mod said;
mod session;
mod shell;

pub use card::LinkCard;
pub use failure::{End, LineError};
pub use line::Line;
pub use place::{Place, PlaceError};
pub use program::{REMOTE_PROGRAM_VARIABLE, SSH_VARIABLE, Ssh};
