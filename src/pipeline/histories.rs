//! Thousands of random histories, and what must hold in each.
//!
//! [`World`] stands for everything around the core: it feeds inputs and applies what is decided. The invariants of the house
//! are checked after each step by the [`Oracle`].

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::oracle::Oracle;
use super::{
    Attempt, Command, DataSet, Decision, Digest, Event, Evidence, Failure, FiringAlert, Graph, Holder, Input, Inputs,
    ModelVersion, Moment, Outcome, Outputs, Reaction, Recorded, RunId, Selection, SourceState, StageKind, StageName,
    StageState, State, Trigger, decide, samples,
};

/// The four stages of the usual chain, none of which asks anybody.
pub(super) fn chain() -> Graph {
    chain_asking(&[])
}

/// The four stages, of which these ask for an approval of these people.
pub(super) fn chain_asking(asking: &[(&str, &[&str])]) -> Graph {
    let approval = |name: &str| -> Option<Vec<String>> {
        let (_, of) = asking.iter().find(|(stage, _)| *stage == name)?;
        Some(of.iter().map(|name| (*name).to_owned()).collect())
    };
    samples::chain(|stage| {
        stage.retries = u32::from(stage.kind == StageKind::Command);
        stage.timeout = (stage.kind == StageKind::Train).then_some(60_000);
        stage.approval = approval(stage.name.as_str());
    })
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

    /// One in which these stages ask for an approval of these people.
    pub(super) fn asking(asking: &[(&str, &[&str])]) -> Self {
        let mut world = Self::default();
        world.feed(Input::Configured(chain_asking(asking)));
        world
    }

    pub(super) fn feed(&mut self, input: Input) -> Decision {
        self.at = self.at.plus(1);
        let is_command = matches!(input, Input::Command { .. } | Input::Barred { .. });
        let decision = decide(&self.state, input, self.at).unwrap();
        let told = decision.events.iter().filter(|event| matches!(event, Event::Commanded { .. })).count();
        assert_eq!(told, usize::from(is_command), "every command is told of once, and nothing else is one");
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
        self.command_of("operator", "", command)
    }

    /// A command of this operator for this reason.
    pub(super) fn command_of(&mut self, by: &str, message: &str, command: Command) -> Decision {
        self.feed(Input::Command { by: by.to_owned(), from: None, message: message.to_owned(), command })
    }

    /// An operator locks deploys until somebody ends it.
    pub(super) fn lock(&mut self, by: &str) -> Decision {
        self.command_of(by, "a drill", Command::Lock { milliseconds: None, holder: None })
    }

    /// An operator approves what waits.
    pub(super) fn approve(&mut self, by: &str) -> Decision {
        self.command_of(by, "", Command::Approve { run: None, stage: None })
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
        for _ in 0..1_000 {
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

    /// Lets everything go on that people hold back, and ends whatever runs, until nothing is left.
    fn let_all_go(&mut self, outcome: &Outcome) {
        for _ in 0..500 {
            self.drain(outcome);
            let waiting = self.state.awaiting_approval().next().map(|(run, stage, _)| (run, stage.clone()));
            if self.state.lock.is_some() {
                self.command(Command::Unlock);
            } else if let Some((run, stage)) = waiting {
                self.command_of("alice", "", Command::Approve { run: Some(run), stage: Some(stage) });
            } else {
                return;
            }
        }
        panic!("there is always somebody who waits");
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
    Lock { by: usize, milliseconds: Option<u64>, holder: Option<u32> },
    Unlock { by: usize },
    HolderGone { holder: u32 },
    Approve { by: usize },
    Decline { by: usize },
    Schedule { from: Option<usize>, only: bool, force: bool },
}

/// Those who lock and approve.
const PEOPLE: [&str; 2] = ["alice", "bob"];

/// Who asks whom: nobody is asked; anybody before the deploy; alice before the tests and one of both before the deploy.
const ASKING: [&[(&str, &[&str])]; 3] =
    [&[], &[("deploy", &[])], &[("test", &["alice"]), ("deploy", &["alice", "bob"])]];

fn holder(pid: u32) -> Holder {
    Holder { host: "box".to_owned(), boot: "1".to_owned(), pid, started: 7 }
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
        6 => hold(),
    ]
}

/// What people and the clock do to what is held back.
fn hold() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..2_usize, prop::option::of(0..50_000_u64), prop::option::of(1..3_u32))
            .prop_map(|(by, milliseconds, holder)| Step::Lock { by, milliseconds, holder }),
        3 => (0..2_usize).prop_map(|by| Step::Unlock { by }),
        1 => (1..3_u32).prop_map(|holder| Step::HolderGone { holder }),
        8 => (0..2_usize).prop_map(|by| Step::Approve { by }),
        1 => (0..2_usize).prop_map(|by| Step::Decline { by }),
        2 => (prop::option::of(0..4_usize), any::<bool>(), any::<bool>())
            .prop_map(|(from, only, force)| Step::Schedule { from, only: only && from.is_some(), force }),
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
            Step::Lock { .. }
            | Step::Unlock { .. }
            | Step::HolderGone { .. }
            | Step::Approve { .. }
            | Step::Decline { .. }
            | Step::Schedule { .. } => self.hold_step(step),
        }
    }

    /// Shows what has happened since to the oracle, and says how much that is.
    fn show(&self, oracle: &mut Oracle, seen: usize) -> usize {
        for recorded in &self.history[seen..] {
            oracle.see(recorded.at, &recorded.event);
            if let Event::StageFinished { run, stage, outcome: Outcome::Passed, .. } = &recorded.event
                && let Some(fingerprint) = &self.state.runs[run].stages[stage].fingerprint
            {
                oracle.passed.insert((stage.0.clone(), fingerprint.digest()));
            }
        }
        oracle.rest();
        self.history.len()
    }

    fn hold_step(&mut self, step: &Step) {
        match step {
            Step::Lock { by, milliseconds, holder: pid } => {
                let command = Command::Lock { milliseconds: *milliseconds, holder: pid.map(holder) };
                self.command_of(PEOPLE[*by], "a drill", command);
            }
            Step::Unlock { by } => {
                self.command_of(PEOPLE[*by], "", Command::Unlock);
            }
            Step::HolderGone { holder: pid } => {
                self.feed(Input::HolderGone(holder(*pid)));
            }
            Step::Approve { by } => {
                self.approve(PEOPLE[*by]);
            }
            Step::Decline { by } => {
                self.command_of(PEOPLE[*by], "", Command::Decline { run: None, stage: None });
            }
            Step::Schedule { from, only, force } => {
                let from = from.map(|index| self.state.graph.stages()[index].name.clone());
                let selection = Selection { from, only: *only, force: *force };
                self.feed(Input::Scheduled { name: "nightly".to_owned(), selection });
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_invariant_holds_in_every_history(
        asking in prop::sample::select(ASKING.to_vec()),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut world = World::asking(asking);
        let mut oracle = Oracle::default();
        for spec in world.state.graph.stages() {
            oracle.asking.extend(spec.approval.clone().map(|of| (spec.name.0.clone(), of)));
        }
        let mut seen = 0;
        for step in &steps {
            world.step(step);
            seen = world.show(&mut oracle, seen);
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
        // Whatever happened, everything comes to an end once nobody holds anything back.
        world.let_all_go(&Outcome::Passed);
        prop_assert!(world.state.runs.values().all(|run| run.is_finished()));
        world.show(&mut oracle, seen);
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
