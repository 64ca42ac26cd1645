//! What must hold in every history, judged over the bare list of events, in its own, simpler way than the rules.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Answer, Digest, Event, Evidence, Fingerprint, ModelVersion, Moment, Obstacle, Outcome, Promoter, ReleaseId, RunId,
    SkipReason, Trigger,
};

/// The invariants, judged over the bare list of events.
#[derive(Default)]
pub(super) struct Oracle {
    satisfied: BTreeMap<RunId, BTreeSet<String>>,
    rollbacks: BTreeSet<RunId>,
    by_hand: BTreeSet<RunId>,
    stopping: BTreeSet<RunId>,
    finished: BTreeSet<RunId>,
    active: BTreeSet<RunId>,
    deploying: Option<RunId>,
    last_deploy: RunId,
    pub(super) passed: BTreeSet<(String, Digest)>,
    /// The runs that there are.
    created: BTreeSet<RunId>,
    /// The runs of which commands speak.
    named: BTreeSet<RunId>,
    /// The stages that want an approval, and of whom.
    pub(super) asking: BTreeMap<String, Vec<String>>,
    /// Whether automation is held off deploys.
    is_locked: bool,
    wanted: BTreeSet<(RunId, String)>,
    approved: BTreeSet<(RunId, String)>,
    made: BTreeMap<ReleaseId, Fingerprint>,
    rejected: Vec<Fingerprint>,
    models: BTreeSet<ModelVersion>,
    live: Option<ReleaseId>,
    started: BTreeMap<ReleaseId, Moment>,
    /// What an alert announced and the next event must begin.
    announced: Option<Trigger>,
    /// The releases that alerts left.
    left: BTreeSet<ReleaseId>,
    /// On which releases which alerts fired.
    fired: BTreeSet<(ReleaseId, String)>,
    /// The alerts that fire, and whether nothing followed from each so far though something should have.
    firing: BTreeMap<String, bool>,
    /// The releases that are a repetition of an earlier one.
    repeating: BTreeSet<ReleaseId>,
    /// The model of a training that has just passed, which the next event makes the champion unless it was overtaken.
    trained: Option<ModelVersion>,
    champion: Option<ModelVersion>,
    /// The champion when the training under way started.
    compared: BTreeMap<RunId, Option<ModelVersion>>,
    silenced: BTreeMap<String, Moment>,
    answered: BTreeMap<String, Moment>,
    /// The alerts that asked for ways back, by their runs.
    ways_back: BTreeMap<RunId, String>,
    /// The runs of those that were still waiting when a lock ended, and whose alert was over or silenced by then.
    unwanted: BTreeSet<RunId>,
}

impl Oracle {
    pub(super) fn see(&mut self, at: Moment, event: &Event) {
        if let Some(announced) = self.announced.take() {
            let Event::RunCreated { trigger, .. } = event else { panic!("{announced:?} was announced, not {event:?}") };
            assert_eq!(*trigger, announced);
        } else if let Event::RunCreated { trigger, .. } = event {
            let is_by_alert = matches!(trigger, Trigger::AlertRollback { .. } | Trigger::AlertRetrain { .. });
            assert!(!is_by_alert, "no alert fired that leads to {trigger:?}");
        }
        self.champions(event);
        self.holds(event);
        self.goes_back(at, event);
        match event {
            Event::RunCreated { run, trigger, .. } => {
                self.created.insert(*run);
                if trigger.is_rollback() {
                    self.rollbacks.insert(*run);
                }
                if trigger.is_by_hand() {
                    self.by_hand.insert(*run);
                }
            }
            Event::RunStarted { run } => {
                self.active.insert(*run);
                assert!(self.active.len() <= 1, "two runs are active: {:?}", self.active);
            }
            Event::RunStopping { run, .. } => {
                self.stopping.insert(*run);
            }
            Event::RunFinished { run, .. } => {
                assert!(self.finished.insert(*run), "run {run} finished twice");
                self.active.remove(run);
            }
            Event::StageStarted { run, stage, fingerprint, model, release, .. } => {
                assert!(!self.finished.contains(run), "{stage} started in run {run}, which is over");
                assert!(!self.stopping.contains(run), "{stage} started in run {run}, which is stopping");
                if let Some(model) = model {
                    assert!(self.models.insert(*model), "model version {model} was given twice");
                }
                if let Some(release) = release {
                    self.started.insert(*release, at);
                    if self.rollbacks.contains(run) {
                        self.repeating.insert(*release);
                    }
                    self.deploy_starts(*run, *release, fingerprint);
                }
            }
            Event::StageFinished { run, stage, outcome, outputs, .. } => {
                if stage.as_str() == "deploy" {
                    self.deploying = None;
                    self.live = outputs.live.or(self.live);
                }
                if *outcome == Outcome::Passed {
                    self.satisfied.entry(*run).or_default().insert(stage.0.clone());
                }
            }
            Event::StageSkipped { run, stage, reason } if !matches!(reason, SkipReason::NotSelected) => {
                self.satisfied.entry(*run).or_default().insert(stage.0.clone());
            }
            Event::StageChecking { stage, fingerprint, .. } => {
                let is_known = self.passed.contains(&(stage.0.clone(), fingerprint.digest()));
                assert!(is_known, "{stage} is taken for up to date on inputs on which it never passed");
            }
            Event::ReleaseRejected { release } => self.rejected.push(self.made[release].clone()),
            Event::QuarantineLifted { release, .. } => {
                let lifted = self.made[release].clone();
                self.rejected.retain(|rejected| *rejected != lifted);
            }
            Event::AlertFired { .. } => self.alert_fires(at, event),
            Event::AlertResolved { name, .. } => {
                assert!(self.firing.remove(name).is_some(), "{name} ends without having begun");
            }
            Event::AlertSilenced { alert, until, .. } => {
                self.silenced.insert(alert.clone(), *until);
            }
            Event::SilenceLifted { alert, .. } => assert!(self.silenced.remove(alert).is_some_and(|until| until > at)),
            _ => {}
        }
    }

