//! Jobs: one run of a stage as one pod, into which files go and out of which they come through `exec`.
//!
//! [`create`] makes the Job, [`StageJob::pod`] waits until its pod runs or says in one line why it cannot, [`JobPod`] runs
//! commands in it and follows its log, and [`StageJob::delete`] takes all of it away again. What the stage is, and which
//! files it needs, is known by those who use this.
//!
//! Nobody here is told by the cluster: state is asked for, every half second while something is awaited, each time with a
//! limit. A watch would end, fall behind or die unnoticed, and would have to be asked behind anyway.
//!
//! Known gaps: lines that the node rotated away before they were read are lost; and an engine older than CRI puts a time
//! into lines longer than 16 KiB, which stays in them.

mod exec;
mod log;
mod object;
mod start;

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use tokio::time::{Instant, sleep};

pub use self::exec::{Input, Sink};
pub use self::object::JobRequest;
use self::start::{Start, Step};
pub use super::connection::{Cluster, ClusterError};

/// How often state is asked for.
const LOOK: Duration = Duration::from_millis(500);
/// How long a pod may take to run: a large image may have to be pulled first.
const START: Duration = Duration::from_mins(15);
/// How long a Job may be without a pod before its events are looked at.
const NO_POD: Duration = Duration::from_secs(5);

/// Why a Job cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The API server refused, or cannot be asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A connection was cut: to be tried again.
    #[error("the API server was lost while {doing}: {reason}")]
    Lost {
        /// What was being done.
        doing: &'static str,
        /// How it showed.
        reason: String,
    },
    /// The pod cannot start.
    #[error("the pod of Job {job} does not start: {reason}")]
    NotStarted {
        /// The Job.
        job: String,
        /// Why, with the mend.
        reason: String,
    },
    /// The pod ended before the stage had.
    #[error("the pod of Job {job} is gone before the stage ended: {reason}")]
    Ended {
        /// The Job.
        job: String,
        /// How it ended.
        reason: String,
    },
    /// A command in the pod failed.
    #[error(
        "a command in the pod failed ({how}): {said}; files go through `exec`, so the image must have `sh`, `tar`, `head`, `tail` and `sleep`"
    )]
    Command {
        /// Its exit code, if it is known.
        how: String,
        /// What it said.
        said: String,
    },
    /// What was to be sent cannot be read.
    #[error("cannot send files to the pod: {0}")]
    Input(std::io::Error),
    /// Who was to receive the output gave up.
    #[error("the files of the pod were not received to their end")]
    HungUp,
    /// Something of it does not go away.
    #[error(
        "Job {job} in namespace {namespace} is still there after {} s; remove it with `kubectl delete job {job} -n {namespace}`",
        .limit.as_secs()
    )]
    StillThere {
        /// The Job.
        job: String,
        /// Its namespace.
        namespace: String,
        /// How long was waited.
        limit: Duration,
    },
}

impl JobError {
    /// Whether it says that nobody answers, and nothing of the stage.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Cluster(error) => error.is_unreachable(),
            Self::Lost { .. } => true,
            _ => false,
        }
    }
}

/// A Job that was created.
#[derive(Debug, Clone)]
pub struct StageJob {
    cluster: Cluster,
    name: String,
    uid: Option<String>,
}

/// Creates a Job. Its name must be free.
pub async fn create(cluster: &Cluster, request: &JobRequest) -> Result<StageJob, JobError> {
    let (jobs, job) = (cluster.api::<Job>(), object::job(request));
    let created = cluster.ask(jobs.create(&PostParams::default(), &job)).await?;
    Ok(StageJob { cluster: cluster.clone(), name: request.name.clone(), uid: created.metadata.uid })
}

/// Removes all Jobs that have these labels, and their pods; returns how many there were. Without a label nothing is
/// removed.
pub async fn remove(cluster: &Cluster, labels: &BTreeMap<String, String>, within: Duration) -> Result<usize, JobError> {
    if labels.is_empty() {
        return Ok(0);
    }
    let parameters = ListParams::default().labels(&selector(labels));
    let found = cluster.ask(cluster.api::<Job>().list(&parameters)).await?;
    let mut removed = 0;
    for job in found {
        let name = job.metadata.name.unwrap_or_default();
        let job = StageJob { cluster: cluster.clone(), name, uid: job.metadata.uid };
        job.delete().await?;
        job.gone(within).await?;
        removed += 1;
    }
    Ok(removed)
}

