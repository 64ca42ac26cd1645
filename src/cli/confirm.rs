//! The question before something that serves or runs is changed by hand, in one place for every command that may do so.
//!
//! In production the project's name must be given: by `--confirm NAME`, or typed where there is a terminal. Elsewhere a
//! rollback, the end of what runs, and a deploy while somebody holds deploys ask for a yes on a terminal. In a script the
//! former two ask for nothing, for it has said what it wants by the command itself; past a lock it goes with the project's
//! name alone. Each question says what will happen.

use std::io::{self, IsTerminal, Write};

use super::failure::{Failure, failed};
use super::harmless::harmless;
use super::show::duration;
use crate::api::types::{Place, Snapshot};
use crate::config::{self, Action, DeployTarget, Settings};
use crate::disk::{Layout, now};
use crate::pipeline::{Lock, Moment, Run, RunId, Selection, StageKind, StageName, State};
use crate::tui::{comes_back, may_deploy, place_text};

/// Before a run of `selection`: if it may deploy, in production the name, and while somebody holds deploys a yes; and a yes
/// before what was rejected comes back, from whoever can be asked.
pub fn run(layout: &Layout, snapshot: &Snapshot, selection: &Selection, name: Option<&str>) -> Result<(), Failure> {
    let may_deploy = may_deploy(&snapshot.state, selection);
    let place = production(layout, snapshot).filter(|_| may_deploy);
    named(&snapshot.daemon.project, place.as_deref(), "a run that may deploy", name, ask)?;
    if let Some(question) = returning(&snapshot.state, selection).filter(|_| name.is_none()) {
        agreed(ask(&question)?.as_deref())?;
    }
    match &snapshot.state.lock {
        Some(lock) if may_deploy => past_lock(lock, now(), &snapshot.daemon.project, name, ask),
        Some(_) | None => Ok(()),
    }
}

/// What is asked before what was rejected is deployed again; nothing where nothing was.
fn returning(state: &State, selection: &Selection) -> Option<String> {
    comes_back(state, selection).map(|what| format!("this {what}; run it? [y/N] "))
}

/// A yes where somebody can be asked. A script is automation, which the lock holds, unless it was told to go past: it may be
/// a hook that starts a run for every push.
fn past_lock(
    lock: &Lock,
    now: Moment,
    project: &str,
    name: Option<&str>,
    ask: impl FnOnce(&str) -> Result<Option<String>, Failure>,
) -> Result<(), Failure> {
    if name.is_some() {
        return Ok(());
    }
    let answer = ask(&through_lock(lock, now))?;
    if answer.is_none() {
        let (by, since, why) = (&lock.by, duration(now.since(lock.since)), &lock.message);
        return Err(Failure::Usage(format!(
            "{by} locked deploys {since} ago: {why}; nobody can be asked here whether to deploy in spite of it, so nothing was \
             started: wait for the end of the lock, or add `--confirm {project}`"
        )));
    }
    agreed(answer.as_deref()).map(drop)
}

fn through_lock(lock: &Lock, now: Moment) -> String {
    let since = duration(now.since(lock.since));
    format!("{} locked deploys {since} ago: {}; deploy in spite of it? [y/N] ", lock.by, lock.message)
}

/// Before a run is cancelled: a yes, after saying what will be stopped. With nothing to cancel nobody is asked.
pub fn cancel(state: &State, run: Option<RunId>) -> Result<(), Failure> {
    match cancelled(state, run, now()) {
        Some(what) => agreed(ask(&format!("{what}; cancel? [y/N] "))?.as_deref()).map(drop),
        None => Ok(()),
    }
}