    /// No lock is passed by automation and none ends twice; nobody approves what did not ask for it, nor in another's place;
    /// and what asks starts only when it was approved in this very run. A rollback asks nobody.
    fn holds(&mut self, event: &Event) {
        match event {
            Event::Commanded { run, refused, .. } => {
                assert!(run.is_none() || refused.is_none(), "a refused command has a run: {event:?}");
                self.named.extend(*run);
            }
            Event::Locked { message, .. } => {
                assert!(!message.trim().is_empty(), "a lock without a reason");
                self.is_locked = true;
            }
            Event::Unlocked { .. } => {
                assert!(self.is_locked, "a lock ends that is not there");
                self.is_locked = false;
            }
            Event::ApprovalWanted { run, stage, of } => {
                assert_eq!(self.asking.get(stage.as_str()), Some(of), "{stage} asks others than it should");
                assert!(!self.finished.contains(run) && !self.stopping.contains(run), "run {run} asks in vain");
                assert!(!self.rollbacks.contains(run), "rollback {run} asks");
                assert!(self.wanted.insert((*run, stage.0.clone())), "{stage} of run {run} asks twice");
            }
            Event::Approved { run, stage, by, .. } => {
                let key = (*run, stage.0.clone());
                assert!(self.wanted.remove(&key), "{stage} of run {run} did not ask");
                let of = &self.asking[stage.as_str()];
                assert!(of.is_empty() || of.contains(by), "{by} is not asked");
                self.approved.insert(key);
            }
            Event::StageStarted { run, stage, release, .. } => {
                let is_automatic = release.is_some() && !self.by_hand.contains(run);
                assert!(!(is_automatic && self.is_locked), "run {run} deploys by itself under a lock");
                let is_asking = self.asking.contains_key(stage.as_str()) && !self.rollbacks.contains(run);
                let is_approved = self.approved.contains(&(*run, stage.0.clone()));
                assert!(is_approved || !is_asking, "{stage} of run {run} starts unasked");
            }
            _ => {}
        }
    }

    /// What a lock held of an alert that is over when it ends is not done, nothing else is dropped for that reason, and what was
    /// dropped counts as if it had never been asked for.
    fn goes_back(&mut self, at: Moment, event: &Event) {
        match event {
            Event::RunCreated { run, trigger: Trigger::AlertRollback { alert, .. }, .. } => {
                self.ways_back.insert(*run, alert.clone());
            }
            Event::Unlocked { .. } => {
                for (run, alert) in &self.ways_back {
                    let is_silenced = self.silenced.get(alert).is_some_and(|until| *until > at);
                    let is_wanted = self.firing.contains_key(alert) && !is_silenced;
                    if !is_wanted && !self.finished.contains(run) && self.deploying != Some(*run) {
                        self.unwanted.insert(*run);
                    }
                }
            }
            Event::StageStarted { run, .. } => {
                assert!(!self.unwanted.contains(run), "run {run} goes back though its alert is over");
            }
            Event::StageNotRun {
                run,
                obstacle: Obstacle::AlertEnded { alert } | Obstacle::AlertSilenced { alert, .. },
                ..
            } => {
                assert!(self.unwanted.contains(run), "run {run} is dropped though its alert wants it");
                self.left.retain(|left| Some(*left) != self.live);
                self.answered.remove(alert);
                // One that is silenced and goes on may be answered when the silence is over.
                if let Some(is_held) = self.firing.get_mut(alert) {
                    *is_held = true;
                }
            }
            _ => {}
        }
    }

