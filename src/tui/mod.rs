//! The screen: a client of the daemon that draws what the daemon says.
//!
//! Elm-like. `app` is the model; `message` says what can reach it; `update` is the only function that changes it and is
//! pure; `views` and `widgets` draw it and are pure too; `commands` is the one table of keys, palette, hints and help;
//! `runtime` is the loop that connects all this with the terminal (`terminal`) and the daemon. What the command line says of
//! releases and models in the same words stands in `release_facts` and `model_facts`; which alert a key means, in `alerts`;
//! what holds deploys back, in `holds`; what Events lists, in `event_list`, and is narrowed to, in `event_search`; what was
//! chosen in a list, in `list`; what there is to say of a run, in `run_facts`, and of runs that the daemon's state has
//! forgotten, in `run_history`; how long work still takes, in `estimate`; the way from a commit to what serves, in `walk`;
//! which moment of the past is shown, in `past`; why a key does nothing, in `unavailable`; what calls for whoever looks
//! elsewhere, in `attention`, `title` and `progress_bar`; what went live by itself, in `announcement`; what the terminal can
//! do, in `probe`; what leads from a folder to a project, in `first_run`. `plain` is the same client in lines, without a
//! screen. What the operator prefers on all projects is read by `preferences`, his keys stand in `keymap`; that a file of his
//! changed is heard by `file_changes`; `palette` finds by letters, `selection`, `detail_text` and `clipboard` copy, `mouse` knows
//! what lies where.
//!
//! **Invariants:** the screen computes nothing of its own: states, reasons and sentences come from `pipeline`, numbers from
//! the daemon. It may use `api::client`, `api::types`, `pipeline` and `disk`, and no other room. There is no tick: a frame is
//! drawn when something visible changed, at most thirty a second, and an idle screen sends nothing. Whatever text comes from
//! outside passes `widgets::text` before it reaches the buffer. The terminal is given back in every way of ending.

mod alerts;
mod announcement;
mod app;
mod attention;
mod clipboard;
mod clock;
mod commands;
mod detail_text;
mod difference;
mod estimate;
mod event_list;
mod event_search;
mod file_changes;
mod first_run;
mod glyphs;
mod holds;
mod keymap;
mod layout;
mod list;
mod log_view;
mod lone_panel;
mod message;
mod metrics;
mod model_facts;
mod models;
mod mouse;
mod palette;
mod past;
mod plain;
mod preferences;
mod probe;
mod progress_bar;
mod projects;
mod quantity;
mod release_facts;
mod release_list;
mod release_log;
mod run_differences;
mod run_facts;
mod run_history;
mod runtime;
mod selection;
mod terminal;
mod theme;
mod title;
mod unavailable;
mod update;
mod views;
mod walk;
mod widgets;

#[cfg(test)]
mod chart_fixtures;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod hold_fixtures;
#[cfg(test)]
mod key_fixtures;
#[cfg(test)]
mod log_fixtures;
#[cfg(test)]
mod model_fixtures;
#[cfg(test)]
mod past_fixtures;

pub use commands::{ScreenCommand, reference, screen_commands};
pub use first_run::{Answers, Choice, Discovery, Outlook, Outside, ProjectFolder, Proposal, Subject};
#[doc(hidden)]
pub use lone_panel::LonePanel;
pub use model_facts::{ModelDifference, content_differences, metric_differences, origin_differences};
pub use plain::{lines, wants_lines};
pub use preferences::{
    PreferenceFault, commented_preferences, preference_faults, preferences_file, theme_names, theme_text,
};
pub use projects::{Left, ProjectRow, Projects};
pub use quantity::bytes;
pub use release_facts::{ReleaseFacts, comes_back, health, may_deploy, place_text, ready, release_facts, standing};
pub use runtime::{DemoHook, DemoHooks, Options, lead, run};

/// Why the screen ended otherwise than by `q`.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// Input or output is a file or a pipe.
    #[error(
        "the screen needs a terminal for input and output; use `trainyard --plain`, `trainyard status` or `trainyard run --wait` instead"
    )]
    NotATerminal,
    /// The terminal does not do what it should.
    #[error("the terminal cannot be used: {0}; `trainyard doctor` says what it can do")]
    Terminal(#[from] std::io::Error),
    /// The terminal vanished. The daemon goes on.
    #[error("the terminal is gone; the daemon goes on, `trainyard` shows it again")]
    Lost,
    /// Ended from outside.
    #[error("ended by signal {signal}; the daemon goes on, `trainyard` shows it again")]
    Signal {
        /// Its number.
        signal: i32,
    },
    /// A defect; the message of the panic stands above.
    #[error("the screen broke down; the daemon goes on; please report the lines above")]
    Broken,
}
