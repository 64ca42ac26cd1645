//! Thousands of random histories, and what must hold in each.
//!
//! [`World`] stands for everything around the core: it feeds inputs, applies what is decided, and checks the invariants of
//! the house after each step against a history that it keeps in its own, simpler way.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    Answer, Attempt, Command, Decision, Digest, Event, Evidence, Failure, Fingerprint, FiringAlert, Graph, Input,
    Inputs, ModelVersion, Moment, Outcome, Outputs, Promoter, Reaction, Recorded, ReleaseId, RunId, Selection,
    StageKind, StageName, StageSpec, StageState, State, Trigger, decide,
};
use super::{DataSet, SourceState};

/// The four stages of the usual chain.
pub(super) fn chain() -> Graph {
    let stage = |name: &str, kind, needs: &[&str], uses_data, uses_source| StageSpec {
        name: name.into(),
        kind,
        needs: needs.iter().map(|need| (*need).into()).collect(),
        uses_data,
        uses_source,
        produces_model: kind == StageKind::Train,
        requires_report: false,
        retries: u32::from(name == "test"),
        timeout: (name == "train").then_some(60_000),
        definition: Digest(name.to_owned()),
    };
    Graph::new(vec![
        stage("train", StageKind::Train, &[], true, false),
        stage("test", StageKind::Command, &["train"], false, true),
        stage("build", StageKind::Image, &["test"], false, false),
        stage("deploy", StageKind::Deploy, &["build"], false, false),
    ])
    .unwrap()
}

/// Data number `data` and source number `source`; data number 0 is none.
pub(super) fn inputs(data: u64, source: u64) -> Inputs {
    Inputs {
        data: DataSet { digest: Digest(format!("data{data}")), count: data.min(1), rows: data * 10, files: Vec::new() },
        source: SourceState {
            digest: Digest(format!("source{source}")),
            commit: Some(format!("{source:040}")),
            branch: Some("main".to_owned()),
            dirty: false,
        },
        stage_sources: BTreeMap::from([("test".into(), Digest(format!("source{source}")))]),
    }
}

/// What a stage gives when it passes: a model that depends on the data alone, an image that depends on model and source.
pub(super) fn outputs_of(state: &State, run: RunId, stage: &StageName) -> Outputs {
    let run = &state.runs[&run];
    let entry = &run.stages[stage];
    let mut outputs = Outputs::default();
    match state.graph.get(stage).unwrap().kind {
        StageKind::Train => {
            outputs.model = entry.writes_model;
            outputs.digest = Some(Digest(format!("model of {}", run.inputs.data.digest)));
        }
        StageKind::Image => {
            let digest = format!("image of {} {}", run.inputs.data.digest, run.inputs.source.digest);
            outputs.image = Some(format!("images/{digest}.tar"));
            outputs.digest = Some(Digest(digest));
        }
        StageKind::Deploy => outputs.live = entry.release,
        StageKind::Command => {}
    }
    outputs
}

/// The alerts of the histories.
pub(super) const ALERTS: [&str; 2] = ["ErrorRate", "Drift"];

