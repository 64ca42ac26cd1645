//! The one table of commands: keys, palette, hint line, help and the reference in the docs all come from it.
//!
//! A command that is not available now is not offered and not done; whoever strikes its key all the same is told why (see
//! [`super::unavailable`]).
//!
//! [`availability`] says what can be done now, [`find`] which command is meant, [`keys`] what a key is, [`words`] what else
//! people call a command, [`reference`] how they read the table.

mod availability;
mod find;
mod keys;
mod reference;
#[cfg(test)]
mod tests;
mod words;

use crate::pipeline::StageKind;

use super::app::{Model, View};
use super::log_view::action::LogAction;
use super::log_view::question::Program;
use super::message::DemoAction;
use super::models::Tab;
use availability::{
    always, can_approve, can_ask_log, can_build, can_cancel, can_compare_rows, can_copy_lines, can_copy_thing,
    can_deploy, can_lock, can_look_back, can_note, can_pick, can_promote, can_roll_back, can_run, can_select,
    can_silence, can_switch, can_test, can_train, can_unlock, can_unsilence, has_log, has_panels, has_row, has_search,
    is_connected, is_demo, is_past,
};
pub(super) use find::{all_by_key, by_id, by_key, key_of, meant_by_key};
pub(super) use keys::Key;
use keys::{BACK_TAB, DOWN, END, ENTER, ESCAPE, HOME, LEFT, PAGE_DOWN, PAGE_UP, RIGHT, TAB, UP};
pub use reference::{ScreenCommand, reference, screen_commands};
pub(super) use reference::{key_labels, place};
pub(super) use words::other_words;

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Show a view.
    Show(View),
    /// Show all keys.
    Help,
    /// Open the palette.
    Palette,
    /// Ask for a pattern.
    Search,
    /// The next match; towards the beginning if `backward`.
    SearchAgain {
        /// Towards the beginning.
        backward: bool,
    },
    /// Something in the Logs view.
    Log(LogAction),
    /// The next pane, stage, chart, alert or part of a detail; the one before if `backward`.
    Cycle {
        /// The one before.
        backward: bool,
    },
    /// Give the pane the whole screen, or take it back.
    Zoom,
    /// Let charts and log stand still, or move again.
    Freeze,
    /// Leave; the daemon goes on.
    Detach,
    /// Run what is not up to date.
    RunAll,
    /// Run from the stage of a kind on.
    RunFrom(StageKind),
    /// Ask whether to cancel what runs and what waits.
    Cancel,
    /// Ask why automation is to be held off deploys.
    Lock,
    /// Ask whether automation may deploy again.
    Unlock,
    /// Ask whether the stage that waits for a person may start.
    Approve,
    /// Ask whether it is declined.
    Decline,
    /// Show who is attached.
    Operators,
    /// Show the line of time, along which one steps back.
    TimeLine,
    /// Show everything as it was at the moment that is meant by what is selected.
    AsItWas,
    /// Back from the past.
    Now,
    /// Show the projects of this user.
    Projects,
    /// Ask what the view's list is to be narrowed to.
    FilterList,
    /// Sort the list by its next column.
    SortBy {
        /// By the one before.
        backward: bool,
    },
    /// Sort it the other way round.
    SortAround,
    /// Mark a row of the list, so that others are compared with it, or take the mark away.
    MarkRow,
    /// The chosen row beside another.
    CompareRows,
    /// To the next thing on the causal line, or to the one before.
    Walk {
        /// The one before.
        backward: bool,
    },
    /// Ask whether to go back to an earlier release.
    Rollback,
    /// Ask for how long to hear nothing of an alert, and why.
    Silence,
    /// Ask whether to end the silence of an alert.
    Unsilence,
    /// Follow the end of the log, or stay.
    Follow,
    /// Wrap long lines, or cut them.
    Wrap,
    /// To the first line or row.
    Top,
    /// To the last line or row.
    Bottom,
    /// By this many lines or rows.
    Move(i8),
    /// By this many screens.
    Page(i8),
    /// To the stage beside, or along a long line.
    Sideways(i8),
    /// Look into what is selected.
    Open,
    /// Back to where one came from.
    Back,
    /// A longer or shorter range of the charts.
    Range(i8),
    /// Look further back, or forward again.
    Pan(i8),
    /// All that is kept, or the shortest range again.
    WholeHistory,
    /// The selected panel of two releases beside each other.
    Compare,
    /// Choose which two releases are compared.
    PickReleases,
    /// Show another part of what is known of a model.
    ShowTab(Tab),
    /// Ask whether to promote a model by hand, and why.
    Promote,
    /// Ask what to write about a model.
    Note,
    /// Open the explorer of metrics.
    Explore,
    /// Draw the curves in another way.
    Drawing,
    /// Logarithmic axes, or linear ones.
    LogScale,
    /// Zero is on every axis, or only where it is near.
    ZeroBase,
    /// A demo key.
    Demo(DemoAction),
    /// Begin to select lines, or end it.
    SelectLines,
    /// Copy the selected lines.
    CopyLines,
    /// Copy what is under the cursor.
    CopyThing,
    /// Let the mouse work here, or give it back to the terminal.
    Mouse,
    /// To the shell, until continued.
    Suspend,
    /// Send the whole screen again.
    Redraw,
}

