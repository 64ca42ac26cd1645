//! Panels: an expression turned into the columns of a chart.
//!
//! Columns stand at multiples of their width in time, so that a chart that is drawn again a second later shows the same
//! columns, moved by a whole one or not at all. A column is a gap where there is no number, and where every target of which
//! the expression speaks, if it was scraped within it, failed at least once: a rate over a minute would otherwise hide an app
//! that was away for ten seconds.

mod defaults;
mod extremes;
mod heat;
mod remote;
mod scrapes;
mod statistics;
mod stretch;

pub use defaults::{KnownMetric, default_panels, expression_of, model_server_panels};
pub use extremes::ColumnExtremes;
pub use heat::{HeatBucket, HeatColumns};
pub use scrapes::Scrapes;
pub use statistics::CurveStatistics;

use serde::{Deserialize, Serialize};

use crate::config::PanelSettings;
use crate::pipeline::Moment;

use super::labels::Labels;
use super::promql::{self, PromqlError, Query, RangeSeries};
use super::storage::ReadStore;

/// More lines than this cannot be told apart in a terminal.
const MOST_SERIES: usize = 8;

/// The metric that says whether a scrape succeeded.
const UP: &str = "up";

/// A panel whose expression has been checked.
#[derive(Debug, Clone)]
pub struct Panel {
    /// The heading.
    pub title: String,
    /// Shown behind the value.
    pub unit: Option<String>,
    /// What is charted.
    pub query: Query,
}

/// What a chart shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PanelColumns {
    /// At most eight series: those with the largest last values, in the order of their labels so that colours stay.
    pub series: Vec<PanelSeries>,
    /// How many more series there are.
    pub left_out: usize,
    /// From column to column, in milliseconds.
    pub step_ms: u64,
    /// The moment of the last column.
    pub end: Moment,
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PanelSeries {
    /// The labels by which this series differs from the others shown; the title where it is the only one.
    pub label: String,
    /// All its labels.
    pub labels: Labels,
    /// One entry a column, from the oldest on; none is a gap. Numbers are finite.
    pub points: Vec<Option<f64>>,
}

impl Panel {
    /// Checks the expression of a configured panel.
    pub fn from_settings(settings: &PanelSettings) -> Result<Self, PromqlError> {
        let query = promql::parse(&settings.expr)?;
        query.check_numbers()?;
        Ok(Self { title: settings.title.clone(), unit: settings.unit.clone(), query })
    }

    /// The last `range_ms` before `end` in exactly `columns` columns.
    pub fn columns(
        &self,
        store: &impl ReadStore,
        end: Moment,
        range_ms: u64,
        columns: usize,
    ) -> Result<PanelColumns, PromqlError> {
        self.columns_beside(store, &Scrapes::of(store, end, range_ms, columns), end, range_ms, columns)
    }

    /// The same, for one of several panels over the same columns, whose scrapes are looked at once.
    pub fn columns_beside(
        &self,
        store: &impl ReadStore,
        scrapes: &Scrapes,
        end: Moment,
        range_ms: u64,
        columns: usize,
    ) -> Result<PanelColumns, PromqlError> {
        let grid = Grid::new(end, range_ms, columns);
        let found = self.values(store, &grid)?;
        let gaps = self.gaps(store, scrapes, &grid);
        let (series, left_out) = series_of(&self.title, found, &grid, &gaps);
        Ok(PanelColumns { series, left_out, step_ms: grid.step_ms, end })
    }

    /// The values at the moments of a grid.
    fn values(&self, store: &impl ReadStore, grid: &Grid) -> Result<Vec<RangeSeries>, PromqlError> {
        let mut found = match grid.columns {
            0 | 1 => Vec::new(),
            _ => self.query.range(store, grid.first, grid.last, grid.step_ms)?,
        };
        if grid.columns > 0 {
            join(&mut found, self.query.range(store, grid.end, grid.end, 1)?);
        }
        Ok(found)
    }

    /// The columns that stay empty. A panel that shows `up` itself must show its zeros.
    fn gaps(&self, store: &impl ReadStore, scrapes: &Scrapes, grid: &Grid) -> Vec<bool> {
        if self.query.mentions(UP) { vec![false; grid.columns] } else { scrapes.gaps(store, grid, &self.query) }
    }
}

/// The largest series in their columns, and how many others there are.
fn series_of(title: &str, mut found: Vec<RangeSeries>, grid: &Grid, gaps: &[bool]) -> (Vec<PanelSeries>, usize) {
    let left_out = keep_largest(&mut found);
    let telling = telling_labels(&found);
    let series = found.iter().map(|series| PanelSeries {
        label: label_of(title, &series.labels, &telling),
        labels: series.labels.clone(),
        points: grid.points(series, gaps),
    });
    (series.collect(), left_out)
}

