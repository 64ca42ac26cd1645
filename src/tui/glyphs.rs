//! The signs of the screen, each one cell wide, and their ASCII substitutes.
//!
//! A state is always a glyph *and* a word; the glyph is never the only carrier of a meaning.

use ratatui::symbols::border;

use crate::api::types::{GateVerdict, TrialState};
use crate::pipeline::{ReleaseStatus, RunResult, StageState};

/// All signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyphs {
    /// Whether only ASCII may be written.
    pub(super) is_ascii: bool,
    /// Frames of panes.
    pub(super) border: border::Set<'static>,
    /// The head of the arrow between stages.
    pub(super) arrow_head: &'static str,
    /// Its shaft.
    pub(super) shaft: &'static str,
    /// The filled part of a progress bar.
    pub(super) bar_full: &'static str,
    /// The rest of it.
    pub(super) bar_empty: &'static str,
    /// The levels of a sparkline, lowest first.
    pub(super) levels: [&'static str; 8],
    /// Between two facts.
    pub(super) dot: &'static str,
    /// At a cut.
    pub(super) cut: &'static str,
    /// Higher than before.
    pub(super) up: &'static str,
    /// Lower than before.
    pub(super) down: &'static str,
    /// Sorted from the smallest on.
    pub(super) ascending: &'static str,
    /// Sorted from the largest on; and there is more below.
    pub(super) descending: &'static str,
    /// In front of what is selected.
    pub(super) pointer: &'static str,
    /// The line of a deploy through a chart.
    pub(super) mark: &'static str,
    /// In front of a curve's name.
    pub(super) legend: &'static str,
    /// The vertical axis.
    pub(super) axis: &'static str,
    /// A tick on the vertical axis.
    pub(super) tick: &'static str,
    /// The layers of a stacked area, the lowest first.
    pub(super) layers: [&'static str; 4],
    /// The fields of a heat map: nothing fell into it, little, more, much, most.
    pub(super) heat: [&'static str; 5],
    /// Where a run began.
    pub(super) run_mark: &'static str,
    /// The line of the crosshair.
    pub(super) cursor: &'static str,
    /// The line of a threshold.
    pub(super) threshold: &'static str,
    /// An alert is pending.
    pub(super) pending: &'static str,
    /// An alert fires.
    pub(super) firing: &'static str,
    /// In front of a message.
    pub(super) frozen: &'static str,
    /// A champion.
    pub(super) champion: &'static str,
    /// A model that serves.
    pub(super) serving: &'static str,
    /// A model with which others are compared.
    pub(super) marked: &'static str,
    /// A stage waits for a person.
    pub(super) awaiting: &'static str,
    states: [&'static str; 10],
}

static UNICODE: Glyphs = Glyphs {
    is_ascii: false,
    border: border::ROUNDED,
    arrow_head: "▶",
    shaft: "─",
    bar_full: "▓",
    bar_empty: "░",
    levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    dot: "·",
    cut: "…",
    up: "↑",
    down: "↓",
    ascending: "↑",
    descending: "↓",
    pointer: "▸",
    mark: "┊",
    legend: "━",
    axis: "│",
    tick: "┤",
    layers: ["█", "▓", "▒", "░"],
    heat: ["·", "░", "▒", "▓", "█"],
    run_mark: "▴",
    cursor: "│",
    threshold: "╌",
    pending: "░",
    firing: "█",
    frozen: "❚",
    champion: "★",
    serving: "●",
    marked: "◆",
    awaiting: "◇",
    states: ["·", "◌", "↻", "◐", "✔", "✖", "↷", "⊘", "■", "?"],
};

static ASCII: Glyphs = Glyphs {
    is_ascii: true,
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
    arrow_head: ">",
    shaft: "-",
    bar_full: "#",
    bar_empty: "-",
    levels: ["_", ".", ":", "-", "=", "+", "*", "#"],
    dot: "-",
    cut: "~",
    up: "+",
    down: "-",
    ascending: "^",
    descending: "v",
    pointer: ">",
    mark: ":",
    legend: "=",
    axis: "|",
    tick: "+",
    layers: ["#", "%", "+", "."],
    heat: [".", ":", "+", "*", "#"],
    run_mark: "^",
    cursor: "|",
    threshold: "-",
    pending: "-",
    firing: "#",
    frozen: "=",
    champion: "*",
    serving: "@",
    marked: "=",
    awaiting: "!",
    states: [".", "~", "@", "*", "+", "x", ">", "-", "#", "?"],
};

impl Glyphs {
    /// ASCII if `TRAINYARD_ASCII` is set, on the Linux console, whose letters are few, or if the locale is not UTF-8; with
    /// `TRAINYARD_ASCII=0`, all signs wherever the locale has them.
    pub(super) fn choose(variable: &dyn Fn(&str) -> Option<String>) -> &'static Self {
        let is_set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let asked = is_set("TRAINYARD_ASCII").map(|value| value != "0");
        let is_console = is_set("TERM").is_some_and(|term| term == "linux");
        if asked.unwrap_or(is_console) {
            return &ASCII;
        }
        let locale = is_set("LC_ALL").or_else(|| is_set("LC_CTYPE")).or_else(|| is_set("LANG")).unwrap_or_default();
        let locale = locale.to_lowercase();
        if locale.contains("utf-8") || locale.contains("utf8") { &UNICODE } else { &ASCII }
    }

    /// All that we draw, for a terminal that has it.
    pub(super) fn unicode() -> &'static Self {
        &UNICODE
    }

    /// Those that every terminal has.
    pub(super) fn ascii() -> &'static Self {
        &ASCII
    }

    /// The sign of a stage's state.
    pub(super) fn stage(&self, state: &StageState) -> &'static str {
        let [waiting, checking, retrying, running, passed, failed, skipped, not_run, cancelled, interrupted] =
            self.states;
        match state {
            StageState::Waiting => waiting,
            StageState::Checking { .. } => checking,
            StageState::Retrying { .. } => retrying,
            StageState::Running { .. } => running,
            StageState::Passed => passed,
            StageState::Failed { .. } => failed,
            StageState::Skipped { .. } => skipped,
            StageState::NotRun { .. } => not_run,
            StageState::Cancelled => cancelled,
            StageState::Interrupted => interrupted,
            StageState::AwaitingApproval { .. } => self.awaiting,
        }
    }

    /// The sign of a run's end, or of its going on.
    pub(super) fn run(&self, result: Option<RunResult>, has_started: bool) -> &'static str {
        let [waiting, _, _, running, passed, failed, skipped, not_run, cancelled, _] = self.states;
        match result {
            None if has_started => running,
            None => waiting,
            Some(RunResult::Passed) => passed,
            Some(RunResult::Failed) => failed,
            Some(RunResult::Held) => not_run,
            Some(RunResult::Cancelled) => cancelled,
            Some(RunResult::Superseded) => skipped,
        }
    }

    /// The sign of what has become of a release.
    pub(super) fn release(&self, status: ReleaseStatus) -> &'static str {
        let [_, _, _, running, passed, failed, skipped, _, cancelled, _] = self.states;
        match status {
            ReleaseStatus::Starting => running,
            ReleaseStatus::Live => passed,
            ReleaseStatus::Retired => skipped,
            ReleaseStatus::Rejected => failed,
            ReleaseStatus::Abandoned => cancelled,
        }
    }

    /// The sign of what a gate says.
    pub(super) fn verdict(&self, verdict: GateVerdict) -> &'static str {
        let [_, _, _, _, passed, failed, .., unknown] = self.states;
        match verdict {
            GateVerdict::Pass => passed,
            GateVerdict::NoEvidence => unknown,
            GateVerdict::Fail => failed,
        }
    }

    /// The sign of what has become of a trial.
    pub(super) fn trial(&self, state: TrialState) -> &'static str {
        let [waiting, _, _, running, _, failed, skipped, not_run, ..] = self.states;
        match state {
            TrialState::Waiting => not_run,
            TrialState::Running => running,
            TrialState::Kept => waiting,
            TrialState::Dropped => skipped,
            TrialState::Failed => failed,
            TrialState::Chosen => self.champion,
        }
    }
}

