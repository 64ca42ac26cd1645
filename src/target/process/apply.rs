//! How a release takes over: start beside the present one, judge, switch, drain, stop the former.
//!
//! One at a time. An apply goes on when the one who asked for it is gone; its record can be asked for again.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use super::launch::Launch;
use super::log::HostLog;
use super::proxy::{BackEnd, Switch};
use super::release::{Running, free_address, release_log};
use super::state::{HostState, RecordedProcess, RecordedRelease};
use super::supervise::{Supervised, supervise};
use super::unpack::{Unpacked, unpack};
use super::{address, health, seconds};
use crate::disk::{Layout, boot_id, now};
use crate::pipeline::ReleaseId;
use crate::target::{ApplyRequest, ApplyResponse, LiveRelease, TargetStatus};

/// Records of past applies that can be asked for.
const RECORDS: usize = 32;
/// How long requests may take to finish when the host itself is stopped.
const LAST_DRAIN: Duration = Duration::from_secs(5);

/// What an apply told so far.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The steps, in words.
    pub steps: Vec<String>,
    /// What became of it, once it is over.
    pub outcome: Option<ApplyResponse>,
}

/// The record of one apply, which any number of listeners may follow.
#[derive(Debug)]
pub struct Record {
    release: ReleaseId,
    told: watch::Sender<Told>,
}

impl Record {
    fn new(release: ReleaseId) -> Self {
        Self { release, told: watch::Sender::new(Told::default()) }
    }

    fn step(&self, text: String) {
        self.told.send_modify(|told| told.steps.push(text));
    }

    fn finish(&self, outcome: ApplyResponse) {
        self.told.send_modify(|told| told.outcome = Some(outcome));
    }

    /// What was told and what will be.
    pub fn follow(&self) -> watch::Receiver<Told> {
        self.told.subscribe()
    }
}

/// The release in service and the task that keeps it alive.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) generation: u64,
    pub(super) record: RecordedRelease,
    pub(super) restarts: u64,
    pub(super) last_exit: Option<String>,
    retire: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

/// What the host knows at a moment.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) live: Option<Live>,
    applying: Option<Arc<Record>>,
    records: VecDeque<Arc<Record>>,
    children: Vec<RecordedProcess>,
    generations: u64,
}

/// Why a release was refused.
enum Refusal {
    /// The release itself was found unfit.
    Unfit { reason: String, log_tail: Vec<String> },
    /// Something else stood in the way.
    NotTried { reason: String },
}

impl Refusal {
    fn not_tried(reason: String) -> Self {
        Self::NotTried { reason }
    }
}

/// The engine of the process target.
#[derive(Debug)]
pub struct Host {
    releases: PathBuf,
    port: u16,
    pub(super) log: HostLog,
    pub(super) probe: reqwest::Client,
    pub(super) switch: Arc<Switch>,
    /// Raised once, when the host is to end.
    stop: watch::Sender<bool>,
    desk: Mutex<Desk>,
}

impl Host {
    /// A host without a release.
    pub fn new(layout: &Layout, port: u16, log: HostLog, probe: reqwest::Client) -> Self {
        Self {
            releases: layout.releases(),
            port,
            log,
            probe,
            switch: Arc::new(Switch::default()),
            stop: watch::Sender::new(false),
            desk: Mutex::default(),
        }
    }

    /// Where requests go.
    pub fn switch(&self) -> Arc<Switch> {
        Arc::clone(&self.switch)
    }

    /// What the host does now.
    pub fn status(&self) -> TargetStatus {
        let back_end = self.switch.live();
        let desk = self.desk();
        let live = desk.live.as_ref().map(|live| LiveRelease {
            release: live.record.request.release,
            digest: live.record.request.digest.clone(),
            model_version: live.record.request.model_version,
            since: live.record.since,
            serving: back_end.is_some(),
            restarts: live.restarts,
            last_exit: live.last_exit.clone(),
            in_flight: back_end.map(|back_end| back_end.in_flight()).unwrap_or_default(),
        });
        TargetStatus {
            address: address(self.port),
            live,
            applying: desk.applying.as_ref().map(|record| record.release),
        }
    }