/// One command.
pub(super) struct Command {
    /// What the palette calls it: lowercase words, from which [`Command::id`] comes.
    pub(super) name: &'static str,
    /// Its keys; the first is the one that is shown.
    pub(super) keys: &'static [Key],
    /// One line.
    pub(super) description: &'static str,
    /// Where it works; empty means everywhere.
    pub(super) views: &'static [View],
    /// The word on the hint line, if it stands there.
    pub(super) hint: Option<&'static str>,
    /// What it does.
    pub(super) action: Action,
    available: fn(&Model) -> bool,
}

impl Action {
    /// Whether it changes something beyond this screen, so that whoever only watches cannot do it.
    pub(super) fn acts(self) -> bool {
        matches!(
            self,
            Self::RunAll
                | Self::RunFrom(_)
                | Self::Cancel
                | Self::Rollback
                | Self::Lock
                | Self::Unlock
                | Self::Approve
                | Self::Decline
                | Self::Silence
                | Self::Unsilence
                | Self::Promote
                | Self::Note
                | Self::Demo(_)
        )
    }

    /// Whether it has a meaning in the present only: what acts, and what looks beyond the moment that is shown.
    pub(super) fn needs_the_present(self) -> bool {
        // What the daemon would look through may have been written since.
        let looks_beyond = matches!(self, Self::Log(action) if action.asks_the_daemon());
        self.acts() || looks_beyond || matches!(self, Self::Compare | Self::PickReleases)
    }
}

impl Command {
    /// Whether it works in this view now.
    pub(super) fn is_available(&self, model: &Model) -> bool {
        let may = !(model.is_observer && self.action.acts());
        let may = may && !(model.past.is_some() && self.action.needs_the_present());
        may && self.belongs(model.view) && (self.available)(model)
    }

    /// Its stable name, by which preferences and scripts mean it: that of the palette in one word.
    pub(super) fn id(&self) -> String {
        self.name.replace(' ', "-")
    }

    /// What it does, here: the demo ends with its screen.
    pub(super) fn told(&self, model: &Model) -> &'static str {
        if model.is_demo && self.action == Action::Detach {
            return "stop the demo: its daemon and its app end too";
        }
        self.description
    }

    /// Its word on the hint line, here.
    pub(super) fn hinted(&self, model: &Model) -> Option<&'static str> {
        if model.is_demo && self.action == Action::Detach { Some("stop the demo") } else { self.hint }
    }

    /// Whether people are told of it: nobody learns of the demo's keys outside of the demo.
    pub(super) fn is_known(&self, model: &Model) -> bool {
        model.is_demo || !matches!(self.action, Action::Demo(_))
    }

    /// Whether both can be meant by one key in some view.
    pub(super) fn shares_a_view(&self, other: &Self) -> bool {
        let is_everywhere = self.views.is_empty() || other.views.is_empty();
        is_everywhere || self.views.iter().any(|view| other.views.contains(view))
    }

    /// Whether it is one of the view's.
    pub(super) fn belongs(&self, view: View) -> bool {
        self.views.is_empty() || self.views.contains(&view)
    }
}

