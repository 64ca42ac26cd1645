//! The host's desk: what is live, what is being applied, and what an operator may ask for.
//!
//! One apply at a time. An apply goes on when the one who asked for it is gone; its record can be asked for again. How a
//! release takes over is the affair of [`super::swap`] for processes and containers, and of [`super::cluster`] for a cluster.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::address;
use super::back_end::{BackEnd, Switch};
use super::cluster::App;
use super::ending::{Farewell, end_recorded};
use super::instance::{Instance, Material};
use super::log::HostLog;
use super::records::Record;
use super::state::{HostState, RecordedRelease};
use super::supervise::{Supervised, supervise};
use crate::config::TargetKind;
use crate::disk::{Layout, boot_id};
use crate::pipeline::ReleaseId;
use crate::target::process::RecordedProcess;
use crate::target::{ApplyRequest, ApplyResponse, Failure, IMAGE_FORM, LiveRelease, TargetStatus};

/// Records of past applies that can be asked for.
const RECORDS: usize = 32;
/// How long requests may take to finish when the host itself is stopped.
const LAST_DRAIN: Duration = Duration::from_secs(5);

/// The release in service and the task that keeps it alive.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) generation: u64,
    pub(super) record: RecordedRelease,
    pub(super) restarts: u64,
    pub(super) last_exit: Option<String>,
    /// The process or container that serves, where the host itself runs it.
    pub(super) instance: Option<Instance>,
    /// The app on the cluster, where that runs it.
    pub(super) app: Option<App>,
    pub(super) retire: watch::Sender<bool>,
    pub(super) task: Option<JoinHandle<()>>,
}

/// What the host knows at a moment.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) live: Option<Live>,
    applying: Option<Arc<Record>>,
    records: VecDeque<Arc<Record>>,
    pub(super) children: Vec<RecordedProcess>,
    pub(super) generations: u64,
    /// A canary that waits for its judgement.
    pub(super) canary: Option<ApplyRequest>,
}

/// The engine of all targets.
#[derive(Debug)]
pub struct Host {
    pub(super) releases: PathBuf,
    project: PathBuf,
    pub(super) port: u16,
    pub(super) log: HostLog,
    pub(super) probe: reqwest::Client,
    pub(super) switch: Arc<Switch>,
    /// Raised once, when the host is to end.
    stop: watch::Sender<bool>,
    ends_all: AtomicBool,
    farewell: Mutex<Farewell>,
    desk: Mutex<Desk>,
}

