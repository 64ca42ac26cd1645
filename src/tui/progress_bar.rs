//! Progress beside the terminal's window, in the task bar or on its tab (OSC 9;4), for whoever looks at another window.

use super::app::Model;
use super::quantity;
use crate::pipeline::{RunResult, StageState};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Shown {
    /// Nothing.
    #[default]
    Nothing,
    /// So many of a hundred.
    Share(u64),
    /// Somebody is waited for, after so many of a hundred.
    Waiting(u64),
    /// The last run failed.
    Failed,
}

/// The progress that was sent last.
#[derive(Debug, Default)]
pub(super) struct ProgressBar {
    sent: Shown,
}

impl ProgressBar {
    /// The bytes that show how far the run is; none if that is what was sent last.
    pub(super) fn told(&mut self, model: &Model) -> Vec<u8> {
        let shown = shown(model);
        if shown == self.sent {
            return Vec::new();
        }
        self.sent = shown;
        let text = match shown {
            Shown::Nothing => "0".to_owned(),
            Shown::Share(percent) => format!("1;{percent}"),
            Shown::Failed => "2;100".to_owned(),
            Shown::Waiting(percent) => format!("4;{percent}"),
        };
        format!("\u{1b}]9;4;{text}\u{1b}\\").into_bytes()
    }
}

fn shown(model: &Model) -> Shown {
    if model.is_stale() {
        return Shown::Nothing;
    }
    let Some(run) = model.state.active_run() else {
        let has_failed = model.board_run().is_some_and(|run| run.result == Some(RunResult::Failed));
        return if has_failed { Shown::Failed } else { Shown::Nothing };
    };
    let stages = model.state.graph.stages();
    let mut done = 0.0;
    let mut waits = false;
    for spec in stages {
        let Some(entry) = run.stages.get(&spec.name) else { continue };
        waits |= matches!(entry.state, StageState::AwaitingApproval { .. });
        if entry.state.is_final() {
            done += 1.0;
        } else if entry.state.is_running() {
            let share = model.progress(run.id, &spec.name).and_then(|progress| progress.share);
            done += share.filter(|share| share.is_finite()).unwrap_or(0.0).clamp(0.0, 1.0);
        }
    }
    let percent = quantity::cell(100.0 * done / quantity::real(stages.len().max(1)), 100);
    let percent = u64::try_from(percent).unwrap_or(100);
    if waits { Shown::Waiting(percent) } else { Shown::Share(percent) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_run_shows_how_far_it_is_and_takes_it_away_when_nobody_is_heard() {
        let mut model = fixtures::running();
        let mut bar = ProgressBar::default();
        let first = text(bar.told(&model));
        assert!(first.starts_with("\u{1b}]9;4;1;") && first.ends_with("\u{1b}\\"), "{first:?}");
        assert!(bar.told(&model).is_empty(), "the same is not sent twice");
        let since = model.now;
        model.connection = crate::tui::app::Connection::Lost { since, reason: "it is gone".to_owned() };
        assert_eq!(text(bar.told(&model)), "\u{1b}]9;4;0\u{1b}\\");
    }

    #[test]
    fn nothing_is_sent_while_nothing_runs_and_nothing_failed() {
        assert!(ProgressBar::default().told(&fixtures::idle()).is_empty());
    }
}
