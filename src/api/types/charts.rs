//! Charts and what is asked about them: panels over a stretch of time, two releases beside each other, the metrics that are
//! there.

use serde::{Deserialize, Serialize};

use crate::pipeline::{Delivery, Moment, PanelKind, ReleaseId, RunId};

/// The curves of one panel over one stretch of time, in as many columns as were asked for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PanelData {
    /// The heading.
    pub title: String,
    /// Behind the value.
    pub unit: Option<String>,
    /// The expression.
    #[serde(default)]
    pub expression: String,
    /// How it is drawn.
    #[serde(default)]
    pub kind: PanelKind,
    /// Where the vertical axis begins.
    #[serde(default)]
    pub min: Option<f64>,
    /// Where it ends.
    #[serde(default)]
    pub max: Option<f64>,
    /// From where on a value is worth a look, and from where on it is bad; small values are the bad ones if the second is
    /// below the first.
    #[serde(default)]
    pub thresholds: Option<(f64, f64)>,
    /// Whether the vertical axis is logarithmic.
    #[serde(default)]
    pub log: bool,
    /// Whether zero is always on it.
    #[serde(default)]
    pub zero: bool,
    /// The curves.
    pub curves: Vec<Curve>,
    /// The buckets of a heat map, the lowest first.
    #[serde(default)]
    pub buckets: Vec<Bucket>,
    /// How many curves were left out because there are too many.
    pub left_out: usize,
    /// Why there is no value yet, where that is known: `too few rows yet: 12 of 100`.
    #[serde(default)]
    pub note: Option<String>,
    /// Why there is nothing to show.
    pub error: Option<String>,
}

/// One curve. All its numbers are finite.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Curve {
    /// What tells it from the others; empty when it is the only one.
    pub label: String,
    /// One value a column; `None` where nothing was measured.
    pub points: Vec<Option<f64>>,
    /// The lowest sample within each column; empty where the points tell all.
    #[serde(default)]
    pub low: Vec<Option<f64>>,
    /// The highest.
    #[serde(default)]
    pub high: Vec<Option<f64>>,
    /// What is said of it in a legend; `None` if it has no value.
    #[serde(default)]
    pub statistics: Option<Statistics>,
}

/// What is said of a curve in a legend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// The least value.
    pub min: f64,
    /// The mean of the columns.
    pub mean: f64,
    /// The greatest value.
    pub max: f64,
    /// The value of the last column; `None` if nothing was measured there.
    pub last: Option<f64>,
}

/// One bucket of a heat map.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// Its upper bound as the label `le` has it: JSON knows no `+Inf`.
    pub bound: String,
    /// What fell into it, a number a column; `None` where nothing was measured.
    pub counts: Vec<Option<f64>>,
}

/// A deploy on the time axis of the charts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which column.
    pub column: usize,
    /// Which release.
    pub release: ReleaseId,
}

/// A run on the time axis of the charts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunMark {
    /// The column in which it began.
    pub column: usize,
    /// Which run.
    pub run: RunId,
}

/// When an alert was on, beside the charts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AlertStrip {
    /// Its name.
    pub name: String,
    /// The panels, by their number, that show a metric of it; where none does, it stands beside all of them.
    #[serde(default)]
    pub panels: Vec<usize>,
    /// From when to when.
    pub spans: Vec<AlertSpan>,
}

/// A stretch of columns in which an alert was pending or firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSpan {
    /// The first column.
    pub from: usize,
    /// The last column.
    pub to: usize,
    /// Whether it was firing, and not only pending.
    pub firing: bool,
}

/// The panels over one stretch of time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Charts {
    /// The panels, in the order of the configuration; that of an expression that was asked for stands before them.
    pub panels: Vec<PanelData>,
    /// The deploys in it.
    pub marks: Vec<Mark>,
    /// The runs that began in it.
    #[serde(default)]
    pub runs: Vec<RunMark>,
    /// The alerts that were on in it.
    #[serde(default)]
    pub alerts: Vec<AlertStrip>,
    /// How well releases are delivered.
    #[serde(default)]
    pub delivery: Option<Delivery>,
    /// The moment of the last column.
    pub end: Moment,
    /// Milliseconds a column.
    pub step: u64,
}

