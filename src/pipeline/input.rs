//! Everything that can reach the core from outside, as one closed enum.
//!
//! Inputs are kept nowhere: what follows from one is decided at once, and that is what the journal keeps.

use std::collections::BTreeSet;

use super::alert::FiringAlert;
use super::event::Command;
use super::graph::Graph;
use super::hold::Holder;
use super::ids::{Attempt, ModelVersion, Moment, RunId, StageName};
use super::inputs::Inputs;
use super::reason::{Outcome, Selection, Trigger};
use super::run::Outputs;

/// What reaches the core from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The configuration was read.
    Configured(Graph),
    /// Data and source are in this state.
    Observed {
        /// The state.
        inputs: Inputs,
        /// What seems to have changed; `None` at the start of the daemon.
        cause: Option<Trigger>,
        /// Whether a run may start because of it.
        automatic: bool,
    },
    /// A data file was held back.
    DataRefused {
        /// Its name.
        file: String,
        /// Why.
        reason: String,
    },
    /// All data files that are held back now.
    HeldBack(BTreeSet<String>),
    /// An operator asks for something.
    Command {
        /// Who.
        by: String,
        /// From which machine, if that is known.
        from: Option<String>,
        /// Why; empty when nothing was said.
        message: String,
        /// What.
        command: Command,
    },
    /// An operator asked for something that the world outside bars: the files that it needs are gone.
    Barred {
        /// Who.
        by: String,
        /// From which machine, if that is known.
        from: Option<String>,
        /// Why; empty when nothing was said.
        message: String,
        /// What.
        command: Command,
        /// What bars it, and what to do.
        reason: String,
    },
    /// The process that holds a lock is gone.
    HolderGone(Holder),
    /// The time of a schedule has come.
    Scheduled {
        /// Its name.
        name: String,
        /// Which stages it is about.
        selection: Selection,
    },
    /// Outputs were verified.
    Verified {
        /// In this run.
        run: RunId,
        /// Which stage.
        stage: StageName,
        /// Whether they are all there and undamaged.
        intact: bool,
    },
    /// An attempt ended.
    Ended {
        /// In this run.
        run: RunId,
        /// Which stage.
        stage: StageName,
        /// Which attempt.
        attempt: Attempt,
        /// How, as far as the process tells; the core judges reports and cancellations.
        outcome: Outcome,
        /// What it gave.
        outputs: Outputs,
        /// Something it left behind held the log open.
        output_held: bool,
    },
    /// All alerts that fire now. What is not among them fires no longer; being told the same again changes nothing.
    Alerts {
        /// Those.
        firing: Vec<FiringAlert>,
        /// The names of those whose expression gives nothing though there is data to judge by: all is well there.
        clear: Vec<String>,
    },
    /// An operator silences an alert, or silences it anew.
    Silence {
        /// Its name.
        alert: String,
        /// Who.
        by: String,
        /// Why.
        message: String,
        /// Until when.
        until: Moment,
    },
    /// An operator ends a silence.
    LiftSilence {
        /// The alert.
        alert: String,
        /// Who.
        by: String,
    },
    /// Somebody writes something about a model.
    NoteModel {
        /// Which.
        model: ModelVersion,
        /// Who.
        by: String,
        /// What.
        text: String,
    },
    /// Somebody did something that is seen in files only.
    Remark {
        /// Who.
        by: String,
        /// What, in one sentence.
        text: String,
    },
    /// An operator ends the daemon.
    EndDaemon {
        /// Who.
        by: String,
        /// From which machine, if that is known.
        from: Option<String>,
        /// Whether the app is stopped with it.
        with_app: bool,
    },
    /// Time has passed; see [`super::State::next_timer`].
    Tick,
    /// Something that people should know.
    Note(String),
}
