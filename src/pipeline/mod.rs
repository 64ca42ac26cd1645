//! The pure core: what a pipeline is, what can happen to it, and what happens next.
//!
//! Everything that can happen is one [`Event`]; [`State`] is the fold of events; [`decide`] says what follows from an
//! [`Input`]; [`State::apply`] is the only mutation. So a run can be replayed, a crash recovered and every rule tested with
//! thousands of random histories.
//!
//! **Invariant:** nothing in here knows a clock, a file, a socket, a thread or a random number. Moments come in with inputs.

mod about;
mod alert;
mod command;
mod consider;
mod decide;
mod delivery;
mod event;
mod event_kind;
pub mod explain;
mod filter;
mod graph;
mod hold;
mod ids;
mod input;
mod inputs;
mod judge;
mod narrate;
mod notice;
mod panel;
mod promote;
pub mod quantity;
mod react;
mod reason;
mod refusal;
mod registry;
mod release;
mod report;
mod run;
mod settle;
mod state;
mod tally;

#[cfg(test)]
mod alert_tests;
#[cfg(test)]
mod decide_tests;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod hold_tests;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod promote_tests;
#[cfg(test)]
pub(crate) mod samples;

pub use about::Subject;
pub use alert::{AlertState, Alerts, Answer, Evidence, Firing, FiringAlert, Reaction, Restraint, Silence, Told};
pub use decide::{Decision, decide};
pub use delivery::Delivery;
pub use event::{Command, Event, Recorded, SCHEMA};
pub use event_kind::{EventKind, UnknownEventKind};
pub use explain::{Planned, PlannedAction, brings_back, plan};
pub use filter::EventFilter;
pub use graph::{Graph, GraphError, StageKind, StageSpec};
pub use hold::{Approval, Holder, Lock};
pub use ids::{Attempt, Digest, ModelVersion, Moment, ReleaseId, RunId, StageName};
pub use input::Input;
pub use inputs::{DataFile, DataSet, Fingerprint, Inputs, SourceState};
pub use narrate::narrate;
pub use notice::{Notice, NoticeKind, notice_of};
pub use panel::PanelKind;
pub use reason::{Failure, Obstacle, Outcome, RunResult, Selection, SkipReason, StopReason, Trigger, Why};
pub use refusal::Refusal;
pub use registry::{Fate, MODELS_KEPT, Model, Note, Promoter, Promotion, Registry};
pub use release::{Release, ReleaseStatus};
pub use report::{FailingTest, TestReport};
pub use run::{Outputs, Run, StageRun, StageState, Stopping};
pub use state::{ApplyError, PASSES_KEPT, Pass, RUNS_KEPT, State};
pub use tally::{RUN_BOUNDS, Spent, Tally};
