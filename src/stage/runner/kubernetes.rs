//! A stage as a Job on Kubernetes.
//!
//! ```text
//!  parcel ── tar ──▶ exec put ──▶ .start ──▶ the command runs ──▶ .exit ──▶ exec get ──▶ model, reports
//!                                            its log, line by line           .collected ──▶ the pod ends
//!                                            output.jsonl, every two seconds
//! ```
//!
//! The pod waits for its files and, behind the command, until they were collected; both with a limit, so that a pod whose
//! runner died ends by itself. All that is asked of the pod is asked again when the API server was lost on the way; nothing
//! of it changes anything when it is done twice. The Job goes on meanwhile. `farewell` takes it away at the end.
//!
//! Known gap: the image that an earlier stage made does not go along (`TRAINYARD_IMAGE` is not set).

mod farewell;
pub(super) mod hand;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use self::hand::{Ended, Hand, State};
use super::docker::out_of_memory;
use super::site::{self, Site};
use super::transfer::{self, ChannelReader, ChannelWriter, OutputFile, Parcel, TransferError};
use super::{CANCELLED, Cancel, PROGRAM, RemoteJob, RunnerError, image_of, pass_on};
use crate::config::ContainerSettings;
use crate::pipeline::quantity::counted;
use crate::target::kubernetes::job as jobs;
use crate::target::kubernetes::job::{Cluster, JobError, JobPod, JobRequest, Sink, StageJob};

/// The longest name of a Job, which leaves room for what the cluster adds in the name of its pod.
const LONGEST_NAME: usize = 57;
/// How long a left-over may take to go.
const LEFT_OVER: Duration = Duration::from_secs(90);
/// How long the way there and back may take beside the time of the stage itself, before the cluster ends the Job.
const WAYS: Duration = Duration::from_mins(30);
/// Pauses between two looks at a running stage: short ones first, for many stages are short. It cannot tell us by itself.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LOOK: Duration = Duration::from_secs(2);
/// How long a connection may be silent: for a short answer, and while files are sent.
const SHORT: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_mins(1);
/// How long the end of the log may take.
const LAST_WORDS: Duration = Duration::from_secs(15);
/// Pieces of a stream that are under way.
const PIECES: usize = 8;
/// From when on it is said that there is much to send.
const MUCH: u64 = 1 << 30;

/// Runs the stage as a Job; its exit code.
pub async fn run(
    job: &RemoteJob,
    settings: &ContainerSettings,
    site: &Site,
    cancel: &mut Cancel,
) -> Result<i32, RunnerError> {
    let own = job.own_labels()?;
    let image = image_of(job, settings).await?;
    let cluster = connect(settings).await?;
    jobs::remove(&cluster, &own, LEFT_OVER).await?;
    let visit = Visit::new(job, settings, site);
    let parcel = visit.pack().await?;
    let made = farewell::create(&cluster, &visit.request(image), &own).await?;
    println!("Job {} on {}, namespace {}", made.name(), cluster.context, cluster.namespace);
    let mut work = Box::pin(visit.carry_out(&made, &parcel));
    let ended = tokio::select! {
        ended = &mut work => Some(ended),
        () = cancel.raised() => None,
    };
    if let Some(ended) = ended {
        farewell::after(&made, &ended, cancel.raised()).await;
        return ended;
    }
    println!("cancelled: deleting Job {}", made.name());
    tokio::select! {
        stopped = farewell::stop(&made, job.grace) => stopped?,
        // The last words of the stage come meanwhile; how it ended does not matter any more.
        () = async {
            let _ = work.as_mut().await;
            std::future::pending::<()>().await;
        } => {}
    }
    Ok(CANCELLED)
}

/// Removes the Jobs that have all these labels; how many.
pub async fn remove(settings: &ContainerSettings, labels: &BTreeMap<String, String>) -> Result<usize, RunnerError> {
    let cluster = connect(settings).await?;
    Ok(jobs::remove(&cluster, labels, LEFT_OVER).await?)
}

async fn connect(settings: &ContainerSettings) -> Result<Cluster, RunnerError> {
    Ok(Cluster::connect(settings.context.as_deref(), settings.namespace.as_deref()).await?)
}

