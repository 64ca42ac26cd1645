//! Doing in the world what was decided, and reporting back.

use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::core::{CoreHandle, Effect};
use super::launch::{self, Launch};
use super::outcome::{self, Gathered};
use super::prune::prune;
use super::redact::Redactor;
use super::release_host::ReleaseHost;
use super::spool::{LineCount, LogReader};
use super::status::Status;
use super::supervisor::AttemptFolder;
use super::training;
use crate::api::types::{LogAddress, StageProgress};
use crate::config::{Runner, Settings};
use crate::disk::Layout;
use crate::pipeline::{Attempt, Digest, Failure, Input, Outcome, Outputs, RunId, StageKind, StageName, StageState};
use crate::stage::runner;
use crate::target::engine_image::EngineImage;
use crate::target::{self, labels};

/// How often a running stage's output is looked at, for people; nothing is decided on it.
const LOOK: Duration = Duration::from_millis(100);
/// How long a stop waits for a supervisor that has only just been started: until it has come, or was given up.
const STARTING: Duration = launch::FIRST_SIGN.saturating_add(Duration::from_secs(2));

/// The configuration in force.
pub type CurrentSettings = Arc<RwLock<Arc<Settings>>>;

/// The configuration in force, whatever a panicking writer left.
pub fn current(settings: &CurrentSettings) -> Arc<Settings> {
    settings.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
}

/// Carries out effects.
#[derive(Clone)]
pub struct Effects {
    /// The project.
    pub layout: Layout,
    /// The configuration.
    pub settings: CurrentSettings,
    /// To whom results are reported.
    pub core: CoreHandle,
    /// What people see of it meanwhile.
    pub status: Status,
    /// This program.
    pub program: PathBuf,
    /// What runs releases.
    pub host: ReleaseHost,
}

impl Effects {
    /// Until the core ends: every effect in a task of its own.
    pub async fn run(self, mut effects: mpsc::UnboundedReceiver<Effect>) {
        while let Some(effect) = effects.recv().await {
            let this = self.clone();
            tokio::spawn(async move {
                match effect {
                    Effect::Start { run, stage, attempt } => Box::pin(this.attempt(run, stage, attempt)).await,
                    Effect::Stop { run, stage } => this.stop(run, stage).await,
                    Effect::Verify { run, stage } => this.verify(run, stage).await,
                    Effect::Prune => this.prune().await,
                }
            });
        }
    }

