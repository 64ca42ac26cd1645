//! `trainyard export svg`: a picture of a panel, for a report or a chat.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, value_parser};

use super::{files, milliseconds, panels};
use crate::api::types::{AlertStrip, Bucket, Charts, Curve, PanelData};
use crate::cli::failure::Failure;
use crate::cli::project::{block_on, client, layout};
use crate::config::HumanDuration;
use crate::monitor::CurveStatistics;
use crate::monitor::export::svg::{
    Picture, PictureAlert, PictureAxis, PictureBucket, PictureCurve, PictureSpan, picture,
};

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
    let layout = layout(folder)?;
    let client = client(&layout)?;
    let columns = usize::try_from(arguments.width).map_or(MOST_COLUMNS, |width| width.min(MOST_COLUMNS));
    let charts = block_on(async { Ok(client.charts(milliseconds(arguments.range), columns).await?) })?;
    let index = panels::find(&charts.panels, &arguments.panel)?;
    let Some(panel) = charts.panels.get(index) else { return Ok(()) };
    if let Some(error) = &panel.error {
        return Err(Failure::Failed(format!("panel `{}` cannot be drawn: {error}", panel.title)));
    }
    panels::say_if_found(&layout);
    let text = picture(&pictured(&charts, index, panel, arguments));
    files::hand_over(&text, arguments.out.as_deref(), out)
}

fn pictured(charts: &Charts, index: usize, panel: &PanelData, arguments: &SvgArguments) -> Picture {
    let deploys = charts.marks.iter().map(|mark| (mark.column, format!("release {}", mark.release)));
    let runs = charts.runs.iter().map(|mark| (mark.column, format!("run {}", mark.run)));
    // What an alert has nothing to do with is not shaded by it.
    let alerts = charts.alerts.iter().filter(|strip| strip.panels.contains(&index));
    Picture {
        title: panel.title.clone(),
        unit: panel.unit.clone(),
        kind: panels::kind(panel.kind),
        axis: PictureAxis { min: panel.min, max: panel.max, log: panel.log, zero: panel.zero },
        thresholds: panel.thresholds,
        curves: panel.curves.iter().map(pictured_curve).collect(),
        buckets: panel.buckets.iter().map(pictured_bucket).collect(),
        left_out: panel.left_out,
        deploys: deploys.collect(),
        runs: runs.collect(),
        alerts: alerts.map(pictured_alert).collect(),
        end: charts.end,
        step: charts.step,
        width: arguments.width,
        height: arguments.height,
        is_light: arguments.light,
    }
}

fn pictured_curve(curve: &Curve) -> PictureCurve {
    let statistics =
        curve.statistics.map(|told| CurveStatistics { min: told.min, mean: told.mean, max: told.max, last: told.last });
    PictureCurve {
        label: curve.label.clone(),
        points: curve.points.clone(),
        low: curve.low.clone(),
        high: curve.high.clone(),
        statistics,
    }
}

fn pictured_bucket(bucket: &Bucket) -> PictureBucket {
    PictureBucket { bound: bucket.bound.clone(), counts: bucket.counts.clone() }
}

fn pictured_alert(strip: &AlertStrip) -> PictureAlert {
    let spans = strip.spans.iter().map(|span| PictureSpan { from: span.from, to: span.to, firing: span.firing });
    PictureAlert { name: strip.name.clone(), spans: spans.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::{AlertSpan, Mark, PanelKind, RunMark, Statistics};
    use crate::pipeline::{ReleaseId, RunId};

    #[test]
    fn everything_that_is_known_of_a_panel_is_in_its_picture() {
        let statistics = Statistics { min: 1.0, mean: 2.0, max: 9.0, last: Some(3.0) };
        let curve = Curve {
            label: "a".to_owned(),
            points: vec![Some(1.0), Some(3.0)],
            high: vec![Some(1.0), Some(9.0)],
            statistics: Some(statistics),
            ..Curve::default()
        };
        let strip = |name: &str, panels: Vec<usize>| AlertStrip {
            name: name.to_owned(),
            panels,
            spans: vec![AlertSpan { from: 0, to: 1, firing: true }],
        };
        let charts = Charts {
            panels: vec![PanelData {
                kind: PanelKind::Gauge,
                min: Some(0.0),
                log: true,
                thresholds: Some((2.0, 8.0)),
                curves: vec![curve],
                ..PanelData::default()
            }],
            marks: vec![Mark { column: 1, release: ReleaseId(17) }],
            runs: vec![RunMark { column: 0, run: RunId(4) }],
            alerts: vec![strip("Own", vec![0]), strip("Others", vec![1]), strip("Nobodys", Vec::new())],
            ..Charts::default()
        };
        let range = HumanDuration(std::time::Duration::from_mins(1));
        let arguments = SvgArguments { panel: String::new(), range, out: None, width: 480, height: 240, light: true };
        let told = pictured(&charts, 0, charts.panels.first().unwrap(), &arguments);
        assert_eq!(told.kind, crate::config::PanelKind::Gauge);
        assert_eq!((told.axis.min, told.axis.log, told.thresholds), (Some(0.0), true, Some((2.0, 8.0))));
        assert_eq!(told.deploys, [(1, "release 17".to_owned())]);
        assert_eq!(told.runs, [(0, "run 4".to_owned())]);
        let alerts: Vec<&str> = told.alerts.iter().map(|alert| alert.name.as_str()).collect();
        assert_eq!(alerts, ["Own"]);
        let curve = told.curves.first().unwrap();
        assert_eq!((curve.statistics.map(|told| told.last), curve.high.len()), (Some(Some(3.0)), 2));
        assert!(told.is_light);
    }
}