/// What tells a series from the others; the title where it is the only one.
fn label_of(title: &str, labels: &Labels, telling: &[String]) -> String {
    match telling {
        [] => title.to_owned(),
        [only] => labels.get(only).unwrap_or("–").to_owned(),
        several => {
            let parts: Vec<_> =
                several.iter().filter_map(|name| labels.get(name).map(|value| format!("{name}={value}"))).collect();
            parts.join(", ")
        }
    }
}

/// The moments of the columns.
#[derive(Debug, Clone, Copy)]
struct Grid {
    first: Moment,
    last: Moment,
    end: Moment,
    step_ms: u64,
    columns: usize,
}

impl Grid {
    fn new(end: Moment, range_ms: u64, columns: usize) -> Self {
        let count = u64::try_from(columns).unwrap_or(u64::MAX).max(2);
        let step_ms = range_ms.div_ceil(count).max(1);
        let step = i64::try_from(step_ms).unwrap_or(i64::MAX);
        // Strictly before the present, which has a column of its own.
        let last = end.0.saturating_sub(1).div_euclid(step).saturating_mul(step);
        let back = i64::try_from(count - 2).unwrap_or(i64::MAX).saturating_mul(step);
        Self { first: Moment(last.saturating_sub(back)), last: Moment(last), end, step_ms, columns }
    }

    /// Multiples of the step, so that what was drawn stays where it was, and behind them the present.
    fn moments(&self) -> impl Iterator<Item = Moment> {
        let (first, step_ms, end) = (self.first, self.step_ms, self.end);
        let aligned = (0_u64..).map(move |column| first.plus(column.saturating_mul(step_ms)));
        aligned.take(self.columns.saturating_sub(1)).chain([end]).take(self.columns)
    }

    /// The points of a series in their columns; what is not finite, or falls into a gap, is left out.
    fn points(&self, series: &RangeSeries, gaps: &[bool]) -> Vec<Option<f64>> {
        let mut values = series.points.iter().peekable();
        let point = |(at, is_gap): (Moment, &bool)| {
            while values.next_if(|(earlier, _)| *earlier < at).is_some() {}
            let value = values.next_if(|(found, _)| *found == at).map(|(_, value)| *value);
            value.filter(|value| value.is_finite() && !is_gap)
        };
        self.moments().zip(gaps).map(point).collect()
    }
}

/// Adds the points of the present to the series they belong to.
fn join(found: &mut Vec<RangeSeries>, present: Vec<RangeSeries>) {
    for series in present {
        match found.iter_mut().find(|known| known.labels == series.labels) {
            Some(known) => known.points.extend(series.points),
            None => found.push(series),
        }
    }
}

/// Keeps the series with the largest last values, in the order they had; says how many others there were.
fn keep_largest(series: &mut Vec<RangeSeries>) -> usize {
    let left_out = series.len().saturating_sub(MOST_SERIES);
    if left_out > 0 {
        series.sort_by(|left, right| last_value(right).total_cmp(&last_value(left)));
        series.truncate(MOST_SERIES);
        series.sort_by(|left, right| left.labels.cmp(&right.labels));
    }
    left_out
}

fn last_value(series: &RangeSeries) -> f64 {
    let finite = series.points.iter().rev().map(|(_, value)| *value).find(|value| value.is_finite());
    finite.unwrap_or(f64::NEG_INFINITY)
}

/// The names of the labels in which the series differ.
fn telling_labels(series: &[RangeSeries]) -> Vec<String> {
    let Some((first, others)) = series.split_first() else { return Vec::new() };
    let mut names: Vec<String> =
        series.iter().flat_map(|series| series.labels.pairs()).map(|(name, _)| name.to_owned()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| others.iter().any(|other| other.labels.get(name) != first.labels.get(name)));
    names
}

#[cfg(test)]
mod tests {
    use super::super::promqltest::loaded;
    use super::super::storage::SeriesStore;
    use super::*;

    fn panel(expr: &str) -> Panel {
        let settings = PanelSettings { title: "title".to_owned(), expr: expr.to_owned(), ..PanelSettings::default() };
        Panel::from_settings(&settings).unwrap()
    }

    /// A target that was scraped every second from moment 0 on, with its values in turn.
    fn scraped(series: &str, up: &str) -> SeriesStore {
        loaded(&format!("load 1s\n  {series}\n  up {up}\n")).unwrap()
    }

