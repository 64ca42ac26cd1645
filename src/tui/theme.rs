//! Colours by meaning, read from the TOML files in `themes/`, which are part of the program.
//!
//! Views name roles and never colours. Which theme: `TRAINYARD_THEME`, else none with `NO_COLOR`, else by what the terminal
//! says it can show.

use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::api::types::{GateVerdict, TrialState};
use crate::pipeline::{ReleaseStatus, RunResult, StageState};

const DARK: &str = include_str!("../../themes/dark.toml");
const LIGHT: &str = include_str!("../../themes/light.toml");
const ANSI: &str = include_str!("../../themes/ansi.toml");
const MONO: &str = include_str!("../../themes/mono.toml");

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ThemeError {
    /// It is not TOML, or a role has an unknown key.
    #[error("the theme cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A role is missing.
    #[error("the theme has no role `{0}`; give it at least `{0} = {{}}`")]
    Missing(&'static str),
    /// A colour or a modifier is unknown.
    #[error(
        "role `{role}`: `{word}` is no colour and no modifier; write `#rrggbb`, a colour's name, or bold, dim, underlined, reversed"
    )]
    Word {
        /// Which role.
        role: String,
        /// What is unknown.
        word: String,
    },
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    is: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    roles: BTreeMap<String, Role>,
    series: Vec<Role>,
}

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
    /// Reads a theme.
    pub(super) fn parse(text: &str) -> Result<Self, ThemeError> {
        let file: ThemeFile = toml::from_str(text)?;
        let role = |name: &'static str| {
            let role = file.roles.get(name).ok_or(ThemeError::Missing(name))?;
            style(name, role)
        };
        Ok(Self {
            text: role("text")?,
            dim: role("dim")?,
            border: role("border")?,
            focused: role("focused")?,
            title: role("title")?,
            accent: role("accent")?,
            good: role("good")?,
            bad: role("bad")?,
            warn: role("warn")?,
            running: role("running")?,
            selection: role("selection")?,
            mark: role("mark")?,
            series: file.series.iter().map(|role| style("series", role)).collect::<Result<_, _>>()?,
        })
    }

    /// The theme for this terminal.
    pub(super) fn choose(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let is_set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let colours = is_set("COLORTERM").unwrap_or_default();
        let text = match is_set("TRAINYARD_THEME").as_deref() {
            Some("dark") => DARK,
            Some("light") => LIGHT,
            Some("ansi") => ANSI,
            Some("mono") => MONO,
            _ if is_set("NO_COLOR").is_some() => MONO,
            _ if colours == "truecolor" || colours == "24bit" => DARK,
            _ => ANSI,
        };
        // The embedded files are tested; a plain screen is still better than none.
        Self::parse(text).unwrap_or_default()
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

fn style(name: &str, role: &Role) -> Result<Style, ThemeError> {
    let unknown = |word: &str| ThemeError::Word { role: name.to_owned(), word: word.to_owned() };
    let colour = |word: &String| Color::from_str(word).map_err(|_| unknown(word));
    let mut style = Style { fg: role.fg.as_ref().map(colour).transpose()?, ..Style::default() };
    style.bg = role.bg.as_ref().map(colour).transpose()?;
    for word in &role.is {
        style = style.add_modifier(match word.as_str() {
            "bold" => Modifier::BOLD,
            "dim" => Modifier::DIM,
            "underlined" => Modifier::UNDERLINED,
            "reversed" => Modifier::REVERSED,
            other => return Err(unknown(other)),
        });
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
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
        assert!(roles.iter().all(|role| role.fg.is_none() && role.bg.is_none()));
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
    fn an_unknown_colour_is_named() {
        let text = DARK.replacen("fg = \"#", "fg = \"mauvish#", 1);
        let error = Theme::parse(&text).unwrap_err().to_string();
        assert!(error.contains("mauvish#"), "{error}");
    }
}
