//! The title of the terminal's window: which project, and where its run is, for whoever looks at another window.

use super::app::Model;
use super::widgets::text::sanitize;
use crate::pipeline::{Run, StageName, StageState, explain};

/// The most characters of a title.
const LONGEST: usize = 120;

/// The title that was sent last.
#[derive(Debug, Default)]
pub(super) struct Title {
    sent: String,
}

impl Title {
    /// The bytes that set the title; none if it is the one that was sent last.
    pub(super) fn told(&mut self, model: &Model) -> Vec<u8> {
        let text = text(model);
        if text == self.sent {
            return Vec::new();
        }
        let bytes = format!("\u{1b}]2;{text}\u{1b}\\").into_bytes();
        self.sent = text;
        bytes
    }
}

/// `trainyard wine-quality · run 42 test ◐`.
fn text(model: &Model) -> String {
    let mut text = "trainyard".to_owned();
    if !model.project().is_empty() {
        text.push(' ');
        text.push_str(&sanitize(model.project()));
    }
    let dot = model.glyphs.dot;
    if model.is_stale() {
        text.push_str(&format!(" {dot} not heard"));
    } else if let Some(run) = model.board_run() {
        let sign = model.glyphs.run(run.result, run.started.is_some());
        let word = match run.result {
            Some(result) => explain::result(result).to_owned(),
            None => current_stage(model, run).unwrap_or_else(|| "waits".to_owned()),
        };
        text.push_str(&format!(" {dot} run {} {word} {sign}", run.id));
    }
    text.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}

/// The stage that a run works on, or else the next that it will.
fn current_stage(model: &Model, run: &Run) -> Option<String> {
    run.started?;
    let entry = |name: &StageName| run.stages.get(name).map(|entry| &entry.state);
    let stages = model.state.graph.stages();
    let works = stages.iter().find(|spec| entry(&spec.name).is_some_and(StageState::is_running));
    let next = || stages.iter().find(|spec| entry(&spec.name).is_some_and(|state| !state.is_final()));
    works.or_else(next).map(|spec| sanitize(spec.name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    #[test]
    fn the_title_says_where_the_run_is_and_is_sent_once() {
        let model = fixtures::running();
        let mut title = Title::default();
        let sent = String::from_utf8(title.told(&model)).unwrap();
        let run = model.board_run().unwrap();
        assert!(sent.starts_with("\u{1b}]2;trainyard ") && sent.ends_with("\u{1b}\\"), "{sent:?}");
        assert!(sent.contains(&format!("run {}", run.id)), "{sent:?}");
        assert!(title.told(&model).is_empty());
    }

    #[test]
    fn no_name_breaks_out_of_the_title() {
        let mut model = fixtures::running();
        let daemon = model.daemon.as_mut().unwrap();
        daemon.project = "evil\u{1b}\\\u{7}\u{9c}name".to_owned();
        let sent = String::from_utf8(Title::default().told(&model)).unwrap();
        let inside = sent.strip_prefix("\u{1b}]2;").and_then(|rest| rest.strip_suffix("\u{1b}\\")).unwrap();
        assert!(!inside.contains(char::is_control), "{inside:?}");
    }
}
