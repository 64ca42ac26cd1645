//! Thousands of random histories, and what must hold in each.
//!
//! [`World`] stands for everything around the core: it feeds inputs, applies what is decided, and checks the invariants of
//! the house after each step against a history that it keeps in its own, simpler way.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    Attempt, Command, Decision, Digest, Event, Failure, Fingerprint, Graph, Input, Inputs, ModelVersion, Moment,
    Outcome, Outputs, Recorded, ReleaseId, RunId, Selection, StageKind, StageName, StageSpec, StageState, State,
    Trigger, decide,
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

/// A project without processes and without a clock.
#[derive(Default)]
pub(super) struct World {
    pub(super) state: State,
    pub(super) history: Vec<Recorded>,
    pub(super) at: Moment,
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
        let mut outputs =
            if outcome == Outcome::Passed { outputs_of(&self.state, run, stage) } else { Outputs::default() };
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
    End { which: usize, outcome: Outcome },
    Verify { which: usize, intact: bool },
    Pass { milliseconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        6 => Just(Outcome::Passed),
        2 => Just(Outcome::Failed(Failure::Exit { code: 1, said: String::new() })),
        1 => Just(Outcome::Failed(Failure::Signal { signal: 9 })),
        1 => Just(Outcome::Cancelled),
        1 => Just(Outcome::Interrupted),
    ];
    prop_oneof![
        3 => (0..4_u64, 0..3_u64).prop_map(|(data, source)| Step::Observe { data, source }),
        2 => (prop::option::of(0..4_usize), any::<bool>(), any::<bool>())
            .prop_map(|(from, only, force)| Step::Run { from, only: only && from.is_some(), force }),
        1 => Just(Step::Cancel),
        1 => Just(Step::Rollback),
        8 => (0..4_usize, outcome).prop_map(|(which, outcome)| Step::End { which, outcome }),
        4 => (0..4_usize, prop::bool::weighted(0.8)).prop_map(|(which, intact)| Step::Verify { which, intact }),
        1 => (0..90_000_u64).prop_map(|milliseconds| Step::Pass { milliseconds }),
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
}

impl Oracle {
    fn see(&mut self, event: &Event) {
        match event {
            Event::RunCreated { run, trigger, .. } => {
                if matches!(trigger, Trigger::Rollback { .. }) {
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
                    self.deploy_starts(*run, *release, fingerprint);
                }
            }
            Event::StageFinished { run, stage, outcome, .. } => {
                if stage.as_str() == "deploy" {
                    self.deploying = None;
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
            _ => {}
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
                oracle.see(&recorded.event);
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
