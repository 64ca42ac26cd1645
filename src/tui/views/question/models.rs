//! The question before a model is promoted by hand, with what will happen, and the line for a note.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Window, answers, name, typed_line};
use crate::api::types::ModelSummary;
use crate::pipeline::{ModelVersion, StageName};
use crate::tui::app::Model;
use crate::tui::models::{NotePrompt, PromotePrompt};
use crate::tui::quantity;
use crate::tui::widgets::text::sanitize;

/// The question before a promotion.
pub(in crate::tui::views) fn before_promotion(model: &Model, frame: &mut Frame, area: Rect, prompt: &PromotePrompt) {
    let theme = &model.theme;
    let mut window = Window::new(model, area);
    match model.models.made().iter().find(|made| made.version == prompt.version) {
        Some(made) => consequences(model, &mut window, made),
        None => window.text(&format!("Promote model {}?", prompt.version), theme.title),
    }
    window.gap();
    let is_typed = prompt.name.is_none();
    let line = typed_line(model, &window, "why", &prompt.why, is_typed);
    window.line(line);
    match &prompt.name {
        Some(typed) => name(model, &mut window, typed, true),
        None => {
            window.gap();
            window.line(answers(model, &[("Enter", "promotes"), ("Esc", "leaves all as it is")]));
        }
    }
    window.draw(frame, "Promote");
}

/// What will happen, and what speaks against it.
fn consequences(model: &Model, window: &mut Window<'_>, made: &ModelSummary) {
    let theme = &model.theme;
    let stage = sanitize(made.stage.as_str());
    window.text(&format!("Make model {} the champion of {stage}?", made.version), theme.title);
    match &made.reason {
        Some(reason) => window.text(&format!("Its gate held it: {}", sanitize(reason)), theme.warn),
        None if made.ungated => window.text("No gate judged it: none is configured for its stage.", theme.text),
        None => window.text("Its gate let it pass.", theme.text),
    }
    let champion = model.state.registry.champion(&made.stage).map(|champion| champion.version);
    let former = match champion {
        Some(champion) if champion == made.version => "It is the champion already.".to_owned(),
        Some(champion) => format!("It takes the place of model {champion}{}.", beside(model, made, champion)),
        None => format!("{stage} has no champion yet."),
    };
    window.text(&former, theme.text);
    let behind = stages_behind(model, &made.stage);
    let run = if behind.is_empty() {
        "No stage needs it, so nothing else follows.".to_owned()
    } else {
        format!("A run takes it through {}. Nothing is trained.", sanitize(&behind.join(", ")))
    };
    window.text(&run, theme.text);
    if !made.has_files {
        window.text("Its files were cleared away, so the daemon will refuse.", theme.bad);
    }
}

/// The metric that counts, of both.
fn beside(model: &Model, made: &ModelSummary, champion: ModelVersion) -> String {
    let champion = model.models.made().iter().find(|other| other.version == champion);
    let both = made.metric.as_ref().zip(champion).and_then(|(metric, champion)| {
        let other = champion.metrics.get(&metric.name)?;
        Some((sanitize(&metric.name), quantity::value(metric.value), quantity::value(*other)))
    });
    both.map(|(name, new, old)| format!(": {name} {new} instead of {old}")).unwrap_or_default()
}

/// The stages that need a stage, directly or not, in the order in which they run.
fn stages_behind(model: &Model, stage: &StageName) -> Vec<String> {
    let mut found: Vec<&StageName> = Vec::new();
    // Each stage stands behind what it needs.
    for spec in model.state.graph.stages() {
        if spec.needs.iter().any(|need| need == stage || found.contains(&need)) {
            found.push(&spec.name);
        }
    }
    found.into_iter().map(|name| name.as_str().to_owned()).collect()
}

/// The line for a note.
pub(in crate::tui::views) fn about_note(model: &Model, frame: &mut Frame, area: Rect, prompt: &NotePrompt) {
    let theme = &model.theme;
    let mut window = Window::new(model, area);
    window.text(&format!("A note on model {}", prompt.version), theme.title);
    window.text("It is kept in the events and stands in the registry for whoever reads it.", theme.dim);
    window.gap();
    let line = typed_line(model, &window, "note", &prompt.text, true);
    window.line(line);
    window.gap();
    window.line(answers(model, &[("Enter", "writes it"), ("Esc", "leaves")]));
    window.draw(frame, "Note");
}