/// What a cancel would stop, a part a run.
fn cancelled(state: &State, run: Option<RunId>, now: Moment) -> Option<String> {
    let open = state.runs.values().filter(|found| !found.is_finished() && run.is_none_or(|run| run == found.id));
    let told: Vec<String> = open.map(|run| stopped(run, now)).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn stopped(run: &Run, now: Moment) -> String {
    let running = run.stages.iter().filter(|(_, stage)| stage.state.is_running());
    let stages: Vec<String> = running
        .map(|(name, stage)| match stage.took(now) {
            Some(took) => format!("{name}, which has run for {}", duration(took)),
            None => name.to_string(),
        })
        .collect();
    match (stages.is_empty(), run.started) {
        (false, _) => format!("run {} will be stopped, and {}", run.id, stages.join(" and ")),
        (true, Some(_)) => format!("run {} will be stopped", run.id),
        (true, None) => format!("run {} will not start", run.id),
    }
}

/// Before the deployed app is stopped: in production the name, elsewhere a yes. With nothing live nobody is asked.
pub fn stop(layout: &Layout, snapshot: &Snapshot, name: Option<&str>, is_yes: bool) -> Result<(), Failure> {
    let Some(live) = snapshot.state.live else { return Ok(()) };
    let project = &snapshot.daemon.project;
    let place = production(layout, snapshot);
    named(project, place.as_deref(), "stopping the app", name, ask)?;
    if place.is_some() || is_yes || name.is_some() {
        return Ok(());
    }
    agreed(ask(&format!("release {live} of {project} will stop serving; stop it? [y/N] "))?.as_deref()).map(drop)
}

/// Before a stage is approved: in production the name, if it deploys.
pub fn approval(layout: &Layout, snapshot: &Snapshot, stage: &StageName, name: Option<&str>) -> Result<(), Failure> {
    let is_deploy = snapshot.state.graph.get(stage).is_some_and(|spec| spec.kind == StageKind::Deploy);
    let place = production(layout, snapshot).filter(|_| is_deploy);
    named(&snapshot.daemon.project, place.as_deref(), "a deploy that is approved", name, ask).map(drop)
}

/// Before a rollback: in production the name, elsewhere a yes. Whether a person was asked, which takes time.
pub fn rollback(layout: &Layout, snapshot: &Snapshot, name: Option<&str>, is_yes: bool) -> Result<bool, Failure> {
    let place = production(layout, snapshot);
    let was_asked = named(&snapshot.daemon.project, place.as_deref(), "a rollback", name, ask)?;
    if place.is_some() || is_yes || name.is_some() {
        return Ok(was_asked);
    }
    agreed(ask("go back? [y/N] ")?.as_deref())
}

/// The place, if releases run in production: by what the target says of the live one, or by the settings. A setting alone
/// deploys nothing, so that the target may not have heard of it; and before a first deploy there is no target to ask.
fn production(layout: &Layout, snapshot: &Snapshot) -> Option<String> {
    let reported = snapshot.live.target.as_ref().and_then(|report| report.place.as_ref());
    if let Some(place) = reported.filter(|place| place.production) {
        return Some(place_text(place));
    }
    configured(&config::load(&layout.configuration()).ok()?)
}

fn configured(settings: &Settings) -> Option<String> {
    settings.stages.iter().find_map(|stage| match &stage.action {
        Action::Deploy(deploy) => match &deploy.target {
            DeployTarget::Kubernetes(cluster) if cluster.production => Some(place_text(&Place {
                kind: deploy.target.kind().word().to_owned(),
                context: cluster.context.clone(),
                namespace: cluster.namespace.clone(),
                production: true,
            })),
            DeployTarget::Process | DeployTarget::Docker(_) | DeployTarget::Kubernetes(_) => None,
        },
        Action::Command(_) | Action::Train(_) | Action::Image(_) => None,
    })
}

/// Whether a person was asked for the name and knew it; an error where it is wrong or lacking. A name that is given is
/// compared in any case, for it says which project is meant.
fn named(
    project: &str,
    production: Option<&str>,
    what: &str,
    given: Option<&str>,
    ask: impl FnOnce(&str) -> Result<Option<String>, Failure>,
) -> Result<bool, Failure> {
    if let Some(given) = given {
        return if given == project {
            Ok(false)
        } else {
            let text =
                format!("`--confirm {given}` does not name this project, which is `{project}`; nothing was touched");
            Err(Failure::Usage(text))
        };
    }
    let Some(place) = production else { return Ok(false) };
    match ask(&format!("{place} is PRODUCTION; type the name of the project, {project}: "))? {
        Some(typed) if typed == project => Ok(true),
        Some(_) => {
            Err(Failure::Failed(format!("that is not the name of the project, `{project}`; nothing was touched")))
        }
        None => Err(Failure::Usage(format!(
            "{place} is production, where {what} by hand wants the project's name: add `--confirm {project}`"
        ))),
    }
}

/// Whether a person was asked; an error unless the answer is yes.
fn agreed(answer: Option<&str>) -> Result<bool, Failure> {
    match answer {
        None => Ok(false),
        Some(word) if ["y", "yes"].contains(&word.to_lowercase().as_str()) => Ok(true),
        Some(_) => Err(Failure::Failed("nothing was touched".to_owned())),
    }
}

/// What a person types; `None` where there is no terminal. The question goes to the standard error, for the output may go
/// elsewhere.
fn ask(question: &str) -> Result<Option<String>, Failure> {
    let mut screen = io::stderr();
    if !io::stdin().is_terminal() || !screen.is_terminal() {
        return Ok(None);
    }
    write!(screen, "{}", harmless(question)).and_then(|()| screen.flush()).map_err(failed)?;
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(failed)?;
    Ok(Some(line.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Option<&str> = Some("kubernetes:ml/wine");

    #[expect(clippy::unnecessary_wraps, reason = "it stands in for what may fail")]
    fn nobody(_: &str) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    fn types(answer: &str) -> impl FnOnce(&str) -> Result<Option<String>, Failure> {
        let answer = answer.to_owned();
        move |_| Ok(Some(answer))
    }

    #[test]
    fn production_wants_the_name_of_the_project() {
        assert!(named("wine", PLACE, "a rollback", None, types("wine")).unwrap());
        let wrong = named("wine", PLACE, "a rollback", None, types("y")).unwrap_err();
        assert_eq!(wrong.code(), 1);
        let lacking = named("wine", PLACE, "a rollback", None, nobody).unwrap_err();
        assert_eq!(lacking.code(), 2);
        assert!(lacking.to_string().contains("add `--confirm wine`"), "{lacking}");
        assert!(!named("wine", PLACE, "a rollback", Some("wine"), nobody).unwrap());
    }

    #[test]
    fn a_name_that_is_given_must_be_right_everywhere() {
        let wrong = named("wine", None, "a rollback", Some("beer"), nobody).unwrap_err();
        assert_eq!(wrong.code(), 2);
        assert!(wrong.to_string().contains("which is `wine`"), "{wrong}");
        assert!(!named("wine", None, "a rollback", Some("wine"), nobody).unwrap());
        assert!(!named("wine", None, "a rollback", None, nobody).unwrap(), "outside of production nobody is asked");
    }

    #[test]
    fn a_script_has_said_what_it_wants_and_a_person_says_yes() {
        assert!(!agreed(None).unwrap());
        assert!(agreed(Some("y")).unwrap() && agreed(Some("Yes")).unwrap());
        assert_eq!(agreed(Some("")).unwrap_err().code(), 1);
    }

    #[test]
    fn whoever_goes_through_a_lock_is_told_whose_it_is() {
        let lock = Lock {
            by: "mina".to_owned(),
            message: "data migration".to_owned(),
            since: Moment(0),
            until: None,
            holder: None,
        };
        assert_eq!(
            through_lock(&lock, Moment(65_000)),
            "mina locked deploys 1m05s ago: data migration; deploy in spite of it? [y/N] "
        );
        let past = |name, answer: fn(&str) -> Result<Option<String>, Failure>| {
            past_lock(&lock, Moment(65_000), "wine", name, answer)
        };
        assert!(past(None, |_| Ok(Some("y".to_owned()))).is_ok());
        assert_eq!(past(None, |_| Ok(Some(String::new()))).unwrap_err().code(), 1);
        // A hook is nobody who could be asked.
        let refused = past(None, nobody).unwrap_err();
        assert_eq!(refused.code(), 2);
        assert!(refused.to_string().starts_with("mina locked deploys 1m05s ago: data migration; nobody"), "{refused}");
        assert!(refused.to_string().ends_with("add `--confirm wine`"), "{refused}");
        assert!(past(Some("wine"), nobody).is_ok());
    }

    #[test]
    fn with_nothing_to_cancel_nobody_is_asked() {
        assert_eq!(cancelled(&State::default(), None, Moment(0)), None);
    }

    #[test]
    fn the_settings_say_production_before_anything_was_deployed() {
        let toml = |line: &str| {
            format!(
                "[project]\nname = \"wine\"\n[stages.build]\nuses = \"image\"\n[stages.deploy]\nuses = \"deploy\"\n\
                 needs = [\"build\"]\ntarget = \"kubernetes\"\ncontext = \"ml\"\nport = 8080\n{line}\n"
            )
        };
        let of = |line: &str| configured(&config::parse(&toml(line), "trainyard.toml").unwrap());
        assert_eq!(of("production = true").as_deref(), Some("kubernetes:ml/default"));
        assert_eq!(of("production = false"), None);
    }
}
