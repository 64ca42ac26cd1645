//! The keys of what lies over the view, for the hint line: those of the view below do nothing meanwhile.

use crate::tui::app::{Model, Overlay};
use crate::tui::holds::Remark;
use crate::tui::log_view::action::LogPrompt;

/// A key, and what it does.
type Hint = (&'static str, &'static str);

/// What closes a question by a key.
const STAYS: Hint = ("n", "leaves all as it is");
const LEAVES: Hint = ("Esc", "leaves");
const CHOOSES: Hint = ("Up/Down", "choose");

/// The keys of `overlay`, the most important first.
pub(super) fn of(model: &Model, overlay: &Overlay) -> Vec<Hint> {
    match overlay {
        Overlay::Help { input, .. } if input.is_empty() => {
            vec![("Esc", "closes"), ("Up/Down", "scroll"), ("letters", "find")]
        }
        Overlay::Help { .. } => vec![("Esc", "empties, again closes"), ("Up/Down", "scroll")],
        Overlay::Palette { .. } => vec![("Enter", "does it"), CHOOSES, ("letters", "find"), LEAVES],
        Overlay::Explorer(_) => vec![("Enter", "draws"), ("Tab", "completes"), CHOOSES, ("Ctrl-Y", "copies"), LEAVES],
        Overlay::PickReleases(_) => vec![("Enter", "picks"), CHOOSES, ("Esc", "goes back")],
        Overlay::Search { .. } => vec![("Enter", "finds"), LEAVES],
        Overlay::FilterList { .. } | Overlay::Log(LogPrompt::Filter { .. }) => vec![("Enter", "filters"), LEAVES],
        Overlay::Log(LogPrompt::GoTo { .. }) => vec![("Enter", "goes there"), LEAVES],
        Overlay::Log(LogPrompt::Save { .. }) => vec![("Enter", "saves"), LEAVES],
        Overlay::Log(LogPrompt::Marks { .. }) => vec![("Enter", "goes there"), CHOOSES, LEAVES],
        Overlay::TimeLine(_) => vec![("Enter", "looks"), ("Left/Right", "step"), LEAVES],
        Overlay::Operators => vec![("any key", "closes")],
        Overlay::Projects(_) => vec![("Enter", "shows it"), CHOOSES, LEAVES],
        Overlay::ConfirmRollback { plan: Some(plan), .. }
            if !plan.as_ref().is_ok_and(|plan| plan.obstacle.is_none()) =>
        {
            vec![("Esc", "leaves, nothing was touched")]
        }
        Overlay::ConfirmRollback { plan: None, .. } if !model.is_production() => vec![STAYS],
        Overlay::ConfirmRollback { remark, .. } => answers(model.is_production(), remark, "goes back"),
        Overlay::ConfirmRun { remark, .. } => answers(model.is_production(), remark, "runs it"),
        Overlay::ConfirmCancel { remark } => answers(false, remark, "cancels it"),
        Overlay::Lock { .. } => vec![("Enter", "locks"), LEAVES],
        Overlay::ConfirmUnlock => vec![("y", "unlocks"), STAYS],
        Overlay::Approval(prompt) => vec![("Enter", if prompt.is_approval { "approves" } else { "declines" }), LEAVES],
        Overlay::Promote(_) => vec![("Enter", "promotes"), LEAVES],
        Overlay::Note(_) => vec![("Enter", "writes it"), LEAVES],
        Overlay::Silence(_) => vec![("Enter", "silences"), ("Up/Down", "how long"), LEAVES],
        Overlay::ConfirmUnsilence { .. } => vec![("y", "ends the silence"), STAYS],
    }
}

/// Those of a question that may carry a reason, and in production wants the project's name.
fn answers(wants_name: bool, remark: &Remark, does: &'static str) -> Vec<Hint> {
    match (remark.is_open, wants_name) {
        (true, false) if remark.is_given() => vec![("Enter", does), ("Tab", "closes the line"), ("Esc", "empties it")],
        (true, _) => vec![("Enter", "closes the line"), ("Esc", "empties it")],
        (false, true) => vec![("Enter", "behind the project's name"), ("Tab", "says why"), LEAVES],
        (false, false) => vec![("y", does), ("m", "says why"), STAYS],
    }
}
