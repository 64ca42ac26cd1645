//! How the line to another machine stands: what a screen that looks from afar says of it.

use serde::{Deserialize, Serialize};

use crate::pipeline::Moment;

/// The line between a screen and a daemon on another machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// It carries.
    Up,
    /// It broke, and is tried again by itself.
    Lost {
        /// Since when.
        since: Moment,
        /// Why, or why the last try was in vain.
        reason: String,
        /// When it is tried again; `None` while it is being tried.
        next_try: Option<Moment>,
    },
    /// It broke, and asking again is of no use before somebody acts.
    Ended {
        /// Why, and what to do.
        reason: String,
    },
}