    /// Begins to apply a release, or joins the apply of it that is under way. `Err` names another that is.
    pub fn begin(self: &Arc<Self>, request: ApplyRequest) -> Result<Arc<Record>, ReleaseId> {
        let record = {
            let mut desk = self.desk();
            if let Some(record) = &desk.applying {
                return if record.release == request.release { Ok(Arc::clone(record)) } else { Err(record.release) };
            }
            let record = Arc::new(Record::new(request.release));
            desk.records.push_back(Arc::clone(&record));
            if desk.records.len() > RECORDS {
                desk.records.pop_front();
            }
            if *self.stop.borrow() {
                let reason = "came when the host was being stopped".to_owned();
                record.finish(ApplyResponse::NotTried { reason, kept: None });
                return Ok(record);
            }
            let live = desk.live.as_ref().map(|live| &live.record.request);
            let is_live = live.is_some_and(|live| live.release == request.release && live.digest == request.digest);
            if is_live && self.switch.live().is_some() {
                record.finish(ApplyResponse::Live { address: address(self.port) });
                return Ok(record);
            }
            desk.applying = Some(Arc::clone(&record));
            record
        };
        tokio::spawn(Arc::clone(self).apply(request, Arc::clone(&record)));
        Ok(record)
    }

    /// The record of the last apply of a release.
    pub fn record(&self, release: ReleaseId) -> Option<Arc<Record>> {
        self.desk().records.iter().rev().find(|record| record.release == release).cloned()
    }

    /// Brings the release that was live up again, at the start of a host.
    pub fn revive(self: &Arc<Self>, record: RecordedRelease, unpacked: Unpacked) {
        self.install(record, unpacked, None);
    }

    /// Raises the flag that ends the host.
    pub fn request_stop(&self) {
        self.stop.send_replace(true);
    }

