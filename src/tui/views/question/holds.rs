//! The questions before a run is cancelled, before deploys are locked or unlocked, and before a stage that waits for a
//! person may start: what will happen, to what, and whose it is.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Window, answers, confirmation, name, typed_line};
use crate::pipeline::{Run, StageKind, StageName, explain};
use crate::tui::app::Model;
use crate::tui::holds::{ApprovalPrompt, Remark, lock_sentence, lock_wish};
use crate::tui::quantity;
use crate::tui::widgets::text::sanitize;

/// The question before a cancel: what will be stopped, and how long it ran.
pub(in crate::tui::views) fn before_cancel(model: &Model, frame: &mut Frame, area: Rect, remark: &Remark) {
    let theme = &model.theme;
    let mut window = Window::new(model, area);
    let (active, queued) = (model.state.active_run(), model.state.queued_run());
    match (active, queued) {
        (Some(run), _) => window.text(&format!("Cancel run {}?", run.id), theme.title),
        (None, Some(run)) => window.text(&format!("Cancel run {}, which waits?", run.id), theme.title),
        (None, None) => window.text("Nothing runs any more.", theme.title),
    }
    if let Some(run) = active {
        window.text(&sanitize(&explain::trigger(&run.trigger)), theme.text);
        let worked = run.started.map(|started| quantity::whole_duration(model.now.since(started))).unwrap_or_default();
        window.text(&sanitize(&format!("It has run for {worked}{}.", stopped(model, run))), theme.text);
        if run.is_deploying(&model.state.graph) {
            window.text("It deploys, which is not interrupted: the daemon will refuse.", theme.warn);
        }
    }
    if let (Some(_), Some(run)) = (active, queued) {
        window.text(&format!("Run {}, which waits, is dropped too.", run.id), theme.text);
    }
    window.gap();
    // No name is wanted: what is stopped does not change what serves.
    confirmation(model, &mut window, (None, remark), [("y", "cancel it"), ("n", "let it go on")]);
    window.draw(frame, "Cancel");
}

/// What works now and would be stopped.
fn stopped(model: &Model, run: &Run) -> String {
    let works = |name: &&StageName| run.stages.get(*name).is_some_and(|work| work.state.is_running());
    let names = model.state.graph.stages().iter().map(|spec| &spec.name).filter(works);
    let names: Vec<_> = names.map(StageName::as_str).collect();
    if names.is_empty() { String::new() } else { format!("; {} will be stopped", names.join(" and ")) }
}

/// Why automation is to be held off deploys.
pub(in crate::tui::views) fn about_lock(model: &Model, frame: &mut Frame, area: Rect, why: &str) {
    let theme = &model.theme;
    let mut window = Window::new(model, area);
    window.text("Lock deploys?", theme.title);
    let until = match lock_wish(why) {
        (Some(length), _) => format!("For {}", quantity::whole_duration(length)),
        (None, _) => "Until somebody unlocks them".to_owned(),
    };
    window.text(
        &format!(
            "{until}, automation trains, tests and builds, and deploys nothing. What an operator asks for is deployed all the \
             same."
        ),
        theme.text,
    );
    window.gap();
    let line = typed_line(model, &window, "why", why, true);
    window.line(line);
    window.gap();
    window.line(answers(model, &[("Enter", "locks"), ("Esc", "leaves")]));
    window.draw(frame, "Lock");
}

/// Whether automation may deploy again, and whose lock that ends.
pub(in crate::tui::views) fn before_unlock(model: &Model, frame: &mut Frame, area: Rect) {
    let theme = &model.theme;
    let mut window = Window::new(model, area);
    window.text("Unlock deploys?", theme.title);
    match &model.state.lock {
        Some(lock) => {
            window.text(&sanitize(&lock_sentence(lock, model.now)), theme.warn);
            if let Some(until) = lock.until {
                let until = model.clock.when(until, model.now);
                window.text(&format!("It ends by itself at {until}."), theme.text);
            }
            window.text("A deploy that waits for it goes on at once.", theme.text);
        }
        None => window.text("They are not locked any more.", theme.text),
    }
    window.gap();
    window.line(answers(model, &[("y", "unlock"), ("n", "leave it")]));
    window.draw(frame, "Unlock");
}

/// Whether a stage that waits for a person may start, with what it would do.
pub(in crate::tui::views) fn before_approval(model: &Model, frame: &mut Frame, area: Rect, prompt: &ApprovalPrompt) {
    let theme = &model.theme;
    let mut window = Window::new(model, area);
    let stage = sanitize(prompt.stage.as_str());
    let (verb, key) = if prompt.is_approval { ("Approve", "approves") } else { ("Decline", "declines") };
    window.text(&format!("{verb} {stage} of run {}?", prompt.run), theme.title);
    match model.state.runs.get(&prompt.run) {
        Some(run) => consequences(model, &mut window, run, prompt),
        None => window.text("The run is not known any more.", theme.warn),
    }
    window.gap();
    let line = typed_line(model, &window, "message (optional)", &prompt.message, prompt.name.is_none());
    window.line(line);
    match &prompt.name {
        Some(typed) => name(model, &mut window, typed, true),
        None => window.line(answers(model, &[("Enter", key), ("Esc", "leaves all as it is")])),
    }
    window.draw(frame, verb);
}

fn consequences(model: &Model, window: &mut Window<'_>, run: &Run, prompt: &ApprovalPrompt) {
    let theme = &model.theme;
    window.text(&sanitize(&explain::trigger(&run.trigger)), theme.text);
    let graph = &model.state.graph;
    let mut made_of = Vec::new();
    if let Some(version) = run.model_for(graph, &prompt.stage) {
        made_of.push(format!("model {version}"));
    }
    made_of.push(format!("source {}", run.inputs.source.label()));
    let image = run.image_for(graph, &prompt.stage).and_then(|outputs| outputs.digest.as_ref());
    made_of.extend(image.map(|image| format!("image {}", image.short())));
    window.text(&sanitize(&made_of.join(&format!(" {} ", model.glyphs.dot))), theme.text);
    let is_deploy = graph.get(&prompt.stage).is_some_and(|spec| spec.kind == StageKind::Deploy);
    let stage = sanitize(prompt.stage.as_str());
    let what = match (prompt.is_approval, is_deploy, model.state.live_release()) {
        (true, true, Some(live)) => {
            let former = live.model.map(|version| format!(" (model {version})")).unwrap_or_default();
            format!(
                "It becomes release {} and takes the place of release {}{former}.",
                model.state.last_release.next(),
                live.id
            )
        }
        (true, true, None) => {
            format!("It becomes release {}; no release is live now.", model.state.last_release.next())
        }
        (true, false, _) => format!("{stage} starts."),
        (false, ..) => format!("{stage} does not start, and the run ends without what needs it."),
    };
    window.text(&what, theme.text);
}
