//! Models for tests of what holds deploys back and of several operators at once.

use crate::api::types::OperatorSession;
use crate::pipeline::{Command, Graph, Input, Moment};

use super::app::Model;
use super::fixtures::{World, live, two_runs};

/// Minutes in milliseconds.
const MINUTE: u64 = 60_000;

/// An operator's command with a reason.
pub(super) fn command(world: &mut World, by: &str, message: &str, command: Command) {
    let (by, message) = (by.to_owned(), message.to_owned());
    world.feed(Input::Command { by, from: Some("ops-laptop".to_owned()), message, command });
}

/// The same stages, of which the last wants an approval.
fn asking(graph: &Graph) -> Graph {
    let mut stages = graph.stages().to_vec();
    for spec in &mut stages {
        if spec.name.as_str() == "deploy" {
            spec.approval = Some(vec!["mina".to_owned(), "지수".to_owned()]);
        }
    }
    Graph::new(stages).unwrap()
}

/// The third run, up to its deploy.
fn third_run(world: &mut World) {
    world.register(3, "겨울-관측-2026.csv");
    world.train(0.953);
    world.test();
    world.build();
    world.at = world.at.plus(3 * MINUTE);
}

/// The world of [`awaiting`].
pub(super) fn asking_world() -> World {
    let mut world = two_runs();
    let graph = asking(&world.state.graph);
    world.feed(Input::Configured(graph));
    third_run(&mut world);
    world
}

/// The deploy of the third run waits for a person.
pub(super) fn awaiting() -> Model {
    let world = asking_world();
    world.model(live(&world, true))
}

/// A world in which alice locked deploys.
pub(super) fn locked_world() -> World {
    let mut world = two_runs();
    command(&mut world, "alice", "data migration", Command::Lock { milliseconds: None, holder: None });
    world
}

/// The lock holds the deploy of the third run.
pub(super) fn held() -> Model {
    let mut world = locked_world();
    third_run(&mut world);
    world.model(live(&world, true))
}

/// The lock stands and nothing runs.
pub(super) fn locked() -> Model {
    let world = locked_world();
    world.model(live(&world, true))
}

/// As [`held`], with three operators, of whom one only watches.
pub(super) fn shared() -> Model {
    let mut model = held();
    let since = |minutes: u64| Moment(model.now.0 - i64::try_from(minutes * MINUTE).unwrap());
    let session = |number, name: &str, from: Option<&str>, minutes, view: &str| OperatorSession {
        session: number,
        name: name.to_owned(),
        account: "ops".to_owned(),
        from: from.map(str::to_owned),
        since: since(minutes),
        view: view.to_owned(),
        is_observer: number == 3,
    };
    let operators = vec![
        session(1, "alice", Some("alice@ops-laptop"), 125, "Board"),
        session(2, "지수", None, 12, "Metrics"),
        session(3, "mina\x1b[2J", Some("10.0.0.17"), 1, "Logs"),
    ];
    model.live.operators = operators;
    model
}
