//! A project to which nothing has happened yet: the steps to its first run, which of them are done, and how to do the next.
//!
//! They stay until there is data, for a run without any says what it lacks and not how to come by it; what it said stands
//! below them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::pipeline::{Run, RunResult, StageName, StageState, explain};
use crate::tui::app::{Connection, Model};
use crate::tui::commands::{Action, key_of};
use crate::tui::quantity;
use crate::tui::widgets::facts;
use crate::tui::widgets::text::{cut, put_at, put_fitted, sanitize};

/// One step.
struct Step {
    is_done: bool,
    text: String,
}

/// Whether the steps are what there is to see: nothing has run, or what ran had no data and nothing came of it.
pub(super) fn are_open(model: &Model) -> bool {
    let state = &model.state;
    let Some(run) = model.board_run() else { return true };
    let mut learning = state.graph.stages().iter().filter(|spec| spec.uses_data).peekable();
    let lacks_data = learning.peek().is_some() && state.inputs.as_ref().is_some_and(|inputs| inputs.data.count == 0);
    run.is_finished()
        && lacks_data
        && state.releases.is_empty()
        && learning.all(|spec| !state.passes.contains_key(&spec.name))
}

/// Draws the steps, one a row, and below them what the last run said.
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
    let mut row = steps.len();
    let run = model.board_run();
    // Where there is room for one of both, what was said tells more.
    if !stages.is_empty() && (run.is_none() || row + 1 < usize::from(area.height)) {
        let chain = cut(&stages, width, model.glyphs.cut);
        put_at(buffer, area, 1, row, &Line::from(Span::styled(chain, model.theme.text)));
        row += 1;
    }
    if let Some(run) = run {
        put_fitted(buffer, area, (1, row), &said(model, run), model.glyphs.cut);
    }
}

/// What became of a run, and of which stage for which reason.
fn said(model: &Model, run: &Run) -> Line<'static> {
    let (theme, has_started) = (&model.theme, run.started.is_some());
    let word = run.result.map_or("under way", explain::result);
    let stopped = model.state.graph.stages().iter().find(|spec| {
        let state = run.stages.get(&spec.name).map(|work| &work.state);
        matches!(state, Some(StageState::Failed { .. } | StageState::NotRun { .. } | StageState::Interrupted))
    });
    let mut parts = vec![
        (format!("run {}", run.id), theme.text),
        (format!("{} {word}", model.glyphs.run(run.result, has_started)), theme.run(run.result, has_started)),
    ];
    parts.extend(stopped.map(|spec| {
        let reason = facts::reason(model, run, &spec.name);
        (format!("{}: {reason}", sanitize(spec.name.as_str())), theme.text)
    }));
    parts.push((sanitize(&explain::cause(&model.state, run)), theme.dim));
    facts::joined(model, parts)
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
    let text = if model.board_run().is_some() {
        "a run starts by itself with the data".to_owned()
    } else if graph.stages().iter().any(|spec| spec.uses_data) {
        format!("the first run starts by itself with the data, or with {key}")
    } else {
        format!("press {key} to start the first run")
    };
    // Once it is done, there are no steps any more.
    steps.push(Step { is_done: false, text });
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
    use crate::tui::fixtures::{self, World};

    #[test]
    fn a_file_that_lies_beside_the_data_folder_is_named() {
        let mut model = fixtures::empty();
        if let Some(watch) = &mut model.live.watch {
            watch.beside = Some("fruit.csv".to_owned());
        }
        let text = fixtures::render(&model, 80, 24);
        assert!(text.contains("copy fruit.csv into the data folder"), "{text}");
    }

    #[test]
    fn a_run_without_data_leaves_the_steps_until_there_is_data_and_stands_below_them() {
        let mut world = fixtures::run_without_data();
        let text = |world: &World, width, height| {
            let text = fixtures::render(&world.model(fixtures::live(world, false)), width, height);
            (text.contains("put a CSV file into the data folder"), text.contains("no data file is registered"), text)
        };
        for (width, height) in [(80, 24), (120, 40), (60, 15)] {
            let (leads, says_why, text) = text(&world, width, height);
            assert!(leads && says_why, "{text}");
        }
        insta::assert_snapshot!("first_steps_after_a_run_120x40", text(&world, 120, 40).2);
        insta::assert_snapshot!("first_steps_after_a_run_80x24", text(&world, 80, 24).2);
        world.register(1, "fruit.csv");
        let (leads, _, text) = text(&world, 80, 24);
        assert!(!leads && text.contains("data registered: fruit.csv"), "{text}");
    }
}