const BOARD: &[View] = &[View::Board];
const WITH_LOG: &[View] = &[View::Board, View::Logs];
const LOGS: &[View] = &[View::Logs];
const WITH_CHARTS: &[View] = &[View::Board, View::Metrics];
const METRICS: &[View] = &[View::Metrics];
const WITH_ALERTS: &[View] = &[View::Metrics, View::Events];
const WITH_LINES: &[View] = &[View::Board, View::Logs, View::Events, View::Runs, View::Models, View::Releases];
const WITH_RELEASES: &[View] = &[View::Board, View::Releases];
const WITH_PAIRS: &[View] = &[View::Runs, View::Models, View::Releases];
const WITH_LIST: &[View] = &[View::Runs, View::Models, View::Releases, View::Events];
const MODELS: &[View] = &[View::Models];
const WITH_DETAIL: &[View] = &[View::Board, View::Runs, View::Models, View::Releases, View::Metrics, View::Events];
const WITH_MOMENTS: &[View] = &[View::Runs, View::Releases, View::Metrics, View::Events];
const WITH_PANES: &[View] = &[View::Board, View::Runs, View::Models, View::Releases, View::Metrics, View::Events];
/// All views, in the order of their keys.
pub(super) const LISTS: &[View] =
    &[View::Board, View::Runs, View::Logs, View::Models, View::Releases, View::Metrics, View::Events];

const fn command(
    name: &'static str,
    keys: &'static [Key],
    description: &'static str,
    views: &'static [View],
    hint: Option<&'static str>,
    action: Action,
    available: fn(&Model) -> bool,
) -> Command {
    Command { name, keys, description, views, hint, action, available }
}

