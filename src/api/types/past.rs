//! The past: which moment somebody wants to see, what is known of it, and the line of time on which it lies.
//!
//! All of it comes from the journal. What the journal does not hold, such as what a stage said of its progress, is absent and
//! never guessed.

use serde::{Deserialize, Serialize};

use super::Live;
use crate::pipeline::{Event, Moment, Outcome, RunId, RunResult, State};

/// An end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEdge {
    /// When its turn came.
    Start,
    /// When it was over.
    End,
}

/// By what one steps along the line of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stride {
    /// From event to event.
    Event,
    /// To where a run began or ended.
    Run,
    /// To where a release went live.
    Deploy,
    /// To where an alert fired or was resolved.
    Alert,
}

impl Stride {
    /// What it is called, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Run => "run",
            Self::Deploy => "deploy",
            Self::Alert => "alert",
        }
    }
}

/// Which moment is wanted: that of an event, of the clock, or an end of a run; and so many steps from there. Of what is
/// given, an event stands before a run, and a run before the clock.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PastRequest {
    /// The number of an event. Together with a moment of the clock: that moment, while this event was the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// A moment of the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// A run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Which end of it; without it, the later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<RunEdge>,
    /// By what to step from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Stride>,
    /// How far; backwards if it is negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<i64>,
}

impl PastRequest {
    /// Behind an event.
    pub fn behind(sequence: u64) -> Self {
        Self { sequence: Some(sequence), ..Self::default() }
    }

    /// At a moment of the clock.
    pub fn at(moment: Moment) -> Self {
        Self { at: Some(moment), ..Self::default() }
    }

    /// At an end of a run.
    pub fn of_run(run: RunId, edge: RunEdge) -> Self {
        Self { run: Some(run), place: Some(edge), ..Self::default() }
    }

    /// So many steps from an event.
    pub fn from_event(sequence: u64, stride: Stride, steps: i64) -> Self {
        Self { stride: Some(stride), steps: Some(steps), ..Self::behind(sequence) }
    }

    /// Exactly where a place is.
    pub fn there(place: &PastPlace) -> Self {
        Self { at: Some(place.at), ..Self::behind(place.sequence) }
    }
}

/// A place on the line of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastPlace {
    /// The number of the last event that had happened.
    pub sequence: u64,
    /// The moment: that of the event, or a later one at which nothing more had happened.
    pub at: Moment,
    /// The event as a sentence.
    pub told: String,
    /// The moment of the event; a daemon from before it was told does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_at: Option<Moment>,
}

/// Everything as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// When.
    pub place: PastPlace,
    /// The pipeline.
    pub state: State,
    /// What can be known of the rest: alerts and silences. What was not written down is absent.
    pub live: Live,
}

/// Which part of the line of time is wanted, and how finely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TimeLineRequest {
    /// From when; without it, from the first event on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// Until when; without it, until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Moment>,
    /// In how many columns.
    pub columns: usize,
}

/// A part of the line of time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TimeLine {
    /// Where it begins.
    pub from: Moment,
    /// Where it ends.
    pub to: Moment,
    /// What happened in each of its columns, which are equally long.
    pub columns: Vec<TimeLineColumn>,
}

impl TimeLine {
    /// The column in which a moment lies; `None` if it lies outside.
    pub fn column(&self, at: Moment) -> Option<usize> {
        if at < self.from || at > self.to {
            return None;
        }
        let last = self.columns.len().checked_sub(1)?;
        let (passed, span) = (u128::from(at.since(self.from)), u128::from(self.to.since(self.from).max(1)));
        let column = passed.saturating_mul(u128::try_from(self.columns.len()).unwrap_or(0)) / span;
        Some(usize::try_from(column).unwrap_or(last).min(last))
    }
}

/// What happened in a column of the line of time; of several things of a kind the one that is most worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TimeLineColumn {
    /// How many events.
    pub events: u64,
    /// A run began or ended.
    pub run: Option<RunSeen>,
    /// A release went live, or was rejected.
    pub deploy: Option<DeploySeen>,
    /// An alert fired, or was resolved.
    pub alert: Option<AlertSeen>,
    /// How many commands of operators.
    pub commands: u64,
}

impl TimeLineColumn {
    /// Adds what happened.
    pub fn add(&mut self, what: Happening) {
        match what {
            Happening::Run(seen) => self.run = self.run.max(Some(seen)),
            Happening::Deploy(seen) => self.deploy = self.deploy.max(Some(seen)),
            Happening::Alert(seen) => self.alert = self.alert.max(Some(seen)),
            Happening::Command => self.commands += 1,
        }
    }
}

/// What is seen of a run from afar; what is more worth a look is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunSeen {
    /// It began.
    Began,
    /// It was stopped: by an operator or for a newer one.
    Stopped,
    /// It passed.
    Passed,
    /// Something that should have run did not.
    Held,
    /// It failed.
    Failed,
}