/// A project without processes and without a clock.
#[derive(Default)]
pub(super) struct World {
    pub(super) state: State,
    pub(super) history: Vec<Recorded>,
    pub(super) at: Moment,
    /// The alerts that fire.
    pub(super) firing: Vec<FiringAlert>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self::default();
        world.feed(Input::Configured(chain()));
        world
    }

    pub(super) fn feed(&mut self, input: Input) -> Decision {
        self.at = self.at.plus(1);
        let decision = decide(&self.state, input, self.at).unwrap();
        for event in &decision.events {
            let recorded = Recorded { sequence: self.state.sequence + 1, at: self.at, event: event.clone() };
            self.state.apply(&recorded).unwrap();
            self.history.push(recorded);
        }
        decision
    }

    pub(super) fn observe(&mut self, data: u64, source: u64) -> Decision {
        let cause = Some(Trigger::Data { files: vec![format!("{data}.csv")] });
        self.feed(Input::Observed { inputs: inputs(data, source), cause, automatic: true })
    }

    pub(super) fn command(&mut self, command: Command) -> Decision {
        self.feed(Input::Command { by: "operator".to_owned(), command })
    }

    /// An operator makes a model the champion.
    pub(super) fn promote(&mut self, model: u64) -> Decision {
        self.command(Command::Promote { model: ModelVersion(model), message: "it is the better one".to_owned() })
    }

    /// An alert that has been active for `age` milliseconds begins to fire.
    pub(super) fn fire(&mut self, name: &str, then: Reaction, evidence: Evidence, age: u64) -> Decision {
        let alert = FiringAlert {
            name: name.to_owned(),
            labels: String::new(),
            value: "0.41".to_owned(),
            summary: String::new(),
            since: Moment(self.at.0 - i64::try_from(age).unwrap()),
            release: self.state.live,
            evidence,
            then,
            cooldown: 600_000,
            obstacle: None,
        };
        self.firing.retain(|known| known.name != name);
        self.firing.push(alert);
        self.tell_alerts()
    }

    /// It no longer fires, because all is well.
    pub(super) fn calm(&mut self, name: &str) -> Decision {
        self.firing.retain(|known| known.name != name);
        self.tell_alerts()
    }

    /// Tells of all that fires, as the daemon does again and again.
    pub(super) fn tell_alerts(&mut self) -> Decision {
        for alert in &mut self.firing {
            alert.release = self.state.live;
        }
        let clear = ALERTS.iter().map(|name| (*name).to_owned()).collect();
        self.feed(Input::Alerts { firing: self.firing.clone(), clear })
    }

    /// The stages that a process works on.
    pub(super) fn running(&self) -> Vec<(RunId, StageName, Attempt)> {
        let runs = self.state.runs.values();
        runs.flat_map(|run| {
            let running = run.stages.iter().filter(|(_, stage)| stage.state.is_running());
            running.map(|(name, stage)| (run.id, name.clone(), stage.attempt))
        })
        .collect()
    }

    fn checking(&self) -> Vec<(RunId, StageName)> {
        let runs = self.state.runs.values();
        runs.flat_map(|run| {
            let is_checking = |state: &StageState| matches!(state, StageState::Checking { .. });
            run.stages
                .iter()
                .filter(move |(_, stage)| is_checking(&stage.state))
                .map(|(name, _)| (run.id, name.clone()))
        })
        .collect()
    }

    pub(super) fn end(&mut self, run: RunId, stage: &StageName, attempt: Attempt, outcome: Outcome) -> Decision {
        // What is held back is whole all the same.
        let is_whole = matches!(outcome, Outcome::Passed | Outcome::Failed(Failure::Gate { .. }));
        let mut outputs = if is_whole { outputs_of(&self.state, run, stage) } else { Outputs::default() };
        if outcome != Outcome::Passed && stage.as_str() == "deploy" {
            outputs.live = self.state.live;
        }
        self.feed(Input::Ended { run, stage: stage.clone(), attempt, outcome, outputs, output_held: false })
    }

    /// Ends whatever runs, with `outcome`, until nothing moves any more.
    pub(super) fn drain(&mut self, outcome: &Outcome) {
        for _ in 0..200 {
            if let Some((run, stage)) = self.checking().into_iter().next() {
                self.feed(Input::Verified { run, stage, intact: true });
            } else if let Some((run, stage, attempt)) = self.running().into_iter().next() {
                self.end(run, &stage, attempt, outcome.clone());
            } else if self.state.next_timer().is_some() {
                self.at = self.at.plus(100_000);
                self.feed(Input::Tick);
            } else {
                return;
            }
        }
        panic!("the world did not come to rest");
    }

    pub(super) fn word(&self, run: u64, stage: &str) -> &'static str {
        self.state.runs[&RunId(run)].stages[&StageName::from(stage)].state.word()
    }
}

