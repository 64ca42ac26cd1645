//! The parts that views are made of. Pure: they read the model and write cells.

pub(super) mod alert_line;
pub(super) mod chart;
pub(super) mod differences;
pub(super) mod facts;
pub(super) mod header;
pub(super) mod hints;
pub(super) mod log_lines;
mod overlay_keys;
pub(super) mod pane;
pub(super) mod plan_line;
pub(super) mod sparkline;
pub(super) mod stage_strip;
pub(super) mod table;
pub(super) mod text;