/// What stands for a sign that texts of the program are set with, where only ASCII may be written. Each is one cell wide, as
/// the sign is. What is no sign of ours, such as a name in another script, stays as it is.
pub(super) fn twin(sign: &str) -> Option<&'static str> {
    Some(match sign {
        "–" | "—" | "−" => "-",
        "…" => "~",
        "“" | "”" => "\"",
        "‘" | "’" => "'",
        "×" => "x",
        "±" => "~",
        "·" => "-",
        "→" | "▶" | "▸" => ">",
        "←" => "<",
        "↑" => "^",
        "↓" => "v",
        "≤" => "<",
        "≥" => ">",
        "≈" => "~",
        "µ" | "μ" => "u",
        _ => return None,
    })
}

/// A text with every sign that has a twin in its place.
pub(super) fn in_ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut buffer = [0; 4];
    for letter in text.chars() {
        let letter: &str = letter.encode_utf8(&mut buffer);
        plain.push_str(twin(letter).unwrap_or(letter));
    }
    plain
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn every_sign_is_one_cell_wide() {
        for glyphs in [UNICODE, ASCII] {
            let all = [glyphs.arrow_head, glyphs.shaft, glyphs.cut, glyphs.pointer, glyphs.mark, glyphs.frozen];
            let models = [glyphs.champion, glyphs.serving, glyphs.marked, glyphs.awaiting];
            let charts =
                [glyphs.run_mark, glyphs.cursor, glyphs.threshold, glyphs.pending, glyphs.firing, glyphs.legend];
            let fields = glyphs.layers.iter().chain(&glyphs.heat);
            for sign in
                glyphs.states.iter().chain(&glyphs.levels).chain(&all).chain(&charts).chain(&models).chain(fields)
            {
                assert_eq!(sign.width(), 1, "{sign}");
            }
        }
    }

    #[test]
    fn every_twin_is_ascii_and_as_wide_as_its_sign() {
        for sign in ["–", "—", "…", "“", "”", "×", "±", "·", "→", "≥", "µ"] {
            let twin = twin(sign).unwrap();
            assert!(twin.is_ascii() && twin.width() == sign.width(), "{sign}");
        }
        assert_eq!(in_ascii("“겨울” – 5 ± 1…"), "\"겨울\" - 5 ~ 1~");
    }

    #[test]
    fn the_linux_console_gets_ascii_unless_it_is_known_to_have_the_signs() {
        let console = |ascii: &'static str| {
            move |name: &str| match name {
                "TERM" => Some("linux".to_owned()),
                "LANG" => Some("C.UTF-8".to_owned()),
                "TRAINYARD_ASCII" => Some(ascii.to_owned()),
                _ => None,
            }
        };
        assert!(Glyphs::choose(&console("")).is_ascii);
        assert!(!Glyphs::choose(&console("0")).is_ascii);
    }

    #[test]
    fn a_locale_without_utf_8_gets_ascii() {
        let locale = |value: &'static str| move |name: &str| (name == "LC_ALL").then(|| value.to_owned());
        assert!(Glyphs::choose(&locale("C")).is_ascii);
        assert!(Glyphs::choose(&locale("POSIX")).is_ascii);
        assert!(!Glyphs::choose(&locale("ko_KR.UTF-8")).is_ascii);
    }
}
