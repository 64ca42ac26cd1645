//! What a picture shows, in sentences: for those who do not see it, and for machines.

use super::plot::Plot;
use super::time::day_and_time;
use super::{Picture, figure};
use crate::config::PanelKind;
use crate::pipeline::{Moment, quantity};

/// The sentences.
pub(super) fn description(picture: &Picture) -> String {
    let plot = Plot::of(picture, 0.0);
    let (begin, end) = (day_and_time(plot.begin(picture)), day_and_time(picture.end));
    let mut sentences = vec![format!("{}, from {begin} to {end}", kind(picture))];
    sentences.extend(picture.curves.iter().map(|curve| {
        let unit = picture.unit.as_deref();
        let name = if curve.label.is_empty() { &picture.title } else { &curve.label };
        match curve.statistics {
            None => format!("{name}: nothing was measured"),
            Some(told) => {
                let [min, mean, max] = [told.min, told.mean, told.max].map(|value| figure(Some(value), unit));
                let last = told.last.map_or_else(|| "not measured".to_owned(), |last| figure(Some(last), unit));
                format!("{name}: min {min}, mean {mean}, max {max}, last {last}")
            }
        }
    }));
    if picture.left_out > 0 {
        sentences.push(format!("{} more series are left out", picture.left_out));
    }
    if let Some((warn, bad)) = picture.thresholds {
        let [warn, bad] = [warn, bad].map(|limit| figure(Some(limit), picture.unit.as_deref()));
        sentences.push(format!("Thresholds: warn {warn}, bad {bad}"));
    }
    let at = |column: usize| day_and_time(moment(picture, &plot, column));
    let marks = picture.deploys.iter().map(|(column, name)| format!("{name} went live at {}", at(*column)));
    sentences.extend(marks);
    sentences.extend(picture.runs.iter().map(|(column, name)| format!("{name} began at {}", at(*column))));
    for alert in &picture.alerts {
        sentences.extend(alert.spans.iter().map(|span| {
            let word = if span.firing { "fired" } else { "was pending" };
            format!("Alert {} {word} from {} to {}", alert.name, at(span.from), at(span.to))
        }));
    }
    sentences.join(". ") + "."
}

/// What kind of picture it is, of how much.
fn kind(picture: &Picture) -> String {
    let curves = picture.curves.len();
    let of = |what: &str| format!("{what} of {curves} series");
    match picture.kind {
        PanelKind::Line if picture.axis.log => of("Curves on a logarithmic axis"),
        PanelKind::Line => of("Curves"),
        PanelKind::Area => of("Stacked areas"),
        PanelKind::Stat => of("Newest values"),
        PanelKind::Gauge => of("Gauges"),
        PanelKind::Table => of("Table"),
        PanelKind::Heatmap => {
            let counts = picture.buckets.iter().flat_map(|bucket| bucket.counts.iter().flatten().copied());
            let most = counts.filter(|count| count.is_finite()).fold(0.0, f64::max);
            format!("Heat map of {} buckets, at most {} in a field", picture.buckets.len(), quantity::value(most))
        }
    }
}

/// The moment of a column.
fn moment(picture: &Picture, plot: &Plot, column: usize) -> Moment {
    let back = u64::try_from((plot.columns - 1).saturating_sub(column)).unwrap_or(u64::MAX);
    let back = i64::try_from(back.saturating_mul(picture.step)).unwrap_or(i64::MAX);
    Moment(picture.end.0.saturating_sub(back))
}