/// One stage on its way there and back.
struct Visit<'a> {
    job: &'a RemoteJob,
    settings: &'a ContainerSettings,
    here: &'a Site,
    there: Site,
    hand: Hand,
}

impl<'a> Visit<'a> {
    fn new(job: &'a RemoteJob, settings: &'a ContainerSettings, here: &'a Site) -> Self {
        // A built-in stage runs in an image of the program, which has no shell but can be its own hand.
        let hand = if job.built_in.is_some() { Hand::Agent } else { Hand::Shell };
        Self { job, settings, here, there: here.moved_to(Path::new(hand::ROOT)), hand }
    }

    fn request(&self, image: String) -> JobRequest {
        let program = self.job.built_in.is_some().then(|| Path::new(PROGRAM));
        let environment = self.there.environment(self.job, program);
        let command = site::command(self.job, Path::new(PROGRAM), &environment);
        JobRequest {
            name: self.job.name(LONGEST_NAME),
            labels: self.job.labels.clone(),
            image,
            command: self.hand.hold(&command),
            environment,
            limits: self.settings.limits,
            folder: hand::ROOT.to_owned(),
            deadline: self.job.timeout.map(|timeout| timeout + self.job.grace + WAYS),
            grace: self.job.grace,
        }
    }

    async fn pack(&self) -> Result<Arc<Parcel>, RunnerError> {
        let (job, here, there) = (self.job.clone(), self.here.clone(), self.there.clone());
        let packed = spawn_blocking(move || Parcel::of(&job, &here, &there)).await;
        let parcel = packed.map_err(|error| RunnerError::Runtime(io::Error::other(error)))??;
        Ok(Arc::new(parcel))
    }

    async fn carry_out(&self, made: &StageJob, parcel: &Arc<Parcel>) -> Result<i32, RunnerError> {
        let pod = made.pod(&mut |said: &str| println!("{said}")).await?;
        self.send(&pod, parcel).await?;
        let start = self.hand.mark(hand::START);
        persevere(async || ask(&pod, &start).await.map(drop)).await?;
        let mut print = |line: &[u8]| pass_on(&[line, b"\n"].concat());
        let mut log = pin!(pod.follow_log(&mut print));
        let mut is_over = false;
        let mut output = OutputFile::new(self.here, &self.there);
        let watched = Box::pin(beside(&mut log, &mut is_over, self.watch(&pod, &mut output))).await;
        let ended = match watched {
            Ok(ended) => ended,
            Err(error) => {
                finish(&mut log, is_over).await;
                return Err(error);
            }
        };
        let collected = Box::pin(beside(&mut log, &mut is_over, self.collect(&pod))).await;
        // A pod that does not hear that it may go is deleted all the same.
        let _ = ask(&pod, &self.hand.mark(hand::COLLECTED)).await;
        finish(&mut log, is_over).await;
        if ended.out_of_memory {
            println!("{}", out_of_memory(&self.settings.limits));
        }
        match collected {
            Err(error) if ended.code == 0 => return Err(error),
            // What the stage itself says matters more.
            Err(error) => println!("{error}"),
            Ok(()) => {}
        }
        Ok(ended.code)
    }

    async fn send(&self, pod: &JobPod, parcel: &Arc<Parcel>) -> Result<(), RunnerError> {
        let (files, bytes) = parcel.measure();
        println!("pod {} runs; sending {}, {} KiB", pod.name(), counted(files, "file"), bytes.div_ceil(1024));
        if bytes > MUCH {
            println!("that is much: what the stage does not need can be kept back by `.gitignore`");
        }
        let size = parcel.stream_size().map_err(|error| RunnerError::Job(JobError::Input(error)))?;
        persevere(async || self.send_once(pod, parcel, size).await).await
    }

