//! The columns of a panel whose expression another server evaluates.
//!
//! Known gap: a column is empty only where that server gives no value; whether its scrapes failed there is not asked.

use crate::pipeline::Moment;

use super::{Grid, PanelColumns, PanelSeries, join, keep_largest, label_of, telling_labels};
use crate::config::PanelSettings;
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
        let mut found = match columns {
            0 | 1 => Vec::new(),
            _ => client.range(&settings.expr, grid.first, grid.last, grid.step_ms).await?,
        };
        if columns > 0 {
            join(&mut found, client.range(&settings.expr, end, end, 1).await?);
        }
        let left_out = keep_largest(&mut found);
        let telling = telling_labels(&found);
        let gaps = vec![false; columns];
        let series = found
            .iter()
            .map(|series| PanelSeries {
                label: label_of(&settings.title, &series.labels, &telling),
                labels: series.labels.clone(),
                points: grid.points(series, &gaps),
            })
            .collect();
        Ok(Self { series, left_out, step_ms: grid.step_ms, end })
    }
}