/// One thing that may happen around the core.
#[derive(Debug, Clone)]
enum Step {
    Observe { data: u64, source: u64 },
    Run { from: Option<usize>, only: bool, force: bool },
    Cancel,
    Rollback,
    Promote { which: usize },
    End { which: usize, outcome: Outcome },
    Verify { which: usize, intact: bool },
    Pass { milliseconds: u64 },
    Fire { which: usize, then: Reaction, evidence: Evidence, age: u64 },
    Calm { which: usize },
    Silence { which: usize, milliseconds: u64 },
    LiftSilence { which: usize },
}

/// A gate that holds its model back.
pub(super) fn held() -> Outcome {
    Outcome::Failed(Failure::Gate { reason: "accuracy 0.4 is below 0.5".to_owned() })
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        6 => Just(Outcome::Passed),
        2 => Just(Outcome::Failed(Failure::Exit { code: 1, said: String::new() })),
        1 => Just(held()),
        1 => Just(Outcome::Failed(Failure::Signal { signal: 9 })),
        1 => Just(Outcome::Cancelled),
        1 => Just(Outcome::Interrupted),
    ];
    let reaction =
        prop_oneof![1 => Just(Reaction::Notify), 4 => Just(Reaction::Rollback), 2 => Just(Reaction::Retrain)];
    let evidence = prop_oneof![6 => Just(Evidence::Against), 1 => Just(Evidence::Clear), 1 => Just(Evidence::None)];
    prop_oneof![
        3 => (0..4_u64, 0..3_u64).prop_map(|(data, source)| Step::Observe { data, source }),
        2 => (prop::option::of(0..4_usize), any::<bool>(), any::<bool>())
            .prop_map(|(from, only, force)| Step::Run { from, only: only && from.is_some(), force }),
        1 => Just(Step::Cancel),
        1 => Just(Step::Rollback),
        1 => (0..4_usize).prop_map(|which| Step::Promote { which }),
        8 => (0..4_usize, outcome).prop_map(|(which, outcome)| Step::End { which, outcome }),
        4 => (0..4_usize, prop::bool::weighted(0.8)).prop_map(|(which, intact)| Step::Verify { which, intact }),
        1 => (0..90_000_u64).prop_map(|milliseconds| Step::Pass { milliseconds }),
        3 => (0..2_usize, reaction, evidence, 0..40_u64)
            .prop_map(|(which, then, evidence, age)| Step::Fire { which, then, evidence, age }),
        2 => (0..2_usize).prop_map(|which| Step::Calm { which }),
        1 => (0..2_usize, 0..50_000_u64).prop_map(|(which, milliseconds)| Step::Silence { which, milliseconds }),
        1 => (0..2_usize).prop_map(|which| Step::LiftSilence { which }),
        1 => (500_000..700_000_u64).prop_map(|milliseconds| Step::Pass { milliseconds }),
    ]
}

impl World {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Observe { data, source } => {
                self.observe(*data, *source);
            }
            Step::Run { from, only, force } => {
                let from = from.map(|index| self.state.graph.stages()[index].name.clone());
                self.command(Command::Run(Selection { from, only: *only, force: *force }));
            }
            Step::Cancel => {
                self.command(Command::Cancel { run: None });
            }
            Step::Rollback => {
                self.command(Command::Rollback { to: None });
            }
            Step::Promote { which } => {
                let models: Vec<ModelVersion> = self.state.registry.models.keys().copied().collect();
                if !models.is_empty() {
                    self.promote(models[which % models.len()].0);
                }
            }
            Step::End { which, outcome } => {
                let running = self.running();
                if !running.is_empty() {
                    let (run, stage, attempt) = running[which % running.len()].clone();
                    self.end(run, &stage, attempt, outcome.clone());
                }
            }
            Step::Verify { which, intact } => {
                let checking = self.checking();
                if !checking.is_empty() {
                    let (run, stage) = checking[which % checking.len()].clone();
                    self.feed(Input::Verified { run, stage, intact: *intact });
                }
            }
            Step::Pass { milliseconds } => {
                self.at = self.at.plus(*milliseconds);
                self.feed(Input::Tick);
            }
            Step::Fire { which, then, evidence, age } => {
                self.fire(ALERTS[*which], *then, *evidence, *age);
            }
            Step::Calm { which } => {
                self.calm(ALERTS[*which]);
            }
            Step::Silence { which, milliseconds } => {
                let (alert, until) = (ALERTS[*which].to_owned(), self.at.plus(*milliseconds));
                self.feed(Input::Silence { alert, by: "operator".to_owned(), message: String::new(), until });
            }
            Step::LiftSilence { which } => {
                self.feed(Input::LiftSilence { alert: ALERTS[*which].to_owned(), by: "operator".to_owned() });
            }
        }
    }
}

