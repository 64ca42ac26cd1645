//! From words to deeds.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use super::arguments::{Arguments, BuiltIn, Command};
use super::failure::{Failure, failed};
use super::harmless::Harmless;
use super::plain::Look;
use super::{
    alerts, approve, attach, check, config, daemon, data, demo, doctor, events, export, host, init, link, lock, logs,
    man, models, notify, predict, project, projects, query, releases, remote, run, scrape, screen, serve, show, up,
};
use crate::demo::DemoHandles;
use crate::engine::supervisor::{AttemptFolder, supervise};
use crate::pipeline::ModelVersion;
use crate::stage::{self, deploy::DeployError};
use crate::tui::DemoHooks;

/// Does what the command line says.
pub fn main() -> ExitCode {
    // The one provider of TLS; it must be there before the first client is made, and nobody else sets it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    let mut out = BufWriter::new(io::stdout());
    let (is_observer, look) = (arguments.read_only, arguments.look);
    if is_observer && arguments.command.as_ref().is_some_and(Command::acts) {
        let text = "with --read-only nothing is changed, and this command would; leave --read-only out to act";
        return Failure::Usage(text.to_owned()).report();
    }
    let is_raw = arguments.command.as_ref().is_some_and(Command::is_for_machines);
    let done = match &arguments.host {
        Some(place) if arguments.command.is_none() => attach::run(place, is_observer, look),
        Some(place) => remote::run(place),
        None if is_raw => dispatch(&arguments.folder, arguments.command, is_observer, look, &mut out),
        None => dispatch(&arguments.folder, arguments.command, is_observer, look, &mut Harmless::new(&mut out)),
    };
    let done = done.and_then(|()| Ok(out.flush()?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // What was printed before the failure belongs before it.
            let _ = out.flush();
            failure.report()
        }
    }
}