    /// The flag that ends the host.
    pub fn stop_flag(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Ends all that runs. The release stays recorded as the live one, so that the next host brings it up again.
    pub async fn shut_down(&self) {
        self.request_stop();
        let applying = self.desk().applying.clone();
        if let Some(record) = applying {
            // Bound and dropped, because what `wait_for` returns holds a lock.
            let _ = record.follow().wait_for(|told| told.outcome.is_some()).await;
        }
        if let Some(back_end) = self.switch.replace(None) {
            let _ = tokio::time::timeout(LAST_DRAIN, back_end.drained()).await;
        }
        let task = self.desk().live.as_mut().and_then(|live| {
            live.retire.send_replace(true);
            live.task.take()
        });
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    async fn apply(self: Arc<Self>, request: ApplyRequest, record: Arc<Record>) {
        let release = request.release;
        let outcome = match self.put_into_service(request, &record).await {
            Ok(()) => ApplyResponse::Live { address: address(self.port) },
            Err(Refusal::Unfit { reason, log_tail }) => {
                self.log.say(&format!("release {release} {reason}"));
                ApplyResponse::Rejected { reason, log_tail, kept: self.live_release() }
            }
            Err(Refusal::NotTried { reason }) => {
                self.log.say(&format!("release {release} {reason}"));
                ApplyResponse::NotTried { reason, kept: self.live_release() }
            }
        };
        // First, so that whoever reads the outcome may apply the next at once.
        self.desk().applying = None;
        record.finish(outcome);
    }

    async fn put_into_service(self: &Arc<Self>, request: ApplyRequest, record: &Record) -> Result<(), Refusal> {
        let release = request.release;
        let unpacked = self.unpacked(&request).await.map_err(Refusal::not_tried)?;
        record.step(match self.live_release() {
            Some(former) => format!("starting release {release} beside release {former}"),
            None => format!("starting release {release}"),
        });
        let running = self.start(&request, &unpacked).map_err(Refusal::not_tried)?;
        let within = request.healthy_within();
        let healthy = health::gate(&self.probe, &running, &request.health_path, within, &mut self.stop_flag()).await;
        match healthy {
            Ok(after) => record.step(format!("healthy after {}", seconds(after))),
            Err(reason) => {
                // Read first: what was given up because the host ends was not judged.
                let was_stopped = *self.stop.borrow();
                let log_tail = self.withdraw(&running).await;
                return Err(if was_stopped {
                    Refusal::NotTried { reason }
                } else {
                    Refusal::Unfit { reason, log_tail }
                });
            }
        }
        let drain = request.drain();
        let live = RecordedRelease { request, since: now() };
        // Before the switch: a host that is killed in between is followed by one that knows the new release.
        if let Err(error) = self.persist(Some(&live)) {
            self.withdraw(&running).await;
            return Err(Refusal::not_tried(format!("cannot be recorded: {error}; make room and deploy again")));
        }
        let (former, back_end) = self.install(live, unpacked, Some(running));
        record.step(format!("switched: requests go to release {release}"));
        self.log.say(&format!("release {release} is live"));
        if let Some(former) = former {
            self.retire(former, back_end, drain, record).await;
        }
        Ok(())
    }

    /// Makes a release the live one and hands it to a task that keeps it alive; returns the former.
    fn install(
        self: &Arc<Self>,
        record: RecordedRelease,
        unpacked: Unpacked,
        running: Option<Running>,
    ) -> (Option<Live>, Option<Arc<BackEnd>>) {
        let (retire, retired) = watch::channel(false);
        let mut desk = self.desk();
        desk.generations += 1;
        let generation = desk.generations;
        let back_end = self.switch.replace(running.as_ref().map(|running| BackEnd::new(running.address)));
        let request = record.request.clone();
        let supervised = Supervised { generation, request, unpacked, retired };
        let task = Some(tokio::spawn(supervise(Arc::clone(self), supervised, running)));
        let live = Live { generation, record, restarts: 0, last_exit: None, retire, task };
        (desk.live.replace(live), back_end)
    }

    /// Waits for the requests of the former release and ends it.
    async fn retire(&self, mut former: Live, back_end: Option<Arc<BackEnd>>, drain: Duration, record: &Record) {
        let release = former.record.request.release;
        if let Some(back_end) = back_end {
            let mut stop = self.stop_flag();
            tokio::select! {
                () = back_end.drained() => {
                    record.step(format!("drained: release {release} has answered all of its requests"));
                }
                () = tokio::time::sleep(drain) => {
                    let left = back_end.in_flight();
                    let after = seconds(drain);
                    record.step(format!("release {release} still has {left} requests after {after}; they are cut off"));
                }
                () = health::raised(&mut stop) => {}
            }
        }
        former.retire.send_replace(true);
        if let Some(task) = former.task.take() {
            let _ = task.await;
        }
        record.step(format!("release {release} stopped"));
    }

    /// Ends a release that does not get to serve, and gives its last words.
    async fn withdraw(&self, running: &Running) -> Vec<String> {
        running.stop().await;
        self.forget(running);
        running.log_tail()
    }

    async fn unpacked(&self, request: &ApplyRequest) -> Result<Unpacked, String> {
        let (releases, image, digest) = (self.releases.clone(), request.image.clone(), request.digest.clone());
        match spawn_blocking(move || unpack(&releases, &image, &digest)).await {
            Ok(Ok(unpacked)) => Ok(unpacked),
            Ok(Err(error)) => Err(format!("could not be unpacked: {error}")),
            Err(error) => Err(format!("could not be unpacked: {error}")),
        }
    }

    /// Starts a process of a release and records it, so that it cannot outlive the next host.
    pub(super) fn start(&self, request: &ApplyRequest, unpacked: &Unpacked) -> Result<Running, String> {
        let address = free_address().map_err(|error| format!("got no free port: {error}"))?;
        let launch = Launch::new(request, unpacked, address)
            .ok_or("has no command: set `command` in the deploy stage, or an entry point in the image")?;
        let log = release_log(&self.releases, request.release);
        let running = Running::start(request.release, &launch, address, &log)
            .map_err(|error| format!("could not be started: {error}"))?;
        self.desk().children.push(running.process);
        if let Err(error) = self.persist(None) {
            self.log.say(&format!("cannot record process {}: {error}", running.process.pid));
        }
        Ok(running)
    }

    /// Takes a process that is gone out of the record.
    pub(super) fn forget(&self, running: &Running) {
        self.desk().children.retain(|child| *child != running.process);
        if let Err(error) = self.persist(None) {
            self.log.say(&format!("cannot record the end of process {}: {error}", running.process.pid));
        }
    }

    /// Writes what the next host must know; `live` is what is about to be the live release, if that is to change.
    fn persist(&self, live: Option<&RecordedRelease>) -> std::io::Result<()> {
        // Under the lock, so that an older state cannot be written over a newer one.
        let desk = self.desk();
        let live = live.or(desk.live.as_ref().map(|live| &live.record)).cloned();
        let state = HostState { boot: boot_id(), live, children: desk.children.clone() };
        state.write(&HostState::path(&self.releases))
    }

    /// The release that serves, or should.
    pub(super) fn live_release(&self) -> Option<ReleaseId> {
        self.desk().live.as_ref().map(|live| live.record.request.release)
    }

    /// The lock is held for moments only and never across an await; it comes before that of the switch.
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
