//! `trainyard export`: what is watched here, in the forms of others.
//!
//! What the configuration says (`prometheus`, `grafana`) needs no daemon; what was measured (`csv`, `svg`) does.

mod csv;
mod files;
mod grafana;
mod prometheus;
mod svg;

use std::io::Write;
use std::path::Path;

use clap::Subcommand;

use super::failure::Failure;
use super::project::layout;
use crate::config::{HumanDuration, PanelSettings, Settings, load};
use crate::monitor::model_server_panels;

pub use self::csv::CsvArguments;
pub use self::grafana::GrafanaArguments;
pub use self::prometheus::{PrometheusArguments, What};
pub use self::svg::SvgArguments;

/// The subcommands of `trainyard export`.
#[derive(Debug, Clone, Subcommand)]
pub enum ExportCommand {
    /// Print a scrape configuration and a file of rules for Prometheus, from the same panels and alerts
    #[command(after_help = "Example: trainyard export prometheus --dir /etc/prometheus/wine")]
    Prometheus(PrometheusArguments),
    /// Print a dashboard for Grafana, with the same panels and a mark at each deploy
    #[command(after_help = "Example: trainyard export grafana --out dashboard.json")]
    Grafana(GrafanaArguments),
    /// Print a PromQL expression over time as CSV: a row a moment, a column a series
    #[command(after_help = "Example: trainyard export csv 'rate(predict_requests_total[1m])' --range 1h --step 10s")]
    Csv(CsvArguments),
    /// Print a picture of a panel as SVG
    #[command(after_help = "Example: trainyard export svg requests/s --range 6h --out requests.svg")]
    Svg(SvgArguments),
}

impl ExportCommand {
    /// Whether it prints the export itself, and not that it was written.
    pub fn is_for_machines(&self) -> bool {
        match self {
            Self::Prometheus(arguments) => arguments.dir.is_none(),
            Self::Grafana(arguments) => arguments.out.is_none(),
            Self::Csv(arguments) => arguments.out.is_none(),
            Self::Svg(arguments) => arguments.out.is_none(),
        }
    }
}

/// Does what was asked for.
pub fn run(folder: &Path, command: &ExportCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        ExportCommand::Prometheus(arguments) => prometheus::run(&settings(folder)?, arguments, out),
        ExportCommand::Grafana(arguments) => grafana::run(&settings(folder)?, arguments, out),
        ExportCommand::Csv(arguments) => csv::run(folder, arguments, out),
        ExportCommand::Svg(arguments) => svg::run(folder, arguments, out),
    }
}

fn settings(folder: &Path) -> Result<Settings, Failure> {
    load(&layout(folder)?.configuration()).map_err(|error| Failure::Usage(error.to_string()))
}

/// The panels that are drawn: the configured ones, or those that suit every app that configures none.
fn panels(settings: &Settings) -> Vec<PanelSettings> {
    let configured = &settings.monitor.panels;
    if configured.is_empty() { model_server_panels() } else { configured.clone() }
}

/// A duration as the daemon is told it.
pub fn milliseconds(duration: HumanDuration) -> u64 {
    u64::try_from(duration.0.as_millis()).unwrap_or(u64::MAX)
}
