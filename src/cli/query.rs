//! `trainyard query`: an expression now, or over time.

use std::io::Write;
use std::path::Path;

use super::export::milliseconds;
use super::failure::Failure;
use super::project::{block_on, client, layout};
use super::show::{clock, json};
use crate::api::client::Client;
use crate::config::HumanDuration;
use crate::pipeline::Moment;

/// Lines for each series without `--step`, about.
const LINES: u64 = 60;

/// The arguments of `trainyard query`.
#[derive(Debug, Clone, clap::Args)]
pub struct QueryArguments {
    /// The expression
    #[arg(value_name = "EXPR")]
    pub expression: String,
    /// Over this time until now, and not only now
    #[arg(long, value_name = "DURATION")]
    pub range: Option<HumanDuration>,
    /// From value to value; without it a sixtieth of the range, and at least 1s
    #[arg(long, value_name = "DURATION", requires = "range")]
    pub step: Option<HumanDuration>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Asks the daemon and prints the values.
pub fn run(folder: &Path, arguments: &QueryArguments, out: &mut impl Write) -> Result<(), Failure> {
    let client = client(&layout(folder)?)?;
    match arguments.range {
        Some(range) => over_time(&client, milliseconds(range), arguments, out),
        None => now(&client, arguments, out),
    }
}

fn now(client: &Client, arguments: &QueryArguments, out: &mut impl Write) -> Result<(), Failure> {
    let rows = block_on(async { Ok(client.query(&arguments.expression).await?) })?;
    if arguments.json {
        return json(&rows, out);
    }
    for row in rows {
        writeln!(out, "{} {}", row.labels, row.value)?;
    }
    Ok(())
}

fn over_time(client: &Client, range: u64, arguments: &QueryArguments, out: &mut impl Write) -> Result<(), Failure> {
    let step = arguments.step.map_or_else(|| step_for(range), milliseconds);
    let answer = block_on(async { Ok(client.query_range(&arguments.expression, range, step).await?) })?;
    if arguments.json {
        return json(&answer, out);
    }
    for series in answer.series {
        writeln!(out, "{}", series.labels)?;
        for (at, value) in series.points {
            writeln!(out, "  {}{}  {value}", clock(at), fraction(at, answer.step))?;
        }
    }
    Ok(())
}

fn step_for(range: u64) -> u64 {
    range.div_ceil(LINES).div_ceil(1_000).max(1) * 1_000
}

/// Milliseconds behind the clock, where seconds do not tell one moment from the next.
fn fraction(at: Moment, step: u64) -> String {
    if step.is_multiple_of(1_000) { String::new() } else { format!(".{:03}", at.0.rem_euclid(1_000)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_told_in_about_sixty_lines() {
        assert_eq!(step_for(900_000), 15_000);
        assert_eq!(step_for(86_400_000), 1_440_000);
        assert_eq!(step_for(10), 1_000);
    }

    #[test]
    fn milliseconds_are_told_only_where_they_differ() {
        assert_eq!(fraction(Moment(1_250), 1_000), "");
        assert_eq!(fraction(Moment(1_250), 250), ".250");
    }
}
