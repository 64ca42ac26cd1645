//! What can lie over a view: a list, a field to type into, a question.

use crate::api::types::RollbackPlan;
use crate::pipeline::{ReleaseId, Selection};
use crate::tui::alerts::SilencePrompt;
use crate::tui::holds::{ApprovalPrompt, Remark};
use crate::tui::log_view::action::LogPrompt;
use crate::tui::metrics::explorer::Explorer;
use crate::tui::metrics::pick::Pick;
use crate::tui::models::{NotePrompt, PromotePrompt};
use crate::tui::past::strip::Strip;
use crate::tui::projects::ProjectList;

/// What lies over the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum Overlay {
    /// All keys.
    Help {
        /// The first line shown.
        scroll: usize,
        /// What was typed to find one.
        input: String,
    },
    /// The command palette.
    Palette {
        /// What was typed.
        input: String,
        /// Which of the matches.
        selected: usize,
    },
    /// The explorer of metrics.
    Explorer(Box<Explorer>),
    /// Which two releases are compared.
    PickReleases(Pick),
    /// The pattern of a search.
    Search {
        /// What was typed.
        input: String,
    },
    /// What the list of the view is to be narrowed to.
    FilterList {
        /// What was typed.
        input: String,
    },
    /// Something about the log.
    Log(LogPrompt),
    /// The line of time.
    TimeLine(Box<Strip>),
    /// Who is attached to the daemon.
    Operators,
    /// The projects of this user.
    Projects(ProjectList),
    /// Whether to go back to a release.
    ConfirmRollback {
        /// Which.
        to: ReleaseId,
        /// What the daemon says that it would do; `None` while it is being asked.
        plan: Option<Result<RollbackPlan, String>>,
        /// In production: what was typed of the project's name.
        typed: String,
        /// Why.
        remark: Remark,
    },
    /// Whether to run what may deploy to production, or past a lock.
    ConfirmRun {
        /// What would be run.
        selection: Selection,
        /// In production: what was typed of the project's name.
        typed: String,
        /// Why.
        remark: Remark,
    },
    /// Whether to cancel what runs and what waits.
    ConfirmCancel {
        /// Why.
        remark: Remark,
    },
    /// Why automation is to be held off deploys.
    Lock {
        /// What was typed.
        why: String,
    },
    /// Whether automation may deploy again.
    ConfirmUnlock,
    /// Whether a stage that waits may start.
    Approval(ApprovalPrompt),
    /// Whether a model is promoted by hand, and why.
    Promote(PromotePrompt),
    /// What to write about a model.
    Note(NotePrompt),
    /// For how long to hear nothing of an alert, and why.
    Silence(SilencePrompt),
    /// Whether to end the silence of an alert.
    ConfirmUnsilence {
        /// Which.
        alert: String,
    },
}
