//! Scrapes every target at its own pace: the ones that are configured, and those that the live release runs as.
//!
//! One task a target, which asks, lets the page be recorded, and tells what was wrong. The round here only looks which
//! targets there are: it starts tasks for new ones and ends those of targets that are gone, with their series. With an
//! existing Prometheus as the source there are no targets; then the round asks whether that answers.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, interval_at};

use super::Monitoring;
use super::job::{Job, Way};
use super::source::Source;
use super::switch::{asked_since, is_changing, is_excused};
use crate::disk::now;
use crate::engine::effects::current;
use crate::monitor::{
    Credentials, Fetched, Format, Labels, PrometheusClient, Recorded, ScrapeError, ScrapeFailure, client, fetch,
};
use crate::pipeline::Moment;

/// Milliseconds between two notices that the app still answers.
const TELL_EVERY: u64 = 2_000;

/// How the instances of the live release answered last.
pub(super) type Answers = Arc<Mutex<BTreeMap<Labels, Result<Moment, String>>>>;

/// A target with its task, which ends with this.
struct Running {
    job: Job,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Monitoring {
    /// Scrapes what there is to scrape, for as long as the daemon runs.
    pub async fn run(self) {
        let mut running: HashMap<Labels, Running> = HashMap::new();
        let mut every = current(&self.settings).monitor.scrape;
        let mut rounds = rounds(every);
        let mut former = current(&self.settings);
        loop {
            rounds.tick().await;
            let settings = current(&self.settings);
            if settings.monitor.scrape != every {
                every = settings.monitor.scrape;
                rounds = self::rounds(every);
            }
            if !Arc::ptr_eq(&settings, &former) {
                self.recorder.set_limits(&settings.monitor);
                former = settings;
            }
            match self.sources.now() {
                Ok(Source::Own) => {
                    let Some(jobs) = self.jobs(&running).await else { return };
                    self.follow_all(&mut running, jobs).await;
                }
                Ok(Source::Prometheus(client)) => {
                    self.follow_all(&mut running, Vec::new()).await;
                    self.ask_whether_it_answers(&client).await;
                }
                Err(error) => self.status.scraped(Some(Err(error))),
            }
            self.alerting.round(&self).await;
        }
    }

    /// What is to be scraped now; `None` once the daemon ends. While the host does not say what the live release runs as,
    /// what it said last stays: that it does not answer is to be recorded as `up` of 0, and not as a target that is gone.
    async fn jobs(&self, running: &HashMap<Labels, Running>) -> Option<Vec<Job>> {
        let settings = current(&self.settings);
        let live = self.core.look(|state, _| state.live_release().cloned()).await?;
        let mut jobs = Job::configured(&settings.monitor);
        let Some(live) = live else {
            self.status.scraped(None);
            return Some(jobs);
        };
        match self.host.instances().await {
            Ok(found) if found.is_empty() => {
                self.no_answer("nothing of the live release runs at the moment".to_owned()).await;
            }
            Ok(found) => jobs.extend(Job::live(&live, &found, &settings)),
            Err(error) => {
                self.no_answer(error).await;
                let known = running.values().map(|known| &known.job);
                jobs.extend(known.filter(|job| job.is_of(live.id)).cloned());
            }
        }
        Some(jobs)
    }

    /// Starts what is new and ends what is gone or has changed.
    async fn follow_all(&self, running: &mut HashMap<Labels, Running>, jobs: Vec<Job>) {
        let mut wanted: HashMap<Labels, Job> = jobs.into_iter().map(|job| (job.labels.clone(), job)).collect();
        let gone = |labels: &Labels, known: &mut Running| wanted.get(labels).is_none_or(|job| *job != known.job);
        let ended: Vec<(Labels, Running)> = running.extract_if(gone).collect();
        for (labels, mut known) in ended {
            known.task.abort();
            // Whatever it still recorded stands before the end of its series.
            let _ = (&mut known.task).await;
            if !wanted.contains_key(&labels) {
                self.forget(&known.job);
            }
        }
        wanted.retain(|labels, _| !running.contains_key(labels));
        for (labels, job) in wanted {
            let task = tokio::spawn(self.clone().follow(job.clone()));
            running.insert(labels, Running { job, task });
        }
    }

    fn forget(&self, job: &Job) {
        self.recorder.retire(job.labels.clone(), now());
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&job.labels);
        self.status.problem(&subject(job), None);
    }

    /// Scrapes one target for as long as its task runs.
    async fn follow(self, job: Job) {
        let mut ticks = interval_at(Instant::now() + job.delay(now()), job.interval);
        // A scrape that took too long leaves out its successor, and the others stay in their places.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut client = None;
        loop {
            ticks.tick().await;
            let at = now();
            let outcome = self.scrape(&job, &mut client).await;
            let Some(recorded) = self.recorder.record(job.labels.clone(), at, outcome).await else { return };
            self.tell(&job, at, recorded).await;
        }
    }

