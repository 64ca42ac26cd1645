//! A panel from a moment on, in even columns: for what is laid beside another stretch of time and not beside the present.

use crate::pipeline::Moment;

use super::{Grid, Panel, PanelSeries, Scrapes, series_of};
use crate::monitor::ReadStore;
use crate::monitor::promql::PromqlError;

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
        let gaps = self.gaps(store, &Scrapes::over(store, &grid), &grid);
        let (series, _) = series_of(&self.title, found, &grid, &gaps);
        Ok(series)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PanelSettings;
    use crate::monitor::fixture::{fail, store};

    #[test]
    fn columns_begin_where_they_are_asked_to() {
        let store = store(1_000, &[("a", &[0.0, 1.0, 2.0, 3.0, 4.0])]);
        let settings = PanelSettings { title: "a".to_owned(), expr: "a".to_owned(), ..PanelSettings::default() };
        let panel = Panel::from_settings(&settings).unwrap();
        let drawn = panel.stretch(&store, Moment(1_000), 1_000, 3).unwrap();
        assert_eq!(drawn[0].points, [Some(1.0), Some(2.0), Some(3.0)]);
    }

    #[test]
    fn an_outage_is_a_gap_and_shows_in_the_panel_of_outages() {
        let mut store = store(1_000, &[("a", &[0.0, 1.0])]);
        fail(&mut store, 2_000);
        let drawn = |expr: &str| {
            let settings = PanelSettings { title: expr.to_owned(), expr: expr.to_owned(), ..PanelSettings::default() };
            let panel = Panel::from_settings(&settings).unwrap();
            panel.stretch(&store, Moment(1_000), 1_000, 2).unwrap().remove(0).points
        };
        assert_eq!(drawn("vector(7)"), [Some(7.0), None]);
        assert_eq!(drawn("up"), [Some(1.0), Some(0.0)]);
    }
}
