//! Heat maps and stretches of time whose expression an existing Prometheus evaluates; `remote` does the same for curves.

use crate::pipeline::Moment;

use super::heat::heat_of;
use super::stretch::series_of;
use super::{Grid, HeatColumns, PanelSeries, join};
use crate::config::PanelSettings;
use crate::monitor::{PrometheusClient, PrometheusError};

impl HeatColumns {
    /// The last `range_ms` before `end` in `columns` columns, as a Prometheus sees them.
    pub async fn remote(
        client: &PrometheusClient,
        settings: &PanelSettings,
        end: Moment,
        range_ms: u64,
        columns: usize,
    ) -> Result<Self, PrometheusError> {
        let grid = Grid::new(end, range_ms, columns);
        let mut found = match columns {
            0 | 1 => Vec::new(),
            _ => client.range(&settings.expr, grid.first, grid.last, grid.step_ms).await?,
        };
        if columns > 0 {
            join(&mut found, client.range(&settings.expr, end, end, 1).await?);
        }
        Ok(heat_of(&found, &grid, &vec![false; columns]))
    }
}

impl PanelSeries {
    /// The values at `begin` and each `step_ms` behind it, as a Prometheus sees them.
    pub async fn remote_stretch(
        client: &PrometheusClient,
        settings: &PanelSettings,
        begin: Moment,
        step_ms: u64,
        columns: usize,
    ) -> Result<Vec<Self>, PrometheusError> {
        let grid = Grid::even(begin, step_ms, columns);
        let found = client.range(&settings.expr, begin, grid.end, step_ms).await?;
        Ok(series_of(&settings.title, found, &grid, &vec![false; columns]))
    }
}
