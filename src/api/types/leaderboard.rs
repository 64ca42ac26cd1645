//! What a stage that searches tells of what it tries. Any stage may: it appends `{"leaderboard": [ … ]}` to
//! `$TRAINYARD_OUTPUT` with the whole board whenever it changed, and the newest board counts.

use serde::{Deserialize, Serialize};

/// The most rows of a board that are told and taken; those behind are passed over.
pub const LEADERBOARD_ROWS: usize = 50;

/// One thing that is tried. Only `trial` and `learner` must be written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaderboardRow {
    /// Its number.
    pub trial: u32,
    /// What is tried, for people: `boosting, 200 rounds of 31 leaves at rate 0.1`.
    pub learner: String,
    /// The metric that decides.
    #[serde(default)]
    pub metric: String,
    /// What it reached, in the mean of the folds; `None` before it is known.
    #[serde(default)]
    pub mean: Option<f64>,
    /// The standard deviation of that over the folds.
    #[serde(default)]
    pub deviation: Option<f64>,
    /// The rung of the search that it finished, from 1; 0 before that.
    #[serde(default)]
    pub rung: u32,
    /// How many rungs there are.
    #[serde(default)]
    pub of: u32,
    /// What has become of it.
    #[serde(default)]
    pub state: TrialState,
    /// How long it took, in seconds.
    #[serde(default)]
    pub seconds: f64,
}

/// What has become of something that is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrialState {
    /// It has not begun, and when the time for the search is over it never will.
    Waiting,
    /// It is at work.
    #[default]
    Running,
    /// It went on, or is done and may still win.
    Kept,
    /// Others were better.
    Dropped,
    /// It learned nothing.
    Failed,
    /// It won.
    Chosen,
}

impl TrialState {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Kept => "kept",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
            Self::Chosen => "chosen",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_as_the_contract_of_stages_says_and_needs_only_its_number_and_learner() {
        let written = r#"{"trial":1,"learner":"forest","metric":"r2","mean":0.5,"deviation":null,"rung":1,"of":2,"state":"chosen","seconds":0.25}"#;
        let row: LeaderboardRow = serde_json::from_str(written).unwrap();
        assert_eq!(serde_json::to_string(&row).unwrap(), written);
        let least: LeaderboardRow = serde_json::from_str(r#"{"trial":1,"learner":"forest"}"#).unwrap();
        assert_eq!((least.state, least.mean, least.of), (TrialState::Running, None, 0));
    }
}