    async fn send_once(&self, pod: &JobPod, parcel: &Arc<Parcel>, size: u64) -> Result<(), RunnerError> {
        let (sender, receiver) = mpsc::channel(PIECES);
        let parcel = Arc::clone(parcel);
        spawn_blocking(move || {
            let failed = sender.clone();
            if let Err(error) = parcel.write(ChannelWriter::new(sender)) {
                // Nobody is there to hear it when it is the connection that failed.
                let _ = failed.blocking_send(Err(error));
            }
        });
        let mut said = Vec::new();
        Ok(pod.exec(&self.hand.put(size), Some(receiver), Sink::Memory(&mut said), LONG).await?)
    }

    /// Looks at the stage until its command has ended, and brings its output meanwhile.
    async fn watch(&self, pod: &JobPod, output: &mut OutputFile<'_>) -> Result<Ended, RunnerError> {
        let mut pause = FIRST_LOOK;
        loop {
            sleep(pause).await;
            pause = (pause * 2).min(LOOK);
            let command = self.hand.state(output.received());
            let state = persevere(async || state(&ask(pod, &command).await?)).await?;
            output.add(&state.output)?;
            if state.output.len() >= hand::PIECE {
                // There is more already.
                pause = FIRST_LOOK;
            } else if let Some(ended) = state.ended {
                output.finish()?;
                return Ok(ended);
            }
        }
    }

    async fn collect(&self, pod: &JobPod) -> Result<(), RunnerError> {
        persevere(async || self.collect_once(pod).await).await
    }

    async fn collect_once(&self, pod: &JobPod) -> Result<(), RunnerError> {
        let folders: &'static [&'static str] =
            if self.job.produces_model { &["model", "reports"] } else { &["reports"] };
        let staging = self.here.attempt().join("collected");
        let (sender, receiver) = mpsc::channel(PIECES);
        let to = staging.clone();
        let unpacking = spawn_blocking(move || transfer::unpack(ChannelReader::new(receiver), &to, folders));
        let fetched = pod.exec(&self.hand.get(folders), None, Sink::Channel(sender), LONG).await;
        let unpacked = unpacking.await.unwrap_or_else(|error| Err(TransferError::Broken(io::Error::other(error))));
        match fetched {
            // Why nobody listened any more is known to who did not.
            Ok(()) | Err(JobError::HungUp) => unpacked?,
            Err(error) => return Err(error.into()),
        }
        for folder in folders {
            let to = if *folder == "model" { &self.here.model } else { &self.here.reports };
            transfer::place(&staging.join(folder), to)?;
        }
        // It is empty but for what nobody wants.
        let _ = fs::remove_dir_all(&staging);
        Ok(())
    }
}

/// What a command in the pod answers.
async fn ask(pod: &JobPod, command: &[String]) -> Result<Vec<u8>, RunnerError> {
    let mut said = Vec::new();
    pod.exec(command, None, Sink::Memory(&mut said), SHORT).await?;
    Ok(said)
}

fn state(said: &[u8]) -> Result<State, RunnerError> {
    let doing = "asking how far the stage is";
    let reason = || String::from_utf8_lossy(said.get(..said.len().min(80)).unwrap_or_default()).into_owned();
    hand::parse(said).ok_or_else(|| JobError::Lost { doing, reason: format!("it answered `{}`", reason()) }.into())
}

/// Lets the log come while something else is done.
async fn beside<T>(
    log: &mut (impl Future<Output = ()> + Unpin),
    is_over: &mut bool,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = &mut *log, if !*is_over => *is_over = true,
        }
    }
}

/// Lets the log come to its end.
async fn finish(log: &mut (impl Future<Output = ()> + Unpin), is_over: bool) {
    if !is_over {
        let _ = timeout(LAST_WORDS, log).await;
    }
}

/// How long, and after which pauses, something is tried again.
#[derive(Debug, Clone, Copy)]
struct Patience {
    limit: Duration,
    shortest: Duration,
    longest: Duration,
}

/// With a cluster.
const PATIENCE: Patience =
    Patience { limit: Duration::from_mins(10), shortest: Duration::from_millis(500), longest: Duration::from_secs(10) };

/// Does something again as long as it is the API server that was lost.
async fn persevere<T>(attempt: impl AsyncFnMut() -> Result<T, RunnerError>) -> Result<T, RunnerError> {
    persevere_within(PATIENCE, attempt).await
}

