//! `trainyard export svg`: a picture of a panel, for a report or a chat.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, value_parser};

use super::{files, milliseconds};
use crate::api::client::Client;
use crate::api::types::{Bucket, Charts, PanelData};
use crate::cli::failure::Failure;
use crate::cli::project::{block_on, layout};
use crate::config::HumanDuration;
use crate::monitor::export::svg::{Picture, PictureBucket, PictureCurve, picture};

/// More columns than this nobody can see.
const MOST_COLUMNS: usize = 1_200;

/// The arguments of `trainyard export svg`.
#[derive(Debug, Clone, Args)]
pub struct SvgArguments {
    /// The title of the panel
    #[arg(value_name = "PANEL")]
    pub panel: String,
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    pub range: HumanDuration,
    /// Write it into this file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// In pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 960, value_parser = value_parser!(u32).range(240..=4096))]
    pub width: u32,
    /// In pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 360, value_parser = value_parser!(u32).range(120..=4096))]
    pub height: u32,
    /// Dark on light
    #[arg(long)]
    pub light: bool,
}

/// Asks the daemon and prints or writes the picture.
pub(super) fn run(folder: &Path, arguments: &SvgArguments, out: &mut impl Write) -> Result<(), Failure> {
    let client = Client::connect(&layout(folder)?)?;
    let columns = usize::try_from(arguments.width).map_or(MOST_COLUMNS, |width| width.min(MOST_COLUMNS));
    let charts = block_on(async { Ok(client.charts(milliseconds(arguments.range), columns).await?) })?;
    let panel = find(&charts.panels, &arguments.panel)?;
    if let Some(error) = &panel.error {
        return Err(Failure::Failed(format!("panel `{}` cannot be drawn: {error}", panel.title)));
    }
    files::hand_over(&picture(&pictured(&charts, panel, arguments)), arguments.out.as_deref(), out)
}

fn pictured(charts: &Charts, panel: &PanelData, arguments: &SvgArguments) -> Picture {
    let curves = panel.curves.iter();
    Picture {
        title: panel.title.clone(),
        unit: panel.unit.clone(),
        curves: curves.map(|curve| PictureCurve { label: curve.label.clone(), points: curve.points.clone() }).collect(),
        buckets: panel.buckets.iter().map(pictured_bucket).collect(),
        left_out: panel.left_out,
        marks: charts.marks.iter().map(|mark| (mark.column, format!("release {}", mark.release))).collect(),
        end: charts.end,
        step: charts.step,
        width: arguments.width,
        height: arguments.height,
        is_light: arguments.light,
    }
}

fn pictured_bucket(bucket: &Bucket) -> PictureBucket {
    PictureBucket { bound: bucket.bound.clone(), counts: bucket.counts.clone() }
}

/// The panel of that title, however it is capitalised.
fn find<'p>(panels: &'p [PanelData], title: &str) -> Result<&'p PanelData, Failure> {
    let wanted = title.to_lowercase();
    let exact = panels.iter().find(|panel| panel.title == title);
    if let Some(found) = exact.or_else(|| panels.iter().find(|panel| panel.title.to_lowercase() == wanted)) {
        return Ok(found);
    }
    let nearest = panels
        .iter()
        .map(|panel| (strsim::damerau_levenshtein(&wanted, &panel.title.to_lowercase()), panel))
        // One slip in three letters; below that any word is near any other.
        .filter(|(distance, _)| *distance <= (wanted.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance);
    let hint = match nearest {
        Some((_, panel)) => format!("did you mean `{}`?", panel.title),
        None if panels.is_empty() => "there is none until something is scraped".to_owned(),
        None => {
            let titles: Vec<String> = panels.iter().map(|panel| format!("`{}`", panel.title)).collect();
            format!("the panels are {}", titles.join(", "))
        }
    };
    Err(Failure::Usage(format!("there is no panel `{title}`; {hint}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panels() -> Vec<PanelData> {
        let panel = |title: &str| PanelData { title: title.to_owned(), ..PanelData::default() };
        ["requests/s", "p95 latency", "지연"].map(panel).into()
    }

    fn refusal(title: &str) -> String {
        find(&panels(), title).unwrap_err().to_string()
    }

    #[test]
    fn a_panel_is_named_by_its_title() {
        let panels = panels();
        assert_eq!(find(&panels, "P95 Latency").unwrap().title, "p95 latency");
        assert_eq!(find(&panels, "지연").unwrap().title, "지연");
    }

    #[test]
    fn a_slip_of_the_finger_is_told_with_the_nearest_title_and_another_word_with_all() {
        assert_eq!(refusal("reqests/s"), "there is no panel `reqests/s`; did you mean `requests/s`?");
        assert_eq!(refusal("memory"), "there is no panel `memory`; the panels are `requests/s`, `p95 latency`, `지연`");
        let none = find(&[], "x").unwrap_err().to_string();
        assert_eq!(none, "there is no panel `x`; there is none until something is scraped");
    }
}
