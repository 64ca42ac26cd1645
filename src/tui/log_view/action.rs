//! What can be done in the Logs view beside moving about, and what is asked of the operator for it.

use super::question::Program;

/// A command of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum LogAction {
    /// Ask which lines alone are to be shown.
    Filter,
    /// The next least level of what is shown.
    Level,
    /// More or fewer lines around those that pass.
    Context(i8),
    /// Ask where to go.
    GoTo,
    /// Something else before each line.
    Timestamps,
    /// Mark a line, or take its mark away.
    Mark,
    /// Show the marks.
    Marks,
    /// Ask for the name of a file to save to.
    Save,
    /// Show the log in another program.
    Show(Program),
    /// JSON as it was written, or readable.
    Raw,
    /// All stages of the run on one time line, or one alone.
    WholeRun,
}

impl LogAction {
    /// Whether the daemon must look for more than the lines that are shown.
    pub(in crate::tui) fn asks_the_daemon(self) -> bool {
        match self {
            Self::Filter | Self::Level | Self::Context(_) | Self::Save | Self::Show(_) | Self::WholeRun => true,
            Self::GoTo | Self::Timestamps | Self::Mark | Self::Marks | Self::Raw => false,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum LogPrompt {
    /// Which lines alone are to be shown.
    Filter {
        /// What was typed.
        input: String,
    },
    /// Where to go.
    GoTo {
        /// What was typed.
        input: String,
    },
    /// To which file to save.
    Save {
        /// What was typed.
        input: String,
    },
    /// Which mark to go to.
    Marks {
        /// Which is chosen.
        selected: usize,
    },
}
