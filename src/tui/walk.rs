//! The walk along the causal line: commit or data file → run → model → test report → image → release → live metric, and back.
//!
//! The line is that of one run, so that who goes on and back again is where he was. A link that does not exist is passed over
//! where one behind it does, and is told with its reason where the line ends. Before the beginning of the line of a run that
//! used the model of an earlier one lies that model, on the line of the run that made it. Pure functions over the state.

use crate::pipeline::quantity::counted;
use crate::pipeline::{
    ModelVersion, ReleaseId, Run, RunId, StageKind, StageName, StageSpec, StageState, State, Trigger, explain,
};

use super::release_facts::standing;

/// A kind of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// What made the run start: a commit, or data files.
    Cause,
    /// The run.
    Run,
    /// The model that it made or used.
    Model,
    /// The report of its tests.
    Tests,
    /// The image.
    Image,
    /// The release.
    Release,
    /// What that release measures.
    Metric,
}

impl Link {
    /// All, from cause to effect.
    pub(super) const ALL: [Self; 7] =
        [Self::Cause, Self::Run, Self::Model, Self::Tests, Self::Image, Self::Release, Self::Metric];
}

/// Where somebody is: at a link of the line of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Thing {
    /// The run.
    pub(super) run: RunId,
    /// The link.
    pub(super) link: Link,
}

/// What a link is in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// The commit or the data.
    Cause,
    /// The run.
    Run,
    /// A model.
    Model(ModelVersion),
    /// A stage, with what it reported or made.
    Stage(StageName),
    /// A release.
    Release(ReleaseId),
    /// The charts of the release that serves.
    Metric,
}

/// What a link is in a run, or why there is none.
pub(super) fn subject(state: &State, run: &Run, link: Link) -> Result<Subject, String> {
    match link {
        Link::Cause => Ok(Subject::Cause),
        Link::Run => Ok(Subject::Run),
        Link::Model => model(state, run),
        Link::Tests => tests(state, run),
        Link::Image => image(state, run),
        Link::Release => release(state, run).map(Subject::Release),
        Link::Metric => {
            let release = release(state, run)?;
            if state.live == Some(release) {
                return Ok(Subject::Metric);
            }
            let status = state.releases.get(&release).map_or("forgotten", |release| standing(state, release).0);
            Err(format!("nothing measures release {release}: it is not live but {status}"))
        }
    }
}

/// The next link that exists, towards the effect or towards the cause; else why there is none.
pub(super) fn step(state: &State, run: &Run, from: Link, backward: bool) -> Result<Link, String> {
    let place = Link::ALL.iter().position(|link| *link == from).unwrap_or(0);
    let (before, behind) = Link::ALL.split_at(place);
    let ahead: Vec<Link> =
        if backward { before.iter().rev().copied().collect() } else { behind.iter().skip(1).copied().collect() };
    let mut missing = None;
    for link in ahead {
        match subject(state, run, link) {
            Ok(_) => return Ok(link),
            Err(reason) => missing = missing.or(Some(reason)),
        }
    }
    let end = if backward { "the line begins here" } else { "the line ends here, at what the release measures" };
    Err(missing.unwrap_or_else(|| end.to_owned()))
}

/// The model that a run took over, and the earlier run that made it.
pub(super) fn taken_over(state: &State, run: &Run) -> Option<(ModelVersion, RunId)> {
    let Ok(Subject::Model(version)) = subject(state, run, Link::Model) else { return None };
    let made = state.registry.models.get(&version)?.run;
    (made != run.id).then_some((version, made))
}

/// The link that a stage makes.
pub(super) fn link_of(spec: &StageSpec) -> Link {
    match spec.kind {
        StageKind::Train => Link::Model,
        StageKind::Command if spec.produces_model => Link::Model,
        StageKind::Command => Link::Tests,
        StageKind::Image => Link::Image,
        StageKind::Deploy => Link::Release,
    }
}

/// A link in a few words: `data winter.csv`, `run 42`, `model 12`, `41 tests passed`, `no image`.
pub(super) fn label(state: &State, run: &Run, link: Link) -> String {
    let Ok(subject) = subject(state, run, link) else {
        return match link {
            Link::Cause | Link::Run => String::new(),
            Link::Model => "no model".to_owned(),
            Link::Tests => "no tests".to_owned(),
            Link::Image => "no image".to_owned(),
            Link::Release => "no release".to_owned(),
            Link::Metric => "not live".to_owned(),
        };
    };
    match subject {
        Subject::Cause => cause(run),
        Subject::Run => format!("run {}", run.id),
        Subject::Model(version) => format!("model {version}"),
        Subject::Stage(stage) => {
            let outputs = run.stages.get(&stage).and_then(|entry| entry.outputs.as_ref());
            let report = outputs.and_then(|outputs| outputs.tests.as_ref());
            let digest = outputs.and_then(|outputs| outputs.digest.as_ref());
            match (link, report, digest) {
                (Link::Tests, Some(report), _) if report.failed > 0 => {
                    format!("{} failed", counted(report.failed, "test"))
                }
                (Link::Tests, Some(report), _) => format!("{} passed", counted(report.passed, "test")),
                (Link::Image, _, Some(digest)) => format!("image {}", digest.short()),
                _ => stage.to_string(),
            }
        }
        Subject::Release(release) => format!("release {release}"),
        Subject::Metric => "live metrics".to_owned(),
    }
}