impl RunSeen {
    /// The result; `None` where it only began.
    pub fn result(self) -> Option<RunResult> {
        match self {
            Self::Began => None,
            Self::Stopped => Some(RunResult::Cancelled),
            Self::Passed => Some(RunResult::Passed),
            Self::Held => Some(RunResult::Held),
            Self::Failed => Some(RunResult::Failed),
        }
    }
}

/// What is seen of a deploy from afar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploySeen {
    /// A release was rejected.
    Rejected,
    /// A release went live. Who goes back rejects the one that is left at the same moment; what went live counts.
    Live,
}

/// What is seen of an alert from afar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertSeen {
    /// It was resolved.
    Resolved,
    /// It fired.
    Fired,
}

/// What of an event is seen from afar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// A run began or ended.
    Run(RunSeen),
    /// A release went live or was rejected.
    Deploy(DeploySeen),
    /// An alert fired or was resolved.
    Alert(AlertSeen),
    /// An operator asked for something.
    Command,
}

impl Happening {
    /// What is seen of an event; `None` if it is one of many.
    pub fn of(event: &Event) -> Option<Self> {
        match event {
            Event::RunStarted { .. } => Some(Self::Run(RunSeen::Began)),
            Event::RunFinished { result, .. } => Some(Self::Run(match result {
                RunResult::Passed => RunSeen::Passed,
                RunResult::Failed => RunSeen::Failed,
                RunResult::Held => RunSeen::Held,
                RunResult::Cancelled | RunResult::Superseded => RunSeen::Stopped,
            })),
            // Only a deploy says of a release that it is live, and where it answers.
            Event::StageFinished { outcome: Outcome::Passed, outputs, .. } => {
                let is_deploy = outputs.live.is_some() || outputs.address.is_some();
                is_deploy.then_some(Self::Deploy(DeploySeen::Live))
            }
            Event::ReleaseRejected { .. } => Some(Self::Deploy(DeploySeen::Rejected)),
            Event::AlertFired { .. } => Some(Self::Alert(AlertSeen::Fired)),
            Event::AlertResolved { .. } => Some(Self::Alert(AlertSeen::Resolved)),
            Event::Commanded { .. } | Event::DaemonEnded { .. } => Some(Self::Command),
            Event::Configured { .. }
            | Event::InputsObserved { .. }
            | Event::DataRefused { .. }
            | Event::DataRefusalEnded { .. }
            | Event::RunCreated { .. }
            | Event::RunStopping { .. }
            | Event::StageChecking { .. }
            | Event::StageSkipped { .. }
            | Event::StageNotRun { .. }
            | Event::StageStarted { .. }
            | Event::StageStopping { .. }
            | Event::StageFinished { .. }
            | Event::StageRetrying { .. }
            | Event::StageDropped { .. }
            | Event::QuarantineLifted { .. }
            | Event::Noted { .. }
            | Event::AlertSilenced { .. }
            | Event::SilenceLifted { .. }
            | Event::ModelPromoted { .. }
            | Event::ModelNoted { .. }
            | Event::Locked { .. }
            | Event::Unlocked { .. }
            | Event::ApprovalWanted { .. }
            | Event::Approved { .. } => None,
        }
    }

    /// By what one steps to it; nobody steps from command to command, and what was rejected went live nowhere.
    pub fn stride(self) -> Option<Stride> {
        match self {
            Self::Run(_) => Some(Stride::Run),
            Self::Deploy(DeploySeen::Live) => Some(Stride::Deploy),
            Self::Alert(_) => Some(Stride::Alert),
            Self::Deploy(DeploySeen::Rejected) | Self::Command => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_of_a_line_has_a_column_and_the_ends_have_the_outer_ones() {
        let line = TimeLine { from: Moment(1_000), to: Moment(2_000), columns: vec![TimeLineColumn::default(); 10] };
        let found = [999, 1_000, 1_099, 1_100, 1_999, 2_000, 2_001].map(|at| line.column(Moment(at)));
        assert_eq!(found, [None, Some(0), Some(0), Some(1), Some(9), Some(9), None]);
        assert_eq!(TimeLine::default().column(Moment(0)), None, "a line without columns has none");
    }

    #[test]
    fn of_several_things_in_a_column_the_one_most_worth_a_look_is_seen() {
        let mut column = TimeLineColumn::default();
        for seen in [RunSeen::Failed, RunSeen::Began, RunSeen::Passed] {
            column.add(Happening::Run(seen));
        }
        // A way back: the release goes live, and the one that is left is rejected.
        column.add(Happening::Deploy(DeploySeen::Live));
        column.add(Happening::Deploy(DeploySeen::Rejected));
        column.add(Happening::Command);
        column.add(Happening::Command);
        assert_eq!(column.run, Some(RunSeen::Failed));
        assert_eq!(column.deploy, Some(DeploySeen::Live), "the way back is a success");
        assert_eq!((column.alert, column.commands), (None, 2));
    }

    #[test]
    fn one_steps_to_what_went_live_and_not_to_what_was_rejected() {
        let strides = [DeploySeen::Live, DeploySeen::Rejected].map(|seen| Happening::Deploy(seen).stride());
        assert_eq!(strides, [Some(Stride::Deploy), None]);
    }
}
