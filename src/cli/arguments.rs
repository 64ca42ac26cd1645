//! Every word of the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use super::alerts::AlertsArguments;
use super::approve::{AnswerArguments, ApproveArguments};
use super::config::ConfigCommand;
use super::data::DataCommand;
use super::demo::DemoArguments;
use super::events::EventsArguments;
use super::export::ExportCommand;
use super::failure::EXIT_CODES;
use super::host::HostArguments;
use super::init::InitArguments;
use super::lock::LockArguments;
use super::logs::LogsArguments;
use super::models::{ModelsArguments, PromoteArguments};
use super::notify::NotifyCommand;
use super::plain::Look;
use super::predict::PredictArguments;
use super::query::QueryArguments;
use super::releases::RollbackArguments;
use super::run::{CancelArguments, Reason, RunArguments, SelectionArguments};
use super::scrape::ScrapeArguments;
use super::serve::ServeArguments;
use super::up::DownArguments;
use crate::api::ssh::Place;

/// A terminal control center for machine-learning apps: watches a repository and a data folder, and runs
/// train → test → image build → deploy by itself or by a key.
///
/// Without a command it opens the screen for the project in this folder and starts the daemon if none runs; `q` leaves
/// the screen and the daemon goes on.
#[derive(Debug, Parser)]
#[command(name = "trainyard", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// The project folder
    #[arg(short = 'C', long = "project", value_name = "DIR", default_value = ".", global = true)]
    pub folder: PathBuf,
    /// Do it on another machine, through ssh; without a command, as `attach` does
    #[arg(long, value_name = "[USER@]HOST[:DIR]", global = true)]
    pub host: Option<Place>,
    /// Only watch: the screen as an observer, and no command that changes anything
    #[arg(long, global = true)]
    pub read_only: bool,
    /// How the screen is shown
    #[command(flatten)]
    pub look: Look,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a complete sample project, run its whole chain, and open the screen on the live app
    #[command(after_help = "Example: trainyard demo --headless")]
    Demo(DemoArguments),
    /// Write a commented trainyard.toml that fits this folder
    #[command(after_help = "Example: trainyard init --from model")]
    Init(InitArguments),
    /// Validate trainyard.toml: every error at once, each with line, column and the mend
    #[command(after_help = "Example: trainyard check --json")]
    Check {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at what works here: git, watch, disk, daemon, Docker, cluster, terminal
    #[command(after_help = "Example: trainyard doctor")]
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Start the daemon
    #[command(after_help = "Example: trainyard -C ~/app up")]
    Up {
        /// Stay in the foreground, as a service manager wants it
        #[arg(long)]
        foreground: bool,
    },
    /// Stop the daemon; the deployed app goes on
    #[command(after_help = "Example: trainyard down --all")]
    Down(DownArguments),
    /// Start a run, from a stage on
    #[command(after_help = "Example: trainyard run test --wait")]
    Run(RunArguments),
    /// Say what a run would do, and why
    #[command(after_help = "Example: trainyard plan deploy")]
    Plan {
        /// Which stages
        #[command(flatten)]
        selection: SelectionArguments,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Cancel a run; nothing that it started is left running
    #[command(after_help = "Example: trainyard cancel")]
    Cancel(CancelArguments),
    /// Hold automation off deploys, for a while or as long as a command runs
    #[command(
        after_help = "Examples:\n  trainyard lock 'data migration' --for 2h\n  trainyard lock 'nightly backup' -- ./backup.sh"
    )]
    Lock(LockArguments),
    /// Let automation deploy again; what waited goes on by itself
    #[command(after_help = "Example: trainyard unlock -m 'migrated'")]
    Unlock {
        /// Why
        #[command(flatten)]
        reason: Reason,
    },
    /// Let a stage go on that waits for a person
    #[command(after_help = "Example: trainyard approve 42 -m 'looked at the confusion matrix'")]
    Approve(ApproveArguments),
    /// Let a stage that waits for a person not run
    #[command(after_help = "Example: trainyard decline 42 -m 'not on a Friday'")]
    Decline(AnswerArguments),
    /// Show the board, as it is or as it was
    #[command(after_help = "Examples:\n  trainyard status --json\n  trainyard status --at 'run 42'")]
    Status {
        /// As it was then: `2h` (ago), `2026-11-28 14:00`, or `run 42` for the end of a run
        #[arg(long, value_name = "WHEN")]
        at: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the history of runs, or one run with its stages and what its gate looked at
    #[command(after_help = "Example: trainyard runs --limit 5")]
    Runs {
        /// Only this one
        #[arg(value_name = "RUN")]
        run: Option<u64>,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        /// As it was then: `2h` (ago), `2026-11-28 14:00`, or `run 42` for the end of a run
        #[arg(long, value_name = "WHEN")]
        at: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the log of a stage, byte for byte
    #[command(after_help = "Example: trainyard logs train -f")]
    Logs(LogsArguments),
    /// Show what happened and who asked for it, one event a line
    #[command(
        after_help = "Examples:\n  trainyard events -f\n  trainyard events --by $USER --since 7d\n  trainyard events --kind alert --since 7d\n  trainyard events --json --limit 0 > trail.jsonl"
    )]
    Events(EventsArguments),
    /// Open the screen here for a project on another machine, through the ssh that is installed here
    #[command(
        after_help = "Examples:\n  trainyard attach box:/srv/app\n  trainyard attach ops@box:~/app --read-only\n\nssh comes in as it always does: by its configuration, keys, agent and jump hosts. TRAINYARD_SSH names another\nssh, with its first arguments; TRAINYARD_REMOTE_PROGRAM names trainyard over there, if it lies at no usual place."
    )]
    Attach {
        /// The machine, and the project's folder there: absolute, from ~, or from where a login begins
        #[arg(value_name = "[USER@]HOST[:DIR]")]
        place: Place,
    },
    /// List the projects of this user that have a daemon
    #[command(after_help = "Example: trainyard projects --json")]
    Projects {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at the data, infer its contract, and hold files against it
    #[command(subcommand, after_help = "Example: trainyard data check new/winter.csv")]
    Data(DataCommand),
    /// Show the model versions, or one of them with all that is known of it; compare two, note something about one
    #[command(after_help = "Example: trainyard models 12")]
    Models(ModelsArguments),
    /// Make a model the champion by hand, and deploy it without a training
    #[command(after_help = "Example: trainyard promote 12 --message 'the rare classes matter more' --wait")]
    Promote(PromoteArguments),
    /// Score a CSV file with a saved model
    #[command(after_help = "Example: trainyard predict --version 3 new.csv")]
    Predict(PredictArguments),
    /// Show the history of releases, what the live one runs as, and what is ours on the disks
    #[command(after_help = "Example: trainyard releases --json")]
    Releases {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Go back to an earlier release, after saying what will change
    #[command(after_help = "Example: trainyard rollback --wait")]
    Rollback(RollbackArguments),
    /// Evaluate a PromQL expression over what was scraped, now or over time
    #[command(after_help = "Example: trainyard query 'sum(rate(predict_requests_total[1m]))' --range 15m")]
    Query(QueryArguments),
    /// Hand over what is watched here: to Prometheus, to Grafana, as CSV, as a picture
    #[command(subcommand, after_help = "Example: trainyard export grafana --out dashboard.json")]
    Export(ExportCommand),
    /// Show one page of metrics as the monitor reads it, or why it is refused
    #[command(after_help = "Example: trainyard scrape http://127.0.0.1:8080/metrics")]
    Scrape(ScrapeArguments),
    /// Show where alerts stand; silence one
    #[command(after_help = "Example: trainyard alerts silence ErrorRate --for 2h")]
    Alerts(AlertsArguments),
    /// Try whether people would be told of failures and alerts
    #[command(subcommand, after_help = "Example: trainyard notify test")]
    Notify(NotifyCommand),
    /// Serve a saved model over HTTP, as the image does
    #[command(after_help = "Example: trainyard serve --model .trainyard/models/3 --listen 127.0.0.1:8080")]
    Serve(ServeArguments),
    /// Show what may be configured
    #[command(subcommand, after_help = "Example: trainyard config schema > trainyard.schema.json")]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example: trainyard completions bash > ~/.local/share/bash-completion/completions/trainyard"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example: trainyard man > trainyard.1")]
    Man,
    /// Be the daemon
    #[command(hide = true)]
    Daemon,
    /// Be the far end of a line
    #[command(hide = true)]
    Link,
    /// Supervise the attempt in a folder
    #[command(hide = true)]
    Supervise {
        /// The attempt
        folder: PathBuf,
    },
    /// Be a built-in stage
    #[command(hide = true)]
    Stage {
        /// Which
        #[arg(value_enum)]
        kind: BuiltIn,
    },
    /// Be a stage's process inside of a Job, in an image that has no shell
    #[command(hide = true)]
    Agent {
        /// What to do
        words: Vec<String>,
    },
    /// Run releases
    #[command(hide = true)]
    Host(HostArguments),
}

impl Command {
    /// Whether it prints what programs read, or bytes as they are.
    pub fn is_for_machines(&self) -> bool {
        match self {
            Self::Check { json }
            | Self::Doctor { json }
            | Self::Plan { json, .. }
            | Self::Status { json, .. }
            | Self::Runs { json, .. }
            | Self::Projects { json }
            | Self::Releases { json } => *json,
            Self::Events(arguments) => arguments.json,
            Self::Models(arguments) => arguments.is_for_machines(),
            Self::Query(arguments) => arguments.json,
            Self::Data(command) => command.is_for_machines(),
            Self::Export(command) => command.is_for_machines(),
            Self::Scrape(arguments) => arguments.json,
            Self::Alerts(arguments) => arguments.json,
            Self::Logs(_) | Self::Predict(_) | Self::Config(_) | Self::Completions { .. } | Self::Man | Self::Link => {
                true
            }
            Self::Attach { .. }
            | Self::Demo(_)
            | Self::Init(_)
            | Self::Up { .. }
            | Self::Down(_)
            | Self::Run(_)
            | Self::Cancel(_)
            | Self::Lock(_)
            | Self::Unlock { .. }
            | Self::Approve(_)
            | Self::Decline(_)
            | Self::Rollback(_)
            | Self::Promote(_)
            | Self::Notify(_)
            | Self::Serve(_)
            | Self::Daemon
            | Self::Supervise { .. }
            | Self::Stage { .. }
            | Self::Agent { .. }
            | Self::Host(_) => false,
        }
    }

    /// Whether it changes something: the project, its daemon, what the daemon knows or does. With `--read-only` it is refused.
    pub fn acts(&self) -> bool {
        match self {
            Self::Rollback(arguments) => !arguments.plan,
            Self::Models(arguments) => arguments.acts(),
            Self::Data(command) => command.acts(),
            // All that can be done with an alert changes what follows from it.
            Self::Alerts(arguments) => arguments.action.is_some(),
            Self::Demo(_)
            | Self::Init(_)
            | Self::Up { .. }
            | Self::Down(_)
            | Self::Run(_)
            | Self::Cancel(_)
            | Self::Lock(_)
            | Self::Unlock { .. }
            | Self::Approve(_)
            | Self::Decline(_)
            | Self::Promote(_)
            | Self::Notify(_)
            | Self::Serve(_)
            | Self::Daemon
            | Self::Supervise { .. }
            | Self::Stage { .. }
            | Self::Agent { .. }
            | Self::Host(_) => true,
            Self::Check { .. }
            | Self::Doctor { .. }
            | Self::Plan { .. }
            | Self::Status { .. }
            | Self::Runs { .. }
            | Self::Logs(_)
            | Self::Events(_)
            | Self::Projects { .. }
            | Self::Predict(_)
            | Self::Releases { .. }
            | Self::Query(_)
            | Self::Export(_)
            | Self::Scrape(_)
            | Self::Config(_)
            | Self::Completions { .. }
            | Self::Attach { .. }
            | Self::Link
            | Self::Man => false,
        }
    }
}

/// A built-in stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum BuiltIn {
    /// Training.
    Train,
    /// The image.
    Image,
    /// The deploy.
    Deploy,
    /// Any stage, in a container or as a Job.
    Remote,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn no_two_words_of_the_command_line_clash() {
        super::Arguments::command().debug_assert();
    }
}