async fn persevere_within<T>(
    patience: Patience,
    mut attempt: impl AsyncFnMut() -> Result<T, RunnerError>,
) -> Result<T, RunnerError> {
    let mut lost: Option<Instant> = None;
    let mut is_told = false;
    let mut pause = patience.shortest;
    let span = span(patience.limit);
    loop {
        let error = match attempt().await {
            Ok(value) => {
                if is_told {
                    println!("the API server answers again");
                }
                return Ok(value);
            }
            Err(error) if error.is_unreachable() => error,
            Err(error) => return Err(error),
        };
        match lost {
            // Once is no matter.
            None => lost = Some(Instant::now()),
            Some(since) if since.elapsed() > patience.limit => {
                return Err(RunnerError::NotBack { span, reason: error.to_string() });
            }
            Some(_) if !is_told => {
                println!("{error}; the Job goes on, and the API server is tried again for up to {span}");
                is_told = true;
            }
            Some(_) => {}
        }
        sleep(pause).await;
        pause = (pause * 2).min(patience.longest);
    }
}

/// `28 s`, `10 minutes`.
fn span(limit: Duration) -> String {
    match limit.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} minutes", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::super::site::tests::{job, site};
    use super::*;

    fn request(job: &RemoteJob) -> JobRequest {
        let here = site(Path::new("/home/me/wine"));
        Visit::new(job, &ContainerSettings::default(), &here).request("i".to_owned())
    }

    #[test]
    fn a_command_is_held_by_a_shell_with_the_paths_of_the_pod() {
        let job = RemoteJob { timeout: Some(Duration::from_mins(1)), ..job(&["pytest", "$TRAINYARD_REPORTS"]) };
        let request = request(&job);
        assert_eq!(request.command.first().map(String::as_str), Some("sh"));
        assert_eq!(request.command.last().map(String::as_str), Some("/trainyard/reports"));
        assert_eq!(request.environment.get("TRAINYARD_OUTPUT").unwrap(), "/trainyard/output.jsonl");
        assert!(!request.environment.contains_key("TRAINYARD_BIN"));
        assert_eq!(request.deadline, Some(Duration::from_secs(60 + 5 + 1800)));
    }

    #[test]
    fn a_built_in_stage_is_held_by_the_program_itself() {
        let request = request(&RemoteJob { built_in: Some("train".to_owned()), ..job(&[]) });
        let expected = [PROGRAM, "agent", "hold", "--", PROGRAM, "stage", "train"];
        assert_eq!(request.command, expected);
        assert_eq!(request.environment.get("TRAINYARD_BIN").unwrap(), PROGRAM);
    }

    fn lost() -> RunnerError {
        JobError::Lost { doing: "asking", reason: "cut".to_owned() }.into()
    }

    /// Of somebody who has little time.
    const SHORT_OF_TIME: Patience = Patience {
        limit: Duration::from_millis(60),
        shortest: Duration::from_millis(1),
        longest: Duration::from_millis(10),
    };

    #[tokio::test]
    async fn a_cluster_that_comes_back_is_asked_again() {
        let mut left = 3;
        let answer = persevere_within(SHORT_OF_TIME, async || {
            left -= 1;
            if left > 0 { Err(lost()) } else { Ok("here") }
        });
        assert_eq!(answer.await.unwrap(), "here");
    }

    #[tokio::test]
    async fn a_cluster_that_does_not_come_back_is_given_up_as_unreachable() {
        let began = Instant::now();
        let error = persevere_within(SHORT_OF_TIME, async || Err::<(), _>(lost())).await.unwrap_err();
        assert!(matches!(error, RunnerError::NotBack { .. }) && error.is_unreachable(), "{error}");
        assert!(began.elapsed() >= SHORT_OF_TIME.limit);
    }

    #[tokio::test]
    async fn what_is_no_loss_is_not_tried_again() {
        let mut tries = 0;
        let answer = persevere_within(SHORT_OF_TIME, async || {
            tries += 1;
            Err::<(), _>(RunnerError::NoImage)
        });
        assert!(matches!(answer.await, Err(RunnerError::NoImage)));
        assert_eq!(tries, 1);
    }
}