impl StageJob {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.cluster.namespace
    }

    /// Waits until its pod runs. What it waits for meanwhile is told to `say`.
    pub async fn pod(&self, say: &mut dyn FnMut(&str)) -> Result<JobPod, JobError> {
        let not_started = |reason: String| JobError::NotStarted { job: self.name.clone(), reason };
        let began = Instant::now();
        let mut start = Start::default();
        let mut said = String::new();
        loop {
            let elapsed = began.elapsed();
            let step = match self.find_pod().await {
                Ok(None) if elapsed > NO_POD => Start::without_pod(elapsed, self.creation_trouble().await),
                Ok(pod) => start.judge(pod.as_ref(), elapsed),
                Err(error) if error.is_unreachable() && elapsed < START => Step::Wait(error.to_string()),
                Err(error) => return Err(error),
            };
            match step {
                Step::Running(name) => return Ok(JobPod::new(self.clone(), name)),
                Step::Stuck(reason) => return Err(not_started(reason)),
                Step::Wait(reason) if elapsed > START => {
                    return Err(not_started(format!("{reason} (for {} minutes)", START.as_secs() / 60)));
                }
                Step::Wait(reason) => {
                    if reason != said {
                        say(&reason);
                        said = reason;
                    }
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Lets the cluster take it away with its pod.
    pub async fn delete(&self) -> Result<(), JobError> {
        let jobs = self.jobs();
        let deleting = async {
            match jobs.delete(&self.name, &DeleteParams::foreground()).await {
                Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
                deleted => deleted.map(drop),
            }
        };
        Ok(self.cluster.ask(deleting).await?)
    }

    /// Waits until nothing of it runs any more. Its objects may stay for a while after that.
    pub async fn stopped(&self, within: Duration) -> Result<(), JobError> {
        let began = Instant::now();
        while self.find_pod().await?.is_some_and(|pod| start::end_of(&pod).is_none()) {
            self.check_patience(began, within)?;
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits until nothing of it is there any more.
    pub async fn gone(&self, within: Duration) -> Result<(), JobError> {
        let began = Instant::now();
        while self.is_there().await? {
            self.check_patience(began, within)?;
            sleep(LOOK).await;
        }
        Ok(())
    }

    fn check_patience(&self, began: Instant, within: Duration) -> Result<(), JobError> {
        if began.elapsed() <= within {
            return Ok(());
        }
        Err(self.still_there(within))
    }

    /// That it did not go away within that time.
    pub fn still_there(&self, limit: Duration) -> JobError {
        JobError::StillThere { job: self.name.clone(), namespace: self.cluster.namespace.clone(), limit }
    }

    fn jobs(&self) -> Api<Job> {
        self.cluster.api()
    }

    fn pods(&self) -> Api<Pod> {
        self.cluster.api()
    }

    async fn is_there(&self) -> Result<bool, JobError> {
        let job = self.cluster.ask(self.jobs().get_opt(&self.name)).await?;
        // Another of the same name is not ours to wait for.
        let is_this = |job: &Job| self.uid.is_none() || job.metadata.uid == self.uid;
        Ok(job.as_ref().is_some_and(is_this) || self.find_pod().await?.is_some())
    }

    /// The pod that belongs to this very Job.
    async fn find_pod(&self) -> Result<Option<Pod>, JobError> {
        let parameters = ListParams::default().labels(&format!("job-name={}", self.name));
        let pods = self.cluster.ask(self.pods().list(&parameters)).await?;
        let is_own = |pod: &Pod| {
            let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
            self.uid.is_none() || owners.iter().any(|owner| Some(&owner.uid) == self.uid.as_ref())
        };
        Ok(pods.into_iter().find(is_own))
    }

    /// Why no pod is made: a quota, an admission rule. `None` also where events may not be read.
    async fn creation_trouble(&self) -> Option<String> {
        let events: Api<Event> = self.cluster.api();
        let fields = format!("involvedObject.kind=Job,involvedObject.name={}", self.name);
        let parameters = ListParams::default().fields(&fields);
        let found = self.cluster.ask(events.list(&parameters)).await.ok()?;
        let refused = found.into_iter().filter(|event| event.reason.as_deref() == Some("FailedCreate"));
        refused.filter_map(|event| event.message).next_back()
    }

    /// Why its pod is not there any more.
    async fn why_gone(&self) -> String {
        match self.cluster.ask(self.jobs().get_opt(&self.name)).await {
            Ok(Some(job)) => object::failure(&job).unwrap_or_else(|| {
                "its pod was deleted, by hand or because its node was drained; run the stage again".to_owned()
            }),
            Ok(None) => "its Job was deleted".to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

/// The pod of a Job.
#[derive(Debug, Clone)]
pub struct JobPod {
    job: StageJob,
    name: String,
}

impl JobPod {
    fn new(job: StageJob, name: String) -> Self {
        Self { job, name }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs a command in it. `input` goes to its standard input, which stays open behind it; the command must know by itself
    /// where it ends. Its output goes to `sink`. Silence on the connection beyond `silence` counts as its loss.
    pub async fn exec(
        &self,
        command: &[String],
        input: Option<Input>,
        sink: Sink<'_>,
        silence: Duration,
    ) -> Result<(), JobError> {
        let result = exec::exec(&self.job.pods(), &self.name, command, input, sink, silence).await;
        match result {
            // Whatever went wrong, a pod that is gone is the reason.
            Err(error) if !matches!(error, JobError::Input(_) | JobError::HungUp) => Err(self.explain(error).await),
            result => result,
        }
    }

    /// Gives every line of its log to `print`, each once, until its container has ended.
    pub async fn follow_log(&self, print: &mut dyn FnMut(&[u8])) {
        log::follow(self, print).await;
    }

    /// How its container ended; `None` while it runs.
    pub async fn ended(&self) -> Result<Option<String>, JobError> {
        match self.job.cluster.ask(self.job.pods().get_opt(&self.name)).await? {
            Some(pod) => Ok(start::end_of(&pod)),
            None => Ok(Some(self.job.why_gone().await)),
        }
    }

    async fn explain(&self, error: JobError) -> JobError {
        match self.ended().await {
            Ok(Some(reason)) => JobError::Ended { job: self.job.name.clone(), reason },
            _ => error,
        }
    }
}

fn selector(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_asks_for_all_labels_at_once() {
        let labels = BTreeMap::from([("a/b".to_owned(), "1".to_owned()), ("c".to_owned(), "x".to_owned())]);
        assert_eq!(selector(&labels), "a/b=1,c=x");
    }
}
