//! What a panel shows whose expression an existing Prometheus evaluates.
//!
//! Known gap: a column is empty only where that server gives no value; whether its scrapes failed there is not asked.

use crate::pipeline::Moment;

use super::heat::heat_of;
use super::{Grid, HeatColumns, PanelColumns, PanelSeries, join, series_of};
use crate::config::PanelSettings;
use crate::monitor::promql::RangeSeries;
use crate::monitor::{PrometheusClient, PrometheusError};

impl PanelColumns {
    /// The last `range_ms` before `end` in exactly `columns` columns, as a Prometheus sees them.
    pub async fn remote(
        client: &PrometheusClient,
        settings: &PanelSettings,
        end: Moment,
        range_ms: u64,
        columns: usize,
    ) -> Result<Self, PrometheusError> {
        let grid = Grid::new(end, range_ms, columns);
        let found = values(client, &settings.expr, &grid).await?;
        let (series, left_out) = series_of(&settings.title, found, &grid, &vec![false; columns]);
        Ok(Self { series, left_out, step_ms: grid.step_ms, end })
    }
}

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
        let found = values(client, &settings.expr, &grid).await?;
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
        let (series, _) = series_of(&settings.title, found, &grid, &vec![false; columns]);
        Ok(series)
    }
}

/// The values at the moments of a grid.
async fn values(client: &PrometheusClient, expression: &str, grid: &Grid) -> Result<Vec<RangeSeries>, PrometheusError> {
    let mut found = match grid.columns {
        0 | 1 => Vec::new(),
        _ => client.range(expression, grid.first, grid.last, grid.step_ms).await?,
    };
    if grid.columns > 0 {
        join(&mut found, client.range(expression, grid.end, grid.end, 1).await?);
    }
    Ok(found)
}