    #[test]
    fn columns_stand_at_multiples_of_their_width_and_the_last_at_the_present() {
        let store = scraped("a 1 2 3 4 5 6", "1x5");
        let panel = panel("a");
        let at = |end| panel.columns(&store, Moment(end), 6_000, 3).unwrap();
        assert_eq!(at(4_000).series[0].points, [Some(1.0), Some(3.0), Some(5.0)]);
        // What was drawn stays where it was until a whole column has passed.
        assert_eq!(at(5_000).series[0].points, [Some(3.0), Some(5.0), Some(6.0)]);
        assert_eq!(at(5_900).series[0].points, [Some(3.0), Some(5.0), Some(6.0)]);
        assert_eq!((at(5_900).step_ms, at(5_900).end), (2_000, Moment(5_900)));
    }

    #[test]
    fn a_failed_scrape_is_a_gap_even_in_a_rate() {
        let store = scraped("a 0 1 2 stale 4", "1 1 1 0 1");
        let columns = panel("rate(a[1m])").columns(&store, Moment(4_000), 4_000, 4).unwrap();
        let known: Vec<_> = columns.series[0].points.iter().map(Option::is_some).collect();
        assert_eq!(known, [true, true, false, true]);
        let columns = panel("up").columns(&store, Moment(4_000), 2_000, 2).unwrap();
        assert_eq!(columns.series[0].points, [Some(0.0), Some(1.0)]);
    }

    #[test]
    fn an_app_that_is_away_is_a_gap_even_while_other_targets_are_up() {
        let own = "a{job=\"app\"} 0 1 2 stale 4\n  up{job=\"app\"} 1 1 1 0 1";
        let other = "load{job=\"node\"} 1x4\n  up{job=\"node\"} 1x4";
        let store = loaded(&format!("load 1s\n  {own}\n  {other}\n")).unwrap();
        let known = |expr: &str| {
            let columns = panel(expr).columns(&store, Moment(4_000), 4_000, 4).unwrap();
            columns.series[0].points.iter().map(Option::is_some).collect::<Vec<bool>>()
        };
        assert_eq!(known("sum(rate(a[1m]))"), [true, true, false, true]);
        assert_eq!(known("load"), [true; 4]);
        assert_eq!(known("sum(rate(a[1m])) + on () sum(load)"), [true; 4], "something was measured");
    }

    #[test]
    fn columns_narrower_than_the_scrapes_are_no_gaps() {
        let store = scraped("a 1 2 3", "1 1 1");
        let columns = panel("a").columns(&store, Moment(2_000), 1_000, 4).unwrap();
        assert!(columns.series[0].points.iter().all(Option::is_some));
    }

    #[test]
    fn what_is_not_finite_is_a_gap() {
        let store = scraped("a 0 1", "1 1");
        let columns = panel("1 / a").columns(&store, Moment(1_000), 2_000, 2).unwrap();
        assert_eq!(columns.series[0].points, [None, Some(1.0)]);
    }

    #[test]
    fn the_largest_series_are_shown_and_the_others_counted() {
        let series: String =
            (0..11).map(|index| format!("  a{{feature=\"f{index:02}\",job=\"app\"}} _ {index}\n")).collect();
        let store = loaded(&format!("load 1s\n{series}")).unwrap();
        let columns = panel("a").columns(&store, Moment(1_000), 1_000, 1).unwrap();
        let labels: Vec<_> = columns.series.iter().map(|series| series.label.as_str()).collect();
        assert_eq!(labels, ["f03", "f04", "f05", "f06", "f07", "f08", "f09", "f10"]);
        assert_eq!(columns.left_out, 3);
    }

    #[test]
    fn series_are_labelled_by_what_tells_them_apart() {
        let one = "a{x=\"1\",y=\"1\",job=\"app\"} 1";
        let store = scraped(&format!("{one}\n  a{{x=\"2\",y=\"2\",job=\"app\"}} 1"), "1");
        let columns = panel("a").columns(&store, Moment(0), 1_000, 1).unwrap();
        let labels: Vec<_> = columns.series.iter().map(|series| series.label.as_str()).collect();
        assert_eq!(labels, ["x=1, y=1", "x=2, y=2"]);
        let columns = panel("sum(a)").columns(&store, Moment(0), 1_000, 1).unwrap();
        assert_eq!(columns.series[0].label, "title");
    }

    #[test]
    fn no_columns_are_no_error() {
        let columns = panel("vector(1)").columns(&scraped("a 1", "1"), Moment(0), 1_000, 0).unwrap();
        assert!(columns.series.is_empty());
    }

    #[test]
    fn a_wrong_expression_is_refused_when_it_is_configured() {
        for expr in ["sum(", "a[1m]", "\"text\""] {
            let settings = PanelSettings { title: "x".to_owned(), expr: expr.to_owned(), ..PanelSettings::default() };
            assert!(Panel::from_settings(&settings).is_err(), "{expr}");
        }
    }
}