    /// Asks once. The client is made when it is first needed, and anew after a failure: the host may be another by then.
    async fn scrape(&self, job: &Job, client: &mut Option<Client>) -> Result<Fetched, ScrapeError> {
        let failed = |reason: ScrapeFailure| ScrapeError { url: job.url.clone(), took: Duration::ZERO, reason };
        let asking = match client.take() {
            Some(known) => known,
            None => self.client_for(&job.way).await.map_err(failed)?,
        };
        let outcome = match &job.way {
            Way::Host => fetch(&asking, &job.url, &job.options).await,
            Way::Direct { authentication, .. } => {
                let read = Credentials::read(authentication, &self.folder).await;
                let mut options = job.options.clone();
                options.authentication = read.map_err(|reason| failed(ScrapeFailure::Secret { reason }))?;
                fetch(&asking, &job.url, &options).await
            }
        };
        if outcome.is_ok() {
            *client = Some(asking);
        }
        outcome
    }

    async fn client_for(&self, way: &Way) -> Result<Client, ScrapeFailure> {
        let reason = "no client of the host can be made".to_owned();
        match way {
            Way::Host => self.host.http().ok_or(ScrapeFailure::Unreachable { reason }),
            Way::Direct { authorities: None, .. } => {
                client(None).map_err(|reason| ScrapeFailure::Unreachable { reason })
            }
            Way::Direct { authorities: Some(path), .. } => trusting(&self.folder.join(path)).await,
        }
    }

    /// Tells people what was wrong, and that it is not any more.
    async fn tell(&self, job: &Job, at: Moment, recorded: Recorded) {
        let complaint = recorded.complaint();
        let room = (recorded.without_room > 0).then(|| {
            let limit = current(&self.settings).monitor.max_series;
            format!(
                "{} series found no room: all targets together make more than {limit}; drop a label that has no bounds, \
                 or raise `max_series`",
                recorded.without_room
            )
        });
        let is_live = job.way == Way::Host;
        // By which address the host is asked for it is nobody's business.
        let error = recorded
            .error
            .map(|error| if is_live { format!("{} {}", job.name(), error.reason) } else { error.to_string() });
        self.scrapes.add(error.is_some());
        // What is wrong with the app has a place of its own on the screen.
        let told = room.or(complaint).or_else(|| error.clone().filter(|_| !is_live));
        self.status.problem(&subject(job), told);
        if is_live {
            self.tell_of_the_app(job, error.map_or(Ok(at), Err)).await;
        }
    }

    /// The app answers if all its instances do.
    async fn tell_of_the_app(&self, job: &Job, answer: Result<Moment, String>) {
        let answers = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.insert(job.labels.clone(), answer);
            answers.values().cloned().collect::<Result<Vec<Moment>, String>>()
        };
        match (answers.map(|moments| moments.into_iter().max()), self.status.now().scraped) {
            (Err(error), _) => self.no_answer(error).await,
            // Charts are drawn anew when this changes, and nobody needs that with each scrape.
            (Ok(Some(at)), Some(Ok(told))) if at.since(told) < TELL_EVERY => {}
            (Ok(Some(at)), _) => self.status.scraped(Some(Ok(at))),
            (Ok(None), _) => {}
        }
    }

    /// Tells that the app does not answer, unless releases change places.
    async fn no_answer(&self, error: String) {
        let (told, began, at) = (self.status.now().scraped, self.began, now());
        let excused = self.core.look(move |state, _| {
            is_excused(told.as_ref(), asked_since(state.live_release().map(Arc::as_ref), began), at)
                && is_changing(state.releases.values().map(Arc::as_ref), at)
        });
        if excused.await.unwrap_or(false) {
            return;
        }
        self.status.scraped(Some(Err(error)));
    }

    /// Nothing is scraped here then, and whether that Prometheus answers is all that is recorded.
    async fn ask_whether_it_answers(&self, client: &PrometheusClient) {
        let at = now();
        let answered = client.instant("vector(1)", at).await;
        let outcome = match &answered {
            Ok(_) => Ok(Fetched::new(client.address(), "", Format::Text)),
            Err(error) => {
                let (url, reason) = (client.address().to_owned(), error.to_string());
                Err(ScrapeError { url, took: Duration::ZERO, reason: ScrapeFailure::Unreachable { reason } })
            }
        };
        let labels = Labels::new([("job", "prometheus"), ("instance", client.address())]);
        self.recorder.record(labels, at, outcome).await;
        match (answered, self.status.now().scraped) {
            (Ok(_), Some(Ok(told))) if at.since(told) < TELL_EVERY => {}
            (Ok(_), _) => self.status.scraped(Some(Ok(at))),
            (Err(error), _) => self.status.scraped(Some(Err(error.to_string()))),
        }
    }
}

/// A client that trusts what stands in a file.
async fn trusting(path: &Path) -> Result<Client, ScrapeFailure> {
    let untrusted =
        |reason: String| ScrapeFailure::Untrusted { reason: format!("`ca` names {}, but {reason}", path.display()) };
    let pem = tokio::fs::read(path).await.map_err(|error| untrusted(format!("it cannot be read: {error}")))?;
    client(Some(&pem)).map_err(untrusted)
}

/// Under which the troubles of a target are told.
fn subject(job: &Job) -> String {
    format!("metrics of {}", job.name())
}

fn rounds(every: Duration) -> Interval {
    let mut rounds = interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    rounds
}