/// What the run was made for.
fn cause(run: &Run) -> String {
    let Trigger::Data { files } = &run.trigger else { return format!("commit {}", run.inputs.source.label()) };
    match files.as_slice() {
        [] => "data removed".to_owned(),
        [one] => format!("data {one}"),
        [one, rest @ ..] => format!("data {one} and {} more", rest.len()),
    }
}

fn model(state: &State, run: &Run) -> Result<Subject, String> {
    let repeated = || release(state, run).ok().and_then(|release| state.releases.get(&release)?.model);
    let made = state.graph.stages().iter().find_map(|spec| {
        let entry = run.stages.get(&spec.name)?;
        // What a training that works now writes is listed already.
        let writes = entry.writes_model.filter(|_| entry.state.is_running());
        entry.model().or(writes)
    });
    let version = run.trigger.promoted().or(made).or_else(repeated);
    match version {
        Some(version) if is_listed(state, run, version) => Ok(Subject::Model(version)),
        Some(version) => Err(format!("model {version} of run {} is not kept", run.id)),
        None => Err(missing(state, run, "model", &|spec| link_of(spec) == Link::Model)),
    }
}

fn is_listed(state: &State, run: &Run, version: ModelVersion) -> bool {
    let is_training =
        || run.stages.values().any(|entry| entry.writes_model == Some(version) && entry.state.is_running());
    state.registry.models.contains_key(&version) || is_training()
}

fn tests(state: &State, run: &Run) -> Result<Subject, String> {
    let reported = |spec: &&StageSpec| {
        let outputs = run.stages.get(&spec.name).and_then(|entry| entry.outputs.as_ref());
        outputs.is_some_and(|outputs| outputs.tests.is_some())
    };
    match state.graph.stages().iter().rev().find(reported) {
        Some(spec) => Ok(Subject::Stage(spec.name.clone())),
        None => Err(missing(state, run, "test report", &|spec| link_of(spec) == Link::Tests)),
    }
}

fn image(state: &State, run: &Run) -> Result<Subject, String> {
    if let Some(earlier) = run.trigger.rollback_to() {
        return Err(format!("run {} built no image: it went back to release {earlier}", run.id));
    }
    let made = |spec: &&StageSpec| {
        let outputs = run.stages.get(&spec.name).and_then(|entry| entry.outputs.as_ref());
        outputs.is_some_and(|outputs| outputs.image.is_some())
    };
    match state.graph.stages().iter().rev().find(made) {
        Some(spec) => Ok(Subject::Stage(spec.name.clone())),
        None => Err(missing(state, run, "image", &|spec| spec.kind == StageKind::Image)),
    }
}

/// The release that the run made, or the equal one that was live already.
fn release(state: &State, run: &Run) -> Result<ReleaseId, String> {
    let deploys = || state.graph.stages().iter().filter(|spec| spec.kind == StageKind::Deploy);
    let entries = || deploys().filter_map(|spec| run.stages.get(&spec.name));
    let made = entries().find_map(|entry| entry.release);
    let live = || {
        let skipped = entries().find(|entry| matches!(entry.state, StageState::Skipped { .. }));
        skipped.and_then(|entry| entry.outputs.as_ref()?.live)
    };
    match made.or_else(live) {
        Some(release) if state.releases.contains_key(&release) => Ok(release),
        Some(release) => Err(format!("release {release} of run {} is forgotten", run.id)),
        None => Err(missing(state, run, "release", &|spec| spec.kind == StageKind::Deploy)),
    }
}

