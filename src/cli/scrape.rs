//! `trainyard scrape`: one page of metrics, from an address, a file or standard input: accepted, or why it is refused.
//!
//! The page is read by the reader that the monitor has, so what is accepted here is what the monitor would record, and
//! what is refused here is what it would count as a failed scrape. It needs neither a project nor a daemon.

mod page;
mod show;

use std::fs::File;
use std::io::{self, Read, Write};

use super::failure::{Failure, failed};
use super::project::block_on;
use super::show::json;
use crate::config::HumanDuration;
use crate::monitor::{Format, ScrapeError, ScrapeFailure, ScrapeOptions, client, fetch, text_of};
use page::Judged;

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 256 << 20;

/// `trainyard scrape URL|FILE|- [--format F] [--lenient] [--json] [--timeout T]`
#[derive(Debug, Clone, clap::Args)]
pub struct ScrapeArguments {
    /// The address of a page (http or https), a file, or `-` for standard input
    #[arg(value_name = "URL|FILE|-")]
    pub source: String,
    /// The format; without it, that of the content type, of the name of the file, or of a last line `# EOF`
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<PageFormat>,
    /// Show what can be read of a refused page too, unverified
    #[arg(long)]
    pub lenient: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Time for the whole page
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub timeout: HumanDuration,
}

/// A format of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PageFormat {
    /// The text format of Prometheus.
    Text,
    /// `OpenMetrics` 1.0.
    #[value(name = "openmetrics")]
    OpenMetrics,
}

impl From<PageFormat> for Format {
    fn from(format: PageFormat) -> Self {
        match format {
            PageFormat::Text => Self::Text,
            PageFormat::OpenMetrics => Self::OpenMetrics,
        }
    }
}

/// Shows a page; an error has the exit code of what was found.
pub fn run(arguments: &ScrapeArguments, out: &mut impl Write) -> Result<(), Failure> {
    let found = match address(&arguments.source)? {
        Some(url) => {
            let asked = ask(url, arguments)?;
            let text = match &asked {
                Ok((text, format)) => Ok((text.as_str(), *format)),
                Err(error) if error.is_unreachable() => return tell_unreachable(error, arguments, out),
                Err(error) => Err(error),
            };
            Judged::of_answer(text, arguments.lenient)
        }
        None => {
            let bytes = read(&arguments.source)?;
            let given = arguments.format.map(Format::from);
            match text_of(&bytes) {
                Ok(text) => Judged::of_page(
                    text,
                    given.unwrap_or_else(|| format_of(&arguments.source, text)),
                    arguments.lenient,
                ),
                Err(error) => Judged::refused(error),
            }
        }
    };
    if arguments.json {
        json(&found, out)?;
    } else {
        show::people(&found, out)?;
    }
    if found.accepted { Ok(()) } else { Err(Failure::Said(1)) }
}

/// The address, if the source is one.
fn address(source: &str) -> Result<Option<&str>, Failure> {
    match source.split_once("://") {
        Some(("http" | "https", _)) => Ok(Some(source)),
        Some((scheme, _)) if scheme.chars().all(|letter| letter.is_ascii_alphanumeric()) => {
            Err(Failure::Usage(format!(
                "`{scheme}://` is not scraped; give an address with http:// or https://, a file, or - for standard input"
            )))
        }
        _ => Ok(None),
    }
}

/// Asks the address as the monitor would.
fn ask(url: &str, arguments: &ScrapeArguments) -> Result<Result<(String, Format), ScrapeError>, Failure> {
    let format = arguments.format.map(Format::from);
    let options = ScrapeOptions { timeout: arguments.timeout.0, fallback: format, ..ScrapeOptions::default() };
    block_on(async {
        let client = client(None).map_err(failed)?;
        let fetched = fetch(&client, url, &options).await;
        Ok(fetched.map(|fetched| (fetched.body, format.unwrap_or(fetched.format))))
    })
}

/// Tells that no page came.
fn tell_unreachable(error: &ScrapeError, arguments: &ScrapeArguments, out: &mut impl Write) -> Result<(), Failure> {
    if arguments.json {
        json(&Judged::failed(error), out)?;
        return Err(Failure::Said(3));
    }
    let hint = match &error.reason {
        ScrapeFailure::TimedOut { .. } => " (here: `--timeout`)",
        _ => "",
    };
    Err(Failure::Unreachable(format!("{error}{hint}")))
}

fn read(source: &str) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: io::Error| Failure::Usage(format!("cannot read {source}: {error}"));
    let mut bytes = Vec::new();
    let read = if source == "-" {
        io::stdin().take(LARGEST_FILE + 1).read_to_end(&mut bytes)
    } else {
        File::open(source).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
    };
    read.map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(Failure::Usage(format!("{source} has more than {} MiB, which no page has", LARGEST_FILE >> 20)));
    }
    Ok(bytes)
}

/// The format of a page that came without a content type.
fn format_of(source: &str, text: &str) -> Format {
    let is_named = [".openmetrics", ".om"].iter().any(|ending| source.ends_with(ending));
    let last = text.trim_end().lines().next_back().unwrap_or_default();
    if is_named || last == "# EOF" { Format::OpenMetrics } else { Format::Text }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        arguments: ScrapeArguments,
    }

    #[test]
    fn the_format_of_a_file_is_that_of_its_name_or_of_its_end() {
        assert_eq!(format_of("a.prom", "a 1\n"), Format::Text);
        assert_eq!(format_of("a.om", "a 1\n"), Format::OpenMetrics);
        assert_eq!(format_of("-", "a 1\n# EOF\n"), Format::OpenMetrics);
        assert_eq!(format_of("-", "a 1\n# EOF is not the end\n"), Format::Text);
        assert_eq!(format_of("-", ""), Format::Text);
    }

    #[test]
    fn what_has_a_scheme_is_an_address_or_refused() {
        assert_eq!(address("http://h/metrics").ok().flatten(), Some("http://h/metrics"));
        assert_eq!(address("dir/metrics.txt").ok().flatten(), None);
        assert_eq!(address("ftp://h/metrics").err().map(|failure| failure.code()), Some(2));
    }

    #[test]
    fn a_page_is_waited_for_ten_seconds() {
        let words = Words::try_parse_from(["scrape", "-"]).ok().map(|words| words.arguments.timeout.0);
        assert_eq!(words, Some(std::time::Duration::from_secs(10)));
    }
}
