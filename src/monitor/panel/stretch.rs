//! A panel from a moment on, in even columns: for what is laid beside another stretch of time and not beside the present.

use crate::pipeline::Moment;

use super::{Grid, Panel, PanelSeries, gaps, keep_largest, label_of, telling_labels};
use crate::monitor::ReadStore;
use crate::monitor::promql::{PromqlError, RangeSeries};

impl Panel {
    /// The values at `begin` and each `step_ms` behind it.
    pub fn stretch(
        &self,
        store: &impl ReadStore,
        begin: Moment,
        step_ms: u64,
        columns: usize,
    ) -> Result<Vec<PanelSeries>, PromqlError> {
        let grid = Grid::even(begin, step_ms, columns);
        let found = self.query.range(store, begin, grid.end, step_ms)?;
        Ok(series_of(&self.title, found, &grid, &gaps(store, &grid, &self.query)))
    }
}

impl Grid {
    /// Columns from `begin` on, all of them one step from the next.
    pub(super) fn even(begin: Moment, step_ms: u64, columns: usize) -> Self {
        let after = |count: usize| begin.plus(step_ms.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX)));
        let (last, end) = (after(columns.saturating_sub(2)), after(columns.saturating_sub(1)));
        Self { first: begin, last, end, step_ms, columns }
    }
}

/// The largest series in their columns.
pub(super) fn series_of(title: &str, mut found: Vec<RangeSeries>, grid: &Grid, gaps: &[bool]) -> Vec<PanelSeries> {
    keep_largest(&mut found);
    let telling = telling_labels(&found);
    let series = found.iter().map(|series| PanelSeries {
        label: label_of(title, &series.labels, &telling),
        labels: series.labels.clone(),
        points: grid.points(series, gaps),
    });
    series.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PanelSettings;
    use crate::monitor::fixture::store;

    #[test]
    fn columns_begin_where_they_are_asked_to() {
        let store = store(1_000, &[("a", &[0.0, 1.0, 2.0, 3.0, 4.0])]);
        let settings = PanelSettings { title: "a".to_owned(), expr: "a".to_owned(), ..PanelSettings::default() };
        let panel = Panel::from_settings(&settings).unwrap();
        let drawn = panel.stretch(&store, Moment(1_000), 1_000, 3).unwrap();
        assert_eq!(drawn[0].points, [Some(1.0), Some(2.0), Some(3.0)]);
    }
}
