//! Two runs beside each other: what they worked on, what each stage did and for how long, what was measured, what came of it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::pipeline::Run;
use crate::tui::app::Model;
use crate::tui::detail_text;
use crate::tui::run_differences::{self, Side};
use crate::tui::widgets::{differences, pane};

/// Draws the pane; changes lead from `one` to `other`, which is the chosen run.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect, one: &Run, other: &Run) {
    let heading = format!("Run {} beside run {}", one.id, other.id);
    let right = if model.is_zoomed { "Esc shows the list" } else { "z gives it the screen, Esc ends it" };
    let inner = pane::draw(model, frame.buffer_mut(), area, model.is_zoomed, &heading, right);
    let inner = pane::indented(inner);
    for (row, line) in rows(model, one, other, usize::from(inner.width)).iter().enumerate() {
        detail_text::put(model, frame.buffer_mut(), inner, (0, row), line);
    }
}

fn rows(model: &Model, one: &Run, other: &Run, width: usize) -> Vec<Line<'static>> {
    let graph = &model.state.graph;
    let names = (format!("run {}", one.id), format!("run {}", other.id));
    let side = |run| Side { run, inputs: model.runs.inputs_of(run) };
    let sections = [
        ("inputs", run_differences::inputs(graph, side(one), side(other))),
        ("stages", run_differences::stages(graph, one, other, model.now)),
        ("metrics", run_differences::metrics(graph, one, other)),
        ("results", run_differences::results(graph, one, other)),
    ];
    let mut rows = differences::head(model, &names.0, &names.1, width);
    for (name, found) in sections {
        rows.extend(differences::section(model, name, &found, width));
    }
    rows
}