    /// Starts an attempt, or finds the one that an earlier daemon started, and stays with it to its end.
    async fn attempt(self, run: RunId, stage: StageName, attempt: Attempt) {
        let name = stage.clone();
        let found = self.core.look(move |state, _| Launch::of(state, run, &name, attempt)).await.flatten();
        let Some(found) = found else { return };
        let settings = current(&self.settings);
        let kind = settings.stage(&stage).map_or(StageKind::Command, super::super::config::StageSettings::kind);
        let folder = found.folder(&self.layout);
        let redactor = self.redactor().await;
        if let Some(deploy) = settings.deploy().filter(|_| kind == StageKind::Deploy) {
            if folder.has_begun() {
                self.host.ensure_for_begun(deploy.port).await;
            } else if let Err(error) = self.host.ensure(deploy.port).await {
                return self.not_started(run, stage, attempt, redactor.redact(&error).into_owned());
            }
        }
        // One that an earlier daemon started is stopped below; one that never was is over, and is not begun any more.
        if !folder.has_begun()
            && self.is_stopping(run, &stage).await
            && folder.give_up("it was stopped before it began".to_owned()).unwrap_or(true)
        {
            let (outcome, outputs) = (Outcome::Cancelled, Outputs::default());
            return self.core.input(Input::Ended { run, stage, attempt, outcome, outputs, output_held: false });
        }
        let (layout, program, launch) = (self.layout.clone(), self.program.clone(), found.clone());
        let started = spawn_blocking(move || launch.start(&layout, &settings, &program)).await;
        let problem = match started {
            Ok(Ok(notes)) => {
                for note in notes {
                    self.core.input(Input::Note(format!("run {run}, {stage}: {}", redactor.redact(&note))));
                }
                None
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = problem {
            return self.not_started(run, stage, attempt, redactor.redact(&error).into_owned());
        }
        // A stop that came while all this was prepared found nobody to tell.
        if self.is_stopping(run, &stage).await {
            self.clone().stop(run, stage.clone()).await;
        }
        let address = LogAddress { run, stage: stage.clone(), attempt };
        tokio::select! {
            () = launch::ended(&folder) => {}
            () = self.tell(&folder, &address, &redactor) => {}
        }
        // What was printed last, before the end is told.
        self.tell_log(&folder, &address, &mut None).await;
        let gathered = self.gather(&found, folder, kind, redactor).await;
        self.status.quiet(run, &stage);
        for note in gathered.notes {
            self.core.input(Input::Note(format!("run {run}, {stage}: {note}")));
        }
        let Gathered { outcome, outputs, output_held, .. } = gathered;
        self.core.input(Input::Ended { run, stage, attempt, outcome, outputs, output_held });
    }

    fn not_started(&self, run: RunId, stage: StageName, attempt: Attempt, error: String) {
        let outcome = Outcome::Failed(Failure::NotStarted { error });
        self.core.input(Input::Ended { run, stage, attempt, outcome, outputs: Outputs::default(), output_held: false });
    }

    async fn is_stopping(&self, run: RunId, stage: &StageName) -> bool {
        let stage = stage.clone();
        let found = self.core.look(move |state, _| {
            let entry = state.runs.get(&run)?.stages.get(&stage)?;
            Some(matches!(entry.state, StageState::Running { stopping: Some(_), .. }))
        });
        found.await.flatten().unwrap_or(false)
    }

    /// What takes out the secrets that are known now, at the start of an attempt.
    async fn redactor(&self) -> Arc<Redactor> {
        self.core.door().renewed_for_task().await
    }

    async fn gather(
        &self,
        launch: &Launch,
        folder: AttemptFolder,
        kind: StageKind,
        redactor: Arc<Redactor>,
    ) -> Gathered {
        let layout = self.layout.clone();
        let writes = launch.run.stages.get(&launch.stage).and_then(|stage| stage.writes_model);
        let (settings, made_by) = (current(&self.settings), launch.clone());
        let read = spawn_blocking(move || {
            let mut gathered = outcome::gather(&layout, &folder, kind, writes, &redactor);
            training::conclude(&layout, &settings, &made_by, &mut gathered);
            if gathered.outcome == Outcome::Interrupted {
                launch::end_orphans(&folder);
                // The supervisor that was killed has not done it.
                if let Err(error) = folder.redact(&redactor) {
                    gathered.notes.push(format!("its output or its reports may hold a secret: {error}"));
                }
            }
            // Also out of what was said since.
            gathered.redact(&redactor);
            gathered
        });
        let mut gathered = read.await.unwrap_or_else(|_| Gathered::interrupted());
        // Whatever ended the stage may have ended only the process that stood for it here.
        if gathered.outcome != Outcome::Passed {
            self.end_remote(launch).await;
        }
        if kind == StageKind::Deploy {
            gathered.outputs.live = self.host.live_behind(launch.release.as_ref().map(|release| release.id)).await;
        }
        gathered
    }

    /// Ends what a killed stage left in an engine or on a cluster.
    async fn end_remote(&self, launch: &Launch) {
        let settings = current(&self.settings);
        let Some(stage) = settings.stage(&launch.stage).filter(|stage| stage.runner != Runner::Local) else { return };
        let owner = labels::folder(self.layout.project());
        let left = runner::remove_left_over(&stage.runner, &owner, launch.run.id, &launch.stage, launch.attempt).await;
        if let Err(error) = left {
            let (run, stage) = (launch.run.id, &launch.stage);
            self.core.input(Input::Note(format!("run {run}, {stage}: what was left of it cannot be removed: {error}")));
        }
    }

    /// Tells people how far a stage is, until it is over.
    async fn tell(&self, folder: &AttemptFolder, address: &LogAddress, redactor: &Arc<Redactor>) {
        let mut said = StageProgress {
            run: address.run,
            stage: address.stage.clone(),
            share: None,
            message: String::new(),
            metrics: std::collections::BTreeMap::new(),
            leaderboard: Vec::new(),
        };
        let (mut read, mut length, mut counted) = (0, None, None);
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (path, redactor) = (folder.output(), redactor.clone());
            let looked = spawn_blocking(move || outcome::output_lines(&path, read, &redactor)).await;
            let Ok((lines, next)) = looked else { return };
            read = next;
            let has_news = !lines.is_empty();
            for line in lines {
                said.share = line.progress.or(said.share);
                said.message = line.message.unwrap_or(said.message);
                said.metrics.extend(line.metric.unwrap_or_default());
                said.leaderboard = line.leaderboard.map_or(said.leaderboard, outcome::bounded);
            }
            if has_news {
                self.status.progress(said.clone());
            }
            // Only a log that grew is counted again, and told of.
            let now = std::fs::metadata(folder.log()).map(|metadata| metadata.len()).ok();
            if now != length {
                length = now;
                self.tell_log(folder, address, &mut counted).await;
            }
        }
    }

    /// Tells how many lines a log has, counted on from what was counted before.
    async fn tell_log(&self, folder: &AttemptFolder, address: &LogAddress, counted: &mut Option<LineCount>) {
        let (log, index, before) = (folder.log(), folder.index(), *counted);
        let now = spawn_blocking(move || LogReader::open(&log, &index).and_then(|log| log.count(before))).await;
        if let Ok(Ok(now)) = now {
            *counted = Some(now);
            self.status.logged(address.clone(), now.lines());
        }
    }

    async fn stop(self, run: RunId, stage: StageName) {
        let name = stage.clone();
        let attempt =
            self.core.look(move |state, _| Some(state.runs.get(&run)?.stages.get(&name)?.attempt)).await.flatten();
        let Some(attempt) = attempt else { return };
        let folder = AttemptFolder::new(self.layout.attempt(run, &stage, attempt));
        let _ = spawn_blocking(move || {
            let give_up = std::time::Instant::now() + STARTING;
            while !folder.has_begun() && std::time::Instant::now() < give_up {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            launch::stop(&folder)
        })
        .await;
    }

    async fn verify(self, run: RunId, stage: StageName) {
        let name = stage.clone();
        let outputs = self
            .core
            .look(move |state, _| {
                let stage = state.runs.get(&run)?.stages.get(&name)?;
                matches!(stage.state, StageState::Checking { .. }).then(|| stage.outputs.clone()).flatten()
            })
            .await
            .flatten();
        let Some(outputs) = outputs else { return };
        let is_deploy = current(&self.settings).stage(&stage).is_some_and(|stage| stage.kind() == StageKind::Deploy);
        let intact = if is_deploy {
            let live = self.host.live().await;
            live.is_some() && live == outputs.live
        } else {
            self.is_intact(outputs).await
        };
        self.core.input(Input::Verified { run, stage, intact });
    }

    async fn is_intact(&self, outputs: Outputs) -> bool {
        let in_engine = outputs.image.as_ref().map(|image| self.layout.state().join(image));
        if let Some(image) = in_engine.filter(|image| EngineImage::is_named_by(image)) {
            let digest = outputs.digest.clone().unwrap_or(Digest(String::new()));
            return target::image_missing(&image, &self.layout.releases(), &digest, false).await.is_none();
        }
        let layout = self.layout.clone();
        spawn_blocking(move || outcome::is_intact(&layout, &outputs)).await.unwrap_or(false)
    }

    async fn prune(self) {
        let keep = current(&self.settings).models.keep;
        let kept = self.core.look(move |state, _| super::prune::Kept::of(state, keep)).await;
        let Some(kept) = kept else { return };
        let uses_engine = current(&self.settings).uses_docker();
        let layout = self.layout.clone();
        let images = kept.engine_images();
        let _ = spawn_blocking(move || prune(&layout, &kept)).await;
        if uses_engine {
            // What cannot be removed now is found again after the next run.
            target::docker::prune_images(&labels::folder(self.layout.project()), &images).await;
        }
    }
}
