//! The demo without a screen: one batch of data goes through the whole chain, and the deployed app must answer.

use std::fs;
use std::io::Write;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::batches::BATCHES;
use super::error::DemoError;
use super::follow::{Follower, Goal};
use super::load;
use super::probe;
use super::project::DemoProject;
use super::summary::Summary;
use crate::api::client::Client;
use crate::api::types::CommandRequest;
use crate::model::{CARD_FILE, Card};
use crate::pipeline::{Command, ModelVersion, Release, Run, Selection};

/// Minutes that all of it may take.
pub(super) const MINUTES: u64 = 5;
/// How long runs may take to end once they were told to.
const CANCEL: Duration = Duration::from_secs(30);
/// How often is looked whether they have.
const EVERY: Duration = Duration::from_millis(100);

/// Registers the next batch and follows its run, one line an event on `out`, until the release is live, has answered a
/// prediction and was scraped. The daemon must be running. With no batch left everything is run again on what there is.
pub async fn headless(project: &DemoProject, client: Client, out: &mut impl Write) -> Result<Summary, DemoError> {
    let mut follower = Follower::begin(client, out).await?;
    let done = under_load(project, course(project, &mut follower)).await;
    done.unwrap_or_else(|| Err(DemoError::Deadline { minutes: MINUTES, waiting_for: follower.waiting_for() }))
}

/// Follows a course while the app is under load; `None` if it takes longer than [`MINUTES`].
pub(super) async fn under_load<T>(project: &DemoProject, course: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = timeout(Duration::from_mins(MINUTES), course) => done.ok(),
        never = load::run(project.port()) => match never {},
    }
}

async fn course<W: Write>(project: &DemoProject, follower: &mut Follower<'_, W>) -> Result<Summary, DemoError> {
    let goal = begin(project, follower).await?;
    follower.wait_for("the run to end");
    let run = follower.until_passed(goal).await?;
    let Some(release) = follower.state().live_release().cloned() else { return Err(DemoError::NotLive(run.id)) };
    let live = Live::of(&release)?;
    follower.wait_for("the app to answer");
    let answered = probe::predict(&live.address).await?;
    follower.say(&answered)?;
    follower.wait_for("the monitor to scrape the app");
    let scraped = probe::scraped(follower.client()).await?;
    follower.say("the monitor scraped the app")?;
    summary(project, &run, &release, live, scraped)
}

/// Starts what is to be shown.
async fn begin<W: Write>(project: &DemoProject, follower: &mut Follower<'_, W>) -> Result<Goal, DemoError> {
    if project.batches_left() > 0 {
        let next = follower.state().last_run.next();
        let said = project.register_next_batch()?;
        follower.say(&said)?;
        let registered = BATCHES.len() - project.batches_left();
        return Ok(Goal { run: next, files: registered as u64 });
    }
    follower.say("all batches are registered, so everything is run again")?;
    follower.wait_for("the daemon to read data and source");
    follower.until(|state| state.inputs.is_some()).await?;
    let command = Command::Run(Selection { force: true, ..Selection::default() });
    let next = follower.state().last_run.next();
    let run = follower.client().command(&request(command)).await??.unwrap_or(next);
    Ok(Goal { run, files: 0 })
}

fn request(command: Command) -> CommandRequest {
    CommandRequest { message: String::new(), command }
}

/// What is known of a live release.
struct Live {
    address: String,
    model: ModelVersion,
}

impl Live {
    fn of(release: &Release) -> Result<Self, DemoError> {
        let lacks = |what| DemoError::Incomplete { release: release.id, what };
        let address = release.address.clone().ok_or_else(|| lacks("an address"))?;
        let model = release.model.ok_or_else(|| lacks("a model"))?;
        Ok(Self { address, model })
    }
}

fn summary(
    project: &DemoProject,
    run: &Run,
    release: &Release,
    live: Live,
    scraped: String,
) -> Result<Summary, DemoError> {
    let lacks = |what| DemoError::Incomplete { release: release.id, what };
    let path = project.layout().model(live.model).join(CARD_FILE);
    let text = fs::read(&path).map_err(|source| DemoError::File { path, source })?;
    let card: Card = serde_json::from_slice(&text).map_err(|_| lacks("a readable model card"))?;
    let (started, ended) = (run.started.unwrap_or_default(), run.ended.unwrap_or_default());
    Ok(Summary {
        run: run.id,
        took: ended.since(started),
        model: live.model,
        accuracy: card.metrics.get("accuracy").copied().ok_or_else(|| lacks("an accuracy of its model"))?,
        held_out: card.rows.held_out,
        image: release.image.clone().ok_or_else(|| lacks("an image"))?,
        release: release.id,
        address: live.address,
        scraped,
    })
}

/// Cancels what runs and waits until nothing does, so that no stage outlives the demo. Says nothing and gives up after
/// half a minute: it is the last thing before the daemon is stopped.
pub async fn cancel_runs(client: &Client) {
    let cancelled = async {
        let mut turns = interval(EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            let Ok(snapshot) = client.snapshot().await else { return };
            if snapshot.state.runs.values().all(|run| run.is_finished()) {
                return;
            }
            // A deploy cannot be cancelled, but ends by itself.
            let _ = client.command(&request(Command::Cancel { run: None })).await;
        }
    };
    let _ = timeout(CANCEL, cancelled).await;
}
