//! `trainyard export grafana`: the same panels as a dashboard.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::files;
use crate::cli::failure::{Failure, failed};
use crate::config::{PanelSettings, Settings};
use crate::monitor::export::grafana::dashboard;

/// The arguments of `trainyard export grafana`.
#[derive(Debug, Clone, Args)]
pub struct GrafanaArguments {
    /// Write it into this file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Prints or writes the dashboard.
pub(super) fn run(
    settings: &Settings,
    panels: &[PanelSettings],
    arguments: &GrafanaArguments,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(&dashboard(&settings.name, panels)).map_err(failed)?;
    text.push('\n');
    files::hand_over(&text, arguments.out.as_deref(), out)
}
