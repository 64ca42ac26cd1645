//! The newest value of a panel in few words: of several curves that which tells most, with its name; what thresholds say of
//! it; over which time it is taken.

use unicode_width::UnicodeWidthStr;

use super::with_unit;
use crate::api::types::{Curve, PanelData};
use crate::tui::app::Model;
use crate::tui::widgets::text::{cut, sanitize};

/// Of the quantiles of a latency this one is what people are promised.
const MOST_TELLING: [&str; 2] = ["p95", "0.95"];
/// Cells of a number in three digits, with its sign, its point and its scale.
const NUMBER: usize = 6;
/// Cells for the name of a curve before its value.
const NAME: usize = 5;

/// What the thresholds say of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Nothing is to be said.
    Ok,
    /// It is worth a look.
    Warn,
    /// It is bad.
    Bad,
}

/// The newest value in at most `width` cells: `3.9 ms`, `p95 3.9 ms`. The name gives way to the value.
pub(in crate::tui) fn text(panel: &PanelData, width: usize, cut_sign: &str) -> String {
    let unit = panel.unit.as_deref();
    match panel.curves.as_slice() {
        [] if !panel.buckets.is_empty() => format!("{} buckets", panel.buckets.len()),
        [] => panel.note.as_deref().map(sanitize).unwrap_or_default(),
        curves => match (most_telling(curves), curves) {
            (None, _) => panel.note.as_deref().map_or_else(|| "no value".to_owned(), sanitize),
            (Some((_, value)), [_]) => with_unit(value, unit),
            (Some((curve, value)), _) => {
                let value = with_unit(value, unit);
                let room = width.saturating_sub(value.width() + 1);
                let name = cut(&sanitize(&curve.label), room, cut_sign);
                if room < 2 { value } else { format!("{name} {value}") }
            }
        },
    }
}

/// The cells of [`text`], whatever the value is: columns must not move with each scrape.
pub(in crate::tui) fn width(panel: &PanelData) -> usize {
    let unit = match panel.unit.as_deref() {
        None | Some("") => 0,
        Some("%" | "ratio") => 1,
        Some("s" | "ms" | "B" | "bytes") => 3,
        Some(unit) => sanitize(unit).width() + 1,
    };
    let name = if panel.curves.len() > 1 { NAME } else { 0 };
    NUMBER + unit + name
}

/// What the thresholds say of a value; small values are the bad ones if the second threshold is below the first.
pub(super) fn verdict(panel: &PanelData, value: f64) -> Option<Verdict> {
    let (warn, bad) = panel.thresholds?;
    let reaches = |limit: f64| if bad < warn { value <= limit } else { value >= limit };
    Some(if reaches(bad) {
        Verdict::Bad
    } else if reaches(warn) {
        Verdict::Warn
    } else {
        Verdict::Ok
    })
}

/// The worst that is said of the newest value of any curve.
pub(super) fn worst(panel: &PanelData) -> Option<Verdict> {
    panel.curves.iter().filter_map(newest).filter_map(|value| verdict(panel, value)).max()
}

/// The first panel of which the newest value is bad, in one or two words: `drift bad`.
pub(in crate::tui) fn bad_panel(model: &Model) -> Option<String> {
    let panel = model.metrics.charts.panels.iter().find(|panel| worst(panel) == Some(Verdict::Bad))?;
    let title = sanitize(&panel.title);
    Some(format!("{} bad", title.split(" (").next().unwrap_or(&title)))
}

/// The time over which an expression takes its rates: `1 min`; `None` if it takes none, or over several times.
pub(super) fn window(expression: &str) -> Option<String> {
    let mut found: Option<&str> = None;
    let (mut quote, mut is_escaped, mut begin) = (None, false, None);
    for (index, character) in expression.char_indices() {
        match (quote, character) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(character),
            (None, '[') => begin = Some(index + 1),
            (None, ']') => {
                let window = begin.take().and_then(|begin| expression.get(begin..index))?;
                if found.is_some_and(|known| known != window) {
                    return None;
                }
                found = Some(window);
            }
            _ => {}
        }
    }
    let window = found?.trim();
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let minutes = window.strip_suffix('m').filter(is_number);
    Some(minutes.map_or_else(|| sanitize(window), |minutes| format!("{minutes} min")))
}