    /// Between two inputs: every run of which a command speaks is there.
    pub(super) fn rest(&self) {
        assert!(self.named.is_subset(&self.created), "{:?} are not among {:?}", self.named, self.created);
    }

    /// A model becomes the champion only in the moment in which its training passed, compared with the champion of now, or
    /// because an operator says so with a reason; and every such training makes one. What a gate held back, for want of
    /// evidence too, is promoted by nobody else.
    fn champions(&mut self, event: &Event) {
        if let Some(trained) = self.trained.take() {
            let Event::ModelPromoted { model, by, .. } = event else { panic!("model {trained} was not promoted") };
            assert_eq!((*model, by), (trained, &Promoter::Gate));
            self.champion = Some(*model);
            return;
        }
        match event {
            Event::StageStarted { run, model: Some(_), .. } => {
                self.compared.insert(*run, self.champion);
            }
            Event::StageFinished { run, outcome: Outcome::Passed, outputs, stage, .. } if stage.as_str() == "train" => {
                self.trained = outputs.model.filter(|_| self.compared[run] == self.champion);
            }
            Event::ModelPromoted { model, former, by, message, stage, stands_for } => {
                assert!(matches!(by, Promoter::Operator { .. }), "model {model} is promoted by no training");
                assert!(!message.is_empty() && self.models.contains(model));
                assert_eq!(*former, self.champion.filter(|champion| champion != model));
                let fingerprint = stands_for.as_ref().expect("the inputs on which it stands");
                self.passed.insert((stage.0.clone(), fingerprint.digest()));
                self.champion = Some(*model);
            }
            _ => {}
        }
    }

    /// An alert goes back from a release at most once, never during a deploy, never to a release on which it fired, never from
    /// one that was gone back to, never without evidence of the live release alone; and nothing follows from it while it is
    /// silenced or has just been answered.
    fn alert_fires(&mut self, at: Moment, event: &Event) {
        let Event::AlertFired { name, since, release, evidence, answer, .. } = event else { return };
        let began_with = release.and_then(|release| self.started.get(&release)).is_some_and(|started| since >= started);
        let is_held = matches!(answer, Answer::Held { .. });
        let is_seen_first = release.is_some_and(|release| !self.fired.contains(&(release, name.clone())));
        if let Some(was_held) = self.firing.insert(name.clone(), is_held) {
            let is_news = *evidence == Evidence::Against && is_seen_first;
            assert!(is_news || (was_held && !is_held), "{name} is told twice");
        }
        let trigger = match answer {
            Answer::RollsBack { to } => {
                let left = release.expect("a release that is left");
                assert!(self.left.insert(left), "{name} leaves release {left} a second time");
                assert_eq!(self.deploying, None, "{name} goes back during a deploy");
                assert!(!self.is_locked, "{name} goes back under a lock");
                assert_ne!(left, *to);
                assert!(!self.repeating.contains(&left), "{name} takes a second step back");
                assert!(!self.fired.contains(&(*to, name.clone())), "{name} fired on release {to} too");
                Trigger::AlertRollback { alert: name.clone(), to: *to }
            }
            Answer::Retrains { .. } => Trigger::AlertRetrain { alert: name.clone() },
            Answer::Told | Answer::Held { .. } => {
                self.note_fired(*release, *evidence, name);
                return;
            }
        };
        assert_eq!((*release, *evidence), (self.live, Evidence::Against));
        assert!(began_with, "{name} began before release {release:?} was deployed");
        assert!(self.silenced.get(name).is_none_or(|until| *until <= at), "{name} is silenced");
        assert!(self.answered.get(name).is_none_or(|before| at.since(*before) >= 600_000), "{name} cools down");
        self.answered.insert(name.clone(), at);
        self.note_fired(*release, *evidence, name);
        self.announced = Some(trigger);
    }

    fn note_fired(&mut self, release: Option<ReleaseId>, evidence: Evidence, name: &str) {
        if let (Some(release), Evidence::Against) = (release, evidence) {
            self.fired.insert((release, name.to_owned()));
        }
    }

    fn deploy_starts(&mut self, run: RunId, release: ReleaseId, fingerprint: &Fingerprint) {
        assert_eq!(self.deploying, None, "two deploys at once");
        assert!(run >= self.last_deploy, "run {run} deploys after the newer run {}", self.last_deploy);
        if !self.rollbacks.contains(&run) {
            let satisfied = self.satisfied.get(&run).cloned().unwrap_or_default();
            for need in ["train", "test", "build"] {
                assert!(satisfied.contains(need), "run {run} deploys without {need}");
            }
        }
        if !self.by_hand.contains(&run) {
            assert!(!self.rejected.contains(fingerprint), "run {run} deploys what was rejected, by itself");
        }
        self.deploying = Some(run);
        self.last_deploy = run;
        self.made.insert(release, fingerprint.clone());
    }
}
