//! Colours by meaning, read from the TOML files in `themes/`, which are part of the program.
//!
//! Views name roles and never colours. Which theme: `TRAINYARD_THEME`, else the operator's preference (see
//! [`super::preferences`]), else none with `NO_COLOR`, else by what the terminal says it can show. [`read`] reads them.
//! Where a terminal has fewer colours than a theme names, that is the affair of what writes to it.

mod read;

use ratatui::style::Style;

use super::preferences::Misfit;
use crate::api::types::{GateVerdict, TrialState};
use crate::pipeline::{ReleaseStatus, RunResult, StageState};

const DARK: &str = include_str!("../../themes/dark.toml");
const LIGHT: &str = include_str!("../../themes/light.toml");
const ANSI: &str = include_str!("../../themes/ansi.toml");
const MONO: &str = include_str!("../../themes/mono.toml");

/// The roles.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Theme {
    /// Everything without a meaning of its own; its background fills the screen.
    pub(super) text: Style,
    /// What may be overlooked.
    pub(super) dim: Style,
    /// Frames.
    pub(super) border: Style,
    /// The frame of the pane that has the keys.
    pub(super) focused: Style,
    /// Headings.
    pub(super) title: Style,
    /// Keys, links, the name of the product.
    pub(super) accent: Style,
    /// Passed, healthy.
    pub(super) good: Style,
    /// Failed.
    pub(super) bad: Style,
    /// Look at this.
    pub(super) warn: Style,
    /// Works on it.
    pub(super) running: Style,
    /// The selected row.
    pub(super) selection: Style,
    /// Deploys on charts, matches of a search.
    pub(super) mark: Style,
    series: Vec<Style>,
}

impl Theme {
    /// The themes that are part of the program.
    pub(super) const NAMES: [&'static str; 4] = ["dark", "light", "ansi", "mono"];

    /// Reads a theme, or says all that is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<Misfit>> {
        read::read(text)
    }

    /// The text of a theme that is part of the program.
    pub(super) fn text(name: &str) -> Option<&'static str> {
        match name {
            "dark" => Some(DARK),
            "light" => Some(LIGHT),
            "ansi" => Some(ANSI),
            "mono" => Some(MONO),
            _ => None,
        }
    }

    /// A theme that is part of the program.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::parse(Self::text(name)?).ok()
    }

    /// The theme for this terminal.
    pub(super) fn choose(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let is_set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let colours = is_set("COLORTERM").unwrap_or_default();
        let asked = is_set("TRAINYARD_THEME").and_then(|name| Self::named(&name));
        let name = if is_set("NO_COLOR").is_some() {
            "mono"
        } else if colours == "truecolor" || colours == "24bit" {
            "dark"
        } else {
            "ansi"
        };
        // The embedded files are tested; a plain screen is still better than none.
        asked.or_else(|| Self::named(name)).unwrap_or_default()
    }

    /// The theme that fits what the terminal said of itself ([`super::probe`] gives its name), unless one is asked for.
    pub(super) fn fitting(variable: &dyn Fn(&str) -> Option<String>, name: &str) -> Self {
        let fits = match name {
            "dark" => DARK,
            "light" => LIGHT,
            "ansi" => ANSI,
            _ => MONO,
        };
        let asked = match variable("TRAINYARD_THEME").as_deref() {
            Some("dark") => DARK,
            Some("light") => LIGHT,
            Some("ansi") => ANSI,
            Some("mono") => MONO,
            _ => fits,
        };
        Self::parse(asked).unwrap_or_default()
    }

    /// The colour of the `index`-th curve.
    pub(super) fn series(&self, index: usize) -> Style {
        self.series.get(index % self.series.len().max(1)).copied().unwrap_or(self.text)
    }

    /// The colour of a stage's state.
    pub(super) fn stage(&self, state: &StageState) -> Style {
        match state {
            StageState::Running { .. } | StageState::Checking { .. } => self.running,
            StageState::Passed => self.good,
            StageState::Failed { .. } => self.bad,
            StageState::Retrying { .. }
            | StageState::AwaitingApproval { .. }
            | StageState::NotRun { .. }
            | StageState::Interrupted => self.warn,
            StageState::Waiting | StageState::Skipped { .. } | StageState::Cancelled => self.dim,
        }
    }

    /// The colour of what has become of a release.
    pub(super) fn release(&self, status: ReleaseStatus) -> Style {
        match status {
            ReleaseStatus::Starting => self.running,
            ReleaseStatus::Live => self.good,
            ReleaseStatus::Retired => self.dim,
            ReleaseStatus::Rejected => self.bad,
            ReleaseStatus::Abandoned => self.warn,
        }
    }

    /// The colour of what a gate says.
    pub(super) fn verdict(&self, verdict: GateVerdict) -> Style {
        match verdict {
            GateVerdict::Pass => self.good,
            GateVerdict::NoEvidence => self.warn,
            GateVerdict::Fail => self.bad,
        }
    }

    /// The colour of what has become of a trial.
    pub(super) fn trial(&self, state: TrialState) -> Style {
        match state {
            TrialState::Running => self.running,
            TrialState::Kept => self.text,
            TrialState::Waiting | TrialState::Dropped => self.dim,
            TrialState::Failed => self.bad,
            TrialState::Chosen => self.good,
        }
    }

    /// The colour of a run's end, or of its going on.
    pub(super) fn run(&self, result: Option<RunResult>, has_started: bool) -> Style {
        match result {
            None if has_started => self.running,
            None | Some(RunResult::Cancelled | RunResult::Superseded) => self.dim,
            Some(RunResult::Passed) => self.good,
            Some(RunResult::Failed) => self.bad,
            Some(RunResult::Held) => self.warn,
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::*;

    #[test]
    fn every_theme_of_the_program_is_whole() {
        for text in [DARK, LIGHT, ANSI, MONO] {
            let theme = Theme::parse(text).unwrap();
            assert_eq!(theme.series.len(), 6);
        }
    }

    #[test]
    fn without_colour_no_role_has_one() {
        let variable = |name: &str| (name == "NO_COLOR").then(|| "1".to_owned());
        let theme = Theme::choose(&variable);
        let roles = [theme.text, theme.dim, theme.good, theme.bad, theme.selection, theme.series(0), theme.mark];
        // The terminal's own is no colour.
        let is_none = |colour: Option<Color>| colour.is_none_or(|colour| colour == Color::Reset);
        assert!(roles.iter().all(|role| is_none(role.fg) && is_none(role.bg)));
    }

    #[test]
    fn the_theme_asked_for_wins_over_what_the_terminal_can_show() {
        let variable = |name: &str| match name {
            "TRAINYARD_THEME" => Some("light".to_owned()),
            "COLORTERM" => Some("truecolor".to_owned()),
            _ => None,
        };
        assert_eq!(Theme::choose(&variable), Theme::parse(LIGHT).unwrap());
    }

    #[test]
    fn everything_that_is_wrong_with_a_theme_is_told_at_once_with_its_place() {
        let text = DARK.replacen("fg = \"#", "fg = \"mauvish#", 1).replace("mark      =", "mrak      =");
        let faults = Theme::parse(&text).unwrap_err();
        let told: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].contains("no role `mark`") && told[1].contains("mauvish#"), "{told:?}");
        assert!(told[2].contains("unknown role `mrak`"), "{told:?}");
        assert_eq!(text.get(faults[2].span.clone()), Some("mrak"));
    }
}
