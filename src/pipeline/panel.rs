//! The kinds of panels. No decision depends on them; they stand here because the configuration and the screen both know them,
//! and this is the room below both.

use serde::{Deserialize, Serialize};

/// How a panel is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PanelKind {
    /// Curves.
    #[default]
    Line,
    /// Curves that stand on each other, filled.
    Area,
    /// The newest value, large, with its course.
    Stat,
    /// The newest value between a least and a greatest one.
    Gauge,
    /// The buckets of a histogram over time.
    Heatmap,
    /// A row for each curve.
    Table,
}
