//! `trainyard export`: what is watched here, in the forms of others.
//!
//! What the configuration says (`prometheus`, `grafana`) needs no daemon; what was measured (`csv`, `svg`) does, and so does
//! finding the panels of a project that configures none.

mod csv;
mod files;
mod grafana;
mod panels;
mod prometheus;
mod svg;

use std::io::Write;
use std::path::Path;

use clap::Subcommand;

use super::failure::Failure;
use super::project::layout;
use crate::config::{HumanDuration, Settings, load};
use crate::disk::Layout;

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
    /// Print a PromQL expression, or a panel, over time as CSV: a row a moment, a column a series
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
        ExportCommand::Prometheus(arguments) => {
            let (layout, settings) = configured(folder)?;
            // A scrape configuration alone has no panels.
            let is_about_panels = arguments.what != Some(What::Scrape);
            let panels = if is_about_panels { panels::panels(&layout, &settings)? } else { Vec::new() };
            prometheus::run(&settings, &panels, arguments, out)
        }
        ExportCommand::Grafana(arguments) => {
            let (layout, settings) = configured(folder)?;
            let panels = panels::panels(&layout, &settings)?;
            grafana::run(&settings, &panels, arguments, out)
        }
        ExportCommand::Csv(arguments) => csv::run(folder, arguments, out),
        ExportCommand::Svg(arguments) => svg::run(folder, arguments, out),
    }
}

fn configured(folder: &Path) -> Result<(Layout, Settings), Failure> {
    let layout = layout(folder)?;
    let settings = load(&layout.configuration()).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok((layout, settings))
}

/// A duration as the daemon is told it.
pub fn milliseconds(duration: HumanDuration) -> u64 {
    u64::try_from(duration.0.as_millis()).unwrap_or(u64::MAX)
}