impl Host {
    /// A host without a release.
    pub fn new(layout: &Layout, port: u16, log: HostLog, probe: reqwest::Client) -> Self {
        Self {
            releases: layout.releases(),
            project: layout.project().to_owned(),
            port,
            log,
            probe,
            switch: Arc::new(Switch::default()),
            stop: watch::Sender::new(false),
            ends_all: AtomicBool::new(false),
            farewell: Mutex::default(),
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
            serving: back_end.as_ref().is_some_and(|back_end| back_end.can_serve()),
            restarts: live.restarts,
            last_exit: live.last_exit.clone(),
            in_flight: back_end.map(|back_end| back_end.in_flight()).unwrap_or_default(),
        });
        TargetStatus {
            address: address(self.port),
            live,
            applying: desk.applying.as_ref().map(|record| record.release),
            image_form: IMAGE_FORM,
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
                record.finish(ApplyResponse::NotTried { reason, kept: None, unreachable: false });
                return Ok(record);
            }
            let live = desk.live.as_ref().map(|live| &live.record.request);
            let is_live = live.is_some_and(|live| live.release == request.release && live.digest == request.digest);
            if is_live && self.switch.live().is_some_and(|back_end| back_end.can_serve()) {
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

    /// Raises the flag that ends the host. Unless `all` is to end, containers and pods go on serving.
    pub fn request_stop(&self, all: bool) {
        self.ends_all.fetch_or(all, Ordering::Relaxed);
        self.stop.send_replace(true);
    }

    /// Whether containers and pods end with the host.
    pub(super) fn ends_all(&self) -> bool {
        self.ends_all.load(Ordering::Relaxed)
    }

    /// The flag that ends the host.
    pub fn stop_flag(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Whether the host is to end.
    pub(super) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Ends all that runs on this machine. The release stays recorded as the live one, so that the next host brings it up
    /// again.
    pub async fn shut_down(&self) {
        self.request_stop(false);
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
        if self.ends_all() {
            let farewell = end_recorded(&self.releases, &self.project).await;
            farewell.left.iter().chain(&farewell.notes).for_each(|told| self.log.say(told));
            *self.farewell.lock().unwrap_or_else(PoisonError::into_inner) = farewell;
        }
    }

    /// What is to be told once all has ended.
    pub(super) fn farewell(&self) -> Farewell {
        self.farewell.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens the record of something that is about to be done; `Err` is what is being applied.
    pub(super) fn open(&self, release: ReleaseId) -> Result<Arc<Record>, Arc<Record>> {
        let mut desk = self.desk();
        if let Some(record) = &desk.applying {
            return Err(Arc::clone(record));
        }
        let record = Arc::new(Record::new(release));
        desk.records.push_back(Arc::clone(&record));
        desk.applying = Some(Arc::clone(&record));
        Ok(record)
    }

    /// Closes it. The desk is cleared first, so that whoever reads the outcome may apply the next at once.
    pub(super) fn close(&self, release: ReleaseId, record: &Record, outcome: Result<ApplyResponse, Failure>) {
        let outcome = outcome.unwrap_or_else(|failure| {
            let kept = self.live_release();
            match failure {
                Failure::Unfit { reason, log_tail } => {
                    self.log.say(&format!("release {release} {reason}"));
                    ApplyResponse::Rejected { reason, log_tail, kept }
                }
                Failure::NotTried { reason, unreachable } => {
                    self.log.say(&format!("release {release} {reason}"));
                    ApplyResponse::NotTried { reason, kept, unreachable }
                }
            }
        });
        self.desk().applying = None;
        record.finish(outcome);
    }

    async fn apply(self: Arc<Self>, request: ApplyRequest, record: Arc<Record>) {
        let release = request.release;
        let outcome = match request.target.kind() {
            TargetKind::Process | TargetKind::Docker => {
                self.swap(request, &record).await.map(|()| ApplyResponse::Live { address: address(self.port) })
            }
            TargetKind::Kubernetes => Box::pin(self.roll_out(request, &record)).await,
        };
        self.close(release, &record, outcome);
    }

    /// Makes a release the live one and hands it to a task that keeps it alive; returns the former and where its requests
    /// went.
    pub(super) fn install(
        self: &Arc<Self>,
        record: RecordedRelease,
        material: Material,
        instance: Option<Instance>,
    ) -> (Option<Live>, Option<Arc<BackEnd>>) {
        let (retire, retired) = watch::channel(false);
        let mut desk = self.desk();
        desk.generations += 1;
        let generation = desk.generations;
        let back_end = self.switch.replace(instance.as_ref().map(|instance| BackEnd::new(instance.address())));
        let request = record.request.clone();
        let supervised = Supervised { generation, request, material, retired };
        let task = Some(tokio::spawn(supervise(Arc::clone(self), supervised, instance.clone())));
        let live = Live { generation, record, restarts: 0, last_exit: None, instance, app: None, retire, task };
        (desk.live.replace(live), back_end)
    }

    /// Writes what the next host must know; `live` is what is about to be the live release, if that is to change.
    pub(super) fn persist(&self, live: Option<&RecordedRelease>) -> std::io::Result<()> {
        // Under the lock, so that an older state cannot be written over a newer one.
        let desk = self.desk();
        let live = live.or(desk.live.as_ref().map(|live| &live.record)).cloned();
        let state = HostState { boot: boot_id(), live, children: desk.children.clone(), canary: desk.canary.clone() };
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
