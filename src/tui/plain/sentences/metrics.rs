//! Charts in words: of each curve its present value, whether it rises, and between what it was.

use crate::api::types::{Charts, Curve, PanelData};
use crate::tui::app::Model;
use crate::tui::quantity;

/// Curves of one panel that are told.
const CURVES: usize = 5;
/// Below this share of itself, a change is none.
const STEADY: f64 = 0.05;

/// The panels with `title` in their headings; all of them, and the alerts, where that is empty.
pub(in crate::tui::plain) fn metrics(model: &Model, charts: &Charts, title: &str) -> Vec<String> {
    let wanted = title.to_lowercase();
    let meant = charts.panels.iter().filter(|panel| panel.title.to_lowercase().contains(&wanted));
    let over = if model.metrics.range_ms() == 0 {
        "in all that is kept".to_owned()
    } else {
        format!("in the {}", model.metrics.range_text())
    };
    let mut said: Vec<String> = meant.flat_map(|panel| sentences(panel, &over)).collect();
    if said.is_empty() {
        said.push(none(charts, title));
    }
    if title.is_empty() {
        said.extend(super::alerts(model));
    }
    said
}

fn none(charts: &Charts, title: &str) -> String {
    if charts.panels.is_empty() {
        return "There is no chart: [[monitor.panels]] in trainyard.toml says what is drawn once the app is deployed."
            .to_owned();
    }
    let titles: Vec<&str> = charts.panels.iter().map(|panel| panel.title.as_str()).collect();
    format!("No panel has `{title}` in its title; there are {}.", titles.join(", "))
}

fn sentences(panel: &PanelData, over: &str) -> Vec<String> {
    let title = &panel.title;
    if let Some(error) = &panel.error {
        return vec![format!("{title} is not known: {error}.")];
    }
    if !panel.buckets.is_empty() {
        let count = panel.buckets.len();
        return vec![format!("{title} is a heat map of {count} buckets; `trainyard query` tells their numbers.")];
    }
    let mut said: Vec<String> = panel.curves.iter().take(CURVES).map(|curve| sentence(panel, curve, over)).collect();
    if let Some(note) = &panel.note {
        said.push(format!("{title}: {note}."));
    }
    if said.is_empty() {
        said.push(format!("{title}: nothing was measured {over}."));
    }
    let more = panel.left_out + panel.curves.len().saturating_sub(CURVES);
    if more > 0 {
        said.push(format!("{title} has {more} more; `metrics` on the screen shows them."));
    }
    said
}

fn sentence(panel: &PanelData, curve: &Curve, over: &str) -> String {
    let label = if curve.label.is_empty() { String::new() } else { format!(" of {}", curve.label) };
    let name = format!("{}{label}", panel.title);
    let known: Vec<f64> = curve.points.iter().flatten().copied().collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return format!("{name}: nothing was measured {over}.");
    };
    let number = |value: f64| quantity::measured(value, panel.unit.as_deref());
    let least = known.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let verb = if curve.points.last().is_some_and(Option::is_some) { "is" } else { "is not measured now, it was" };
    let (last, first, least, greatest) = (number(*last), number(*first), number(least), number(greatest));
    format!("{name} {verb} {last}, {}: {first} at first, between {least} and {greatest} {over}.", trend(&known))
}

/// Whether the last third lies above the first one.
fn trend(known: &[f64]) -> &'static str {
    let third = (known.len() / 3).max(1);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / quantity::real(values.len().max(1));
    let before = mean(known.get(..third).unwrap_or_default());
    let now = mean(known.get(known.len().saturating_sub(third)..).unwrap_or_default());
    let change = now - before;
    if change.abs() <= before.abs().max(now.abs()) * STEADY {
        "steady"
    } else if change > 0.0 {
        "rising"
    } else {
        "falling"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::ChartsRequest;
    use crate::pipeline::AlertState;
    use crate::tui::{chart_fixtures, fixtures};

    fn curve(label: &str, points: &[Option<f64>]) -> Curve {
        Curve { label: label.to_owned(), points: points.to_vec(), ..Curve::default() }
    }

    #[test]
    fn a_trend_is_a_word() {
        assert_eq!(trend(&[100.0, 101.0, 99.0, 100.0]), "steady");
        assert_eq!(trend(&[1.0, 2.0, 3.0]), "rising");
        assert_eq!(trend(&[3.0, 2.0, 1.0]), "falling");
        assert_eq!(trend(&[0.0, 0.0, 0.0]), "steady");
        assert_eq!(trend(&[7.0]), "steady");
    }

    #[test]
    fn a_curve_is_told_with_its_present_value_and_where_it_was() {
        let panel = PanelData { title: "errors".to_owned(), unit: Some("/s".to_owned()), ..PanelData::default() };
        let rising = curve("500", &[Some(1.0), Some(2.0), Some(4.0)]);
        let told = sentence(&panel, &rising, "in the last 5 min");
        assert_eq!(told, "errors of 500 is 4 /s, rising: 1 /s at first, between 1 /s and 4 /s in the last 5 min.");
        let gone = curve("", &[Some(1.0), None]);
        assert!(sentence(&panel, &gone, "").starts_with("errors is not measured now, it was 1 /s"));
        let never = curve("", &[None]);
        assert_eq!(sentence(&panel, &never, "in the last 5 min"), "errors: nothing was measured in the last 5 min.");
    }

    #[test]
    fn panels_are_told_all_or_by_their_titles() {
        let mut model = fixtures::idle();
        model.live.alerts = vec![fixtures::alert("Errors", AlertState::Firing)];
        let request = ChartsRequest { range: 300_000, columns: 60, ..ChartsRequest::default() };
        let charts = chart_fixtures::charts(&model, &request);
        insta::assert_snapshot!("plain_metrics", metrics(&model, &charts, "").join("\n"));
        let one = metrics(&model, &charts, "Requests");
        assert_eq!(one.len(), 1, "{one:?}");
        assert!(one[0].starts_with("requests/s is "), "{one:?}");
        assert!(metrics(&model, &charts, "nothing")[0].contains("there are requests/s"));
        assert!(metrics(&model, &Charts::default(), "")[0].contains("[[monitor.panels]]"));
    }
}
