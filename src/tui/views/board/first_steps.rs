//! A project to which nothing has happened yet: the steps to its first run, which of them are done, and how to do the next.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::pipeline::{RunResult, StageName};
use crate::tui::app::{Connection, Model};
use crate::tui::commands::{Action, key_of};
use crate::tui::quantity;
use crate::tui::widgets::text::{cut, put_at, sanitize};

/// One step.
struct Step {
    is_done: bool,
    text: String,
}

/// Draws the steps, one a row.
pub(super) fn draw(model: &Model, buffer: &mut Buffer, area: Rect) {
    let width = usize::from(area.width).saturating_sub(2);
    if model.connection == Connection::Connecting {
        let text = cut("waiting for the daemon", width, model.glyphs.cut);
        put_at(buffer, area, 1, 0, &Line::from(Span::styled(text, model.theme.dim)));
        return;
    }
    let steps = steps(model);
    let next = steps.iter().position(|step| !step.is_done);
    for (row, step) in steps.iter().enumerate() {
        let (result, style) = match (step.is_done, Some(row) == next) {
            (true, _) => (Some(RunResult::Passed), model.theme.good),
            (false, true) => (None, model.theme.title),
            (false, false) => (None, model.theme.dim),
        };
        let pointer = if Some(row) == next { model.glyphs.pointer } else { " " };
        let sign = model.glyphs.run(result, false);
        let text = cut(&format!("{}. {}", row + 1, step.text), width.saturating_sub(3), model.glyphs.cut);
        let mut line = Line::from(Span::styled(pointer, model.theme.accent));
        line.push_span(Span::styled(format!("{sign} {text}"), style));
        put_at(buffer, area, 0, row, &line);
    }
    let stages = stages(model);
    if !stages.is_empty() {
        let chain = cut(&stages, width, model.glyphs.cut);
        put_at(buffer, area, 1, steps.len(), &Line::from(Span::styled(chain, model.theme.text)));
    }
}

/// What is configured, what lies there, what runs.
fn steps(model: &Model) -> Vec<Step> {
    let graph = &model.state.graph;
    let is_configured = !graph.stages().is_empty();
    let told = if is_configured {
        format!("{} configured in trainyard.toml", quantity::counted(graph.stages().len(), "stage"))
    } else {
        "describe the stages: `trainyard init` in a shell writes trainyard.toml".to_owned()
    };
    let mut steps = vec![Step { is_done: is_configured, text: told }];
    if !is_configured || graph.stages().iter().any(|spec| spec.uses_data) {
        steps.push(data(model));
    }
    let key = key_of(model, Action::RunAll);
    let text = if graph.stages().iter().any(|spec| spec.uses_data) {
        format!("the first run starts by itself with the data, or with {key}")
    } else {
        format!("press {key} to start the first run")
    };
    steps.push(Step { is_done: model.state.latest_run().is_some(), text });
    steps
}

fn data(model: &Model) -> Step {
    let files = model.state.inputs.as_ref().map_or(0, |inputs| inputs.data.count);
    if files > 0 {
        return Step { is_done: true, text: format!("{} registered", quantity::counted(files, "data file")) };
    }
    let pending = model.live.watch.as_ref().and_then(|watch| watch.pending.iter().next());
    let text = match (pending, model.state.refused.iter().next()) {
        (Some((file, stage)), _) => format!("{} is {}", sanitize(file), sanitize(stage)),
        (None, Some((file, reason))) => format!("mend {}: {}", sanitize(file), sanitize(reason)),
        (None, None) => {
            let beside = model.live.watch.as_ref().and_then(|watch| watch.beside.as_deref());
            let file = beside.map_or_else(|| "put a CSV file".to_owned(), |file| format!("copy {}", sanitize(file)));
            format!("{file} into the data folder: `path` of [data], else data/")
        }
    };
    Step { is_done: false, text }
}

/// The stages in their order.
fn stages(model: &Model) -> String {
    let arrow = format!(" {}{} ", model.glyphs.shaft, model.glyphs.arrow_head);
    let name = |name: &StageName| sanitize(name.as_str());
    let names: Vec<String> = model.state.graph.stages().iter().map(|spec| name(&spec.name)).collect();
    names.join(&arrow)
}

#[cfg(test)]
mod tests {
    use crate::tui::fixtures;

    #[test]
    fn a_file_that_lies_beside_the_data_folder_is_named() {
        let mut model = fixtures::empty();
        if let Some(watch) = &mut model.live.watch {
            watch.beside = Some("fruit.csv".to_owned());
        }
        let text = fixtures::render(&model, 80, 24);
        assert!(text.contains("copy fruit.csv into the data folder"), "{text}");
    }
}
