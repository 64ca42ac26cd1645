//! The demo of an alert: a release that passes all tests and refuses its clients, and how it is left by itself.
//!
//! What is bad about it is honest: a model that learns from a column more than its clients send. No test speaks for the
//! clients, so nothing stops it before it is live; the app refuses requests with 422 and counts them, and that is evidence.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;

use super::error::DemoError;
use super::follow::{Follower, Goal};
use super::headless::{MINUTES, under_load};
use super::progress::seconds;
use super::project::DemoProject;
use crate::api::client::Client;
use crate::pipeline::{Release, ReleaseId, StageName, StageRun, State};

/// How the app came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The bad release.
    pub left: ReleaseId,
    /// The one that is live now.
    pub live: ReleaseId,
    /// The one that it repeats.
    pub repeats: ReleaseId,
    /// Milliseconds from the bad release's going live to that of the good one.
    pub took: u64,
}

impl fmt::Display for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, live, repeats, took } = self;
        writeln!(f, "left       release {left}, because alert ErrorRate fired")?;
        writeln!(f, "recovered  release {live}, which is release {repeats} again, {} s later", seconds(*took))
    }
}

/// Deploys the bad release and follows what comes of it, one line an event on `out`. The daemon must be running, and a good
/// release must be live.
pub async fn bad_release(project: &DemoProject, client: Client, out: &mut impl Write) -> Result<Recovered, DemoError> {
    let mut follower = Follower::begin(client, out).await?;
    let done = under_load(project, course(project, &mut follower)).await;
    done.unwrap_or_else(|| Err(DemoError::Deadline { minutes: MINUTES, waiting_for: follower.waiting_for() }))
}

async fn course<W: Write>(project: &DemoProject, follower: &mut Follower<'_, W>) -> Result<Recovered, DemoError> {
    let next = follower.state().last_run.next();
    let said = project.toggle_demand()?;
    follower.say(&said)?;
    follower.wait_for("the bad release to be live");
    let run = follower.until_passed(Goal { run: next, files: 0 }).await?;
    let Some(bad) = of_run(follower.state(), &run.stages).cloned() else { return Err(DemoError::NotLive(run.id)) };
    follower.wait_for("its alert to bring the release before back");
    follower.until(|state| is_over(state, bad.id)).await?;
    let live = follower.state().live_release().filter(|live| live.id != bad.id);
    let Some((live, repeats)) = live.and_then(|live| Some((live, live.repeats?))) else {
        return Err(DemoError::NotLeft(bad.id));
    };
    let since = |release: &Release| release.live_since.unwrap_or_default();
    let recovered = Recovered { left: bad.id, live: live.id, repeats, took: since(live).since(since(&bad)) };
    follower.say(&format!("release {} serves again what release {repeats} served", recovered.live))?;
    Ok(recovered)
}

/// The release that a run put into service.
fn of_run<'a>(state: &'a State, stages: &BTreeMap<StageName, StageRun>) -> Option<&'a Release> {
    let made = stages.values().find_map(|stage| stage.release)?;
    state.releases.get(&made).map(AsRef::as_ref)
}

/// Whether another release is live and the run that brought it is over.
fn is_over(state: &State, bad: ReleaseId) -> bool {
    state.live != Some(bad) && state.runs.values().all(|run| run.is_finished())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_say_what_was_left_and_what_came_back() {
        let recovered = Recovered { left: ReleaseId(2), live: ReleaseId(3), repeats: ReleaseId(1), took: 21_340 };
        let expected = "\
left       release 2, because alert ErrorRate fired
recovered  release 3, which is release 1 again, 21.3 s later
";
        assert_eq!(recovered.to_string(), expected);
    }
}
