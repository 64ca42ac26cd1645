//! Of which kind an event is, in a word: how lists of events tell it, and what a history is narrowed to by it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::event::Event;

/// The kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum EventKind {
    /// The configuration was read.
    Configuration,
    /// Data and source were seen.
    Inputs,
    /// A data file is held back, or no longer.
    Data,
    /// A run as a whole.
    Run,
    /// A stage of a run.
    Stage,
    /// A release is rejected, or not any more.
    Release,
    /// A model is promoted or noted about.
    Model,
    /// An alert fires, ends, is silenced or heard again.
    Alert,
    /// An operator asked for something.
    Command,
    /// Deploys are locked, or not any more.
    Lock,
    /// A stage waits for a person, or was let go on.
    Approval,
    /// A sentence.
    Note,
}

/// A word that names no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind `{0}` of events; the kinds are {known}", known = EventKind::ALL.map(EventKind::word).join(", "))]
pub struct UnknownEventKind(String);

impl EventKind {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 12] = [
        Self::Configuration,
        Self::Inputs,
        Self::Data,
        Self::Run,
        Self::Stage,
        Self::Release,
        Self::Model,
        Self::Alert,
        Self::Command,
        Self::Lock,
        Self::Approval,
        Self::Note,
    ];
    /// What else people call the kind of releases.
    pub const DEPLOY: &'static str = "deploy";

    /// The word, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Configuration => "config",
            Self::Inputs => "inputs",
            Self::Data => "data",
            Self::Run => "run",
            Self::Stage => "stage",
            Self::Release => "release",
            Self::Model => "model",
            Self::Alert => "alert",
            Self::Command => "command",
            Self::Lock => "lock",
            Self::Approval => "approval",
            Self::Note => "note",
        }
    }

    /// Whether whoever looks for this kind looks for the event: it is of this kind, or tells of a release, a model or an
    /// alert while it is of another, as the start of a deploy is one of a stage.
    pub fn includes(self, event: &Event) -> bool {
        let about = event.about();
        let is_told_of = match self {
            Self::Release => about.release.is_some(),
            Self::Model => about.model.is_some(),
            Self::Alert => about.alert.is_some(),
            // Nearly all would be of a run and a stage; which, can be asked for by its name.
            Self::Run
            | Self::Stage
            | Self::Configuration
            | Self::Inputs
            | Self::Data
            | Self::Command
            | Self::Lock
            | Self::Approval
            | Self::Note => false,
        };
        is_told_of || event.kind() == self
    }
}

impl Event {
    /// Of which kind it is.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Configured { .. } => EventKind::Configuration,
            Self::InputsObserved { .. } => EventKind::Inputs,
            Self::DataRefused { .. } | Self::DataRefusalEnded { .. } => EventKind::Data,
            Self::RunCreated { .. } | Self::RunStarted { .. } | Self::RunStopping { .. } | Self::RunFinished { .. } => {
                EventKind::Run
            }
            Self::StageChecking { .. }
            | Self::StageSkipped { .. }
            | Self::StageNotRun { .. }
            | Self::StageStarted { .. }
            | Self::StageStopping { .. }
            | Self::StageFinished { .. }
            | Self::StageRetrying { .. }
            | Self::StageDropped { .. } => EventKind::Stage,
            Self::ReleaseRejected { .. } | Self::QuarantineLifted { .. } => EventKind::Release,
            Self::AlertFired { .. }
            | Self::AlertResolved { .. }
            | Self::AlertSilenced { .. }
            | Self::SilenceLifted { .. } => EventKind::Alert,
            Self::ModelPromoted { .. } | Self::ModelNoted { .. } => EventKind::Model,
            Self::Commanded { .. } | Self::DaemonEnded { .. } => EventKind::Command,
            Self::Locked { .. } | Self::Unlocked { .. } => EventKind::Lock,
            Self::ApprovalWanted { .. } | Self::Approved { .. } => EventKind::Approval,
            Self::Noted { .. } => EventKind::Note,
        }
    }
}

impl FromStr for EventKind {
    type Err = UnknownEventKind;

    fn from_str(word: &str) -> Result<Self, UnknownEventKind> {
        let lowered = word.to_ascii_lowercase();
        if lowered == Self::DEPLOY {
            return Ok(Self::Release);
        }
        let found = Self::ALL.into_iter().find(|kind| kind.word() == lowered);
        found.ok_or_else(|| UnknownEventKind(word.to_owned()))
    }
}

impl TryFrom<String> for EventKind {
    type Error = UnknownEventKind;

    fn try_from(word: String) -> Result<Self, UnknownEventKind> {
        word.parse()
    }
}

impl From<EventKind> for &'static str {
    fn from(kind: EventKind) -> Self {
        kind.word()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{ReleaseId, RunId};

    #[test]
    fn every_kind_is_known_by_its_word_and_another_word_is_told_all() {
        for kind in EventKind::ALL {
            assert_eq!(kind.word().parse::<EventKind>(), Ok(kind));
            let written = serde_json::to_string(&kind).unwrap();
            assert_eq!(written, format!("\"{}\"", kind.word()));
            assert_eq!(serde_json::from_str::<EventKind>(&written).unwrap(), kind);
        }
        assert_eq!("deploy".parse::<EventKind>(), Ok(EventKind::Release));
        let told = "deploys".parse::<EventKind>().unwrap_err().to_string();
        assert!(told.contains("`deploys`") && told.contains("config, inputs") && told.ends_with("note"), "{told}");
        assert!(serde_json::from_str::<EventKind>("\"deploys\"").unwrap_err().to_string().contains(&told));
    }

    #[test]
    fn what_tells_of_a_release_or_an_alert_is_found_by_it_and_what_is_of_a_run_by_its_own_kind() {
        let alert = Event::AlertResolved {
            name: "Drift".to_owned(),
            labels: String::new(),
            release: Some(ReleaseId(1)),
            evidence: crate::pipeline::Evidence::None,
        };
        let kinds = |event: &Event| -> Vec<&'static str> {
            EventKind::ALL.into_iter().filter(|kind| kind.includes(event)).map(EventKind::word).collect()
        };
        assert_eq!(kinds(&alert), ["release", "alert"]);
        assert_eq!(kinds(&Event::StageDropped { run: RunId(1), stage: "test".into() }), ["stage"]);
        assert_eq!(kinds(&Event::RunStarted { run: RunId(1) }), ["run"]);
        assert_eq!(kinds(&Event::Noted { by: None, text: "model 3".to_owned() }), ["note"]);
    }
}
