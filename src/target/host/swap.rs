//! How a process or a container takes over: start beside the present one, judge, switch, drain, stop the former.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::apply::{Host, Live};
use super::back_end::BackEnd;
use super::instance::{Instance, Material, adopt, start_container};
use super::records::Record;
use super::state::RecordedRelease;
use super::{health, seconds};
use crate::config::{DeployTarget, TargetKind};
use crate::disk::now;
use crate::pipeline::ReleaseId;
use crate::pipeline::quantity::counted;
use crate::target::docker;
use crate::target::docker::engine::{Engine, EngineError};
use crate::target::loopback::free_address;
use crate::target::process::{Launch, Running, Unpacked, release_log, unpack};
use crate::target::{ApplyRequest, Failure};

impl Host {
    /// Puts a release into service beside the present one.
    pub(super) async fn swap(self: &Arc<Self>, request: ApplyRequest, record: &Record) -> Result<(), Failure> {
        let release = request.release;
        if request.target.kind() == TargetKind::Docker {
            self.patiently(record, Engine::connect, EngineError::is_unreachable).await?;
        }
        let material = self.material(&request).await?;
        let keep: Vec<ReleaseId> = self.live_release().into_iter().collect();
        self.clear_left_over(&request, &keep).await;
        record.step(match self.live_release() {
            Some(former) => format!("starting release {release} beside release {former}"),
            None => format!("starting release {release}"),
        });
        let instance = self.start(&request, &material).await?;
        let within = request.healthy_within();
        let healthy = health::gate(&self.probe, &instance, &request.health_path, within, &mut self.stop_flag()).await;
        match healthy {
            Ok(after) => record.step(format!("healthy after {}", seconds(after))),
            Err(reason) => {
                // Read first: what was given up because the host ends was not judged.
                let was_stopped = self.is_stopping();
                let log_tail = self.withdraw(&instance).await;
                return Err(if was_stopped { Failure::not_tried(reason) } else { Failure::unfit(reason, log_tail) });
            }
        }
        match instance.join().await {
            Ok(note) => note.into_iter().for_each(|note| record.step(note)),
            Err(reason) => {
                self.withdraw(&instance).await;
                return Err(Failure::not_tried(format!("cannot join the services of its Compose project: {reason}")));
            }
        }
        let drain = request.drain();
        let live = RecordedRelease { request, since: now() };
        // Before the switch: a host that is killed in between is followed by one that knows the new release.
        if let Err(error) = self.persist(Some(&live)) {
            self.withdraw(&instance).await;
            return Err(Failure::not_tried(format!("cannot be recorded: {error}; make room and deploy again")));
        }
        let (former, back_end) = self.install(live, material, Some(instance.clone()));
        record.step(format!("switched: requests go to release {release}"));
        self.log.say(&format!("release {release} is live"));
        if let Some(note) = instance.took_over().await {
            record.step(note);
        }
        if let Some(former) = former {
            self.retire(former, back_end, drain, record).await;
        }
        Ok(())
    }

    /// Brings the release that was live up again, at the start of a host. What still runs without a host is adopted. If its
    /// files are gone, the host still runs, so that another release can be applied.
    pub async fn revive(self: &Arc<Self>, record: RecordedRelease) {
        let release = record.request.release;
        if record.request.target.kind() == TargetKind::Kubernetes {
            self.log.say(&format!("release {release} is on the cluster"));
            return self.revive_app(record);
        }
        self.clear_left_over(&record.request, &[release]).await;
        let material = match self.material(&record.request).await {
            Ok(material) => material,
            Err(Failure::NotTried { reason, .. } | Failure::Unfit { reason, .. }) => {
                return self.log.say(&format!("cannot bring release {release} up again: it {reason}"));
            }
        };
        let adopted = match adopt(&record.request).await {
            Ok(adopted) => adopted,
            Err(reason) => {
                self.log.say(&format!("cannot look for the container of release {release}: {reason}"));
                None
            }
        };
        if let Some(instance) = &adopted {
            self.settle(instance).await;
        }
        match &adopted {
            Some(instance) => self.log.say(&format!("adopted {} of release {release}", instance.name())),
            None => self.log.say(&format!("bringing release {release} up again")),
        }
        self.install(record, material, adopted);
    }

    /// Puts a container that came up again into its place among the services of its Compose project.
    pub(super) async fn settle(&self, instance: &Instance) {
        let joined = instance.join().await;
        let notes = joined.unwrap_or_else(Some).into_iter().chain(instance.took_over().await);
        notes.for_each(|note| self.log.say(&note));
    }

    /// Removes containers of other releases that a killed host left, or that an engine could not be told to end.
    async fn clear_left_over(&self, request: &ApplyRequest, keep: &[ReleaseId]) {
        if request.target.kind() != TargetKind::Docker {
            return;
        }
        match docker::remove_left_over(&request.folder, keep).await {
            Ok(removed) => {
                for name in &removed {
                    self.log.say(&format!("removed the left-over container {name}"));
                }
            }
            Err(error) => self.log.say(&format!("cannot look for left-over containers: {error}")),
        }
    }