fn dispatch(
    folder: &Path,
    command: Option<Command>,
    is_observer: bool,
    look: Look,
    out: &mut impl Write,
) -> Result<(), Failure> {
    match command {
        None => screen::open(folder, is_observer, look, out),
        Some(Command::Attach { place }) => attach::run(&place, is_observer, look),
        Some(Command::Link) => link::run(folder, is_observer, out),
        Some(Command::Demo(arguments)) => demo_command(&arguments, out),
        Some(Command::Init(arguments)) => {
            init::run(folder, &arguments, out).map_err(|error| Failure::Usage(error.to_string()))
        }
        Some(Command::Check { json }) => match check::run(folder, json, out) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::Said(2)),
            Err(error) => Err(Failure::Usage(error.to_string())),
        },
        Some(Command::Doctor { json }) => {
            if doctor::run(folder, json, out)? {
                Ok(())
            } else {
                Err(Failure::Said(1))
            }
        }
        Some(Command::Up { foreground: true }) => daemon::run(folder),
        Some(Command::Up { foreground: false }) => up::up(folder, out),
        Some(Command::Down(arguments)) => up::down(folder, &arguments, out),
        Some(Command::Run(arguments)) => run::run(folder, &arguments, out),
        Some(Command::Plan { selection, json }) => show::plan(folder, &selection.selection(), is_observer, json, out),
        Some(Command::Cancel(arguments)) => run::cancel(folder, &arguments, out),
        Some(Command::Lock(arguments)) => lock::lock(folder, &arguments, out),
        Some(Command::Unlock { reason }) => lock::unlock(folder, &reason, out),
        Some(Command::Approve(arguments)) => approve::approve(folder, &arguments, out),
        Some(Command::Decline(arguments)) => approve::decline(folder, &arguments, out),
        Some(Command::Status { at, json }) => show::status(folder, at.as_deref(), json, out),
        Some(Command::Runs { run: Some(run), at, json, .. }) => show::run(folder, run, at.as_deref(), json, out),
        Some(Command::Runs { run: None, limit, at, json }) => show::runs(folder, limit, at.as_deref(), json, out),
        Some(Command::Logs(arguments)) => logs::logs(folder, &arguments, out),
        Some(Command::Events(arguments)) => events::run(folder, &arguments, out),
        Some(Command::Projects { json }) => projects::run(json, out),
        Some(Command::Data(command)) => data::run(folder, &command, out),
        Some(Command::Models(arguments)) => models::run(folder, &arguments, out),
        Some(Command::Promote(arguments)) => models::promote(folder, &arguments, out),
        Some(Command::Predict(arguments)) => {
            let model = match arguments.version {
                Some(version) => project::layout(folder)?.model(ModelVersion(version)),
                None => arguments.model_folder().map_err(failed)?,
            };
            predict::run(&model, &arguments.file, arguments.json, out).map_err(failed)
        }
        Some(Command::Releases { json }) => releases::releases(folder, json, out),
        Some(Command::Rollback(arguments)) => releases::rollback(folder, &arguments, out),
        Some(Command::Query(arguments)) => query::run(folder, &arguments, out),
        Some(Command::Export(command)) => export::run(folder, &command, out),
        Some(Command::Scrape(arguments)) => scrape::run(&arguments, out),
        Some(Command::Alerts(arguments)) => alerts::run(folder, &arguments, out),
        Some(Command::Notify(command)) => notify::run(folder, &command, out),
        Some(Command::Serve(arguments)) => serve::run(&arguments).map_err(failed),
        Some(Command::Config(command)) => config::run(command, out),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Arguments::command(), "trainyard", out);
            Ok(())
        }
        Some(Command::Man) => Ok(man::write(out)?),
        Some(Command::Daemon) => daemon::run(folder),
        Some(Command::Supervise { folder }) => supervise(&AttemptFolder::new(folder)).map_err(failed),
        Some(Command::Stage { kind }) => match kind {
            BuiltIn::Train => stage::train::run().map_err(failed),
            BuiltIn::Image => stage::image::run().map_err(|error| {
                if error.is_unreachable() { Failure::Unreachable(error.to_string()) } else { failed(error) }
            }),
            // The core tells a release that was found unfit (1) from one that could not be tried (2, or 3 where nobody
            // answers).
            BuiltIn::Deploy => stage::deploy::run().map_err(|error| match error {
                DeployError::Rejected(_) => failed(error),
                error if error.is_unreachable() => Failure::Unreachable(error.to_string()),
                error => Failure::Usage(error.to_string()),
            }),
            BuiltIn::Remote => remote(),
        },
        Some(Command::Agent { words }) => stage::runner::agent::run(&words).map_err(failed).and_then(ended_with),
        Some(Command::Host(arguments)) => host::run(folder, &arguments).map_err(failed),
    }
}

/// A stage in a container or a Job ends as what it ran there ended.
fn remote() -> Result<(), Failure> {
    match stage::runner::run() {
        Ok(code) => ended_with(code),
        Err(error) if error.is_unreachable() => Err(Failure::Unreachable(error.to_string())),
        Err(error) => Err(failed(error)),
    }
}

fn ended_with(code: i32) -> Result<(), Failure> {
    match code {
        0 => Ok(()),
        code => Err(Failure::Said(u8::try_from(code).unwrap_or(1))),
    }
}

fn demo_command(arguments: &demo::DemoArguments, out: &mut impl Write) -> Result<(), Failure> {
    let start = |folder: &Path| {
        let started = project::layout(folder).and_then(|layout| up::start(&layout));
        started.map(drop).map_err(|failure| failure.to_string())
    };
    // What cannot be stopped now says so in its own log; the demo is over either way.
    let stop = |folder: &Path| drop(up::down_all(folder, &mut io::sink()));
    let open = |handles: DemoHandles| {
        let hooks = DemoHooks {
            next_batch: handles.register,
            break_source: handles.break_source,
            bad_release: handles.bad_release,
        };
        screen::open_demo(&handles.folder, hooks).map_err(|failure| failure.to_string())
    };
    demo::run(arguments, out, start, stop, open)
}