/// The columns of charts in time. The last one stands at the end, those before it at multiples of the step, so that charts
/// that are drawn again a second later show the same ones. A column shows what happened after the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeColumns {
    /// The moment of the last column.
    pub end: Moment,
    /// Milliseconds a column.
    pub step: u64,
    /// How many there are.
    pub count: usize,
}

impl TimeColumns {
    /// The moment of a column.
    pub fn moment(self, column: usize) -> Moment {
        let Some(back) = self.count.checked_sub(column + 1).filter(|back| *back > 0) else { return self.end };
        let (last, step) = self.last_multiple();
        let back = i64::try_from(back - 1).unwrap_or(i64::MAX);
        Moment(last.saturating_sub(back.saturating_mul(step)))
    }

    /// The column that shows what happened at a moment; `None` if it lies outside.
    pub fn column(self, at: Moment) -> Option<usize> {
        let newest = self.count.checked_sub(1)?;
        let (last, step) = self.last_multiple();
        if at > self.end {
            return None;
        }
        if at.0 > last {
            return Some(newest);
        }
        let back = usize::try_from(last.saturating_sub(at.0) / step).ok()?;
        newest.checked_sub(1)?.checked_sub(back)
    }

    /// The last multiple of the step before the end, and the step.
    fn last_multiple(self) -> (i64, i64) {
        let step = i64::try_from(self.step).unwrap_or(i64::MAX).max(1);
        (self.end.0.saturating_sub(1).div_euclid(step).saturating_mul(step), step)
    }
}

/// Which charts are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChartsRequest {
    /// Milliseconds; 0 is all that is kept.
    pub range: u64,
    /// Points a curve.
    pub columns: usize,
    /// The moment of the last column; without it the present.
    pub end: Option<Moment>,
    /// An expression that is drawn before the panels.
    pub expression: Option<String>,
}

/// Which comparison of two releases is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ComparisonRequest {
    /// What is drawn; a panel of that expression says how.
    pub expression: String,
    /// The later of the two releases; without it the newest that was live.
    pub later: Option<ReleaseId>,
    /// The earlier one; without it the last that was live before the later one.
    #[serde(default)]
    pub former: Option<ReleaseId>,
    /// Milliseconds from the deploy on; 0 is as long as the later one has been live.
    pub range: u64,
    /// Points a curve.
    pub columns: usize,
}

/// The same panel after two deploys: moments are milliseconds since the deploy.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Comparison {
    /// The earlier release.
    pub former: ReleaseId,
    /// The later one.
    pub later: ReleaseId,
    /// One panel, with the curves of both.
    pub charts: Charts,
}

/// A metric that is there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MetricInformation {
    /// Its name.
    pub name: String,
    /// Its type, as the app says: `counter`, `gauge`, `histogram`, `summary`; empty if it says none.
    pub kind: String,
    /// What it means, as the app says.
    pub help: String,
    /// In what it is measured, as the app says.
    pub unit: String,
    /// How many series it has.
    pub series: usize,
    /// The expression that shows it well.
    pub expression: String,
}

/// What expressions can be made of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Catalog {
    /// The metrics, by name.
    pub metrics: Vec<MetricInformation>,
    /// The names of labels.
    pub labels: Vec<String>,
    /// The functions and aggregations of `PromQL` that are supported.
    pub functions: Vec<String>,
}

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpressionFault {
    /// One sentence.
    pub error: String,
    /// The first character of the place, from 0.
    pub from: usize,
    /// The character behind it.
    pub to: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_and_its_moment_belong_together_wherever_the_end_stands() {
        for end in [100_000, 100_001, 104_999] {
            let columns = TimeColumns { end: Moment(end), step: 5_000, count: 20 };
            for column in 0..20 {
                assert_eq!(columns.column(columns.moment(column)), Some(column), "end {end}");
            }
            assert_eq!(columns.column(Moment(end + 1)), None);
            assert_eq!(columns.column(Moment(0)), None);
        }
    }

    #[test]
    fn what_happens_between_two_columns_stands_at_the_second_and_stays_there() {
        // The columns stand at 95 s, 100 s and the end.
        for end in [100_001, 102_500, 104_999] {
            let columns = TimeColumns { end: Moment(end), step: 5_000, count: 20 };
            let found = [95_000, 95_001, 97_500, 100_000, 100_001].map(|at| columns.column(Moment(at)));
            assert_eq!(found, [Some(17), Some(18), Some(18), Some(18), Some(19)], "end {end}");
        }
    }
}
