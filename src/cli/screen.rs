//! The screen of a project; the daemon is started if none runs.

use std::path::Path;

use super::failure::{Failure, failed};
use super::project::{layout, operator};
use super::up;
use crate::api::client::Client;
use crate::tui::{self, DemoHooks, Options, TuiError};

/// Opens the screen.
pub fn open(folder: &Path) -> Result<(), Failure> {
    show(folder, None)
}

/// Opens the screen, with the keys of the demo where there are some.
pub fn show(folder: &Path, demo: Option<DemoHooks>) -> Result<(), Failure> {
    let layout = layout(folder)?;
    up::start(&layout)?;
    let client = Client::connect(&layout)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    let shown = runtime.block_on(tui::run(client, Options { by: operator(), demo }));
    // A task that still waits for an answer must not hold the terminal's owner up.
    runtime.shutdown_background();
    shown.map_err(|error| match error {
        TuiError::NotATerminal => Failure::Usage(error.to_string()),
        TuiError::Signal { signal } => Failure::Said(u8::try_from(128 + signal).unwrap_or(1)),
        TuiError::Lost => Failure::Said(129),
        TuiError::Terminal(_) | TuiError::Broken => Failure::Failed(error.to_string()),
    })
}
