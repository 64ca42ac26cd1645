//! What was tried before a version was made; while it is searched, what the stage tells of it.

use ratatui::text::Line;

use super::UNKNOWN;
use super::rows::{dim, labelled, number};
use crate::api::types::{LeaderboardRow, ModelDetail, StageProgress, TrialState};
use crate::tui::app::Model;
use crate::tui::models::Training;
use crate::tui::quantity;
use crate::tui::widgets::stage_strip::bar;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::sanitize;

/// What is told of a trial, in the order of [`table`].
const COLUMNS: [Column; 7] = [
    Column { heading: "no.", width: 4, fill: Fill::Right, rank: 0 },
    Column { heading: "state", width: 10, fill: Fill::Left, rank: 0 },
    Column { heading: "mean", width: 9, fill: Fill::Right, rank: 0 },
    Column { heading: "deviation", width: 9, fill: Fill::Right, rank: 3 },
    Column { heading: "rung", width: 5, fill: Fill::Right, rank: 4 },
    Column { heading: "took", width: 7, fill: Fill::Right, rank: 5 },
    Column { heading: "learner", width: 16, fill: Fill::Rest, rank: 0 },
];
/// What the states mean while nothing is decided.
const MEANING: &str = "kept is done and may still win, dropped does not go on to more rows";
/// What they mean once one is chosen.
const MEANING_AT_THE_END: &str = "the summary has what the chosen one reached on the held-out rows; kept came as far, \
                                  dropped did not go on to more rows";
/// Cells of the bar of a stage.
const BAR: usize = 12;

/// The rows of a version that is there.
pub(super) fn rows(model: &Model, detail: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    if detail.card.trials.is_empty() {
        let text = "nothing is known of trials: only one learner was configured, or the command that trains tells none \
                    (it may append {\"leaderboard\": [...]} to $TRAINYARD_OUTPUT)";
        return super::rows::sentence(model, text, model.theme.dim, width);
    }
    let is_decided = detail.card.trials.iter().any(|trial| trial.state == TrialState::Chosen);
    table(model, &detail.card.trials, if is_decided { MEANING_AT_THE_END } else { MEANING }, width)
}

/// The rows of a version that is being trained.
pub(super) fn training(model: &Model, training: &Training<'_>, width: usize) -> Vec<Line<'static>> {
    let took = training.work.took(model.now).map(quantity::whole_duration).unwrap_or_default();
    let text = format!("run {}, stage {}, for {took}", training.run.id, training.stage);
    let mut rows = labelled(model, "training", &text, model.theme.running, width);
    let Some(progress) = training.progress else {
        rows.push(dim(model, "the stage has not said yet how far it is"));
        return rows;
    };
    rows.extend(said(model, progress, width));
    if !progress.leaderboard.is_empty() {
        rows.push(Line::default());
        rows.extend(table(model, &progress.leaderboard, MEANING, width));
    }
    rows
}

/// How far the stage is, in its own words.
fn said(model: &Model, progress: &StageProgress, width: usize) -> Vec<Line<'static>> {
    let mut rows = labelled(model, "says", &progress.message, model.theme.text, width);
    if let Some(share) = progress.share.filter(|share| share.is_finite()) {
        let mut line = Line::from(bar(model, share, BAR).to_vec());
        line.push_span(format!(" {}", quantity::percent(share)));
        rows.push(line);
    }
    for (name, value) in &progress.metrics {
        rows.extend(labelled(model, &sanitize(name), &number(*value), model.theme.text, width));
    }
    rows
}

/// The trials under one sentence that says what stands there.
fn table(model: &Model, trials: &[LeaderboardRow], meaning: &str, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let metric = trials.iter().map(|trial| trial.metric.as_str()).find(|metric| !metric.is_empty());
    let metric = metric.map_or_else(|| "the metric that decides".to_owned(), sanitize);
    let table = Table::fit(&COLUMNS, width);
    let rungs = trials.iter().map(|trial| trial.of).max().unwrap_or(0);
    let rungs = if rungs > 1 { format!("; rung {rungs}/{rungs} has all rows") } else { String::new() };
    let told = format!("mean: {metric} over folds of the training rows; {meaning}{rungs}");
    let mut rows = super::rows::sentence(model, &told, theme.dim, width);
    rows.push(table.heading(theme.dim, model.glyphs.cut));
    for trial in trials {
        let style = theme.trial(trial.state);
        let known = |value: Option<f64>| value.map_or_else(|| UNKNOWN.to_owned(), number);
        let rung = if trial.of > 0 { format!("{}/{}", trial.rung, trial.of) } else { String::new() };
        let took = if trial.seconds > 0.0 { quantity::measured(trial.seconds, Some("s")) } else { UNKNOWN.to_owned() };
        let cells = [
            (trial.trial.to_string(), theme.text),
            (format!("{} {}", model.glyphs.trial(trial.state), trial.state.word()), style),
            (known(trial.mean), theme.title),
            (known(trial.deviation), theme.dim),
            (rung, theme.dim),
            (took, theme.dim),
            (sanitize(&trial.learner), theme.text),
        ];
        rows.extend(table.whole_row(model, &cells));
    }
    rows
}