    /// Waits for the requests of the former release and ends it.
    pub(super) async fn retire(
        &self,
        mut former: Live,
        back_end: Option<Arc<BackEnd>>,
        drain: Duration,
        record: &Record,
    ) {
        let release = former.record.request.release;
        if let Some(back_end) = back_end {
            let mut stop = self.stop_flag();
            tokio::select! {
                () = back_end.drained() => {
                    record.step(format!("drained: release {release} has answered all of its requests"));
                }
                () = tokio::time::sleep(drain) => {
                    let left = counted(back_end.in_flight(), "request");
                    let after = seconds(drain);
                    record.step(format!("release {release} still has {left} after {after}; what is left is cut off"));
                }
                () = health::raised(&mut stop) => {}
            }
        }
        former.retire.send_replace(true);
        if let Some(task) = former.task.take() {
            let _ = task.await;
        }
        if former.app.is_some() {
            self.leave_cluster(&former, record).await;
        }
        record.step(match self.remains_of(&former.record.request).await {
            None => format!("release {release} stopped"),
            Some(remains) => format!("release {release}: {remains}"),
        });
    }

    /// What is left of a former release that ran as a container, or is to be done about it.
    async fn remains_of(&self, former: &ApplyRequest) -> Option<String> {
        let DeployTarget::Docker(settings) = &former.target else { return None };
        let (keep, is_elsewhere) = {
            let desk = self.desk();
            let live = desk.live.as_ref().map(|live| &live.record.request);
            let is_elsewhere = live.is_some_and(|live| live.target.kind() != TargetKind::Docker);
            (live.map(|live| live.release).into_iter().collect::<Vec<_>>(), is_elsewhere)
        };
        if let Err(error) = docker::remove_left_over(&former.folder, &keep).await {
            return Some(format!("its container may still run: {error}"));
        }
        if is_elsewhere { docker::compose::way_back(settings).await } else { None }
    }

    /// Ends a release that does not get to serve, and gives its last words.
    async fn withdraw(&self, instance: &Instance) -> Vec<String> {
        // A container takes its log with it.
        let before = instance.log_tail().await;
        self.stop_instance(instance).await;
        match instance {
            Instance::Process(_) => instance.log_tail().await,
            Instance::Container(_) => before,
        }
    }

    /// Ends an instance and takes it out of the record. A container outlives a host that only makes room for the next.
    pub(super) async fn end(&self, instance: &Instance) {
        if matches!(instance, Instance::Container(_)) && self.is_stopping() && !self.ends_all() {
            return;
        }
        self.stop_instance(instance).await;
    }

    async fn stop_instance(&self, instance: &Instance) {
        if let Err(error) = instance.stop().await {
            self.log.say(&format!("cannot end what ran at {}: {error}", instance.address()));
        }
        self.forget(instance);
    }

    /// What the release is started from.
    pub(super) async fn material(&self, request: &ApplyRequest) -> Result<Material, Failure> {
        if request.target.kind() != TargetKind::Process {
            return Ok(Material::InEngine);
        }
        let (releases, image, digest) = (self.releases.clone(), request.image.clone(), request.digest.clone());
        match spawn_blocking(move || unpack(&releases, &image, &digest)).await {
            Ok(Ok(unpacked)) => Ok(Material::Unpacked(Box::new(unpacked))),
            Ok(Err(error)) => Err(Failure::not_tried(format!("could not be unpacked: {error}"))),
            Err(error) => Err(Failure::not_tried(format!("could not be unpacked: {error}"))),
        }
    }

    /// Starts an instance of a release and records it, so that it cannot outlive the next host.
    pub(super) async fn start(&self, request: &ApplyRequest, material: &Material) -> Result<Instance, Failure> {
        match material {
            Material::Unpacked(unpacked) => self.start_process(request, unpacked).map(Instance::Process),
            Material::InEngine => start_container(request).await,
        }
    }

    fn start_process(&self, request: &ApplyRequest, unpacked: &Unpacked) -> Result<Running, Failure> {
        let address = free_address().map_err(|error| Failure::not_tried(format!("got no free port: {error}")))?;
        let launch = Launch::new(request, unpacked, address).ok_or_else(|| {
            Failure::not_tried("has no command: set `command` in the deploy stage, or an entry point in the image")
        })?;
        let log = release_log(&self.releases, request.release);
        let running = Running::start(request.release, &launch, address, &log)
            .map_err(|error| Failure::not_tried(format!("could not be started: {error}")))?;
        self.desk().children.push(running.process);
        if let Err(error) = self.persist(None) {
            self.log.say(&format!("cannot record process {}: {error}", running.process.pid));
        }
        Ok(running)
    }

    /// Takes a process that is gone out of the record.
    pub(super) fn forget(&self, instance: &Instance) {
        let Some(process) = instance.process() else { return };
        self.desk().children.retain(|child| *child != process);
        if let Err(error) = self.persist(None) {
            self.log.say(&format!("cannot record the end of process {}: {error}", process.pid));
        }
    }
}