/// The curve of [`text`], or the first one where none has a value now.
pub(in crate::tui) fn telling_curve(panel: &PanelData) -> Option<&Curve> {
    most_telling(&panel.curves).map(|(curve, _)| curve).or_else(|| panel.curves.first())
}

/// The curve whose newest value tells most: the promised quantile, else the one with the greatest.
fn most_telling(curves: &[Curve]) -> Option<(&Curve, f64)> {
    let known = || curves.iter().filter_map(|curve| Some((curve, newest(curve)?)));
    let promised = known().find(|(curve, _)| MOST_TELLING.contains(&curve.label.as_str()));
    promised.or_else(|| known().max_by(|(_, one), (_, other)| one.total_cmp(other)))
}

fn newest(curve: &Curve) -> Option<f64> {
    curve.points.last().copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(unit: &str, newest: &[(&str, Option<f64>)]) -> PanelData {
        let curve = |(label, value): &(&str, Option<f64>)| Curve {
            label: (*label).to_owned(),
            points: vec![Some(7.0), *value],
            ..Curve::default()
        };
        PanelData { unit: Some(unit.to_owned()), curves: newest.iter().map(curve).collect(), ..PanelData::default() }
    }

    #[test]
    fn of_several_curves_the_promised_quantile_is_told_and_else_the_greatest() {
        let latency = panel("s", &[("p50", Some(0.001)), ("p95", Some(0.0039)), ("p99", Some(0.02))]);
        assert_eq!(text(&latency, 16, "…"), "p95 3.9 ms");
        let classes = panel("/s", &[("good", Some(2.0)), ("a long name", Some(5.25)), ("bad", None)]);
        assert_eq!(text(&classes, 24, "…"), "a long name 5.25 /s");
        assert_eq!(text(&classes, 16, "…"), format!("{} 5.25 /s", cut("a long name", 8, "…")));
        assert_eq!(text(&classes, 7, "…"), "5.25 /s", "the name gives way");
        assert_eq!(text(&panel("/s", &[("a", None), ("b", None)]), 16, "…"), "no value");
    }

    #[test]
    fn where_there_is_no_value_it_is_told_why() {
        let mut drift = panel("", &[("", None)]);
        assert_eq!(text(&drift, 16, "…"), "no value");
        drift.note = Some("too few rows yet: 12 of 100".to_owned());
        assert_eq!(text(&drift, 16, "…"), "too few rows yet: 12 of 100");
        drift.curves.clear();
        assert_eq!(text(&drift, 16, "…"), "too few rows yet: 12 of 100");
    }

    #[test]
    fn what_is_bad_is_told_by_the_name_of_its_panel() {
        let mut model = crate::tui::fixtures::idle();
        let drift = |value| PanelData {
            title: "drift (PSI)".to_owned(),
            thresholds: Some((0.1, 0.25)),
            ..panel("", &[("", Some(value))])
        };
        model.metrics.charts.panels = vec![drift(0.2)];
        assert_eq!((worst(&drift(0.2)), bad_panel(&model)), (Some(Verdict::Warn), None));
        model.metrics.charts.panels = vec![drift(0.3)];
        assert_eq!(bad_panel(&model).as_deref(), Some("drift bad"));
        assert_eq!(super::super::heading(&model, &drift(0.3)), "0.3, bad");
    }

    #[test]
    fn the_time_of_a_rate_is_told_where_there_is_one() {
        assert_eq!(window("sum(rate(a[1m])) or 0 * sum(rate(b[1m]))").as_deref(), Some("1 min"));
        assert_eq!(window("rate(a{x=~\"[0-9]\\\"[5m]\"}[1h30m])").as_deref(), Some("1h30m"));
        assert_eq!(window("max(a)"), None);
        assert_eq!(window("rate(a[1m]) / rate(b[5m])"), None);
    }
}