/// Why a run made none of these: `run 42 made no release: test failed`.
fn missing(state: &State, run: &Run, what: &str, makes: &dyn Fn(&StageSpec) -> bool) -> String {
    let stages = state.graph.stages();
    let Some(own) = stages.iter().find(|spec| makes(spec)).map(|spec| &spec.name) else {
        return format!("run {} made no {what}: no stage makes one", run.id);
    };
    let failed = |spec: &&StageSpec| {
        let is_failed =
            run.stages.get(&spec.name).is_some_and(|entry| matches!(entry.state, StageState::Failed { .. }));
        is_failed && state.graph.depends(own, &spec.name)
    };
    let stage = stages.iter().find(failed).map_or(own, |spec| &spec.name);
    let Some(entry) = run.stages.get(stage) else {
        return format!("run {} made no {what}: it had no stage {stage}", run.id);
    };
    let word = entry.state.word();
    let why = explain::stage(state, run, stage);
    // Of a stage further up its state says enough: one step back it can be looked at.
    let why = if why.is_empty() || stage != own { String::new() } else { format!(", {why}") };
    format!("run {} made no {what}: {stage} {word}{why}", run.id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pipeline::{Command, Failure, Outcome, Outputs, Selection};
    use crate::tui::fixtures::{self, World};

    fn walked(state: &State, run: u64, backward: bool) -> Vec<Link> {
        let run = &state.runs[&RunId(run)];
        let mut at = if backward { Link::Metric } else { Link::Cause };
        let mut seen = Vec::new();
        while let Ok(link) = step(state, run, at, backward) {
            seen.push(link);
            at = link;
        }
        seen
    }

    #[test]
    fn the_line_of_a_run_that_serves_goes_from_its_data_to_its_metrics_and_back() {
        let state = fixtures::two_runs().state;
        assert_eq!(walked(&state, 2, false), Link::ALL[1..]);
        let mut back = Link::ALL[..6].to_vec();
        back.reverse();
        assert_eq!(walked(&state, 2, true), back);
        let run = &state.runs[&RunId(2)];
        let labels: Vec<_> = Link::ALL.iter().map(|link| label(&state, run, *link)).collect();
        assert_eq!(labels[..4], ["data winter.csv", "run 2", "model 2", "41 tests passed"]);
        assert!(labels[4].starts_with("image 9be1"), "{labels:?}");
        assert_eq!(labels[5..], ["release 2", "live metrics"]);
        let end = step(&state, run, Link::Metric, false).unwrap_err();
        assert!(end.contains("ends here"), "{end}");
        assert!(step(&state, run, Link::Cause, true).unwrap_err().contains("begins here"));
    }

    #[test]
    fn what_does_not_exist_is_told_with_its_reason() {
        let state = fixtures::failed().state;
        let run = &state.runs[&RunId(3)];
        assert_eq!(walked(&state, 3, false), [Link::Run, Link::Model, Link::Tests]);
        let told = step(&state, run, Link::Tests, false).unwrap_err();
        assert_eq!(told, "run 3 made no image: test failed");
        assert_eq!(subject(&state, run, Link::Release).unwrap_err(), "run 3 made no release: test failed");
        assert_eq!(label(&state, run, Link::Tests), "2 tests failed");
        assert_eq!(label(&state, run, Link::Image), "no image");
    }

    #[test]
    fn a_release_that_was_left_measures_nothing() {
        let state = fixtures::two_runs().state;
        let told = step(&state, &state.runs[&RunId(1)], Link::Release, false).unwrap_err();
        assert_eq!(told, "nothing measures release 1: it is not live but retired");
    }

    #[test]
    fn a_rollback_has_the_model_of_the_release_it_repeats_and_no_image_of_its_own() {
        let state = fixtures::rolled_back().state;
        let run = &state.runs[&RunId(4)];
        assert_eq!(subject(&state, run, Link::Model), Ok(Subject::Model(ModelVersion(2))));
        assert_eq!(step(&state, run, Link::Model, false), Ok(Link::Release), "what does not exist is passed over");
        assert!(subject(&state, run, Link::Image).unwrap_err().contains("went back to release 2"));
    }

    proptest! {
        #[test]
        fn whoever_goes_on_and_back_is_where_he_was(
            kinds in proptest::collection::vec(0_u8..5, 1..6),
            from in 0_usize..7,
        ) {
            let mut world = World::new();
            for (number, kind) in (1..).zip(kinds) {
                world.register(number, "data.csv");
                if kind > 0 {
                    world.train(0.5 + f64::from(u32::try_from(number).unwrap()) / 100.0);
                }
                if kind > 1 {
                    world.test();
                }
                if kind > 2 {
                    world.build();
                }
                if kind > 3 {
                    world.deploy();
                } else {
                    world.end(0, Outcome::Failed(Failure::TimedOut), Outputs::default());
                }
            }
            fixtures::command(&mut world, Command::Run(Selection::default()));
            let state = &world.state;
            for run in state.runs.values() {
                let link = Link::ALL[from];
                if subject(state, run, link).is_err() {
                    continue;
                }
                for backward in [false, true] {
                    if let Ok(there) = step(state, run, link, backward) {
                        prop_assert_eq!(step(state, run, there, !backward), Ok(link));
                    }
                }
            }
        }
    }
}
