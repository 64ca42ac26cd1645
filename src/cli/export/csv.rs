//! `trainyard export csv`: what was measured, for a spreadsheet or a notebook.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{files, milliseconds, panels};
use crate::api::client::Client;
use crate::api::types::{RangeAnswer, RangeRow};
use crate::cli::failure::{Failure, failed};
use crate::cli::project::{block_on, client, layout};
use crate::config::HumanDuration;
use crate::monitor::export::csv::{Clock, Column, Rows, table};

/// Rows that a table has without `--step`, at most.
const ROWS: u64 = 10_000;

/// The arguments of `trainyard export csv`.
#[derive(Debug, Clone, Args)]
pub struct CsvArguments {
    /// The expression
    #[arg(value_name = "EXPR", required_unless_present = "panel", conflicts_with = "panel")]
    pub expression: Option<String>,
    /// The panel of this title, instead of an expression
    #[arg(long, value_name = "TITLE")]
    pub panel: Option<String>,
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    pub range: HumanDuration,
    /// From row to row; without it 1s, or more where the range is long
    #[arg(long, value_name = "DURATION")]
    pub step: Option<HumanDuration>,
    /// Write times as milliseconds since 1970, and not as RFC 3339
    #[arg(long)]
    pub milliseconds: bool,
    /// Write it into this file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Asks the daemon and prints or writes the table.
pub(super) fn run(folder: &Path, arguments: &CsvArguments, out: &mut impl Write) -> Result<(), Failure> {
    let range = milliseconds(arguments.range);
    let step = arguments.step.map_or_else(|| step_for(range), milliseconds);
    let layout = layout(folder)?;
    let client = client(&layout)?;
    let expression = match (&arguments.expression, &arguments.panel) {
        (Some(expression), _) => expression.clone(),
        (None, title) => {
            let found = expression_of(&client, title.as_deref().unwrap_or_default(), range)?;
            panels::say_if_found(&layout);
            found
        }
    };
    let answer = block_on(async { Ok(client.query_range(&expression, range, step).await?) })?;
    let RangeAnswer { start, end, step, series } = answer;
    let columns: Vec<Column> = series.into_iter().map(column).collect();
    let clock = if arguments.milliseconds { Clock::Milliseconds } else { Clock::Rfc3339 };
    let text = table(Rows { start, end, step }, &columns, clock).map_err(failed)?;
    files::hand_over(&text, arguments.out.as_deref(), out)
}

/// What the panel of that title draws.
fn expression_of(client: &Client, title: &str, range: u64) -> Result<String, Failure> {
    // Of the charts only their expressions are wanted.
    let charts = block_on(async { Ok(client.charts(range, 1).await?) })?;
    let index = panels::find(&charts.panels, title)?;
    Ok(charts.panels.get(index).map(|panel| panel.expression.clone()).unwrap_or_default())
}

fn column(row: RangeRow) -> Column {
    // What is no number here was none there.
    let number = |text: &str| text.parse().unwrap_or(f64::NAN);
    Column { header: row.labels, points: row.points.iter().map(|(at, value)| (*at, number(value))).collect() }
}

/// Whole seconds, so many that the table stays within its rows.
fn step_for(range: u64) -> u64 {
    range.div_ceil(ROWS).div_ceil(1_000).max(1) * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_step_there_is_a_row_a_second_until_there_would_be_too_many() {
        assert_eq!(step_for(900_000), 1_000);
        assert_eq!(step_for(86_400_000), 9_000);
        assert_eq!(step_for(0), 1_000);
    }
}