/// The invariants, judged over the bare list of events.
#[derive(Default)]
struct Oracle {
    satisfied: BTreeMap<RunId, BTreeSet<String>>,
    rollbacks: BTreeSet<RunId>,
    by_hand: BTreeSet<RunId>,
    stopping: BTreeSet<RunId>,
    finished: BTreeSet<RunId>,
    active: BTreeSet<RunId>,
    deploying: Option<RunId>,
    last_deploy: RunId,
    passed: BTreeSet<(String, Digest)>,
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
}

impl Oracle {
    fn see(&mut self, at: Moment, event: &Event) {
        if let Some(announced) = self.announced.take() {
            let Event::RunCreated { trigger, .. } = event else { panic!("{announced:?} was announced, not {event:?}") };
            assert_eq!(*trigger, announced);
        } else if let Event::RunCreated { trigger, .. } = event {
            let is_by_alert = matches!(trigger, Trigger::AlertRollback { .. } | Trigger::AlertRetrain { .. });
            assert!(!is_by_alert, "no alert fired that leads to {trigger:?}");
        }
        self.champions(event);
        match event {
            Event::RunCreated { run, trigger, .. } => {
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
            Event::StageSkipped { run, stage, reason } if !matches!(reason, super::SkipReason::NotSelected) => {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_invariant_holds_in_every_history(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        let mut oracle = Oracle::default();
        let mut seen = 0;
        for step in &steps {
            world.step(step);
            for recorded in &world.history[seen..] {
                oracle.see(recorded.at, &recorded.event);
                if let Event::StageFinished { run, stage, outcome: Outcome::Passed, .. } = &recorded.event
                    && let Some(fingerprint) = &world.state.runs[run].stages[stage].fingerprint
                {
                    oracle.passed.insert((stage.0.clone(), fingerprint.digest()));
                }
            }
            seen = world.history.len();
        }
        // The state is the fold of its events, and nothing else.
        let mut folded = State::default();
        for recorded in &world.history {
            folded.apply(recorded).unwrap();
        }
        prop_assert_eq!(&folded, &world.state);
        // A journal line survives being written and read.
        for recorded in &world.history {
            let text = serde_json::to_string(recorded).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Recorded>(&text).unwrap(), recorded);
        }
        // Whatever happened, everything comes to an end.
        world.drain(&Outcome::Passed);
        prop_assert!(world.state.runs.values().all(|run| run.is_finished()));
    }

    #[test]
    fn being_told_the_same_twice_changes_nothing(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        for step in &steps {
            let told = match (step, world.running().first().cloned()) {
                (Step::End { outcome, .. }, Some((run, stage, attempt))) => Some((run, stage, attempt, outcome.clone())),
                _ => None,
            };
            if let Some((run, stage, attempt, outcome)) = told {
                world.end(run, &stage, attempt, outcome.clone());
                let again = world.end(run, &stage, attempt, outcome);
                prop_assert_eq!(again.events, Vec::new());
            } else {
                world.step(step);
            }
        }
    }
}