/// Every command, in the order of help and docs.
#[rustfmt::skip]
pub(super) const COMMANDS: &[Command] = &[
    command("run all", &[Key::Char('r')], "run every stage that is not up to date", BOARD, Some("run"), Action::RunAll, can_run),
    command("train", &[Key::Char('t')], "train, then all that follows", BOARD, Some("train"), Action::RunFrom(StageKind::Train), can_train),
    command("cancel", &[Key::Char('x')], "cancel the run and the one that waits (asks first)", &[View::Board, View::Runs], Some("cancel"), Action::Cancel, can_cancel),
    command("rollback", &[Key::Char('R')], "go back to an earlier release (asks first)", WITH_RELEASES, Some("rollback"), Action::Rollback, can_roll_back),
    command("test", &[Key::Char('T')], "test, then all that follows", BOARD, Some("test"), Action::RunFrom(StageKind::Command), can_test),
    command("build", &[Key::Char('b')], "build the image, then all that follows", BOARD, Some("build"), Action::RunFrom(StageKind::Image), can_build),
    command("deploy", &[Key::Char('d')], "deploy the newest image", BOARD, Some("deploy"), Action::RunFrom(StageKind::Deploy), can_deploy),
    command("approve", &[Key::Char('A')], "let the stage that waits start (asks first)", &[], Some("approve"), Action::Approve, can_approve),
    command("decline", &[Key::Char('D')], "do not let it start (asks first)", &[], Some("decline"), Action::Decline, can_approve),
    command("lock deploys", &[Key::Char('L')], "hold automation off deploys (asks why)", &[], None, Action::Lock, can_lock),
    command("unlock deploys", &[Key::Char('U')], "let automation deploy again (asks first)", &[], None, Action::Unlock, can_unlock),
    command("next batch", &[Key::Char('B')], "demo: register the next batch of data", &[], Some("next batch"), Action::Demo(DemoAction::NextBatch), is_demo),
    command("break source", &[Key::Char('X')], "demo: break the source, or mend it", &[], Some("break/mend"), Action::Demo(DemoAction::BreakSource), is_demo),
    command("bad release", &[Key::Char('E')], "demo: deploy a model that refuses what clients send, or mend it", &[], Some("bad release"), Action::Demo(DemoAction::BadRelease), is_demo),
    command("now", &[Key::Control('n')], "back from the past to the present", &[], Some("now"), Action::Now, is_past),
    command("time line", &[Key::Control('t')], "step back in time: by events, runs, deploys, alerts, or to a time", &[], None, Action::TimeLine, is_connected),
    command("as it was", &[Key::Char('t')], "the screen at the end of the run, before the release, at the crosshair, at the event", WITH_MOMENTS, None, Action::AsItWas, can_look_back),
    command("open", &[ENTER], "look into what is selected", WITH_DETAIL, Some("open"), Action::Open, always),
    command("mark row", &[Key::Char('m')], "mark a run, model or release, so that others are compared with it", WITH_PAIRS, Some("mark"), Action::MarkRow, has_row),
    command("compare rows", &[Key::Char('c')], "two runs, models or releases: beside the marked one, else the one before", WITH_PAIRS, Some("compare"), Action::CompareRows, can_compare_rows),
    command("filter list", &[Key::Char('/')], "narrow the list: words; by:NAME, kind:KIND, stage:NAME, run:N where it tells of them", WITH_LIST, Some("filter"), Action::FilterList, always),
    command("sort", &[Key::Char('>')], "sort the list by its next column", WITH_LIST, Some("sort"), Action::SortBy { backward: false }, always),
    command("sort back", &[Key::Char('<')], "sort the list by the column before", WITH_LIST, None, Action::SortBy { backward: true }, always),
    command("sort around", &[Key::Char('I')], "sort the list the other way round", WITH_LIST, None, Action::SortAround, always),
    command("promote", &[Key::Char('P')], "make a model the champion and deploy it (asks why)", MODELS, Some("promote"), Action::Promote, can_promote),
    command("note", &[Key::Char('n')], "write something about a model", MODELS, Some("note"), Action::Note, can_note),
    command("summary", &[Key::Char('s')], "a model: metrics, gate, lineage, notes", MODELS, None, Action::ShowTab(Tab::Summary), always),
    command("leaderboard", &[Key::Char('b')], "a model: what was tried, live while it is searched", MODELS, None, Action::ShowTab(Tab::Leaderboard), always),
    command("confusion", &[Key::Char('o')], "a model: which classes were taken for which", MODELS, None, Action::ShowTab(Tab::Confusion), always),
    command("importance", &[Key::Char('i')], "a model: what each column is worth", MODELS, None, Action::ShowTab(Tab::Importance), always),
    command("calibration", &[Key::Char('a')], "a model: how often its probabilities come true", MODELS, None, Action::ShowTab(Tab::Calibration), always),
    command("data profile", &[Key::Char('d')], "a model: the profile of its data", MODELS, None, Action::ShowTab(Tab::Data), always),
    command("slices", &[Key::Char('e')], "a model: how good it is on parts of the rows", MODELS, None, Action::ShowTab(Tab::Slices), always),
    command("follow", &[Key::Char('f')], "follow the end of the log, or stay", WITH_LOG, None, Action::Follow, always),
    command("wrap", &[Key::Char('w')], "wrap long lines, or cut them", &[View::Logs], Some("wrap"), Action::Wrap, always),
    command("search", &[Key::Char('/')], "search the whole log (a regular expression)", WITH_LOG, Some("search"), Action::Search, has_log),
    command("next match", &[Key::Char('n')], "the next match", WITH_LOG, None, Action::SearchAgain { backward: false }, has_search),
    command("previous match", &[Key::Char('N')], "the match before", WITH_LOG, None, Action::SearchAgain { backward: true }, has_search),
    command("copy lines", &[Key::Char('y')], "copy the selected lines, whole and not wrapped", WITH_LINES, Some("copy"), Action::CopyLines, can_copy_lines),
    command("select lines", &[Key::Char('v')], "select lines with the arrows; y copies them, Esc ends it", WITH_LINES, Some("select"), Action::SelectLines, can_select),
    command("select rows", &[Key::Char('V')], "select rows of the tables with the arrows; Enter copies them, Esc ends it", METRICS, None, Action::SelectLines, can_select),
    command("copy", &[Key::Char('Y')], "copy what is under the cursor: a run, commit, address, line or expression", LISTS, None, Action::CopyThing, can_copy_thing),
    command("filter log", &[Key::Char('&')], "show only lines that match (a regular expression)", LOGS, Some("filter"), Action::Log(LogAction::Filter), has_log),
    command("least level", &[Key::Char('e')], "show only errors, then warnings too, down to all", LOGS, Some("level"), Action::Log(LogAction::Level), has_log),
    command("more context", &[Key::Char('+')], "more lines around those that pass the filter", LOGS, None, Action::Log(LogAction::Context(1)), has_log),
    command("less context", &[Key::Char('-')], "fewer lines around those that pass the filter", LOGS, None, Action::Log(LogAction::Context(-1)), has_log),
    command("go to", &[Key::Char('@')], "go to a time, so long ago, a share or a line", LOGS, Some("go to"), Action::Log(LogAction::GoTo), has_log),
    command("whole run", &[Key::Char('a')], "all stages of the run on one time line, or one alone", LOGS, Some("all stages"), Action::Log(LogAction::WholeRun), has_log),
    command("timestamps", &[Key::Char('t')], "the time of each line, or since the start, or none", LOGS, None, Action::Log(LogAction::Timestamps), has_log),
    command("mark line", &[Key::Char('m')], "mark the line that was found, else the first", LOGS, None, Action::Log(LogAction::Mark), has_log),
    command("marks", &[Key::Char('\'')], "the marked lines; Enter goes to one", LOGS, None, Action::Log(LogAction::Marks), has_log),
    command("raw lines", &[Key::Char('J')], "JSON as it was written, or readable", LOGS, None, Action::Log(LogAction::Raw), has_log),
    command("save log", &[Key::Char('s')], "save the log, or what is shown of it (asks for the name)", LOGS, Some("save"), Action::Log(LogAction::Save), can_ask_log),
    command("pager", &[Key::Char('p')], "show the log, or what is shown of it, in $PAGER", LOGS, None, Action::Log(LogAction::Show(Program::Pager)), can_ask_log),
    command("editor", &[Key::Char('o')], "open the log, or what is shown of it, in $EDITOR", LOGS, None, Action::Log(LogAction::Show(Program::Editor)), can_ask_log),
    command("shorter range", &[Key::Char('['), Key::Char('+')], "charts: a shorter time, around the crosshair", WITH_CHARTS, None, Action::Range(-1), always),
    command("longer range", &[Key::Char(']'), Key::Char('-')], "charts: a longer time", WITH_CHARTS, Some("range"), Action::Range(1), always),
    command("earlier", &[Key::Char('<')], "look further back; comparing: the releases before", METRICS, Some("earlier"), Action::Pan(-1), has_panels),
    command("later", &[Key::Char('>')], "forward, to the present; or the releases after", METRICS, None, Action::Pan(1), has_panels),
    command("whole history", &[Key::Char('a')], "all that is kept, or the last minutes again", METRICS, None, Action::WholeHistory, always),
    command("compare", &[Key::Char('c')], "the panel after the last two deploys, laid together", METRICS, Some("compare"), Action::Compare, has_panels),
    command("pick releases", &[Key::Char('p')], "compare two releases of your choice", METRICS, None, Action::PickReleases, can_pick),
    command("explore", &[Key::Char('e')], "every metric, and an expression of your own", METRICS, Some("explore"), Action::Explore, is_connected),
    command("drawing", &[Key::Char('v')], "draw in braille, in blocks or in ASCII", METRICS, None, Action::Drawing, always),
    command("log scale", &[Key::Char('y')], "a logarithmic axis, or a linear one", METRICS, None, Action::LogScale, always),
    command("zero base", &[Key::Char('0')], "zero on every axis, or only where it is near", METRICS, None, Action::ZeroBase, always),
    command("silence", &[Key::Char('s')], "hear nothing of an alert for a while (asks first)", WITH_ALERTS, Some("silence"), Action::Silence, can_silence),
    command("end silence", &[Key::Char('S')], "hear of a silenced alert again (asks first)", WITH_ALERTS, Some("end silence"), Action::Unsilence, can_unsilence),
    command("onward", &[Key::Char('.')], "from commit or data to run, model, tests, image, release, metrics", &[], None, Action::Walk { backward: false }, always),
    command("upstream", &[Key::Char(',')], "the same way back: to what made this", &[], None, Action::Walk { backward: true }, always),
    command("freeze", &[Key::Char(' ')], "let charts and log stand still, or move again", LISTS, Some("freeze"), Action::Freeze, always),
    command("zoom", &[Key::Char('z')], "give the pane or chart the whole screen, or take it back", WITH_PANES, Some("zoom"), Action::Zoom, always),
    command("next pane", &[TAB], "the next pane, stage, chart, alert or part of a model", LISTS, None, Action::Cycle { backward: false }, always),
    command("previous pane", &[BACK_TAB], "the pane, stage, chart, alert or part of a model before", LISTS, None, Action::Cycle { backward: true }, always),
    command("left", &[LEFT, Key::Char('h')], "the stage before; along a long line; the crosshair", LISTS, None, Action::Sideways(-1), always),
    command("right", &[RIGHT, Key::Char('l')], "the next stage; along a long line; the crosshair", LISTS, None, Action::Sideways(1), always),
    command("up", &[UP, Key::Char('k')], "a line up", LISTS, None, Action::Move(-1), always),
    command("down", &[DOWN, Key::Char('j')], "a line down", LISTS, None, Action::Move(1), always),
    command("page up", &[PAGE_UP, Key::Control('b')], "a screen up", LISTS, None, Action::Page(-1), always),
    command("page down", &[PAGE_DOWN, Key::Control('f')], "a screen down", LISTS, None, Action::Page(1), always),
    command("top", &[Key::Char('g'), HOME], "to the beginning", LISTS, None, Action::Top, always),
    command("bottom", &[Key::Char('G'), END], "to the end", LISTS, None, Action::Bottom, always),
    command("back", &[ESCAPE], "back to where one came from", LISTS, None, Action::Back, always),
    command("board", &[Key::Char('1')], "the pipeline, its log and the release", &[], None, Action::Show(View::Board), always),
    command("runs", &[Key::Char('2')], "the history of runs", &[], None, Action::Show(View::Runs), always),
    command("logs", &[Key::Char('3')], "the log of the selected stage", &[], None, Action::Show(View::Logs), always),
    command("models", &[Key::Char('4')], "model versions, what is known of each, the champion", &[], None, Action::Show(View::Models), always),
    command("releases", &[Key::Char('5')], "releases, what the live one runs as, the way back", &[], None, Action::Show(View::Releases), always),
    command("metrics", &[Key::Char('6')], "all charts", &[], None, Action::Show(View::Metrics), always),
    command("events", &[Key::Char('7')], "what happened, in sentences", &[], None, Action::Show(View::Events), always),
    command("operators", &[Key::Char('O')], "who is attached, from where, since when", &[], None, Action::Operators, is_connected),
    command("projects", &[Key::Char('W')], "your other projects; Enter shows one", &[], None, Action::Projects, can_switch),
    command("palette", &[Key::Char(':')], "find a command, run, stage, theme or project by its name", &[], Some("command"), Action::Palette, always),
    command("help", &[Key::Char('?')], "all keys", &[], Some("help"), Action::Help, always),
    command("mouse", &[Key::Char('M')], "let the mouse work here, or give it back to the terminal", &[], None, Action::Mouse, always),
    command("redraw", &[Key::Control('l')], "send the whole screen again", &[], None, Action::Redraw, always),
    command("suspend", &[Key::Control('z')], "to the shell, until continued", &[], None, Action::Suspend, always),
    command("detach", &[Key::Char('q'), Key::Control('c')], "leave; daemon, runs and app go on until `trainyard down --all`", &[], Some("detach"), Action::Detach, always),
];

/// What a view is called.
pub(super) fn view_name(view: View) -> &'static str {
    match view {
        View::Board => "Board",
        View::Runs => "Runs",
        View::Logs => "Logs",
        View::Models => "Models",
        View::Releases => "Releases",
        View::Metrics => "Metrics",
        View::Events => "Events",
    }
}
